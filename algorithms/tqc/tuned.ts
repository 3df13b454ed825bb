/**
 * TQC settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on seeds 0 to 4 (bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedTQC: TunedDefaults = {
  // rl-baselines3-zoo's row
  'Pendulum-v1': {
    training: { actorLearningRate: 1e-3, criticLearningRate: 1e-3, learningStarts: 300 },
    stopping: { stopSteps: 20_000 },
  },
};
