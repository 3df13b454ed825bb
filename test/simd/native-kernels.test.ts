/** Native kernels against those of WebAssembly: the same numbers, to the bit. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createThreadPlan, threadScratchBytes } from '../../src/learner/simd/tower-plan.ts';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import type { Activation, PolicySpec } from '../../src/policy/policy-spec.ts';
import { openStream } from '../../src/random/streams.ts';
import { BUILD_FOLDER } from '../../src/simd/build.ts';
import { buildNative } from '../../src/simd/build-native.ts';
import type { Kernels } from '../../src/simd/kernel-exports.ts';
import { BLOCK_ROWS, policyLayers } from '../../src/simd/layer-program.ts';
import { instantiateKernels, type KernelModule, loadKernels } from '../../src/simd/loader.ts';
import { nativeFile, openNative } from '../../src/simd/native-kernels.ts';
import { fillNetwork, openDenseNetwork } from './dense-network.ts';
import { nativeWidths } from './native-widths.ts';

const builds = { relaxed: await loadKernels(), strict: await loadKernels({ deterministic: true }) };
const { native } = builds.relaxed;
const widths = nativeWidths(native);
const cases = widths.flatMap((numLanes) =>
  (['relaxed', 'strict'] as const).map((build) => [build, numLanes] as const),
);

const ACTIVATIONS: readonly Activation[] = [
  'tanh',
  'relu',
  'elu',
  'silu',
  'gelu',
  'leaky-relu',
  'sigmoid',
  'identity',
];

function mlp(
  hiddenSizes: readonly number[],
  activation: Activation,
  shared: boolean,
  inputs: number,
  outputs: number,
): PolicySpec {
  return {
    observationSize: inputs,
    observationShape: [inputs],
    observationDtype: 'float32',
    normalizeObservations: false,
    clipObservation: 10,
    actionMaskSize: 0,
    distribution: { kind: 'categorical', sizes: [outputs] },
    network: { kind: 'mlp', hiddenSizes, activation, shared },
    initialization: { orthogonal: true, hiddenGain: 1, policyGain: 1, valueGain: 1, logStd: 0 },
  };
}

const drawn = openStream(11, 'native-values');
/** A list of normal numbers is drawn once: to draw all that the tests fill takes longer than the kernels. Its length is a prime, so no layer meets the same ones in the same places. */
const NORMALS = Float32Array.from({ length: 65_537 }, () => drawn.normal());

function fillWithNormals(values: Float32Array, first: number): void {
  for (let k = 0; k < values.length; ) {
    const at = (first + k) % NORMALS.length;
    const part = NORMALS.subarray(at, at + values.length - k);
    values.set(part, k);
    k += part.length;
  }
}

/** Where two lists of words first differ; -1 = nowhere. */
function firstDifference(one: Uint32Array, other: Uint32Array): number {
  if (one.length !== other.length) return Math.min(one.length, other.length);
  for (let k = 0; k < one.length; k++) if (one[k] !== other[k]) return k;
  return -1;
}

/** Two copies of one memory image: what each kind of kernels makes of it must be the same image again. */
function openTwins(build: 'relaxed' | 'strict', numLanes: 4 | 8 | 16, bytes: number) {
  const open = (kernels: KernelModule) => {
    const planner = createArenaPlanner();
    const { offset } = planner.reserve(bytes);
    const arena = createArena(planner);
    return {
      offset,
      buffer: arena.buffer,
      kernels: instantiateKernels(kernels, arena.memory),
      words: new Uint32Array(arena.buffer, offset, bytes >> 2),
    };
  };
  const path = native?.path ?? '';
  return [
    open({ ...builds[build], native: null }),
    open({ ...builds[build], native: { path, numLanes } }),
  ] as const;
}

describe.each(cases)('native kernels, %s, %i lanes', (build, numLanes) => {
  const stream = openStream(11, `native-${build}`);
  const below = (limit: number) => 1 + stream.integer(limit);

  /** Forward, and backward twice (the second time adding), through every tower of a random network. `share` of what is observed is not 0. */
  function runNetwork(spec: PolicySpec, rows: number, share = 1): void {
    const { parameterCount } = policyLayers(spec);
    const vector = 4 * parameterCount + 64;
    const [one, other] = openTwins(build, numLanes, 2 * vector + threadScratchBytes(spec) + 128);
    const parameters = one.offset;
    const slab = parameters + 64 * Math.ceil(vector / 64);
    const scratch = slab + 64 * Math.ceil(vector / 64);
    fillWithNormals(new Float32Array(one.buffer, one.offset, one.words.length), below(NORMALS.length));
    if (share < 1) {
      const { address, stride } = createThreadPlan(spec, one.buffer, scratch).rows.observations;
      const seen = new Float32Array(one.buffer, address, (BLOCK_ROWS * stride) / 4);
      for (let k = 0; k < seen.length; k++) if (stream.uniform() >= share) seen[k] = 0;
    }
    other.words.set(one.words);
    expect(other.offset).toBe(one.offset);
    for (const { buffer, kernels } of [one, other]) {
      const plan = createThreadPlan(spec, buffer, scratch);
      for (const tower of plan.towers) {
        kernels.transposeKernels(tower.address, tower.numRecords, parameters);
        kernels.forward(tower.address, tower.numRecords, parameters, rows);
        kernels.backward(tower.address, tower.numRecords, slab, rows, 0);
        kernels.backward(tower.address, tower.numRecords, slab, rows, 1);
        kernels.backward(tower.address, tower.numRecords, 0, rows, 1);
      }
    }
    const [ones, others] = [one, other].map(({ buffer }) => readResults(spec, buffer, scratch, slab, rows));
    expect(ones.map((words, k) => firstDifference(words, others[k]))).toEqual([-1, -1, -1]);
  }

  /** What somebody reads: outputs, values, gradients. Between rows and columns lies what nobody does. */
  function readResults(
    spec: PolicySpec,
    buffer: ArrayBufferLike,
    scratch: number,
    slab: number,
    rows: number,
  ) {
    const plan = createThreadPlan(spec, buffer, scratch);
    const { parameterCount } = policyLayers(spec);
    const numOutputs = spec.distribution.kind === 'categorical' ? spec.distribution.sizes[0] : 0;
    return [
      new Uint32Array(buffer, plan.rows.outputs, rows * numOutputs),
      new Uint32Array(buffer, plan.rows.values, rows),
      new Uint32Array(buffer, slab, parameterCount),
    ];
  }

  it.each(ACTIVATIONS)('agree through networks of %s', (activation) => {
    for (let round = 0; round < 12; round++) {
      const hiddenSizes = Array.from({ length: round % 4 }, () => below(round < 6 ? 20 : 130));
      const spec = mlp(hiddenSizes, activation, round % 3 === 0, below(70), below(9));
      runNetwork(spec, round === 0 ? BLOCK_ROWS : below(BLOCK_ROWS));
    }
  });

  it.each([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 127, 128, 200])(
    'agree with %i units a layer, for every number of rows in a tile',
    (width) => {
      const spec = mlp([width, width], 'tanh', false, width, 1 + (width % 6));
      for (const rows of [1, 2, 3, 4, 5, 6, 7, 11, 13, 64]) runNetwork(spec, rows);
    },
  );

  it.each([
    [256, 64],
    [300, 70],
  ])('agree where products are deep enough to fetch what comes next, %i units between %i', (deep, units) => {
    const spec = mlp([units, deep, units], deep === 300 ? 'tanh' : 'relu', false, 9, 3);
    for (const rows of [31, 32, 37, 64]) runNetwork(spec, rows);
  });

  it.each([31, 32, 47, 84, 129, 1024])('agree where most of %i observations are 0', (inputs) => {
    for (const share of [0, 0.05, 0.25]) {
      const spec = mlp([below(140), 9], share === 0 ? 'relu' : 'tanh', share === 0.05, inputs, below(9));
      for (const rows of [1, 8, 63, 64]) runNetwork(spec, rows, share);
    }
  });

  it.each([1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 130, 256])(
    'agree on gradients of inputs, with and without layer normalisation of %i units',
    (width) => {
      const path = native?.path ?? '';
      for (const [normalized, masked] of [
        [false, false],
        [true, false],
        [true, true],
      ]) {
        const widths = [below(40), width, width, below(12)];
        const shape = { widths, activation: 'elu' as const, normalized, masked };
        const modules = [null, { path, numLanes }].map((kind) => ({ ...builds[build], native: kind }));
        const twins = modules.map((module) => openDenseNetwork(module, shape));
        fillNetwork(twins[0], stream);
        twins[1].words.set(twins[0].words);
        const rows = below(BLOCK_ROWS);
        const results = twins.map((network) => {
          network.forward(rows);
          network.backward(rows, { weights: true });
          network.backward(rows, { weights: true, accumulate: true });
          network.backward(rows, { weights: false });
          const gradients = Array.from({ length: rows }, (_, r) => Array.from(network.gradInputRow(r)));
          return [
            Array.from(network.outputs.subarray(0, rows * shape.widths[3])),
            Array.from(network.gradients),
            gradients,
          ];
        });
        expect(results[1]).toEqual(results[0]);
        expect(results[0].flat(2).every(Number.isFinite)).toBe(true);
      }
    },
  );

  it('agree where numbers are not finite, or not normal', () => {
    const odd = [Number.NaN, Infinity, -Infinity, 0, -0, 1e-40, -1e-40, 3e38, -3e38, 88, -87.5, 7.95];
    for (const activation of ACTIVATIONS) {
      const spec = mlp([24], activation, false, 5, 2);
      const { parameterCount } = policyLayers(spec);
      const [one, other] = openTwins(build, numLanes, 4 * parameterCount + threadScratchBytes(spec) + 256);
      const scratch = one.offset + 64 * Math.ceil((4 * parameterCount + 64) / 64);
      for (const { buffer, kernels, offset } of [one, other]) {
        const parameters = new Float32Array(buffer, offset, parameterCount);
        for (let k = 0; k < parameterCount; k++) parameters[k] = odd[(k * 7) % odd.length];
        const { towers, rows } = createThreadPlan(spec, buffer, scratch);
        const inputs = new Float32Array(buffer, rows.observations.address, 16 * BLOCK_ROWS);
        for (let k = 0; k < inputs.length; k++) inputs[k] = odd[(k * 5) % odd.length];
        kernels.forward(towers[0].address, towers[0].numRecords, offset, BLOCK_ROWS);
      }
      const latents = [one, other].map(({ buffer }) => {
        const { latent } = createThreadPlan(spec, buffer, scratch).towers[0];
        return Array.from({ length: BLOCK_ROWS }, (_, r) =>
          Array.from(new Float32Array(buffer, latent.address + r * latent.stride, 24)),
        );
      });
      expect(latents[1], activation).toEqual(latents[0]); // NaN equals NaN here; which NaN it is nobody promises
    }
  });

  it('agree on tanh of every 1031st float', () => {
    const numUnits = 4096;
    const spec = mlp([numUnits], 'tanh', false, 1, 1);
    const { parameterCount, actorHidden } = policyLayers(spec);
    const twins = openTwins(build, numLanes, 4 * parameterCount + threadScratchBytes(spec) + 256).map(
      ({ buffer, kernels, offset }) => {
        const { towers, rows } = createThreadPlan(
          spec,
          buffer,
          offset + 64 * Math.ceil(parameterCount / 16 + 1),
        );
        new Float32Array(buffer, rows.observations.address, 1).fill(0);
        new Float32Array(buffer, offset + actorHidden[0].kernelOffset, numUnits).fill(-0); // -0 + x = x for every x
        const [{ address, numRecords, latent }] = towers;
        return {
          inputs: new Uint32Array(buffer, offset + actorHidden[0].biasOffset, numUnits),
          outputs: new Float32Array(buffer, latent.address, numUnits),
          bits: new Uint32Array(buffer, latent.address, numUnits),
          run: () => kernels.forward(address, numRecords, offset, 1),
        };
      },
    );
    const [one, other] = twins;
    let numDifferent = 0;
    let numCurved = 0; // neither tanh's ends nor its straight middle
    for (let first = 0; first < 2 ** 32; first += 1031 * numUnits) {
      for (let k = 0; k < numUnits; k++) one.inputs[k] = first + 1031 * k;
      other.inputs.set(one.inputs);
      for (const { run } of twins) run();
      for (let k = 0; k < numUnits; k++) {
        const areNaN = Number.isNaN(one.outputs[k]) && Number.isNaN(other.outputs[k]);
        if (one.bits[k] !== other.bits[k] && !areNaN) numDifferent += 1;
        const size = Math.abs(one.outputs[k]);
        if (size > 1e-3 && size < 0.999) numCurved += 1;
      }
    }
    expect(numDifferent).toBe(0);
    expect(numCurved).toBeGreaterThan(125_000);
  });

  it.each([64, 192, 1024, 4096])('reduce and step over slices of %i bytes', (bytes) => {
    for (const numSlabs of [1, 2, 5, 8]) {
      const slabBytes = bytes + 128;
      const [one, other] = openTwins(build, numLanes, (numSlabs + 3) * slabBytes);
      const values = new Float32Array(one.buffer, one.offset, one.words.length);
      for (let k = 0; k < values.length; k++) values[k] = k % 7 === 0 ? 1.2e-38 : stream.normal() ** 2;
      other.words.set(one.words);
      const run = ({ kernels, offset }: { kernels: Kernels; offset: number }) => {
        const squares = kernels.reduceSlice(offset, slabBytes, numSlabs, bytes);
        const at = (vector: number) => offset + (numSlabs + vector) * slabBytes;
        const numbers = [0.37, 0.9, 1 - 0.9, 0.999, 1 - 0.999, 3e-4 / (1 - 0.9 ** 3), 12.9, 1e-5] as const;
        const length = bytes - 16 * (numSlabs % 3);
        kernels.adamSlice(at(0), offset, at(1), at(2), length, ...numbers, numSlabs === 2 ? 1 : 0.999);
        kernels.blendSlice(at(1), at(2), length, numSlabs === 5 ? 1 : 0.005);
        return squares;
      };
      expect(run(other)).toBe(run(one));
      expect(Array.from(other.words)).toEqual(Array.from(one.words));
    }
  });
});

describe('the addon', () => {
  it('is there, unless there is nothing to build it with or for', async () => {
    const { problem } = await buildNative(fileURLToPath(BUILD_FOLDER));
    expect(problem ?? '').toMatch(/^$|no C compiler was found|are compiled in a clone/);
    const path = fileURLToPath(new URL(nativeFile(process.platform, process.arch), BUILD_FOLDER));
    if (problem === null) expect(openNative(path).numLanes).toBe(native?.numLanes ?? 0);
    else expect(native).toBeNull();
  });

  const LARGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled';
  // An emulator of another processor keeps such advice from the system.
  const canTell = process.arch === 'x64' && existsSync(LARGE_PAGES);
  it.skipIf(native === null || !canTell)('asks for large pages under an arena', () => {
    const planner = createArenaPlanner();
    planner.reserve(8 * 2 ** 20);
    const { memory, buffer } = createArena(planner);
    instantiateKernels(builds.relaxed, memory);
    const address = openNative(native?.path ?? '').addressOf(new Uint8Array(buffer));
    const mapping = readFileSync('/proc/self/smaps', 'utf8')
      .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
      .find((text) => text.startsWith(`${address.toString(16)}-`));
    expect(mapping).toMatch(/^VmFlags:.* hg\b/m);
  });

  it('is left aside on request', async () => {
    expect((await loadKernels({ native: false })).native).toBeNull();
  });
});
