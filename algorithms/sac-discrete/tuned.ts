/**
 * Discrete SAC settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on seeds 0 to 4 (bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedSACDiscrete: TunedDefaults = {
  'CartPole-v1': {
    training: {
      actorLearningRate: 1e-3,
      criticLearningRate: 1e-3,
      targetEntropyScale: 0.7,
      nStep: 3,
      tau: 0.01,
      learningStarts: 1000,
      trainEvery: 4,
      updatesPerStep: 0.5,
      batchSize: 128,
      replayCapacity: 50_000,
      hiddenSizes: [64, 64],
    },
    stopping: { stopSteps: 50_000 },
  },
};
