/** How far ahead returns look. */
import { option } from '../option.ts';
import { choice } from '../search-space.ts';
import * as kind from '../value-kind.ts';

export const discountOptions = {
  gamma: option(kind.number({ min: 0, max: 1 }), {
    default: 0.99,
    doc: 'Discount per environment step.',
    search: choice([0.9, 0.95, 0.98, 0.99, 0.995, 0.999]),
    alsoCalled: ['discount', 'discountFactor'],
  }),
};

/** For generalized advantage estimation. */
export const gaeOptions = {
  gaeLambda: option(kind.number({ min: 0, max: 1 }), {
    default: 0.95,
    doc: 'GAE trace decay: 0 = one-step TD error, 1 = Monte Carlo return.',
    search: choice([0.8, 0.9, 0.95, 0.98, 0.99, 1]),
    alsoCalled: ['lambda', 'lambda_', 'lam', 'gae_lambda'],
  }),
};
