/** The loss of a policy gradient with a critic. */
import { option } from '../option.ts';
import { logUniform, uniform } from '../search-space.ts';
import * as kind from '../value-kind.ts';

export const policyGradientOptions = {
  valueCoeff: option(kind.number({ min: 0 }), {
    default: 0.5,
    doc: 'Weight of the value loss.',
    search: uniform(0.1, 1),
    alsoCalled: ['vf_loss_coeff', 'vf_coef', 'valueCoef'],
  }),
  entropyCoeff: option(kind.schedule({ min: 0 }), {
    default: 0,
    doc: 'Weight of the entropy bonus.',
    search: logUniform(1e-8, 0.1),
    alsoCalled: ['entropy_coeff', 'ent_coef', 'entropyCoef'],
  }),
  normalizeAdvantages: option(kind.boolean(), {
    default: false,
    doc: 'Shift and scale advantages to mean 0, deviation 1 in every minibatch.',
    alsoCalled: ['normalizeAdvantage', 'normAdv', 'normalize_advantage'],
  }),
};
