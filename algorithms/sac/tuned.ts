/**
 * SAC settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on seeds 0 to 4 (bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedSAC: TunedDefaults = {
  // A step size that stays (5e-4, seed 100) loses what it found in between: -264, -497 and -173 after 12,000, 18,000 and 24,000 steps
  'PendulumNoVelocity-v0': {
    envRunners: { numEnvs: 4, normalizeObservations: true },
    training: {
      recurrent: 'gru',
      recurrentSize: 32,
      sequenceLength: 8,
      burnIn: 4,
      hiddenSizes: [64, 64],
      batchSize: 256,
      trainEvery: 4,
      updatesPerStep: 0.5,
      learningStarts: 1000,
      gamma: 0.95,
      actorLearningRate: { schedule: 'linear', from: 7e-4, to: 0 },
      criticLearningRate: { schedule: 'linear', from: 7e-4, to: 0 },
      scheduleSteps: 30_000,
    },
    stopping: { stopSteps: 30_000 },
  },
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
