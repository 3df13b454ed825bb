/**
 * SAC settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on seeds 0 to 4 (bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedSAC: TunedDefaults = {
  // rl-baselines3-zoo's row
  'Pendulum-v1': {
    training: { actorLearningRate: 1e-3, criticLearningRate: 1e-3, learningStarts: 100, batchSize: 64 },
    stopping: { stopSteps: 20_000 },
  },
  // rl-baselines3-zoo's row; its noise is drawn anew with every rollout of 32 steps, and it begins to learn from less than a batch
  'MountainCarContinuous-v0': {
    training: {
      gamma: 0.9999,
      tau: 0.01,
      temperature: 0.1,
      learningStarts: 512,
      trainEvery: 32,
      gradientSteps: 32,
      batchSize: 512,
      replayCapacity: 50_000,
      hiddenSizes: [64, 64],
      useGsde: true,
      gsdeSampleFrequency: 32,
      logStdInit: -3.67,
    },
    stopping: { stopSteps: 50_000 },
  },
};
