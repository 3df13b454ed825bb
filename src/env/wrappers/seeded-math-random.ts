/** A wrapper for other people's games. */
import { openEpisodeStream } from '../../random/episode-stream.ts';
import type { StreamState } from '../../random/streams.ts';
import type { Env } from '../env.ts';
import { wrapEnv } from './wrap-env.ts';

/**
 * Lends the environment a `Math.random` that the episode's seed governs, during `reset` and `step` alone; everybody else's is as it was. So a
 * game that calls `Math.random` all over repeats its episodes, and a run with it is exact.
 *
 * What the factory drew at random has to be drawn again by `reset`, and nothing must be drawn later than in the call itself (in a timer, a
 * promise): `checkEnv` finds both. With `getState` of the environment the stream is saved beside its state.
 *
 * Cost: two assignments a call of reset or step, and a draw of a stream where `Math.random` was.
 */
export function seededMathRandom(env: Env): Env {
  const stream = openEpisodeStream(0, 'math');
  const draw = () => stream.uniform();
  const lend = <T>(call: () => T): T => {
    const original = Math.random;
    Math.random = draw;
    try {
      return call();
    } finally {
      Math.random = original;
    }
  };
  return wrapEnv(
    env,
    {
      reset(options) {
        if (options?.seed !== undefined) stream.restart(options.seed);
        return lend(() => env.reset(options));
      },
      step: (action) => lend(() => env.step(action)),
    },
    {
      getState: () => ({ ...stream.getState() }),
      setState: (state) => stream.setState(state as unknown as StreamState),
    },
  );
}
