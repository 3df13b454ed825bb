/** What an on-policy iteration collects, and what becomes of its rewards: more options of the section `envRunners`. */
import { option } from '../option.ts';
import { choice } from '../search-space.ts';
import * as kind from '../value-kind.ts';

export const onPolicySamplingOptions = {
  rolloutLength: option(kind.integer({ min: 1, max: 1048576 }), {
    default: 128,
    unit: 'steps',
    doc: 'Steps that each environment takes per iteration.',
    search: choice([8, 16, 32, 64, 128, 256, 512, 1024]),
    alsoCalled: ['nSteps', 'n_steps', 'numSteps', 'rollout_fragment_length', 'rolloutFragmentLength'],
  }),
  normalizeRewards: option(kind.boolean(), {
    default: false,
    shapesCheckpoint: true,
    doc: 'Divide rewards by the running standard deviation of the discounted return.',
    alsoCalled: ['normalize_reward', 'normReward'],
  }),
  clipReward: option(kind.nullable(kind.number({ above: 0 })), {
    default: 10,
    doc: 'Bound of a reward after that division, +-; null = none. Needs normalizeRewards.',
    needs: { option: 'normalizeRewards', values: [true] },
    alsoCalled: ['clip_rewards', 'clipRewards'],
  }),
};
