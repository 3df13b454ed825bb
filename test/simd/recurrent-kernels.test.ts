/** Recurrent cells compiled to machine code against those of WebAssembly: the same numbers, to the bit. */
import { describe, expect, it } from 'vitest';
import { type Bump, planCells, planSequences, writeCellsPlan } from '../../src/learner/simd/sequence-plan.ts';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { openStream } from '../../src/random/streams.ts';
import { policyLayers } from '../../src/simd/layer-program.ts';
import { instantiateKernels, type KernelModule, loadKernels } from '../../src/simd/loader.ts';
import { categorical, makeSpec } from '../reference/policy-specs.ts';
import { nativeWidths } from './native-widths.ts';

const builds = { relaxed: await loadKernels(), strict: await loadKernels({ deterministic: true }) };
const { native } = builds.relaxed;
const widths = nativeWidths(native);

/** Forward and back through random numbers, the second time adding; hidden states and gradients as words. */
function run(kernels: KernelModule, cell: 'lstm' | 'gru', sizes: readonly [number, number, number, number]) {
  const [inputs, size, steps, rows] = sizes;
  const spec = makeSpec(categorical(2), {
    observationSize: inputs,
    cell,
    cellSize: size,
    hiddenSizes: [],
    shared: true,
  });
  const { parameterCount } = policyLayers(spec);
  const planner = createArenaPlanner();
  const { offset } = planner.reserve(1 << 22);
  const arena = createArena(planner);
  let end = offset;
  const bump: Bump = {
    take(bytes) {
      const address = end;
      end = Math.ceil((end + bytes) / 64) * 64;
      return address;
    },
    get position() {
      return end;
    },
  };
  const vector = 4 * parameterCount + 64;
  const [parameters, slab] = [bump.take(vector), bump.take(vector)];
  const scratch = planSequences(spec, { length: steps, perBlock: rows }, bump);
  const [{ hidden }] = scratch.layers;
  const input = { x: scratch.x, gradient: null, activation: 'identity', pre: 0 } as const;
  const cells = planCells(scratch, 0, input, { address: 0, records: [] }, bump);
  const [plan] = cells.cells;
  const stream = openStream(4, 'recurrent', inputs, size, steps, rows);
  const numbers = new Float32Array(arena.buffer, offset, (end - offset) >> 2);
  for (let k = 0; k < numbers.length; k++) numbers[k] = 0.5 * stream.normal();
  const stepRows = Math.ceil(rows / 4) * 4;
  const marks = new Int32Array(arena.buffer, scratch.continues, steps * stepRows);
  for (let k = 0; k < marks.length; k++) marks[k] = stream.uniform() < 0.8 ? 1 : 0;
  writeCellsPlan(arena.buffer, cells, scratch);
  const { transposed, address } = plan;
  const own = instantiateKernels(kernels, arena.memory);
  const { numColumns, stateOffset } = plan.cell;
  own.transpose(
    parameters + stateOffset,
    4 * numColumns,
    size,
    numColumns,
    transposed.address,
    transposed.stride,
  );
  for (const accumulate of [0, 1]) {
    own.recurrentForward(address, parameters, steps, rows);
    own.recurrentBackward(address, slab, steps, rows, accumulate);
  }
  const states = Array.from({ length: steps * stepRows }, (_, row) =>
    row % stepRows < rows
      ? [...new Uint32Array(arena.buffer, hidden.address + row * hidden.stride, size)]
      : [],
  );
  return [states.flat(), [...new Uint32Array(arena.buffer, slab, parameterCount)]];
}

describe.each(['lstm', 'gru'] as const)('%s', (cell) => {
  it.skipIf(native === null).each(widths)('agrees in machine code with %i lanes', (numLanes) => {
    const stream = openStream(12, 'sizes');
    const below = (limit: number) => 1 + stream.integer(limit);
    for (let round = 0; round < 8; round++) {
      const sizes = [below(20), below(round < 5 ? 20 : 70), below(7), below(17)] as const;
      for (const build of ['relaxed', 'strict'] as const) {
        const expected = run({ ...builds[build], native: null }, cell, sizes);
        const path = native?.path ?? '';
        const found = run({ ...builds[build], native: { path, numLanes } }, cell, sizes);
        expect(found, `${sizes} ${build}`).toEqual(expected);
      }
    }
  });
});
