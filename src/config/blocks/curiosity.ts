/** Curiosity: a bonus for what is new, beside the environment's rewards. */
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

const NEEDS = { option: 'curiosity', values: ['rnd', 'icm', 'count'] } as const;
const NEEDS_NETWORKS = { option: 'curiosity', values: ['rnd', 'icm'] } as const;

export const curiosityOptions = {
  curiosity: option(kind.nullable(kind.choice(['rnd', 'icm', 'count'])), {
    default: null,
    doc: 'Bonus for what is new: rnd = random network, icm = inverse dynamics, count = visits of discrete observations; null = none.',
    onlyAtStart: true,
    alsoCalled: ['rnd', 'icm', 'exploration_bonus', 'intrinsic_reward'],
  }),
  curiosityCoeff: option(kind.number({ above: 0 }), {
    default: 0.5,
    doc: "Weight of the bonus's advantages beside those of the rewards, which count once.",
    needs: NEEDS,
    alsoCalled: ['int_coef', 'intrinsic_reward_coeff', 'eta'],
  }),
  curiosityGamma: option(kind.number({ min: 0, max: 1 }), {
    default: 0.99,
    doc: 'Discount of the bonus, whose return goes on over the end of an episode.',
    needs: NEEDS,
    alsoCalled: ['int_gamma', 'gamma_int'],
  }),
  curiosityLearningRate: option(kind.number({ min: 0 }), {
    default: 3e-4,
    doc: "Adam's learning rate of the networks that tell what is new.",
    needs: NEEDS_NETWORKS,
  }),
  curiosityHiddenSizes: option(kind.integerList({ min: 1, max: 65536 }), {
    default: [64, 64],
    doc: "Hidden layers of the bonus's networks and of its value.",
    onlyAtStart: true,
    needs: NEEDS,
  }),
  curiosityFeatures: option(kind.integer({ min: 1, max: 65536 }), {
    default: 64,
    doc: 'Outputs of the random network, or features of an observation.',
    onlyAtStart: true,
    needs: NEEDS_NETWORKS,
    alsoCalled: ['feature_dim', 'embed_dim'],
  }),
  curiosityShare: option(kind.number({ above: 0, max: 1 }), {
    default: 1,
    doc: 'Share of the samples that those networks learn from; less keeps things new for longer.',
    needs: NEEDS_NETWORKS,
    alsoCalled: ['update_proportion'],
  }),
};
