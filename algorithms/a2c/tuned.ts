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
};
