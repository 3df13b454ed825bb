/** The SIMD engine (closed-form gradient, kernels) against the TensorFlow engine (autodiff of the loss). */
import { beforeAll, describe, expect, it } from 'vitest';
import { type PpoLossOptions, ppoLoss } from '../../../algorithms/ppo/loss.ts';
import type { Learner } from '../../../src/learner/learner.ts';
import { createSimdLearner } from '../../../src/learner/simd/learner.ts';
import { type LoadedTensorFlow, loadTensorFlow } from '../../../src/learner/tensorflow/backend.ts';
import { createTensorFlowLearner } from '../../../src/learner/tensorflow/learner.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { type KernelModule, loadKernels } from '../../../src/simd/loader.ts';
import {
  ACTIVATION_NAMES,
  categorical,
  DISTRIBUTIONS,
  gaussian,
  hasChoices,
  makeSpec,
} from '../../reference/policy-specs.ts';
import {
  type Fixture,
  learnerOptions,
  makeFixture,
  makePlan,
  PPO_GRADIENT,
} from '../../reference/rollout-fixture.ts';
import { relativeError } from './reference-loss.ts';

let kernels: KernelModule;
let tensorflow: LoadedTensorFlow;
beforeAll(async () => {
  kernels = await loadKernels();
  tensorflow = await loadTensorFlow({ backend: 'wasm' });
}, 120_000);

const LOSSES: readonly PpoLossOptions[] = [
  { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false },
  { valueCoeff: 0.7, valueLoss: 'huber', clipValues: false },
  { valueCoeff: 0.5, valueLoss: 'mse', clipValues: true },
  { valueCoeff: 0.4, valueLoss: 'huber', clipValues: true },
  { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false, valueErrorBound: 1.5, penalizeKl: true },
  { valueCoeff: 0.4, valueLoss: 'huber', clipValues: true, valueErrorBound: 0.6, penalizeKl: true },
];

interface Engines {
  readonly fixture: Fixture;
  readonly simd: Learner;
  readonly tensor: Learner;
}

async function makeEngines(
  spec: PolicySpec,
  numSamples: number,
  loss: PpoLossOptions,
  maxGradNorm: number | null,
): Promise<Engines> {
  const options = learnerOptions({
    maxGradNorm,
    outputGradient: { module: PPO_GRADIENT, export: 'createOutputGradient', options: { ...loss } },
  });
  const fixture = makeFixture(spec, 2, numSamples / 2, options);
  const simd = await createSimdLearner({ ...fixture, options, kernels });
  simd.writeParameters(fixture.parameters);
  const tensor = await createTensorFlowLearner({
    tensorflow,
    spec,
    loss: (tf, outputs, batch, scalars) => ppoLoss(tf, spec, outputs, batch, scalars, loss),
    initial: fixture.parameters,
    adam: { epsilon: 1e-5 },
    maxGradNorm,
  });
  return { fixture, simd, tensor };
}

/** One step of size zero over one minibatch: m is then a tenth of the gradient. */
async function compareGradients(spec: PolicySpec, loss: PpoLossOptions): Promise<void> {
  const { fixture, simd, tensor } = await makeEngines(spec, 96, loss, null);
  const scalars = {
    learningRate: 0,
    clipRange: 0.2,
    entropyCoeff: 0.03,
    valueClipRange: 0.3,
    klPenaltyCoeff: 0.7,
  };
  const plan = makePlan(fixture, { scalars });
  const expected = await tensor.update(fixture.rollout, plan);
  const actual = await simd.update(fixture.rollout, plan);
  expect(simd.readParameters()).toEqual(tensor.readParameters());
  const gradient = tensor.readOptimizerState().m;
  expect(relativeError(simd.readOptimizerState().m, gradient)).toBeLessThan(1e-5);
  expect(gradient.some((g) => Math.abs(g) > 1e-3)).toBe(true);
  for (const [name, value] of Object.entries(actual.means)) {
    expect(Math.abs(value - expected.means[name]), name).toBeLessThan(1e-5 * (1 + Math.abs(value)));
  }
  await tensor.dispose();
  await simd.dispose();
}

describe('gradients of the two engines', () => {
  describe.each(DISTRIBUTIONS)('%s', (_name, distribution) => {
    it.each(LOSSES)('agree to 1e-5, %o', async (loss) => {
      const hasMasks = hasChoices(distribution);
      for (const masks of hasMasks ? [false, true] : [false]) {
        for (const shared of [false, true]) {
          const spec = makeSpec(distribution, { hiddenSizes: [16, 12], shared, masks, normalize: shared });
          await compareGradients(spec, loss);
        }
      }
    });
  });

  it.each(ACTIVATION_NAMES)('agree to 1e-5 with %s', async (activation) => {
    await compareGradients(makeSpec(categorical(3), { hiddenSizes: [20, 9, 8], activation }), LOSSES[0]);
  });

  it('agree on byte observations and on a network without hidden layers', async () => {
    const normalize = true;
    await compareGradients(
      makeSpec(gaussian(2), { observationDtype: 'uint8', normalize, clip: 2 }),
      LOSSES[0],
    );
    await compareGradients(makeSpec(categorical(3), { hiddenSizes: [] }), LOSSES[0]);
  });
});

describe('fifty updates from the same weights and batches', () => {
  it.each(DISTRIBUTIONS)('end within 1e-4 of each other, %s', async (_name, distribution) => {
    const spec = makeSpec(distribution, { hiddenSizes: [16, 12], normalize: true });
    const { fixture, simd, tensor } = await makeEngines(spec, 120, LOSSES[0], 0.5);
    const scalars = { learningRate: 3e-4, clipRange: 0.2, entropyCoeff: 0.01 };
    const plan = makePlan(fixture, { scalars, minibatchSize: 50 }); // 50, 50, and 20 left
    for (let update = 0; update < 50; update += 1) {
      await simd.update(fixture.rollout, plan);
      await tensor.update(fixture.rollout, plan);
    }
    const [one, two] = [simd.readParameters(), tensor.readParameters()];
    expect(Math.max(...one.map((x, i) => Math.abs(x - two[i])))).toBeLessThan(1e-4);
    expect(Math.max(...one.map((x, i) => Math.abs(x - fixture.parameters[i])))).toBeGreaterThan(1e-2);
    expect(simd.readOptimizerState().step).toBe(tensor.readOptimizerState().step);
    await tensor.dispose();
    await simd.dispose();
  });
});
