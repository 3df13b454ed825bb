/** Gradients through time: against float64 differences of the loss over whole sequences. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createEpochOrder, sequencesPerBlock } from '../../../src/learner/epoch-order.ts';
import { createSimdLearner } from '../../../src/learner/simd/learner.ts';
import { mlpParameterLayout } from '../../../src/policy/networks/mlp-parameters.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { openStream } from '../../../src/random/streams.ts';
import { type KernelModule, loadKernels } from '../../../src/simd/loader.ts';
import { categorical, gaussian, makeSpec } from '../../reference/policy-specs.ts';
import { meanLosses, type ReferenceOptions, relativeDistance, slope } from '../../reference/ppo-reference.ts';
import { burnInReference } from '../../reference/recurrent-reference.ts';
import {
  type Fixture,
  lastGradient,
  learnerOptions,
  makeFixture,
  makePlan,
  referenceBatch,
  throughNetwork,
} from '../../reference/rollout-fixture.ts';

let builds: Record<'relaxed' | 'strict' | 'portable', KernelModule>;
beforeAll(async () => {
  const strict = await loadKernels({ deterministic: true });
  builds = { relaxed: await loadKernels(), strict, portable: { ...strict, native: null } };
}, 120_000);

const REFERENCE: ReferenceOptions = {
  clipRange: 0.2,
  entropyCoeff: 0.01,
  valueCoeff: 0.5,
  valueLoss: 'mse',
  valueClipRange: null,
  valueErrorBound: Number.POSITIVE_INFINITY,
  klPenaltyCoeff: 0,
};
const SCALARS = { learningRate: 0, clipRange: 0.2, entropyCoeff: 0.01 };

/** One minibatch of everything, at learning rate 0. */
async function runOnce(fixture: Fixture, sequenceLength: number, kernels: KernelModule) {
  const { numSamples } = fixture.layout;
  const { burnIn } = fixture.rollout;
  const options = learnerOptions({ sequenceLength, burnIn, maxMinibatchSize: numSamples });
  const learner = await createSimdLearner({ ...fixture, options, kernels });
  learner.writeParameters(fixture.parameters);
  const permutations = new Int32Array(numSamples);
  const perBlock = sequencesPerBlock(numSamples, sequenceLength);
  createEpochOrder(numSamples, numSamples, { length: sequenceLength, perBlock })(
    permutations,
    openStream(1, 'order'),
  );
  return learner.update(fixture.rollout, makePlan(fixture, { scalars: SCALARS, permutations }));
}

/** Some parameters of every tensor. */
function someIndices(spec: PolicySpec): number[] {
  const stream = openStream(2, 'indices');
  return mlpParameterLayout(spec).entries.flatMap(({ offset, size }) =>
    Array.from({ length: Math.min(size, 3) }, () => offset + stream.integer(size)),
  );
}

async function checkGradient(
  spec: PolicySpec,
  [numRows, rolloutLength, sequenceLength]: readonly [number, number, number],
  burnIn = 0,
) {
  const options = learnerOptions({ sequenceLength, burnIn, maxMinibatchSize: numRows * rolloutLength });
  const fixture = makeFixture(spec, numRows, rolloutLength, options);
  const all = Array.from({ length: numRows * rolloutLength }, (_, i) => i);
  const batch = referenceBatch(fixture, all);
  // by the parameters as they are, whatever the differences try: nothing flows back into a burn-in
  const recurrentStates = Float32Array.from(
    burnInReference(
      spec,
      fixture.parameters,
      batch.x,
      fixture.rollout.recurrentStates,
      (i) => fixture.rollout.terminated[i] !== 0 || fixture.rollout.truncated[i] !== 0,
      { sequenceLength, rolloutLength, burnIn },
    ),
  );
  const losses = (given: ArrayLike<number>) => {
    const rollout = { ...fixture.rollout, recurrentStates };
    const trace = throughNetwork(spec, given, batch.x, rollout, sequenceLength);
    return meanLosses(spec, given, trace, batch, REFERENCE);
  };
  const parameters = Float64Array.from(fixture.parameters);
  const here = losses(parameters);
  const indices = someIndices(spec);
  const expected = indices.map((k) => slope((x) => losses(parameters.with(k, x)).loss, parameters[k]));
  const bits: string[] = [];
  for (const kernels of Object.values(builds)) {
    const { means } = await runOnce(fixture, sequenceLength, kernels);
    for (const name of ['policyLoss', 'valueLoss', 'entropy', 'approxKl', 'clipFraction'] as const)
      expect(Math.abs(means[name] - here[name])).toBeLessThan(1e-5 * (1 + Math.abs(here[name])));
    const gradient = lastGradient(fixture);
    bits.push(gradient.join());
    const found = indices.map((k) => gradient[k]);
    expect(relativeDistance(found, expected)).toBeLessThan(1e-5);
  }
  expect(bits[2]).toBe(bits[1]); // WebAssembly and machine code
}

describe.each(['lstm', 'gru'] as const)('%s', (cell) => {
  it.each([
    ['a cell each', { cellSize: 7, hiddenSizes: [9, 5] }, [3, 8, 4]],
    ['one cell for both heads', { cellSize: 6, hiddenSizes: [8], shared: true }, [5, 6, 3]],
    ['heads on the cell', { cellSize: 17, hiddenSizes: [] }, [2, 10, 5]],
    ['heads on one cell', { cellSize: 5, hiddenSizes: [], shared: true }, [3, 6, 6]],
    ['a single unit, one sequence', { cellSize: 1, hiddenSizes: [3] }, [1, 9, 9]],
    ['sequences of one step', { cellSize: 4, hiddenSizes: [4] }, [3, 7, 1]],
  ] as const)('agrees with differences of the loss: %s', async (_, shape, size) => {
    const spec = makeSpec(categorical(3), { observationSize: 3, normalize: true, ...shape, cell });
    await checkGradient(spec, size);
  });

  it.each([
    ['two cells on top of each other', { cellSize: 6, hiddenSizes: [5], numLayers: 2 }, [3, 8, 4]],
    ['three, for both heads', { cellSize: 5, hiddenSizes: [4], numLayers: 3, shared: true }, [5, 6, 3]],
    ['behind the layers', { cellSize: 7, sizesBefore: [9, 5], hiddenSizes: [] }, [2, 6, 3]],
    [
      'behind a layer of relus',
      { cellSize: 6, sizesBefore: [19], hiddenSizes: [], activation: 'relu' },
      [2, 6, 3],
    ],
    [
      'two between layers that keep what went in, for both heads',
      { cellSize: 3, sizesBefore: [6], hiddenSizes: [7], numLayers: 2, activation: 'gelu', shared: true },
      [6, 10, 5],
    ],
  ] as const)('agrees with differences of the loss: %s', async (_, shape, size) => {
    await checkGradient(
      makeSpec(categorical(3), { observationSize: 3, normalize: true, ...shape, cell }),
      size,
    );
  });

  it.each([
    ['of two steps', { cellSize: 6, hiddenSizes: [5] }, [3, 12, 4], 2],
    [
      'as long as the sequences, two cells behind a layer',
      { cellSize: 5, sizesBefore: [7], hiddenSizes: [], numLayers: 2 },
      [5, 9, 3],
      3,
    ],
  ] as const)('agrees with differences of the loss: a burn-in %s', async (_, shape, size, burnIn) => {
    const spec = makeSpec(categorical(3), { observationSize: 3, normalize: true, ...shape, cell });
    await checkGradient(spec, size, burnIn);
  });

  it('agrees with continuous actions and bytes', async () => {
    await checkGradient(makeSpec(gaussian(2), { cell, cellSize: 6, hiddenSizes: [6] }), [4, 8, 4]);
    const bytes = { observationDtype: 'uint8', observationSize: 5, normalize: true } as const;
    await checkGradient(
      makeSpec(categorical(2), { ...bytes, cell, cellSize: 6, hiddenSizes: [6] }),
      [2, 8, 4],
    );
  });

  it('is the same from a minibatch in many blocks as from one', async () => {
    const spec = makeSpec(categorical(3), { cell, cellSize: 4, hiddenSizes: [4] });
    const sizes = [
      [3, 26, 2], // 39 sequences, 16, 16 and 7 of them side by side
      [1, 24, 2], // 12 sequences, 8 and 4
    ] as const;
    for (const size of sizes) await checkGradient(spec, size);
  });
});

it('runs a state through its burn-in and lets no gradient into it, worked by hand', async () => {
  // A GRU of one unit without weights halves its state at each step, h' = z h with z = sigmoid(0), and dh'/dq = h / 4 + dh/dq / 2 for the update gate's
  // bias q. The value is the state, and all returns are 0. Sequence 0: 0.4, then 0.2 and 0.1, with dh/dq 0.1 and 0.1. Sequence 1 was kept as 0.8 two
  // steps earlier, begins with 0.2 after its burn-in, then 0.1 and 0.05, with 0.05 and 0.05; through the burn-in it would be 0.15 and 0.1.
  const spec = makeSpec(categorical(2), { observationSize: 1, cell: 'gru', cellSize: 1, hiddenSizes: [] });
  const fixture = makeFixture(
    spec,
    1,
    4,
    learnerOptions({ sequenceLength: 2, burnIn: 2, maxMinibatchSize: 4 }),
  );
  const { rollout, parameters } = fixture;
  const offsetOf = new Map(mlpParameterLayout(spec).entries.map(({ name, offset }) => [name, offset]));
  parameters.fill(0);
  parameters[offsetOf.get('critic/head/kernel') as number] = 1;
  for (const marks of [rollout.terminated, rollout.truncated]) marks.fill(0);
  rollout.returns.fill(0);
  rollout.recurrentStates.set([0, 0.4, 0, 0.8]); // [sequences, actor and critic]
  for (const kernels of Object.values(builds)) {
    const { means } = await runOnce(fixture, 2, kernels);
    expect(means.valueLoss).toBeCloseTo((0.2 ** 2 + 0.1 ** 2 + 0.1 ** 2 + 0.05 ** 2) / 4, 7);
    const slope = lastGradient(fixture)[(offsetOf.get('critic/cell/bias') as number) + 1];
    const expected = (0.5 * 2 * (0.2 * 0.1 + 0.1 * 0.1 + 0.1 * 0.05 + 0.05 * 0.05)) / 4; // valueCoeff is 0.5
    expect(slope).toBeCloseTo(expected, 7);
  }
});

describe('createEpochOrder', () => {
  it('writes every sample once, whole sequences step by step', () => {
    const out = new Int32Array(24);
    createEpochOrder(24, 12, { length: 3, perBlock: 2 })(out, openStream(3, 'order'));
    expect([...out].sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, i) => i));
    for (let block = 0; block < 24; block += 6) {
      for (const r of [0, 1]) {
        const sequence = [0, 1, 2].map((t) => out[block + 2 * t + r]);
        expect(sequence[0] % 3).toBe(0);
        expect(sequence).toEqual([sequence[0], sequence[0] + 1, sequence[0] + 2]);
      }
    }
  });

  it('gives what is left of a minibatch a smaller block, and shuffles', () => {
    const order = createEpochOrder(10, 10, { length: 2, perBlock: 4 });
    const epochs = [1, 2, 3].map((seed) => {
      const out = new Int32Array(10);
      order(out, openStream(seed, 'order'));
      expect(out[9] - out[8]).toBe(1);
      return out.join();
    });
    expect(new Set(epochs).size).toBe(3);
  });

  it.each([
    [1, 1],
    [4, 4],
    [5, 4],
    [8, 4],
    [9, 8],
    [16, 8],
    [24, 12],
    [128, 16],
  ])('puts of %i sequences %i side by side', (numSequences, perBlock) => {
    expect(sequencesPerBlock(numSequences * 7, 7)).toBe(perBlock);
  });
});
