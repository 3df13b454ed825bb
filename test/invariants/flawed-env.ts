/** A user's environment in which something goes wrong when a file says so. */
import { existsSync } from 'node:fs';
import type { Env } from '../../src/env/env.ts';
import { Box, Discrete } from '../../src/env/spaces.ts';
import type { JsonObject } from '../../src/json.ts';

/**
 * A walk on a line: +1 or -1 by the action, from a place that the seed gives; ends at +-5 or after 12 steps.
 *
 * @param options.failFile while this file exists, every step throws. @param options.hugeFile while it exists, rewards are so
 *   large that the learner's loss is not finite.
 */
export default function createFlawedEnv(options: JsonObject = {}): Env {
  const { failFile, hugeFile } = options as { failFile?: string; hugeFile?: string };
  let position = 0;
  let step = 0;
  const observation = () => Float32Array.of(position / 5, step / 12);
  return {
    observationSpace: new Box(-2, 2, [2]),
    actionSpace: new Discrete(2),
    reset: ({ seed = 0 } = {}) => {
      position = (seed % 7) - 3;
      step = 0;
      return { observation: observation() };
    },
    step: (action) => {
      if (failFile !== undefined && existsSync(failFile)) throw new Error('the floor gave way');
      position += action === 1 ? 1 : -1;
      step += 1;
      const reward = hugeFile !== undefined && existsSync(hugeFile) ? 1e38 : position / 5;
      return {
        observation: observation(),
        reward,
        terminated: Math.abs(position) >= 5,
        truncated: step >= 12,
      };
    },
  };
}
