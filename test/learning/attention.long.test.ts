/** Repeat first, solved with attention; without memory 0.297 is the most that is to be had (memory.test.ts trains that). */
import { expect, test } from 'vitest';
import { PPOConfig } from '../../src/index.ts';

test('repeat first is solved with attention', async () => {
  const algorithm = await new PPOConfig()
    .environment('RepeatFirst-v0')
    .envRunners({ numEnvRunners: 0, numEnvs: 16, rolloutLength: 64 })
    .training({
      ...{ recurrent: 'attention', recurrentSize: 32, attentionWindow: 16, sequenceLength: 16 },
      ...{ hiddenSizes: [32], sharedLayers: true, learningRate: 1e-3, gamma: 0.9, entropyCoeff: 0.01 },
      ...{ numEpochs: 4, minibatchSize: 256 },
    })
    .debugging({ seed: 100 })
    .build();
  while (algorithm.numEnvSteps < 50_000) await algorithm.train();
  const { returnMean } = await algorithm.evaluate({ numEpisodes: 100 });
  await algorithm.stop();
  expect(returnMean).toBeGreaterThan(0.95);
}, 600_000);
