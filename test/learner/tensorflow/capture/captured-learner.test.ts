/** Captured updates against eager ones on the native binding: same weights, same plans, twenty updates, and fifty for each distribution. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type PpoLossOptions, ppoLoss } from '../../../../algorithms/ppo/loss.ts';
import type { UpdatePlan } from '../../../../src/learner/learner.ts';
import { type LoadedTensorFlow, loadTensorFlow } from '../../../../src/learner/tensorflow/backend.ts';
import { createTensorFlowLearner } from '../../../../src/learner/tensorflow/learner.ts';
import type { NodeBackend } from '../../../../src/learner/tensorflow/native-binding.ts';
import { noiseSize, type PolicySpec } from '../../../../src/policy/policy-spec.ts';
import { openStream } from '../../../../src/random/streams.ts';
import { DISTRIBUTIONS, specFor } from '../../../algorithms/ppo/random-batch.ts';
import { noNativeBinding } from '../native.ts';
import { planFor, randomRollout } from '../random-rollout.ts';

const MSE: PpoLossOptions = { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false };
const discrete = specFor({ kind: 'categorical', sizes: [3] });
const bounds = { low: [-1, -1], high: [1, 1] };
const gsdeSpec = specFor({ kind: 'gsde', size: 2, squash: false, sampleFrequency: 4, ...bounds }, 0, {
  normalizeObservations: true,
});
const imageSpec = specFor({ kind: 'categorical', sizes: [3] }, 0, {
  observationDtype: 'uint8',
  observationShape: [6, 6, 2],
  observationSize: 72,
  network: { kind: 'conv', layers: [[4, 3, 1]], hiddenSizes: [8], activation: 'relu' },
});

describe.skipIf(noNativeBinding !== null)('captured updates', () => {
  let tensorflow: LoadedTensorFlow;
  beforeAll(async () => {
    tensorflow = await loadTensorFlow({ backend: 'node-gpu' });
  });

  const makeLearner = (spec: PolicySpec, capture: boolean, loss = MSE, maxGradNorm: number | null = 0.5) =>
    createTensorFlowLearner({
      tensorflow,
      spec,
      capture,
      loss: (tf, outputs, batch, scalars) => ppoLoss(tf, spec, outputs, batch, scalars, loss),
      initial: openStream(1, 'initialize'),
      maxGradNorm,
    });

  async function compare(
    spec: PolicySpec,
    overrides: Partial<UpdatePlan> = {},
    loss = MSE,
    maxGradNorm: number | null = 0.5,
    numUpdates = 20,
  ) {
    const captured = await makeLearner(spec, true, loss, maxGradNorm);
    const eager = await makeLearner(spec, false, loss, maxGradNorm);
    const initial = captured.readParameters();
    const rollout = randomRollout(spec, 2, 10, 3);
    for (let update = 0; update < numUpdates; update += 1) {
      // Everything that changes in a run changes here: permutation, learning rate, clip range, entropy coefficient.
      const scalars = {
        learningRate: 1e-3 * (1 - update / 60),
        clipRange: 0.1 + 0.003 * update,
        entropyCoeff: 0.02 - 0.0003 * update,
        valueClipRange: 0.3,
        klPenaltyCoeff: 0.2 + 0.01 * update,
      };
      const plan = planFor(20, update, { numEpochs: 1, minibatchSize: 20, scalars, ...overrides });
      const expected = await eager.update(rollout, plan);
      const actual = await captured.update(rollout, plan);
      for (const [name, value] of Object.entries(expected.means)) {
        expect(Math.abs(actual.means[name] - value), name).toBeLessThan(1e-4 * (1 + Math.abs(value)));
      }
      expect({ ...actual, means: null }).toEqual({ ...expected, means: null });
    }
    const [one, two] = [captured.readParameters(), eager.readParameters()];
    expect(Math.max(...one.map((x, i) => Math.abs(x - two[i])))).toBeLessThan(1e-5);
    expect(Math.max(...one.map((x, i) => Math.abs(x - initial[i])))).toBeGreaterThan(5e-3);
    expect(captured.readOptimizerState().step).toBe(eager.readOptimizerState().step);
    expect(eager.numSessionCalls).toBe(0);
    await captured.dispose();
    await eager.dispose();
  }

  it.each(DISTRIBUTIONS)(
    'agree with eager ones to 1e-5 over fifty updates, %s',
    async (_name, distribution, masks) => {
      await compare(specFor(distribution, masks), {}, MSE, 0.5, 50);
    },
  );

  it.each([
    [
      'huber and clipped values, no gradient clipping',
      { valueCoeff: 0.4, valueLoss: 'huber', clipValues: true },
      null,
    ],
    ['clipped values', { valueCoeff: 0.5, valueLoss: 'mse', clipValues: true }, 0.5],
    ['bounded value errors and a KL penalty', { ...MSE, valueErrorBound: 1, penalizeKl: true }, 0.5],
  ] as const)('agree with %s', async (_name, loss, maxGradNorm) => {
    await compare(discrete, {}, loss, maxGradNorm);
  });

  it('agree for a shared trunk, raw advantages, several minibatches with a smaller last one, and a target KL', async () => {
    const network = { kind: 'mlp', hiddenSizes: [8], activation: 'elu', shared: true } as const;
    const plan = { normalizeAdvantages: false, minibatchSize: 8, targetKl: 0.05 } as const;
    await compare(specFor({ kind: 'categorical', sizes: [3] }, 0, { network }), plan);
  });

  it.each(['relu', 'silu', 'gelu', 'leaky-relu', 'sigmoid', 'identity'] as const)(
    'agree for hidden layers with %s',
    async (activation) => {
      const network = { kind: 'mlp', hiddenSizes: [8, 8], activation, shared: false } as const;
      await compare(specFor({ kind: 'categorical', sizes: [3] }, 0, { network }));
    },
  );

  it.each([0.5, null])('clip what is not finite as eager ones do, norm at most %s', async (maxGradNorm) => {
    const rollout = randomRollout(discrete, 2, 10, 3);
    const update = async (capture: boolean, nonFinite: UpdatePlan['nonFinite']) => {
      const learner = await makeLearner(discrete, capture, MSE, maxGradNorm);
      const stats = await learner.update(rollout, planFor(20, 1, { nonFinite }));
      const result = { stats, parameters: learner.readParameters(), state: learner.readOptimizerState() };
      await learner.dispose();
      return result;
    };
    // Where everything is finite the rule changes no bit.
    expect(await update(true, 'clip')).toEqual(await update(true, 'stop'));
    rollout.returns[3] = Number.POSITIVE_INFINITY;
    const captured = await update(true, 'clip');
    const eager = await update(false, 'clip');
    expect(captured.stats).toMatchObject({ numMinibatches: 6, numSkipped: 0, numClipped: 2 });
    expect({ ...captured.stats, means: null }).toEqual({ ...eager.stats, means: null });
    for (const [name, value] of Object.entries(eager.stats.means))
      expect(captured.stats.means[name], name).toBeCloseTo(value, 4);
    expect(captured.state.step).toBe(6);
    captured.parameters.forEach((x, i) => {
      expect(Math.abs(x - eager.parameters[i])).toBeLessThan(1e-5);
    });
    expect(captured.parameters).not.toEqual((await update(true, 'skip')).parameters);
  });

  it('agree with observation statistics that change', async () => {
    const mean = Float32Array.of(0.1, -0.2, 0.3, 0, 0.5);
    const inverseStd = Float32Array.of(1, 2, 0.5, 1.5, 1);
    await compare(discrete, { observationStatistics: { mean, inverseStd } });
  });

  it.each(['float32', 'uint8'] as const)(
    'agree for a convolutional network on %s images',
    async (observationDtype) => {
      const spec = specFor({ kind: 'categorical', sizes: [3] }, 0, {
        observationDtype,
        observationShape: [6, 6, 2],
        observationSize: 72,
        network: { kind: 'conv', layers: [[4, 3, 1]], hiddenSizes: [8], activation: 'relu' },
      });
      await compare(spec);
    },
  );

  it("agree for a user's own network", async () => {
    const module = new URL('../fixtures/linear-network.ts', import.meta.url).href;
    const network = { kind: 'custom', module, export: 'network', options: { criticStart: 0.1 } } as const;
    await compare(
      specFor({ kind: 'gaussian', size: 2, squash: false, low: [-1, -1], high: [1, 1] }, 0, { network }),
    );
  });

  it.each([
    ['an MLP with gsde and statistics', gsdeSpec],
    ['8-bit images', imageSpec],
  ] as const)('act and value as eager forward passes do, for any number of rows, %s', async (_name, spec) => {
    const captured = await makeLearner(spec, true);
    const eager = await makeLearner(spec, false);
    const parameters = captured.readParameters().map((x) => 1.2 * x);
    const size = spec.observationSize;
    const statistics = { mean: new Float32Array(size).fill(0.2), inverseStd: new Float32Array(size).fill(2) };
    const sessions = (tensorflow.tf.backend() as unknown as NodeBackend).binding.getNumOfSavedModels();
    for (const published of [null, spec.normalizeObservations ? statistics : null]) {
      for (const numRows of [6, 3, 6]) {
        const results: number[][] = [];
        for (const { policy } of [captured, eager]) {
          policy.publish(parameters, published);
          const { observations } = randomRollout(spec, 1, 6, 5);
          const discreteActions = spec.distribution.kind === 'categorical';
          const call = {
            numRows,
            observations: observations.slice(),
            masks: null,
            noise: new Float32Array(numRows * noiseSize(spec)).fill(0.4),
            deterministic: false,
            actions: discreteActions ? new Int32Array(numRows) : new Float32Array(numRows * 2),
            logProbs: new Float32Array(numRows),
            values: new Float32Array(numRows),
          };
          await policy.act(call);
          const values = new Float32Array(5);
          await policy.values(call.observations, 5, values);
          results.push([...call.actions, ...call.logProbs, ...call.values, ...values]);
        }
        results[0].forEach((value, i) => {
          expect(value).toBeCloseTo(results[1][i], 4);
        });
      }
    }
    await captured.dispose();
    await eager.dispose();
    expect((tensorflow.tf.backend() as unknown as NodeBackend).binding.getNumOfSavedModels()).toBe(sessions);
  });

  it('make one session call per minibatch, and three more per update: upload, totals, weights', async () => {
    const learner = await makeLearner(discrete, true);
    const rollout = randomRollout(discrete, 2, 16, 3);
    const plan = planFor(32, 1, { numEpochs: 4, minibatchSize: 8 });
    await learner.update(rollout, plan);
    const before = learner.numSessionCalls;
    await learner.update(rollout, plan);
    expect(learner.numSessionCalls - before).toBe(16 + 3);
    await learner.dispose();
  });

  it('keep weights and moments when the shape of the plan changes', async () => {
    const captured = await makeLearner(discrete, true);
    const eager = await makeLearner(discrete, false);
    for (const [numSteps, minibatchSize] of [
      [10, 20],
      [12, 24],
      [12, 7],
      [10, 20],
    ]) {
      const rollout = randomRollout(discrete, 2, numSteps, 4);
      const plan = planFor(2 * numSteps, 5, { minibatchSize });
      await captured.update(rollout, plan);
      await eager.update(rollout, plan);
    }
    const state = captured.readOptimizerState();
    const expected = eager.readOptimizerState();
    expect(state.step).toBe(expected.step);
    expect(Math.max(...state.m.map((x, i) => Math.abs(x - expected.m[i])))).toBeLessThan(1e-4);
    const [one, two] = [captured.readParameters(), eager.readParameters()];
    expect(Math.max(...one.map((x, i) => Math.abs(x - two[i])))).toBeLessThan(1e-4);
    await captured.dispose();
    await eager.dispose();
  });

  it('repeat bit for bit', async () => {
    const run = async () => {
      const learner = await makeLearner(discrete, true);
      const rollout = randomRollout(discrete, 2, 16, 3);
      for (let update = 0; update < 5; update += 1) await learner.update(rollout, planFor(32, update));
      const parameters = learner.readParameters();
      await learner.dispose();
      return parameters;
    };
    expect(await run()).toEqual(await run());
  });

  it('leak no tensors and no sessions', async () => {
    const { tf } = tensorflow;
    const { binding } = tf.backend() as unknown as NodeBackend;
    const sessions = binding.getNumOfSavedModels();
    const tensors = tf.memory().numTensors;
    const learner = await makeLearner(discrete, true);
    const rollout = randomRollout(discrete, 2, 16, 3);
    await learner.update(rollout, planFor(32, 0));
    const native = binding.getNumOfTensors();
    for (let update = 1; update < 50; update += 1) await learner.update(rollout, planFor(32, update));
    expect(binding.getNumOfTensors()).toBe(native);
    await learner.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
    expect(binding.getNumOfSavedModels()).toBe(sessions);
  });
});
