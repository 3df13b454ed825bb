/**
 * A2C settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on seeds 0 to 4 (bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedA2C: TunedDefaults = {
  'CartPole-v1': {
    envRunners: { numEnvs: 16, rolloutLength: 8 },
    training: {
      learningRate: { schedule: 'linear', from: 3e-3, to: 0 },
      scheduleSteps: 300_000,
      gaeLambda: 0.95,
    },
    stopping: { stopSteps: 300_000 },
  },
  // rl-baselines3-zoo's row with a longer horizon: with its discount of 0.9 the four seeds end at -168 to -185. New noise every 8 steps, as
  // Stable-Baselines3 draws it with each rollout
  'Pendulum-v1': {
    envRunners: { numEnvs: 8, rolloutLength: 8, normalizeObservations: true, normalizeRewards: true },
    training: {
      learningRate: { schedule: 'linear', from: 1e-3, to: 0 },
      scheduleSteps: 1_000_000,
      gamma: 0.95,
      gaeLambda: 0.9,
      valueCoeff: 0.4,
      useGsde: true,
      gsdeSampleFrequency: 8,
      logStdInit: -2,
      orthogonalInit: false,
    },
    stopping: { stopSteps: 1_000_000 },
  },
};
