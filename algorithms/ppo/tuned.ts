/**
 * PPO settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on seeds 0 to 9 (bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedPPO: TunedDefaults = {
  // rl-baselines3-zoo's row; reaches 475 between 50,000 and 75,000 steps
  'CartPole-v1': {
    envRunners: { numEnvs: 8, rolloutLength: 32 },
    training: {
      learningRate: { schedule: 'linear', from: 1e-3, to: 0 },
      clipRange: { schedule: 'linear', from: 0.2, to: 0 },
      scheduleSteps: 100_000,
      gamma: 0.98,
      gaeLambda: 0.8,
      numEpochs: 20,
      minibatchSize: 256,
    },
    stopping: { stopReturn: 475, stopSteps: 150_000 },
  },
  // rl-baselines3-zoo's row, with a learning rate that ends at 0 (mean of 4 seeds -176 instead of -197)
  'Pendulum-v1': {
    envRunners: { numEnvs: 4, rolloutLength: 1024 },
    training: {
      learningRate: { schedule: 'linear', from: 1e-3, to: 0 },
      scheduleSteps: 300_000,
      gamma: 0.9,
      gaeLambda: 0.95,
      numEpochs: 10,
      minibatchSize: 64,
      useGsde: true,
      gsdeSampleFrequency: 4,
    },
    stopping: { stopSteps: 300_000 },
  },
};
