/**
 * APPO settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on seeds 0 to 4 (bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedAPPO: TunedDefaults = {
  'CartPole-v1': {
    envRunners: { numEnvs: 16, rolloutLength: 16 },
    training: {
      learningRate: { schedule: 'linear', from: 1e-3, to: 0 },
      scheduleSteps: 200_000,
      gamma: 0.98,
      vtraceLambda: 0.9,
      minibatchSize: 64,
    },
    stopping: { stopSteps: 200_000 },
  },
};
