/** Adam, and the bound of the gradient that it gets. */
import { option } from '../option.ts';
import { logUniform } from '../search-space.ts';
import * as kind from '../value-kind.ts';

/** Defaults are those of Kingma and Ba 2015 (arXiv:1412.6980), but for the step size. */
export const adamOptions = {
  learningRate: option(kind.schedule({ min: 0 }), {
    default: 3e-4,
    doc: "Adam's step size.",
    search: logUniform(1e-5, 2e-3),
    alsoCalled: ['lr', 'learning_rate'],
  }),
  maxGradNorm: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    doc: 'Bound of the global gradient norm; null = off.',
    alsoCalled: ['grad_clip', 'gradClip', 'max_grad_norm'],
  }),
  adamBeta1: option(kind.number({ min: 0, below: 1 }), {
    default: 0.9,
    doc: "Decay of Adam's first moment.",
  }),
  adamBeta2: option(kind.number({ min: 0, below: 1 }), {
    default: 0.999,
    doc: "Decay of Adam's second moment.",
  }),
  adamEpsilon: option(kind.number({ above: 0 }), { default: 1e-8, doc: "Adam's epsilon." }),
};
