import { beforeAll, describe, expect, it } from 'vitest';
import { type PpoLossOptions, ppoLoss } from '../../../algorithms/ppo/loss.ts';
import { type LoadedTensorFlow, loadTensorFlow } from '../../../src/learner/tensorflow/backend.ts';
import {
  actionDtype,
  actionSize,
  distributionSize,
  type PolicySpec,
} from '../../../src/policy/policy-spec.ts';
import type { Scalar, Tensor, TensorFlow } from '../../../src/policy/tensor-types.ts';
import { DISTRIBUTIONS, type RandomBatch, randomBatch, specFor } from './random-batch.ts';
import {
  referenceGradient,
  referenceLogProbAndEntropy,
  referenceLoss,
  relativeError,
} from './reference-loss.ts';

const NUM_ROWS = 24;
const SCALARS = { clipRange: 0.2, entropyCoeff: 0.03, valueClipRange: 0.3, klPenaltyCoeff: 0.7 };
const OPTIONS: readonly PpoLossOptions[] = [
  { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false },
  { valueCoeff: 0.7, valueLoss: 'huber', clipValues: false },
  { valueCoeff: 0.5, valueLoss: 'mse', clipValues: true },
  { valueCoeff: 0.4, valueLoss: 'huber', clipValues: true },
  { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false, valueErrorBound: 1.5, penalizeKl: true },
  { valueCoeff: 0.4, valueLoss: 'huber', clipValues: true, valueErrorBound: 0.6, penalizeKl: true },
];

/** Loss, statistics and gradients by tfjs' differentiation. */
function differentiate(tf: TensorFlow, spec: PolicySpec, batch: RandomBatch, options: PpoLossOptions) {
  return tf.tidy(() => {
    const B = batch.numRows;
    const P = distributionSize(spec.distribution);
    const A = actionSize(spec.distribution);
    const scalars = Object.fromEntries(
      Object.entries(SCALARS).map(([name, value]) => [name, tf.scalar(value)]),
    ) as Record<string, Scalar>;
    const latentSize = batch.latent.length / B;
    const latent = tf.tensor2d(batch.latent, [B, latentSize]);
    const hasLogStd = batch.logStd.length > 0;
    const logStdShape = spec.distribution.kind === 'gsde' ? [latentSize, A] : [batch.logStd.length];
    const inputs: Tensor[] = [tf.tensor2d(batch.distributionParameters, [B, P]), tf.tensor1d(batch.values)];
    if (hasLogStd) inputs.push(tf.tensor(batch.logStd, logStdShape));
    const stats: Record<string, number> = {};
    const { value, grads } = tf.valueAndGrads((...[distributionParameters, values, logStd]: Tensor[]) => {
      const result = ppoLoss(
        tf,
        spec,
        { distributionParameters, values, latent, logStd: logStd ?? null },
        {
          actions: tf.tensor2d(batch.actions, [B, A], actionDtype(spec.distribution)),
          masks:
            batch.masks === null
              ? null
              : tf.tensor2d(Float32Array.from(batch.masks), [B, spec.actionMaskSize]),
          oldLogProbs: tf.tensor1d(batch.oldLogProbs),
          oldValues: tf.tensor1d(batch.oldValues),
          advantages: tf.tensor1d(batch.advantages),
          returns: tf.tensor1d(batch.returns),
        },
        scalars,
        options,
      );
      for (const [name, stat] of Object.entries(result.stats)) stats[name] = stat.dataSync()[0];
      return result.loss;
    })(inputs);
    const [distributionParameters, values, logStd] = grads.map((gradient) => gradient.dataSync());
    return { loss: value.dataSync()[0], stats, distributionParameters, values, logStd };
  });
}

const logProbOf = (spec: PolicySpec) => (batch: RandomBatch, row: number) =>
  referenceLogProbAndEntropy(spec, batch, row).logProb;

const INPUTS = ['distributionParameters', 'values', 'logStd'] as const;

function computeReference(spec: PolicySpec, batch: RandomBatch, options: PpoLossOptions) {
  const gradients = INPUTS.filter((input) => batch[input].length > 0).map(
    (input) => [input, referenceGradient(spec, batch, SCALARS, options, input)] as const,
  );
  return { ...referenceLoss(spec, batch, SCALARS, options), gradients };
}

/** What every backend is held against: finite differences take longer than the backends do. */
const references = new Map<string, ReturnType<typeof computeReference>>();

function referenceOf(distribution: string, spec: PolicySpec, batch: RandomBatch, options: PpoLossOptions) {
  const key = JSON.stringify([distribution, options]);
  const reference = references.get(key) ?? computeReference(spec, batch, options);
  references.set(key, reference);
  return reference;
}

describe.each(['cpu', 'wasm'] as const)('ppoLoss on %s', (backend) => {
  let loaded: LoadedTensorFlow;
  beforeAll(async () => {
    loaded = await loadTensorFlow({ backend });
  });

  describe.each(DISTRIBUTIONS)('%s', (name, distribution, maskSize) => {
    it.each(OPTIONS)('agrees with a float64 reference and its finite differences, %o', async (options) => {
      await loaded.tf.setBackend(backend);
      const spec = specFor(distribution, maskSize);
      const batch = randomBatch(spec, NUM_ROWS, 7, logProbOf(spec));
      const expected = referenceOf(name, spec, batch, options);
      const actual = differentiate(loaded.tf, spec, batch, options);
      expect(actual.loss).toBeCloseTo(expected.loss, 4);
      for (const [stat, value] of Object.entries(expected.stats)) {
        expect(Math.abs(actual.stats[stat] - value), stat).toBeLessThan(2e-5 * Math.max(1, Math.abs(value)));
      }
      expect(expected.stats.clipFraction).toBeGreaterThan(0.1); // both sides of the clip are visited
      expect(expected.stats.clipFraction).toBeLessThan(0.9);
      for (const [input, gradient] of expected.gradients)
        expect(relativeError(actual[input], gradient), input).toBeLessThan(2e-5);
    });
  });
});
