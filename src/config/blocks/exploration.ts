/** How often an action is random where actions are chosen by their values. */
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

export const explorationOptions = {
  epsilon: option(kind.schedule({ min: 0, max: 1 }), {
    default: {
      schedule: 'piecewise',
      points: [
        [0, 1],
        [10_000, 0.05],
      ],
    },
    doc: 'Chance of a random action, over environment steps; evaluation takes none.',
    alsoCalled: ['exploration_fraction', 'exploration_final_eps', 'epsilon_timesteps', 'eps'],
  }),
};
