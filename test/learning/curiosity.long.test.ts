/** A task whose one reward nobody meets by chance: solved with a bonus for what is new, out of reach without. Five seeds: `npm run bench:curiosity`. */
import { expect, test } from 'vitest';
import { PPOConfig } from '../../src/index.ts';

/** Return of a greedy episode after the tuned settings' steps; the maze is the same in every one. */
async function returnWith(bonus: 'rnd' | 'count' | null, seed: number): Promise<number> {
  const config = new PPOConfig().environment('SparseMaze-v0').tuned().envRunners({ numEnvRunners: 0 });
  config.training(bonus === null ? { curiosity: null, curiosityCoeff: 0.5 } : { curiosity: bonus });
  const algorithm = await config.debugging({ seed }).build();
  try {
    while (algorithm.numEnvSteps < 600_000) await algorithm.train();
    return (await algorithm.evaluate({ numEpisodes: 1 })).returnMean;
  } finally {
    await algorithm.stop();
  }
}

test.each(['rnd', 'count'] as const)('the maze is solved with %s', async (bonus) => {
  expect(await returnWith(bonus, 100)).toBe(1);
});

test('the maze is not solved without', async () => {
  expect(await returnWith(null, 100)).toBe(0);
});
