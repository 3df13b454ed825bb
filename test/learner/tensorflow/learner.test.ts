import { beforeAll, describe, expect, it } from 'vitest';
import { type PpoLossOptions, ppoLoss } from '../../../algorithms/ppo/loss.ts';
import { EngineError } from '../../../src/errors.ts';
import {
  type LoadedTensorFlow,
  loadTensorFlow,
  type TensorFlowBackend,
} from '../../../src/learner/tensorflow/backend.ts';
import { createTensorFlowLearner } from '../../../src/learner/tensorflow/learner.ts';
import { mlpParameterLayout } from '../../../src/policy/networks/mlp-parameters.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { openStream } from '../../../src/random/streams.ts';
import { DISTRIBUTIONS, specFor } from '../../algorithms/ppo/random-batch.ts';
import { relativeError } from '../../algorithms/ppo/reference-loss.ts';
import { noNativeBinding } from './native.ts';
import { planFor, randomRollout } from './random-rollout.ts';
import { type ReferenceState, referenceForward, referenceUpdate } from './reference-learner.ts';
import { noWebGpu } from './webgpu.ts';

const LOSS: PpoLossOptions = { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false };
const small = { network: { kind: 'mlp', hiddenSizes: [6], activation: 'tanh', shared: false } } as const;
const discrete = specFor({ kind: 'categorical', sizes: [3] }, 0, small);

function learnerFor(
  tensorflow: LoadedTensorFlow,
  spec: PolicySpec,
  initial?: Float32Array,
  maxGradNorm = 0.5,
) {
  return createTensorFlowLearner({
    tensorflow,
    spec,
    loss: (tf, outputs, batch, scalars) => ppoLoss(tf, spec, outputs, batch, scalars, LOSS),
    initial: initial ?? openStream(1, 'initialize'),
    adam: { epsilon: 1e-5 },
    maxGradNorm,
  });
}

describe.each(['wasm', 'cpu'] as const)('the eager learner on %s', (backend) => {
  testLearner(backend);
});

// The same tests pass through captured graphs here.
describe.skipIf(noNativeBinding !== null)('the captured learner on node-gpu', () => {
  testLearner('node-gpu');
});

// A software adapter compiles its shaders for seconds.
describe.skipIf(noWebGpu !== null)('the eager learner on webgpu', { timeout: 180_000 }, () => {
  testLearner('webgpu');
});

function testLearner(backend: TensorFlowBackend): void {
  let tensorflow: LoadedTensorFlow;
  beforeAll(async () => {
    tensorflow = await loadTensorFlow({ backend });
  });

  it.each(DISTRIBUTIONS)(
    'makes the steps of a float64 reference, %s',
    async (_name, distribution, maskSize) => {
      for (const shared of [false, true]) {
        const spec = specFor(distribution, maskSize, {
          network: { ...small.network, shared },
          clipObservation: 1.5,
        });
        const learner = await learnerFor(tensorflow, spec);
        const initial = learner.readParameters();
        const state: ReferenceState = {
          parameters: Float64Array.from(initial),
          m: new Float64Array(initial.length),
          v: new Float64Array(initial.length),
          step: 0,
        };
        const rollout = randomRollout(spec, 2, 5, 3);
        const plan = planFor(10, 4, {
          numEpochs: 2,
          minibatchSize: 4, // 4, 4 and a last one of 2
          observationStatistics: {
            mean: Float32Array.from({ length: 5 }, (_, j) => 0.1 * j),
            inverseStd: Float32Array.from({ length: 5 }, (_, j) => 1 + 0.2 * j),
          },
        });
        const stats = await learner.update(rollout, plan);
        referenceUpdate(spec, learner.layout, state, rollout, plan, LOSS, 0.5, 1e-5);
        const moved = learner.readParameters().map((x, i) => x - initial[i]);
        const expected = state.parameters.map((x, i) => x - initial[i]);
        expect(relativeError(moved, expected)).toBeLessThan(2e-3); // Adam's first steps magnify rounding in tiny gradients
        expect(stats).toMatchObject({ numEpochs: 2, numMinibatches: 6, numSkipped: 0 });
        expect(Object.keys(stats.means)).toEqual(
          expect.arrayContaining([
            'policyLoss',
            'valueLoss',
            'entropy',
            'approxKl',
            'clipFraction',
            'gradNorm',
          ]),
        );
        expect(learner.readOptimizerState().step).toBe(6);
        await learner.dispose();
      }
    },
  );

  it('holds no tensors beyond its own over many updates, and none after dispose', async () => {
    const { tf } = tensorflow;
    const before = tf.memory().numTensors;
    const learner = await learnerFor(tensorflow, discrete);
    const rollout = randomRollout(discrete, 2, 8, 5);
    const statistics = { mean: new Float32Array(5), inverseStd: new Float32Array(5).fill(1) };
    learner.policy.publish(learner.readParameters(), statistics);
    const alive = tf.memory().numTensors;
    const call = {
      numRows: 4,
      observations: new Float32Array(20),
      masks: null,
      noise: new Float32Array(4),
      deterministic: false,
      actions: new Int32Array(4),
      logProbs: new Float32Array(4),
      values: new Float32Array(4),
    };
    for (let iteration = 0; iteration < 40; iteration += 1) {
      await learner.update(rollout, planFor(16, iteration, { observationStatistics: statistics }));
      learner.policy.publish(learner.readParameters(), statistics);
      await learner.policy.act(call);
      await learner.policy.values(call.observations, 4, call.values);
      learner.writeOptimizerState(learner.readOptimizerState());
      learner.writeParameters(learner.readParameters());
      expect(tf.memory().numTensors).toBe(alive);
    }
    await learner.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('continues exactly from its parameters and optimizer state', async () => {
    const rollout = randomRollout(discrete, 2, 8, 6);
    const first = await learnerFor(tensorflow, discrete);
    await first.update(rollout, planFor(16, 1));
    const second = await learnerFor(tensorflow, discrete, first.readParameters());
    second.writeOptimizerState(first.readOptimizerState());
    const [one, two] = [
      await first.update(rollout, planFor(16, 2)),
      await second.update(rollout, planFor(16, 2)),
    ];
    expect(two).toEqual(one);
    expect(second.readParameters()).toEqual(first.readParameters());
    expect(second.readOptimizerState()).toEqual(first.readOptimizerState());
    await first.dispose();
    await second.dispose();
  });

  it('stops after the epoch whose mean approxKl exceeds 1.5 targetKl', async () => {
    const rollout = randomRollout(discrete, 2, 8, 7); // old log-probabilities are made up, so the KL is large at once
    const learner = await learnerFor(tensorflow, discrete);
    const stopped = await learner.update(rollout, planFor(16, 1, { numEpochs: 5, targetKl: 1e-6 }));
    expect(stopped).toMatchObject({ numEpochs: 1, numMinibatches: 2 });
    const kept = await learner.update(rollout, planFor(16, 1, { numEpochs: 5, targetKl: 1e6 }));
    expect(kept).toMatchObject({ numEpochs: 5, numMinibatches: 10 });
    await learner.dispose();
  });

  it('stops at a non-finite minibatch with an error that names it, and keeps the weights from before', async () => {
    const rollout = randomRollout(discrete, 2, 8, 8);
    const learner = await learnerFor(tensorflow, discrete);
    const plan = planFor(16, 1);
    rollout.returns[plan.permutations[9]] = Number.NaN; // first epoch, second minibatch
    const error = await learner.update(rollout, plan).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: 'ENGINE_NON_FINITE' });
    expect(String(error)).toContain('valueLoss = NaN in epoch 0, minibatch 1');
    expect(learner.readParameters().every(Number.isFinite)).toBe(true);
    expect(learner.readOptimizerState().step).toBe(1);
    await learner.dispose();
  });

  it('skips non-finite minibatches when the plan says so', async () => {
    const rollout = randomRollout(discrete, 2, 8, 8);
    const learner = await learnerFor(tensorflow, discrete);
    rollout.returns[3] = Number.POSITIVE_INFINITY;
    const stats = await learner.update(rollout, planFor(16, 1, { nonFinite: 'skip' }));
    expect(stats).toMatchObject({ numMinibatches: 4, numSkipped: 2 });
    expect(Object.values(stats.means).every(Number.isFinite)).toBe(true);
    expect(learner.readOptimizerState().step).toBe(2);
    expect(learner.readParameters().every(Number.isFinite)).toBe(true);
    await learner.dispose();
  });

  it('clips the gradient of non-finite minibatches when the plan says so, as the kernels do', async () => {
    const rollout = randomRollout(discrete, 2, 8, 8);
    const update = async (nonFinite: 'stop' | 'skip' | 'clip') => {
      const learner = await learnerFor(tensorflow, discrete);
      const stats = await learner.update(rollout, planFor(16, 1, { nonFinite }));
      const parameters = learner.readParameters();
      const { step } = learner.readOptimizerState();
      await learner.dispose();
      return { stats, parameters, step };
    };
    // Where everything is finite the rule changes no bit.
    expect((await update('clip')).parameters).toEqual((await update('stop')).parameters);
    rollout.returns[3] = Number.POSITIVE_INFINITY;
    const clipped = await update('clip');
    expect(clipped.stats).toMatchObject({ numMinibatches: 4, numSkipped: 0, numClipped: 2 });
    expect(Object.values(clipped.stats.means).every(Number.isFinite)).toBe(true);
    expect(clipped.step).toBe(4);
    expect(clipped.parameters.every(Number.isFinite)).toBe(true);
    expect(clipped.parameters).not.toEqual((await update('skip')).parameters);
  });

  it('refuses parameters of another size', async () => {
    const learner = await learnerFor(tensorflow, discrete);
    expect(() => learner.writeParameters(new Float32Array(3))).toThrow(
      /Expected `parameters` of \d+ elements, got 3/,
    );
    await learner.dispose();
  });

  it('acts and values with published weights and statistics, as a float64 forward pass does', async () => {
    const spec = specFor({ kind: 'gaussian', size: 2, squash: false, low: [-1, -1], high: [1, 1] });
    const learner = await learnerFor(tensorflow, spec);
    const layout = mlpParameterLayout(spec);
    const parameters = learner.readParameters().map((x) => x * 1.5);
    const statistics = { mean: new Float32Array(5).fill(0.5), inverseStd: new Float32Array(5).fill(3) };
    learner.policy.publish(parameters, statistics);
    const stream = openStream(9, 'observations');
    const observations = Float32Array.from({ length: 15 }, () => stream.normal() + 1);
    const call = {
      numRows: 3,
      observations,
      masks: null,
      noise: new Float32Array(6).fill(0.5),
      deterministic: false,
      actions: new Float32Array(6),
      logProbs: new Float32Array(3),
      values: new Float32Array(3),
    };
    await learner.policy.act(call);
    const values = new Float32Array(3);
    await learner.policy.values(observations, 3, values);
    const std = Math.exp(-0.3 * 1.5);
    for (let row = 0; row < 3; row += 1) {
      const observation = [...observations.subarray(row * 5, row * 5 + 5)].map((x) => (x - 0.5) * 3);
      const expected = referenceForward(spec, layout, parameters, observation);
      expect(call.values[row]).toBeCloseTo(expected.value, 4);
      expect(values[row]).toBe(call.values[row]);
      for (const a of [0, 1]) {
        expect(call.actions[row * 2 + a]).toBeCloseTo(expected.distributionParameters[a] + 0.5 * std, 4);
      }
    }
    await learner.dispose();
  });

  it("learns with a user's own network, whose parameters lie in the flat vector by name", async () => {
    const module = new URL('./fixtures/linear-network.ts', import.meta.url).href;
    const spec = specFor({ kind: 'categorical', sizes: [3] }, 0, {
      network: { kind: 'custom', module, export: 'network', options: { criticStart: 0.25 } },
    });
    const learner = await learnerFor(tensorflow, spec);
    const entry = (name: string) => {
      const { offset, size } = learner.layout.entries.find((candidate) => candidate.name === name)!;
      return [...learner.readParameters().subarray(offset, offset + size)];
    };
    expect(entry('critic/head/kernel')).toEqual([0.25, 0.25, 0.25, 0.25, 0.25]);
    const rollout = randomRollout(spec, 2, 8, 10);
    const losses: number[] = [];
    for (let iteration = 0; iteration < 20; iteration += 1) {
      losses.push((await learner.update(rollout, planFor(16, iteration))).means.valueLoss);
    }
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]);
    expect(entry('critic/head/bias')).not.toEqual([0]);
    await learner.dispose();
    const wrong = { ...spec, network: { ...spec.network, export: 'missing' } } as PolicySpec;
    await expect(learnerFor(tensorflow, wrong)).rejects.toThrow(
      /to export the function `missing`.*exports network/,
    );
  });
}
