/** A task that needs memory: solved with a recurrent cell, out of reach without. Five seeds and the longer ones: `npm run bench:learning`. */
import { expect, test } from 'vitest';
import { PPOConfig } from '../../src/index.ts';

/** Mean return of 100 greedy episodes after 60,000 steps of the tuned settings. */
async function returnWith(recurrent: 'lstm' | 'gru' | null, seed: number): Promise<number> {
  const algorithm = await new PPOConfig()
    .environment('RepeatFirst-v0')
    .tuned()
    .envRunners({ numEnvRunners: 0 })
    .training({ recurrent })
    .debugging({ seed })
    .build();
  try {
    while (algorithm.numEnvSteps < 60_000) await algorithm.train();
    return (await algorithm.evaluate({ numEpisodes: 100 })).returnMean;
  } finally {
    await algorithm.stop();
  }
}

test.each(['lstm', 'gru'] as const)('repeat first is solved with %s', async (cell) => {
  expect(await returnWith(cell, 100)).toBeGreaterThan(0.95);
});

test('repeat first is not solved by a network without memory', async () => {
  // whoever repeats what is shown has 1 / 16 + 15 / 16 / 4 = 0.297, the most that is to be had
  expect(await returnWith(null, 100)).toBeLessThan(0.35);
});
