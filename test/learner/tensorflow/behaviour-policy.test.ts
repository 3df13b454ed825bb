/** Behaviours act by central inference as they do on the kernels. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createCentralBatchActor, createKernelActor } from '../../../src/acting/batch-actor.ts';
import { type LoadedTensorFlow, loadTensorFlow } from '../../../src/learner/tensorflow/backend.ts';
import { createTensorFlowPolicy } from '../../../src/learner/tensorflow/central-policy.ts';
import type { ActingSpec, BehaviourSpec } from '../../../src/policy/policy-spec.ts';
import { createTensorNetwork } from '../../../src/policy/tensor-network.ts';
import { openStream } from '../../../src/random/streams.ts';
import { loadKernels } from '../../../src/simd/loader.ts';
import { makeActingSpec, randomParameters } from '../../reference/policy-specs.ts';

let tensorflow: LoadedTensorFlow;
beforeAll(async () => {
  tensorflow = await loadTensorFlow({ backend: 'cpu' });
}, 60_000);

const BOUNDS = { low: [-1, -1], high: [1, 1] };
const BEHAVIOURS: readonly (readonly [string, BehaviourSpec, boolean])[] = [
  [
    'epsilon-greedy',
    { kind: 'epsilon-greedy', sizes: [3, 2], numAtoms: 2, support: null, dueling: true },
    false,
  ],
  ['squashed-gaussian', { kind: 'squashed-gaussian', size: 2, ...BOUNDS }, true],
  ['deterministic-tanh', { kind: 'deterministic-tanh', size: 2, ornsteinUhlenbeck: null, ...BOUNDS }, false],
  ['squashed-gsde', { kind: 'squashed-gsde', size: 2, sampleFrequency: 3, ...BOUNDS }, false],
];
const NUM_ROWS = 9;

const openCentral = (spec: ActingSpec, parameters: Float32Array) => {
  const network = createTensorNetwork(tensorflow.tf, spec);
  return createTensorFlowPolicy({ tensorflow, spec, network, parameters });
};

describe('behaviours by central inference', () => {
  it.each(BEHAVIOURS)(
    'take the actions that they take on the kernels: %s',
    async (_, distribution, layerNorm) => {
      const masks = distribution.kind === 'epsilon-greedy';
      const spec = makeActingSpec(distribution, { hiddenSizes: [12, 8], masks, layerNorm });
      const stream = openStream(5, 'central');
      const parameters = randomParameters(spec, stream);
      const exploration = { epsilon: 0.5, noiseStd: 0.3, isRandom: false };
      const policy = openCentral(spec, parameters);
      const central = createCentralBatchActor(policy, spec, NUM_ROWS);
      const kernel = createKernelActor(await loadKernels(), spec, parameters.length, NUM_ROWS);
      for (const array of [central.observations, central.noise])
        for (let k = 0; k < array.length; k++) array[k] = Math.abs(stream.normal()) % 1;
      central.masks?.forEach((_bit, k, bits) => {
        bits[k] = k % 5 === 0 || stream.uniform() < 0.6 ? 1 : 0;
      });
      kernel.observations.set(central.observations);
      kernel.noise.set(central.noise);
      if (central.masks !== null) kernel.masks?.set(central.masks);
      for (const isRandom of [false, true]) {
        policy.publish(parameters, null, { ...exploration, isRandom });
        kernel.setWeights(parameters, null, { ...exploration, isRandom });
        for (const deterministic of [false, true]) {
          await central.act(NUM_ROWS, deterministic);
          kernel.actNow(NUM_ROWS, deterministic);
          for (const [k, action] of kernel.actions.entries())
            expect(central.actions[k]).toBeCloseTo(action, 5);
        }
      }
      policy.dispose();
    },
  );

  it('act from pixels', async () => {
    const [, distribution] = BEHAVIOURS[0];
    const spec: ActingSpec = {
      ...makeActingSpec(distribution, {
        observationSize: 6 * 6 * 2,
        observationDtype: 'uint8',
        normalize: true,
      }),
      observationShape: [6, 6, 2],
      network: { kind: 'conv', layers: [[4, 3, 1]], hiddenSizes: [8], activation: 'relu' },
    };
    const network = createTensorNetwork(tensorflow.tf, spec);
    const stream = openStream(6, 'pixels');
    const parameters = Float32Array.from({ length: network.layout.size }, () => 0.3 * stream.normal());
    const policy = openCentral(spec, parameters);
    policy.publish(parameters, {
      mean: new Float32Array(72),
      inverseStd: new Float32Array(72).fill(1 / 255),
    });
    const actor = createCentralBatchActor(policy, spec, 20);
    for (let k = 0; k < actor.observations.length; k++) actor.observations[k] = stream.integer(256);
    await actor.act(20, true);
    expect(new Set(actor.actions).size).toBeGreaterThan(1);
    expect(actor.actions.every((action) => action >= 0 && action < 3)).toBe(true);
    const values = new Float32Array(20);
    await policy.values(actor.observations, 20, values);
    expect(new Set(values).size).toBe(20);
    policy.dispose();
  });
});
