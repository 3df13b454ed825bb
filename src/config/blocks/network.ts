/** The networks' shape. */
import { isModuleReference } from '../../modules/module-text.ts';
import type { Activation } from '../../policy/policy-spec.ts';
import { option } from '../option.ts';
import { conflict, type Problem } from '../problems.ts';
import { choice } from '../search-space.ts';
import * as kind from '../value-kind.ts';

const ACTIVATIONS = [
  'tanh',
  'relu',
  'elu',
  'silu',
  'gelu',
  'leaky-relu',
  'sigmoid',
  'identity',
] as const satisfies Activation[];

export const networkOptions = {
  network: option(
    kind.text("'mlp', 'conv' or a module path such as './network.ts#name'", '<mlp|conv|path>'),
    {
      default: 'mlp',
      namesModule: true,
      shapesCheckpoint: true,
      doc: 'Policy network: mlp, conv, or a module (./network.ts#name) with a network of your own in tfjs.',
      alsoCalled: ['model', 'policy'],
    },
  ),
  networkOptions: option(kind.jsonObject(), {
    default: {},
    shapesCheckpoint: true,
    doc: 'Options handed to a network of your own.',
    alsoCalled: ['model_config', 'policy_kwargs'],
  }),
  hiddenSizes: option(kind.integerList({ min: 1, max: 65536 }), {
    default: [64, 64],
    shapesCheckpoint: true,
    doc: 'Units of each hidden layer; conv: of the layers after the convolutions.',
    search: choice([[64], [64, 64], [128, 128], [256, 256]]),
    needs: { option: 'network', values: ['mlp', 'conv'] },
    alsoCalled: ['fcnet_hiddens', 'net_arch', 'hiddens'],
  }),
  activation: option(kind.choice(ACTIVATIONS), {
    default: 'tanh',
    shapesCheckpoint: true,
    doc: 'Activation of hidden layers.',
    search: choice(['tanh', 'relu']),
    needs: { option: 'network', values: ['mlp', 'conv'] },
    alsoCalled: ['fcnet_activation', 'activation_fn'],
  }),
  convLayers: option(kind.nullable(kind.convolutionLayers()), {
    default: null,
    shapesCheckpoint: true,
    doc: "Convolutions [filters, kernelSize, stride]; null = chosen by the image's size.",
    needs: { option: 'network', values: ['conv'] },
    alsoCalled: ['conv_filters'],
  }),
};

/** Which networks which engine runs, and where they act. */
export function checkNetwork({
  training: { network },
  envRunners: { inference },
  learners: { engine },
}: {
  readonly training: { readonly network: string };
  readonly envRunners: { readonly inference: string };
  readonly learners: { readonly engine: string };
}): readonly Problem[] {
  if (network === 'mlp') return [];
  const problems: Problem[] = [];
  if (network !== 'conv' && !isModuleReference(network)) {
    problems.push(
      conflict(
        `network (${network}) must be 'mlp', 'conv' or a module path such as './network.ts#name': write ./${network}.ts.`,
      ),
    );
  }
  if (engine === 'simd') {
    problems.push(
      conflict(
        `network (${network}) needs the TensorFlow engine, but engine is simd: leave engine out, or set network to mlp.`,
      ),
    );
  }
  if (inference === 'worker') {
    problems.push(
      conflict(
        `network (${network}) acts by central inference only, but inference is worker: leave inference out.`,
      ),
    );
  }
  return problems;
}
