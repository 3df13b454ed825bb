/** 10,000 draws of each algorithm's own space beside its tuned settings, 1,000 beside its defaults: it refuses none. */
import { describe, expect, it } from 'vitest';
import { algorithms } from '../../algorithms/registry.ts';
import { randomSearcher } from '../../src/tune/searchers/random.ts';
import { sobolSearcher } from '../../src/tune/searchers/sobol.ts';
import { tpeSearcher } from '../../src/tune/searchers/tpe.ts';
import { clones, draws, ownSpace } from './draws.ts';

const CONTINUOUS = ['sac', 'td3', 'tqc'];
/** Each is asked what the searcher was told when it drew it; of so many, one is tried as a trial would. */
const TRIED = 10;

describe.each(Object.keys(algorithms))('the space of %s', (name) => {
  const env = CONTINUOUS.includes(name) ? 'Pendulum-v1' : 'CartPole-v1';

  it.each([
    [true, 10_000],
    [false, 1000],
  ])(
    'never draws what is refused (tuned: %s, %d draws)',
    async (isTuned, count) => {
      const own = ownSpace(await algorithms[name](), { environment: { env } }, isTuned);
      const drawn = {
        random: draws(randomSearcher, own, { count, numPast: 0 }),
        sobol: draws(sobolSearcher, own, { count: 200, numPast: 0 }),
        tpe: draws(tpeSearcher, own, { count: 200, numPast: 40 }),
      };
      expect(drawn.random).toHaveLength(count);
      const all = Object.values(drawn).flat();
      expect(all.filter((values) => !own.accepts(values))).toEqual([]);
      for (const values of all.filter((_, k) => k % TRIED === 0))
        expect(() => own.check(values)).not.toThrow();
      for (const values of clones(own, drawn.random[0], 200)) expect(() => own.check(values)).not.toThrow();
    },
    600_000,
  );
});
