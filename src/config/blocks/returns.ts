/** How far ahead returns look. */
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

export const discountOptions = {
  gamma: option(kind.number({ min: 0, max: 1 }), {
    default: 0.99,
    doc: 'Discount per environment step.',
    alsoCalled: ['discount', 'discountFactor'],
  }),
};

/** For generalized advantage estimation. */
export const gaeOptions = {
  gaeLambda: option(kind.number({ min: 0, max: 1 }), {
    default: 0.95,
    doc: 'GAE trace decay: 0 = one-step TD error, 1 = Monte Carlo return.',
    alsoCalled: ['lambda', 'lambda_', 'lam', 'gae_lambda'],
  }),
};
