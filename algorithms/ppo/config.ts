/** PPO's options: the shared sections and its own `training`. */
import { commonOptions } from '../../src/config/common-options.ts';
import { type ConfigInput, option, type ResolvedConfig } from '../../src/config/option.ts';
import { conflict, type Problem } from '../../src/config/problems.ts';
import * as kind from '../../src/config/value-kind.ts';
import type { Activation } from '../../src/policy/policy-spec.ts';

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

/** How PPO learns from one rollout. */
const updateOptions = {
  learningRate: option(kind.schedule({ min: 0 }), {
    default: 3e-4,
    doc: "Adam's step size.",
    alsoCalled: ['lr', 'learning_rate'],
  }),
  gamma: option(kind.number({ min: 0, max: 1 }), {
    default: 0.99,
    doc: 'Discount per environment step.',
    alsoCalled: ['discount', 'discountFactor'],
  }),
  gaeLambda: option(kind.number({ min: 0, max: 1 }), {
    default: 0.95,
    doc: 'GAE trace decay: 0 = one-step TD error, 1 = Monte Carlo return.',
    alsoCalled: ['lambda', 'lambda_', 'lam', 'gae_lambda'],
  }),
  clipRange: option(kind.schedule({ min: 0, max: 1 }), {
    default: 0.2,
    doc: 'Clip range of the probability ratio: 0.2 keeps it in [0.8, 1.2].',
    alsoCalled: ['clip_param', 'clipParam', 'clip_coef', 'clip_range', 'epsilon'],
  }),
  valueClipRange: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    unit: 'return',
    doc: 'Clip range of the change of a value; null = off.',
    alsoCalled: ['clip_range_vf'],
  }),
  valueErrorBound: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    unit: 'return^2',
    doc: "Bound of a sample's value loss: one beyond it counts as the bound and has no gradient; null = off.",
    alsoCalled: ['vf_clip_param'],
  }),
  valueLoss: option(kind.choice(['mse', 'huber']), {
    default: 'mse',
    doc: 'Loss of the value head; huber has delta 1.',
  }),
  valueCoeff: option(kind.number({ min: 0 }), {
    default: 0.5,
    doc: 'Weight of the value loss.',
    alsoCalled: ['vf_loss_coeff', 'vf_coef', 'valueCoef'],
  }),
  entropyCoeff: option(kind.schedule({ min: 0 }), {
    default: 0,
    doc: 'Weight of the entropy bonus.',
    alsoCalled: ['entropy_coeff', 'ent_coef', 'entropyCoef'],
  }),
  numEpochs: option(kind.integer({ min: 1, max: 1000 }), {
    default: 10,
    doc: 'Passes over each rollout.',
    alsoCalled: ['num_epochs', 'n_epochs', 'num_sgd_iter', 'epochs', 'updateEpochs'],
  }),
  minibatchSize: option(kind.integer({ min: 1 }), {
    default: 64,
    unit: 'samples',
    doc: 'Samples per gradient step, at most numEnvs * rolloutLength; when it does not divide that, the last one is smaller.',
    alsoCalled: ['minibatch_size', 'sgd_minibatch_size', 'batchSize', 'batch_size'],
  }),
  normalizeAdvantages: option(kind.boolean(), {
    default: true,
    doc: 'Shift and scale advantages to mean 0, deviation 1 in every minibatch.',
    alsoCalled: ['normalizeAdvantage', 'normAdv'],
  }),
  maxGradNorm: option(kind.nullable(kind.number({ above: 0 })), {
    default: 0.5,
    doc: 'Bound of the global gradient norm; null = off.',
    alsoCalled: ['grad_clip', 'gradClip', 'max_grad_norm'],
  }),
  targetKl: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    unit: 'nats',
    doc: 'Skip the remaining epochs when the mean approxKl of one exceeds 1.5 * targetKl; null = never.',
    alsoCalled: ['target_kl'],
  }),
  klPenaltyCoeff: option(kind.number({ min: 0 }), {
    default: 0,
    doc: 'Initial weight of a penalty on the divergence from the acting policy; 0 = none.',
    alsoCalled: ['kl_coeff'],
  }),
  klPenaltyTarget: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    unit: 'nats',
    doc: 'Divergence to which klPenaltyCoeff adapts: x 1.5 after an update of over twice it, x 0.5 below half; null = constant.',
    alsoCalled: ['kl_target'],
  }),
  adamBeta1: option(kind.number({ min: 0, below: 1 }), {
    default: 0.9,
    doc: "Decay of Adam's first moment.",
  }),
  adamBeta2: option(kind.number({ min: 0, below: 1 }), {
    default: 0.999,
    doc: "Decay of Adam's second moment.",
  }),
  adamEpsilon: option(kind.number({ above: 0 }), { default: 1e-5, doc: "Adam's epsilon." }),
  scheduleSteps: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'environment steps',
    doc: 'Length of linear schedules; required by them.',
  }),
};

/** The policy's network and action distribution. */
const networkOptions = {
  network: option(
    kind.text("'mlp', 'conv' or a module path such as './network.ts#name'", '<mlp|conv|path>'),
    {
      default: 'mlp',
      doc: 'Policy network: mlp, conv, or a module (./network.ts#name) with a network of your own in tfjs.',
      alsoCalled: ['model', 'policy'],
    },
  ),
  networkOptions: option(kind.jsonObject(), {
    default: {},
    doc: 'Options handed to a network of your own.',
    alsoCalled: ['model_config', 'policy_kwargs'],
  }),
  hiddenSizes: option(kind.integerList({ min: 1, max: 65536 }), {
    default: [64, 64],
    doc: 'Units of each hidden layer; conv: of the layers after the convolutions.',
    needs: { option: 'network', values: ['mlp', 'conv'] },
    alsoCalled: ['fcnet_hiddens', 'net_arch', 'hiddens'],
  }),
  activation: option(kind.choice(ACTIVATIONS), {
    default: 'tanh',
    doc: 'Activation of hidden layers.',
    needs: { option: 'network', values: ['mlp', 'conv'] },
    alsoCalled: ['fcnet_activation', 'activation_fn'],
  }),
  sharedLayers: option(kind.boolean(), {
    default: false,
    doc: 'One trunk with a policy and a value head, instead of two networks.',
    needs: { option: 'network', values: ['mlp'] },
    alsoCalled: ['vf_share_layers'],
  }),
  convLayers: option(kind.nullable(kind.convolutionLayers()), {
    default: null,
    doc: "Convolutions [filters, kernelSize, stride]; null = chosen by the image's size.",
    needs: { option: 'network', values: ['conv'] },
    alsoCalled: ['conv_filters'],
  }),
  orthogonalInit: option(kind.boolean(), {
    default: true,
    doc: 'Orthogonal initial weights and zero biases, with the gains below; otherwise uniform by fan-in.',
    alsoCalled: ['ortho_init'],
  }),
  hiddenGain: option(kind.number({ above: 0 }), {
    default: Math.SQRT2,
    doc: 'Initial gain of hidden layers.',
    needs: { option: 'orthogonalInit', values: [true] },
  }),
  policyGain: option(kind.number({ above: 0 }), {
    default: 0.01,
    doc: 'Initial gain of the policy head.',
    needs: { option: 'orthogonalInit', values: [true] },
  }),
  valueGain: option(kind.number({ above: 0 }), {
    default: 1,
    doc: 'Initial gain of the value head.',
    needs: { option: 'orthogonalInit', values: [true] },
  }),
  logStdInit: option(kind.number({ min: -20, max: 5 }), {
    default: 0,
    doc: 'Initial logarithm of the standard deviation of continuous actions.',
    alsoCalled: ['log_std_init'],
  }),
  squashActions: option(kind.boolean(), {
    default: false,
    doc: 'Squash continuous actions into their bounds by tanh, instead of clipping them.',
    alsoCalled: ['squash_output'],
  }),
  useGsde: option(kind.boolean(), {
    default: false,
    doc: 'Generalized state-dependent exploration for continuous actions.',
    alsoCalled: ['use_sde', 'useSde'],
  }),
  gsdeSampleFrequency: option(kind.integer({ min: -1 }), {
    default: -1,
    unit: 'steps',
    doc: 'Draw new gSDE noise every this many steps of an episode; -1 = once an episode. 0 is not allowed.',
    needs: { option: 'useGsde', values: [true] },
    alsoCalled: ['sde_sample_freq'],
  }),
};

export const ppoOptions = { ...commonOptions, training: { ...updateOptions, ...networkOptions } };

export type PPOOptions = typeof ppoOptions;
/** PPO's configuration after defaults and checks, by section. */
export type ResolvedPPOConfig = ResolvedConfig<PPOOptions>;
/** What a user writes: any subset, by section. */
export type PPOConfigInput = ConfigInput<PPOOptions>;

/** What PPO's options must be to each other; the shared ones are checked before. */
export function checkPPO({ training, envRunners, learners }: ResolvedPPOConfig): readonly Problem[] {
  const problems: Problem[] = [];
  const { numEnvs, rolloutLength } = envRunners;
  const trainBatchSize = numEnvs * rolloutLength;
  if (training.minibatchSize > trainBatchSize) {
    problems.push(
      conflict(
        `minibatchSize (${training.minibatchSize}) must not exceed the rollout of ${trainBatchSize} samples (numEnvs ${numEnvs} * ` +
          `rolloutLength ${rolloutLength}): lower minibatchSize, or raise one of the two.`,
      ),
    );
  }
  for (const name of ['learningRate', 'clipRange', 'entropyCoeff'] as const) {
    const schedule = training[name];
    const isLinear = typeof schedule !== 'number' && schedule.schedule === 'linear';
    if (isLinear && training.scheduleSteps === null) {
      problems.push(
        conflict(
          `${name} is a linear schedule (${schedule.from} to ${schedule.to}), but scheduleSteps is null: set scheduleSteps to the ` +
            'environment steps over which it runs.',
        ),
      );
    }
  }
  if (training.klPenaltyTarget !== null && training.klPenaltyCoeff === 0) {
    problems.push(
      conflict(
        `klPenaltyTarget (${training.klPenaltyTarget}) needs a penalty to adapt, but klPenaltyCoeff is 0: set klPenaltyCoeff ` +
          '(RLlib begins with 0.2), or leave klPenaltyTarget out.',
      ),
    );
  }
  if (training.gsdeSampleFrequency === 0) {
    problems.push(conflict('gsdeSampleFrequency (0) must be -1 (new noise once an episode) or at least 1.'));
  }
  return [...problems, ...checkNetwork(training.network, envRunners.inference, learners.engine)];
}

function checkNetwork(network: string, inference: string, engine: string): readonly Problem[] {
  if (network === 'mlp') return [];
  const problems: Problem[] = [];
  if (network !== 'conv' && !/[./\\:]/.test(network)) {
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
