/** Adam or RMSProp, for algorithms whose authors had the second. */
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';
import { adamOptions } from './adam.ts';

const { learningRate, adamBeta1, adamBeta2, adamEpsilon, ...shared } = adamOptions;
const BY_ADAM = { needs: { option: 'optimizer', values: ['adam'] } } as const;
const BY_RMSPROP = { needs: { option: 'optimizer', values: ['rmsprop'] } } as const;

export const optimizerOptions = {
  optimizer: option(kind.choice(['adam', 'rmsprop']), {
    default: 'adam',
    doc: "What makes a step of a gradient. rmsprop: v <- decay v + (1 - decay) g^2, p <- p - learningRate g / (sqrt(v) + epsilon), PyTorch's form: epsilon outside of the root, v from 0.",
    alsoCalled: ['use_rms_prop', 'optimizer_class', 'opt_type'],
  }),
  learningRate: { ...learningRate, doc: 'Step size.' },
  ...shared,
  adamBeta1: { ...adamBeta1, ...BY_ADAM },
  adamBeta2: { ...adamBeta2, ...BY_ADAM },
  adamEpsilon: { ...adamEpsilon, ...BY_ADAM },
  rmspropDecay: option(kind.number({ min: 0, below: 1 }), {
    default: 0.99,
    doc: "Decay of RMSProp's mean of squares.",
    ...BY_RMSPROP,
    alsoCalled: ['rmsprop_alpha', 'decay'],
  }),
  rmspropEpsilon: option(kind.number({ above: 0 }), {
    default: 1e-5,
    doc: "RMSProp's epsilon, added to the root. Of one inside the root, as TensorFlow's, take the root: 0.1 there is about 0.3 here.",
    ...BY_RMSPROP,
    alsoCalled: ['rms_prop_eps', 'epsilon'],
  }),
};
