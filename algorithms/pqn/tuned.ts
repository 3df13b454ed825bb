/**
 * PQN settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on seeds 0 to 4 (bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedPQN: TunedDefaults = {
  // The authors' row for CartPole (32 x 64 steps, 16 minibatches, 4 epochs, lambda 0.95), with a larger learning rate in fewer steps
  'CartPole-v1': {
    envRunners: { numEnvs: 32, rolloutLength: 64 },
    training: {
      learningRate: { schedule: 'linear', from: 2e-3, to: 0 },
      scheduleSteps: 150_000,
      epsilon: {
        schedule: 'piecewise',
        points: [
          [0, 1],
          [30_000, 0.1],
        ],
      },
      lambda: 0.95,
      numEpochs: 4,
      minibatchSize: 128,
      hiddenSizes: [128, 128],
    },
    stopping: { stopSteps: 150_000 },
  },
  'RepeatFirst-v0': {
    envRunners: { numEnvs: 16, rolloutLength: 32 },
    training: {
      recurrent: 'lstm',
      recurrentSize: 32,
      sequenceLength: 16,
      hiddenSizes: [32],
      learningRate: { schedule: 'linear', from: 2e-3, to: 0 },
      scheduleSteps: 100_000,
      epsilon: {
        schedule: 'piecewise',
        points: [
          [0, 1],
          [33_000, 0.05],
        ],
      },
      gamma: 0.9,
      numEpochs: 8,
      minibatchSize: 128,
    },
    stopping: { stopSteps: 100_000 },
  },
};
