/** A task that needs memory, learnt out of a replay buffer: solved by DQN with a cell, out of reach without. */
import { expect, test } from 'vitest';
import { DQNConfig } from '../../src/index.ts';

/** Mean return of greedy episodes of RepeatFirst-v0; of 1,000, since who always says the same is right in all of an episode or nowhere. */
async function returnWith(recurrent: 'lstm' | 'gru' | null): Promise<number> {
  const algorithm = await new DQNConfig()
    .environment('RepeatFirst-v0')
    .envRunners({ numEnvRunners: 0, numEnvs: 8 })
    .training({ trainEvery: 8, batchSize: 256, updatesPerStep: 0.5, learningStarts: 1000, hiddenSizes: [32] })
    .training({ double: true, replayCapacity: 50_000, stepsPerIteration: 2000, scheduleSteps: 20_000 })
    .training({ epsilon: { schedule: 'linear', from: 1, to: 0.05 } })
    .training(recurrent === null ? {} : { recurrent, recurrentSize: 32, sequenceLength: 16 })
    .debugging({ seed: 100 })
    .build();
  try {
    while (algorithm.numEnvSteps < 30_000) await algorithm.train();
    return (await algorithm.evaluate({ numEpisodes: 1000 })).returnMean;
  } finally {
    await algorithm.stop();
  }
}

test.each(['lstm', 'gru'] as const)('repeat first is solved with %s', async (cell) => {
  expect(await returnWith(cell)).toBeGreaterThan(0.95);
});

test('repeat first is not solved by a network without memory', async () => {
  // whoever repeats what is shown has 1 / 16 + 15 / 16 / 4 = 0.297, the most that is to be had
  expect(await returnWith(null)).toBeLessThan(0.35);
});
