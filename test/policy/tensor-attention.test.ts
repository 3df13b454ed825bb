/** Attention over past steps in tfjs operations and in plain TypeScript against a float64 reference, its gradients against finite differences. */
import { describe, expect, it, test } from 'vitest';
import { loadTensorFlow } from '../../src/learner/tensorflow/backend.ts';
import { unpackParameters } from '../../src/learner/tensorflow/flat-parameters.ts';
import { initializeParameters } from '../../src/policy/initialize.ts';
import { openGate } from '../../src/policy/networks/attention-layers.ts';
import { openAttentionForward } from '../../src/policy/networks/attention-network.ts';
import { attentionParameterLayout } from '../../src/policy/networks/attention-parameters.ts';
import { attentionStateSize, type SpecWithAttention } from '../../src/policy/networks/attention-state.ts';
import { createTensorNetwork } from '../../src/policy/tensor-network.ts';
import { openStream } from '../../src/random/streams.ts';
import {
  attentionOutputsReference,
  attentionStepReference,
  emptyMemory,
  gateReference,
  memoryOfState,
  stateOfMemory,
} from '../reference/attention-reference.ts';
import { categorical, gaussian, makeSpec, randomParameters } from '../reference/policy-specs.ts';
import { relativeDistance } from '../reference/ppo-reference.ts';

const { tf } = await loadTensorFlow({ backend: 'cpu' });
const [M, L] = [3, 5];

function specWith(shared: boolean, numBlocks: number, window = 3): SpecWithAttention {
  const spec = makeSpec(shared ? gaussian(2) : categorical(3), { observationSize: 2 });
  const network = { kind: 'attention', size: 4, numHeads: 2, window, numBlocks } as const;
  return { ...spec, network: { ...network, hiddenSizes: [5], activation: 'tanh', shared } };
}

/** Weights that are not small, so that what steps see of each other shows. */
function parametersOf(spec: SpecWithAttention): Float32Array {
  const parameters = randomParameters(spec);
  for (const { name, offset, size } of attentionParameterLayout(spec).entries)
    for (let k = offset; k < offset + size; k++) {
      if (name.endsWith('/gain')) parameters[k] += 1;
      else if (name.includes('/block')) parameters[k] *= 3;
    }
  return parameters;
}

/** Observations [M * L, 2] and where episodes begin, both step by step: row t * M + s; and states, some full, some empty, some between. */
function makeBatch(spec: SpecWithAttention) {
  const stream = openStream(3, 'batch');
  const x = Array.from({ length: M * L }, () => [stream.normal(), stream.normal()]);
  const continues = Array.from({ length: M * L }, () => 1);
  continues[2 * M] = 0; // sequence 0 begins anew at its third step
  continues[2] = 0; // and sequence 2 at its first one: what it remembers was cleared before
  const parameters = parametersOf(spec);
  const states = [spec.network.window + 2, 2, 0].map((numBefore) => {
    let memory = emptyMemory(spec);
    for (let t = 0; t < numBefore; t++)
      memory = attentionStepReference(spec, parameters, [stream.normal(), stream.normal()], memory).memory;
    return stateOfMemory(spec, memory);
  });
  return { x, continues, states, parameters };
}

type Batch = ReturnType<typeof makeBatch>;

/** Distribution parameters and values, [M * L][P + 1]. */
function reference(spec: SpecWithAttention, { x, continues, states }: Batch, parameters: ArrayLike<number>) {
  const rows: number[][] = [];
  for (let s = 0; s < M; s++) {
    let memory = memoryOfState(spec, states[s]);
    for (let t = 0; t < L; t++) {
      const i = t * M + s;
      if (t > 0 && continues[i] === 0) memory = emptyMemory(spec);
      const step = attentionStepReference(spec, parameters, x[i], memory);
      memory = step.memory;
      const { outputs, values } = attentionOutputsReference(spec, parameters, [step.features]);
      rows[i] = [...outputs[0], values[0]];
    }
  }
  return rows;
}

function tensors(spec: SpecWithAttention, { x, continues, states }: Batch, parameters: Float32Array) {
  const network = createTensorNetwork(tf, spec);
  const sequences = {
    length: L,
    states: tf.tensor2d(states, [M, attentionStateSize(spec)]),
    continues: tf.tensor1d(continues),
  };
  const apply = (flat: ReturnType<typeof tf.tensor1d>) => {
    const entries = unpackParameters(tf, network.layout, flat);
    const { distributionParameters, values } = network.apply(entries, tf.tensor2d(x), sequences);
    return tf.concat([distributionParameters, tf.reshape(values, [-1, 1])], 1);
  };
  return { apply, flat: tf.tensor1d(parameters) };
}

const forward = (spec: SpecWithAttention, batch: Batch) => {
  const { apply, flat } = tensors(spec, batch, batch.parameters);
  return apply(flat).arraySync() as number[][];
};

describe.each([
  [false, 1],
  [true, 2],
] as const)('shared %s, %i blocks', (shared, numBlocks) => {
  const spec = specWith(shared, numBlocks);
  const batch = makeBatch(spec);

  it('gives what the definition gives', () => {
    const [found, expected] = [forward(spec, batch), reference(spec, batch, batch.parameters)];
    expect(found.flat().length).toBe(M * L * (shared ? 3 : 4));
    expect(relativeDistance(found.flat(), expected.flat())).toBeLessThan(1e-6);
  });

  it('has the gradients of finite differences', () => {
    const { apply, flat } = tensors(spec, batch, batch.parameters);
    const stream = openStream(8, 'weights');
    const weights = Array.from({ length: M * L }, () =>
      Array.from({ length: shared ? 3 : 4 }, () => stream.normal()),
    );
    const gradient = tf.grad((of) => tf.sum(tf.mul(apply(of as typeof flat), tf.tensor2d(weights))))(flat);
    const loss = (parameters: ArrayLike<number>) =>
      reference(spec, batch, parameters)
        .flat()
        .reduce((sum, value, k) => sum + value * weights.flat()[k], 0);
    const found = gradient.dataSync();
    const [some, expected]: number[][] = [[], []];
    for (const { offset, size } of attentionParameterLayout(spec).entries) {
      // some of each tensor
      for (const k of new Set([0, Math.floor(size / 2)])) {
        const moved = (by: number) => {
          const parameters = Float64Array.from(batch.parameters);
          parameters[offset + k] += by;
          return loss(parameters);
        };
        expected.push((moved(1e-5) - moved(-1e-5)) / 2e-5);
        some.push(found[offset + k]);
      }
    }
    expect(Math.min(...expected.map(Math.abs).filter((g) => g > 0))).toBeLessThan(1); // or nothing is compared
    expect(expected.filter((g) => Math.abs(g) > 1e-3).length).toBeGreaterThan(some.length / 2);
    expect(relativeDistance(some, expected)).toBeLessThan(1e-5);
  });

  it('acts the same numbers, a row and a step at a time', () => {
    const { run, state } = openAttentionForward(spec, batch.parameters, null);
    const expected = reference(spec, batch, batch.parameters);
    for (let s = 0; s < M; s++) {
      state.set(batch.states[s]);
      for (let t = 0; t < L; t++) {
        const i = t * M + s;
        if (t > 0 && batch.continues[i] === 0) state.fill(0);
        const { outputs, value } = run(batch.x[i]);
        for (const [k, output] of [...outputs, value as number].entries())
          expect(output).toBeCloseTo(expected[i][k], 5);
      }
    }
  });
});

describe('a step sees', () => {
  const spec = specWith(false, 1);
  const batch = makeBatch(spec);
  const before = forward(spec, batch);
  /** Rows whose outputs change when something of the batch does. */
  const changed = (of: Partial<Batch>) => {
    const after = forward(spec, { ...batch, ...of });
    return before.flatMap((row, i) => (row.every((value, k) => value === after[i][k]) ? [] : [i]));
  };
  const row = (t: number, s: number) => t * M + s;
  const withRow = (i: number) => ({ x: batch.x.map((x, k) => (k === i ? [x[0] + 1, x[1] - 1] : x)) });

  it.each(Array.from({ length: L }, (_, t) => t))('nothing of steps after it, of step %i', (t) => {
    const later = Array.from({ length: L - t }, (_, k) => row(t + k, 1)).slice(0, spec.network.window + 1);
    expect(changed(withRow(row(t, 1)))).toEqual(later); // nor of steps further back than the window, nor of other sequences
  });

  it('nothing of the episode before it', () => {
    expect(changed(withRow(row(1, 0)))).toEqual([row(1, 0)]); // step 2 begins another
    const forgotten = batch.states.map((state, s) => (s === 0 ? state.map((value) => 2 * value) : state));
    expect(changed({ states: forgotten })).toEqual([row(0, 0), row(1, 0)]);
  });

  it('what is remembered, as far back as it goes', () => {
    const other = batch.states.map((state, s) => (s === 1 ? state.map((v, k) => (k < 4 ? 5 : v)) : state));
    expect(changed({ states: other })).toEqual([]); // there are two steps, and this is the place of a third one
    const latest = batch.states.map((state, s) => (s === 1 ? state.map((v, k) => (k === 8 ? 5 : v)) : state));
    expect(changed({ states: latest })).toEqual([row(0, 1), row(1, 1), row(2, 1)]);
  });
});

test('the gate, by hand', () => {
  // D = 1, x = 2, y = 1: r = s(1 - 0.5 * 2) = 1/2, z = s(1 + 0.5 * 2 - 2) = 1/2, h = tanh(0 + atanh(0.5) * (1/2 * 2)) = 1/2
  const parts: Readonly<Record<string, readonly number[]>> = {
    given: [1, 1, 0],
    own: [-0.5, 0.5],
    candidate: [Math.atanh(0.5)],
    bias: [2],
  };
  const gate = openGate((name) => Float32Array.from(parts[name.slice('g/'.length)]), 'g', 1);
  expect(gate(Float64Array.of(2), Float64Array.of(1))[0]).toBeCloseTo(0.5 * 2 + 0.5 * 0.5, 6);
  const found = gateReference((name) => ({ at: (k) => parts[name][k] }), [2], [1]);
  expect(found[0]).toBeCloseTo(1.25, 12);
});

test('fresh gates let little through: a block is nearly the identity', () => {
  const spec = specWith(false, 2, 6);
  const layout = attentionParameterLayout(spec);
  const fresh = (gateBias: number) => {
    const initialization = { ...spec.initialization, gateBias };
    return initializeParameters({ initialization }, layout, openStream(1, 'initialize'));
  };
  const parameters = fresh(2);
  const part = (name: string) => {
    const { offset, size } = layout.entries.find((entry) => entry.name === name) ?? { offset: 0, size: 0 };
    return [...parameters.subarray(offset, offset + size)];
  };
  expect(part('actor/block1/gate/bias')).toEqual([2, 2, 2, 2]);
  expect(part('critic/block0/feedGate/bias')).toEqual([2, 2, 2, 2]);
  expect(part('actor/block0/norm/gain')).toEqual([1, 1, 1, 1]);
  expect(part('actor/block0/positionBias')).toEqual([0, 0, 0, 0]);
  const passedBy = (gateBias: number) => {
    const flat = fresh(gateBias);
    const { features } = attentionStepReference(spec, flat, [0.5, -1], emptyMemory(spec));
    const { offset } = layout.entries.find(({ name }) => name === 'actor/embed/kernel') ?? { offset: 0 };
    const embedded = [0, 1, 2, 3].map((j) => 0.5 * flat[offset + j] - flat[offset + 4 + j]);
    return relativeDistance(features[0], embedded);
  };
  expect(passedBy(10)).toBeLessThan(1e-3);
  expect(passedBy(10)).toBeLessThan(passedBy(2));
  expect(passedBy(2)).toBeLessThan(passedBy(0));
});
