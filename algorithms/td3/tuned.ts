/**
 * TD3 settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on seeds 0 to 4 (bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedTD3: TunedDefaults = {
  // Networks and batches as RLtools', with more noise: 2 x 256 and batches of 256 cost 20 times as much and end no better
  'Pendulum-v1': {
    training: {
      actorLearningRate: 1e-3,
      criticLearningRate: 1e-3,
      gamma: 0.98,
      learningStarts: 1000,
      explorationNoise: 0.3,
      hiddenSizes: [64, 64],
      batchSize: 100,
    },
    stopping: { stopSteps: 20_000 },
  },
};
