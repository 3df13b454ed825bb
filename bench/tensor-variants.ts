/** Learners of the TensorFlow engine over random rollouts, any network and distribution: one unit is one minibatch. */
import { ppoLoss } from '../algorithms/ppo/loss.ts';
import {
  initializeRollout,
  openRollout,
  type RolloutViews,
  rolloutLayout,
} from '../src/experience/layout.ts';
import type { UpdatePlan } from '../src/learner/learner.ts';
import type { LoadedTensorFlow } from '../src/learner/tensorflow/backend.ts';
import { createTensorFlowLearner, type TensorFlowLearner } from '../src/learner/tensorflow/learner.ts';
import { actionSize, type DistributionSpec, type PolicySpec } from '../src/policy/policy-spec.ts';
import { openStream } from '../src/random/streams.ts';
import type { HeldVariant } from './harness.ts';
import { type Passes, passesOf, unitsOf } from './passes.ts';

export const LOSS = { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false } as const;

/** A small CNN on 10 x 10 x 4 bytes, 16 filters of 3 x 3 and 128 units: the network of MinAtar. */
export const SMALL_CNN: PolicySpec = {
  ...specOf([10, 10, 4], { kind: 'categorical', sizes: [6] }),
  observationDtype: 'uint8',
  network: { kind: 'conv', layers: [[16, 3, 1]], hiddenSizes: [128], activation: 'relu' },
};

/** Mnih et al. 2015 on 84 x 84 x 4 bytes. */
export const NATURE_CNN: PolicySpec = {
  ...SMALL_CNN,
  ...specOf([84, 84, 4], { kind: 'categorical', sizes: [6] }),
  observationDtype: 'uint8',
  network: {
    kind: 'conv',
    layers: [
      [32, 8, 4],
      [64, 4, 2],
      [64, 3, 1],
    ],
    hiddenSizes: [512],
    activation: 'relu',
  },
};

/** Separate towers of 2 x 64 tanh. */
export function specOf(observationShape: readonly number[], distribution: DistributionSpec): PolicySpec {
  return {
    observationSize: observationShape.reduce((product, size) => product * size, 1),
    observationDtype: 'float32',
    observationShape,
    actionMaskSize: 0,
    network: { kind: 'mlp', hiddenSizes: [64, 64], activation: 'tanh', shared: false },
    distribution,
    normalizeObservations: false,
    clipObservation: 10,
    initialization: {
      orthogonal: true,
      hiddenGain: Math.SQRT2,
      policyGain: 0.01,
      valueGain: 1,
      logStd: -0.5,
    },
  };
}

export function randomTensorRollout(spec: PolicySpec, numSamples: number): RolloutViews {
  const layout = rolloutLayout(spec, 1, numSamples);
  const buffer = new SharedArrayBuffer(layout.byteLength);
  initializeRollout(buffer, 0, layout);
  const rollout = openRollout(buffer, 0, layout);
  const stream = openStream(1, 'bench');
  const { observations, actions, values, returns, advantages } = rollout;
  const isBytes = spec.observationDtype === 'uint8';
  for (let i = 0; i < observations.length; i++)
    observations[i] = isBytes ? stream.integer(256) : stream.normal();
  for (const array of [values, returns, advantages])
    for (let i = 0; i < array.length; i++) array[i] = stream.normal();
  const { distribution } = spec;
  const A = actionSize(distribution);
  for (let i = 0; i < actions.length; i++) {
    if (distribution.kind === 'categorical') actions[i] = stream.integer(distribution.sizes[i % A]);
    else actions[i] = distribution.kind === 'bernoulli' ? stream.integer(2) : stream.normal();
  }
  rollout.logProbs.fill(-1);
  return rollout;
}

export function planOf(
  { normalizeObservations, observationSize }: PolicySpec,
  minibatchSize: number,
  { numMinibatches, numEpochs }: Passes,
  learningRate = 1e-5,
): UpdatePlan {
  const numSamples = minibatchSize * numMinibatches;
  const statistics = {
    mean: new Float32Array(observationSize),
    inverseStd: new Float32Array(observationSize).fill(1),
  };
  return {
    numEpochs,
    minibatchSize,
    permutations: Int32Array.from({ length: numEpochs * numSamples }, (_, i) => (i * 7919) % numSamples),
    scalars: { learningRate, clipRange: 0.2, entropyCoeff: 0.01 },
    normalizeAdvantages: true,
    targetKl: null,
    observationStatistics: normalizeObservations ? statistics : null,
    nonFinite: 'stop',
  };
}

export function makeTensorLearner(
  tensorflow: LoadedTensorFlow,
  spec: PolicySpec,
  capture: boolean,
): Promise<TensorFlowLearner> {
  return createTensorFlowLearner({
    tensorflow,
    spec,
    capture,
    loss: (tf, outputs, batch, scalars) => ppoLoss(tf, spec, outputs, batch, scalars, LOSS),
    initial: openStream(1, 'initial'),
    maxGradNorm: 0.5,
  });
}

interface TensorVariantOptions {
  readonly capture: boolean;
  readonly passes?: Passes;
}

/** An update, the upload of the rollout included, as `passes` says. */
export async function tensorVariant(
  tensorflow: LoadedTensorFlow,
  spec: PolicySpec,
  rows: number,
  { capture, passes = passesOf(rows) }: TensorVariantOptions,
): Promise<HeldVariant & { readonly learner: TensorFlowLearner }> {
  const rollout = randomTensorRollout(spec, rows * passes.numMinibatches);
  const plan = planOf(spec, rows, passes);
  const learner = await makeTensorLearner(tensorflow, spec, capture);
  const run = async () => void (await learner.update(rollout, plan));
  const name = `tfjs ${tensorflow.backend}, ${capture ? 'captured' : 'eager'}`;
  return { variant: { name, units: unitsOf(passes), run }, stop: () => learner.dispose(), learner };
}
