/**
 * IMPALA settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on seeds 0 to 4 (bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedIMPALA: TunedDefaults = {
  // Of the seeds 100 to 107 all end at 500, with lag 1 and 4. Without the entropy bonus and with Adam's usual epsilon a seed in four
  // ends in a policy of one action: steps as long as ever along gradients that have become small
  'CartPole-v1': {
    envRunners: { numEnvs: 16, rolloutLength: 16 },
    training: {
      learningRate: { schedule: 'linear', from: 2e-3, to: 0 },
      scheduleSteps: 600_000,
      gamma: 0.98,
      vtraceLambda: 0.95,
      entropyCoeff: 0.01,
      maxGradNorm: 0.5,
      adamEpsilon: 1e-3,
    },
    stopping: { stopSteps: 600_000 },
  },
};
