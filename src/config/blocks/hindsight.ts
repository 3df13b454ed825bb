/** Goals that replayed transitions get besides their own (Andrychowicz et al. 2017, arXiv:1707.01495). */
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

export const hindsightOptions = {
  hindsight: option(kind.choice(['none', 'future', 'final', 'episode']), {
    default: 'none',
    shapesCheckpoint: true,
    doc: 'For goal environments: replay transitions as if the goal had been what their episode reached later, last, or at any time.',
    alsoCalled: ['her', 'goal_selection_strategy', 'goalSelectionStrategy'],
  }),
  hindsightGoals: option(kind.number({ above: 0 }), {
    default: 4,
    doc: 'Transitions with such a goal for each one that keeps its own.',
    needs: { option: 'hindsight', values: ['future', 'final', 'episode'] },
    alsoCalled: ['n_sampled_goal', 'nSampledGoal'],
  }),
};
