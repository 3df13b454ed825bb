/** Recurrent policies in tfjs operations: autodiff through time against the kernels' gradients, and whole updates of both engines. */
import { describe, expect, it } from 'vitest';
import { ppoLoss } from '../../../algorithms/ppo/loss.ts';
import { createEpochOrder, sequencesPerBlock } from '../../../src/learner/epoch-order.ts';
import type { UpdatePlan } from '../../../src/learner/learner.ts';
import { createSimdLearner } from '../../../src/learner/simd/learner.ts';
import { loadTensorFlow } from '../../../src/learner/tensorflow/backend.ts';
import { createTensorFlowLearner } from '../../../src/learner/tensorflow/learner.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { openStream } from '../../../src/random/streams.ts';
import { loadKernels } from '../../../src/simd/loader.ts';
import { categorical, gaussian, makeSpec } from '../../reference/policy-specs.ts';
import { relativeDistance } from '../../reference/ppo-reference.ts';
import { learnerOptions, makeFixture, makePlan } from '../../reference/rollout-fixture.ts';
import { noNativeBinding } from './native.ts';

const LOSS = { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false } as const;
const [N, T, L] = [3, 8, 4];
const B = 12;
const kernels = await loadKernels();

/** Both engines from the same parameters over the same rollout, each with its own order of the same minibatches. */
async function runBoth(
  spec: PolicySpec,
  backend: 'cpu' | 'node-gpu',
  burnIn: number,
  overrides: Partial<UpdatePlan>,
) {
  const options = learnerOptions({ sequenceLength: L, burnIn, maxMinibatchSize: B, maxEpochs: 4 });
  const fixture = makeFixture(spec, N, T, options);
  const simd = await createSimdLearner({ ...fixture, options, kernels });
  const tensorflow = await createTensorFlowLearner({
    tensorflow: await loadTensorFlow({ backend }),
    spec,
    loss: (tf, outputs, batch, scalars) => ppoLoss(tf, spec, outputs, batch, scalars, LOSS),
    initial: fixture.parameters,
    maxGradNorm: 0.5,
    adam: { epsilon: 1e-5 },
    sequenceLength: L,
    burnIn,
  });
  simd.writeParameters(fixture.parameters);
  const { numEpochs = 1 } = overrides;
  const planFor = (perBlock: number) => {
    const permutations = new Int32Array(numEpochs * N * T);
    const order = createEpochOrder(N * T, B, { length: L, perBlock });
    const stream = openStream(9, 'order');
    for (let e = 0; e < numEpochs; e++) order(permutations.subarray(e * N * T, (e + 1) * N * T), stream);
    return makePlan(fixture, { ...overrides, permutations, minibatchSize: B });
  };
  const stats = [
    await simd.update(fixture.rollout, planFor(sequencesPerBlock(B, L))),
    await tensorflow.update(fixture.rollout, planFor(B / L)),
  ];
  const moments = [simd, tensorflow].map((learner) => learner.readOptimizerState().m);
  const parameters = [simd, tensorflow].map((learner) => learner.readParameters());
  await tensorflow.dispose();
  return { stats, moments, parameters, initial: fixture.parameters };
}

describe.each(['cpu', 'node-gpu'] as const)('on %s', (backend) => {
  const available = backend === 'cpu' || noNativeBinding === null;
  it.skipIf(!available).each([
    ['lstm', false, 1, [], 0],
    ['lstm', true, 2, [], 3],
    ['gru', false, 2, [7], 2],
    ['gru', true, 1, [], 0],
  ] as const)(
    '%s, shared %s, %i cells behind layers of %j, burn-in %i: autodiff gives the kernels gradient, and updates stay together',
    async (cell, shared, numLayers, sizesBefore, burnIn) => {
      const distribution = shared ? gaussian(2) : categorical(3);
      const shape = {
        observationSize: 3,
        normalize: true,
        cell,
        cellSize: 5,
        hiddenSizes: [6],
        shared,
        numLayers,
        sizesBefore,
      };
      const spec = makeSpec(distribution, shape);
      const once = await runBoth(spec, backend, burnIn, {
        scalars: { learningRate: 0, clipRange: 0.2, entropyCoeff: 0.01 },
      });
      expect(relativeDistance(once.moments[1], once.moments[0])).toBeLessThan(1e-5); // two minibatches' gradients, weighted
      for (const name of ['policyLoss', 'valueLoss', 'entropy', 'approxKl', 'gradNorm'])
        expect(once.stats[1].means[name]).toBeCloseTo(once.stats[0].means[name], 4);
      const often = await runBoth(spec, backend, burnIn, {
        numEpochs: 4,
        scalars: { learningRate: 1e-3, clipRange: 0.2, entropyCoeff: 0.01 },
      });
      const moved = often.parameters.map((values) => values.map((x, k) => x - often.initial[k]));
      expect(relativeDistance(moved[1], moved[0])).toBeLessThan(1e-3);
      expect(often.stats[1].numMinibatches).toBe(8);
    },
  );
});
