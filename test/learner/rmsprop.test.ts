/** RMSProp on both engines, against its formula in float64. */
import { describe, expect, it } from 'vitest';
import { ppoLoss } from '../../algorithms/ppo/loss.ts';
import { momentsOf } from '../../src/algorithm/on-policy-config.ts';
import { optimizerOptions } from '../../src/config/blocks/optimizer.ts';
import type { Learner } from '../../src/learner/learner.ts';
import { createSimdLearner } from '../../src/learner/simd/learner.ts';
import { loadTensorFlow } from '../../src/learner/tensorflow/backend.ts';
import { createTensorFlowLearner } from '../../src/learner/tensorflow/learner.ts';
import { loadKernels } from '../../src/simd/loader.ts';
import { categorical, makeSpec } from '../reference/policy-specs.ts';
import { type Fixture, learnerOptions, makeFixture, makePlan } from '../reference/rollout-fixture.ts';
import { noNativeBinding } from './tensorflow/native.ts';

const DECAY = 0.9;
const EPSILON = 0.03;
const LEARNING_RATE = 0.02;
const spec = makeSpec(categorical(3), { hiddenSizes: [12, 9] });
const defaults = Object.fromEntries(
  Object.entries(optimizerOptions).map(([name, { default: value }]) => [name, value]),
);
const moments = momentsOf({
  training: { ...defaults, optimizer: 'rmsprop', rmspropDecay: DECAY, rmspropEpsilon: EPSILON } as never,
});
const options = learnerOptions({
  maxGradNorm: 0.3,
  adamBeta1: moments.beta1,
  adamBeta2: moments.beta2,
  adamEpsilon: moments.epsilon,
  correctsBias: moments.correctsBias,
});

async function simd(fixture: Fixture): Promise<Learner> {
  const learner = await createSimdLearner({ ...fixture, options, kernels: await loadKernels() });
  learner.writeParameters(fixture.parameters);
  return learner;
}

async function tensorflow(backend: 'node-gpu' | 'cpu', fixture: Fixture): Promise<Learner> {
  const loss = {
    valueCoeff: 0.5,
    valueLoss: 'mse',
    clipValues: false,
    valueErrorBound: null,
    penalizeKl: false,
  } as const;
  return createTensorFlowLearner({
    tensorflow: await loadTensorFlow({ backend }),
    spec,
    loss: (tf, outputs, batch, scalars) => ppoLoss(tf, spec, outputs, batch, scalars, loss),
    initial: fixture.parameters,
    adam: moments,
    maxGradNorm: options.maxGradNorm,
  });
}

/** With beta1 0 the first moment is the clipped gradient itself, so each step can be repeated from what the learner tells. */
async function follow(learner: Learner, fixture: Fixture): Promise<void> {
  const p = Float64Array.from(fixture.parameters);
  const v = new Float64Array(p.length);
  const plan = makePlan(fixture, {
    scalars: { learningRate: LEARNING_RATE, clipRange: 0.2, entropyCoeff: 0.01 },
  });
  for (let step = 0; step < 4; step++) {
    await learner.update(fixture.rollout, plan);
    const { m: g, v: squares } = learner.readOptimizerState();
    const found = learner.readParameters();
    expect(Math.hypot(...g)).toBeLessThan(0.3001);
    expect(Math.hypot(...g)).toBeGreaterThan(0.05);
    for (let k = 0; k < p.length; k++) {
      v[k] = DECAY * v[k] + (1 - DECAY) * g[k] ** 2;
      p[k] -= (LEARNING_RATE * g[k]) / (Math.sqrt(v[k]) + EPSILON);
      expect(Math.abs(squares[k] - v[k])).toBeLessThan(1e-6 * (1e-6 + v[k]) + 1e-12);
      expect(Math.abs(found[k] - p[k])).toBeLessThan(2e-6);
    }
  }
}

describe('a step of RMSProp', () => {
  it('on the kernels', async () => {
    const fixture = makeFixture(spec, 3, 20, options);
    await follow(await simd(fixture), fixture);
  });

  it('on TensorFlow, eager', async () => {
    const fixture = makeFixture(spec, 3, 20, options);
    const learner = await tensorflow('cpu', fixture);
    await follow(learner, fixture);
    await learner.dispose();
  });

  it.skipIf(noNativeBinding !== null)('on TensorFlow, captured', async () => {
    const fixture = makeFixture(spec, 3, 20, options);
    const learner = await tensorflow('node-gpu', fixture);
    await follow(learner, fixture);
    await learner.dispose();
  });
});
