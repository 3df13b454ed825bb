import { describe, expect, it } from 'vitest';
import { type GradientChunk, MAX_CHUNK_ROWS } from '../../../src/learner/output-gradient.ts';
import { categoricalGradient } from '../../../src/learner/simd/categorical-gradient.ts';
import { createArena, createArenaPlanner } from '../../../src/memory/arena.ts';
import { openStream, type Stream } from '../../../src/random/streams.ts';
import { instantiateKernels, loadKernels } from '../../../src/simd/loader.ts';
import type { OpenCategorical } from '../../../src/simd/native-categorical.ts';
import { nativeWidths } from '../../simd/native-widths.ts';

const LOGITS = [0, -0, 1, -3, 1e-30, 90, -90, 1e8, -1e8, Infinity, -Infinity, Number.NaN];

/** Every pair of the logits above, then random ones; the fields that a categorical looks at. */
function makeChunk(first: number): GradientChunk {
  const stream = openStream(first, 'test');
  const pairs = LOGITS.flatMap((a) => LOGITS.map((b) => [a, b])).slice(first, first + MAX_CHUNK_ROWS);
  while (pairs.length < MAX_CHUNK_ROWS) pairs.push([stream.normal(), stream.normal()]);
  return {
    numRows: MAX_CHUNK_ROWS,
    distributionParameters: Float32Array.from(pairs.flat()),
    actions: Int32Array.from(pairs, () => stream.integer(2)),
    masks: new Uint8Array(2 * MAX_CHUNK_ROWS).fill(1),
    gradDistributionParameters: new Float32Array(2 * MAX_CHUNK_ROWS),
  } as Partial<GradientChunk> as GradientChunk;
}

/** Everything that comes out, with masks that forbid nothing or without masks. */
function evaluate(chunk: GradientChunk, hasMasks: boolean): number[] {
  const stream = openStream(1, 'weights');
  const weights = () => Float64Array.from({ length: MAX_CHUNK_ROWS }, () => stream.normal());
  const [logProbs, entropies] = [new Float64Array(MAX_CHUNK_ROWS), new Float64Array(MAX_CHUNK_ROWS)];
  const gradient = categoricalGradient([2], hasMasks);
  gradient.evaluate(chunk, logProbs, entropies);
  gradient.backward(chunk, weights(), weights());
  return [...logProbs, ...entropies, ...chunk.gradDistributionParameters];
}

describe('categoricalGradient', () => {
  it('gives two actions without masks the bits of the general case, also where logits are not finite', () => {
    for (const first of [0, 64, 128, 192]) {
      const chunk = makeChunk(first);
      const pair = evaluate(chunk, false);
      const general = evaluate(chunk, true);
      expect(pair.some((value) => Number.isFinite(value) && value !== 0)).toBe(true);
      expect(pair).toEqual(general); // tells -0 from 0
    }
  });
});

/** Up to 64 rows; each categorical has something that is allowed. */
function makeRows(stream: Stream, sizes: readonly number[], hasMasks: boolean, scale: number): GradientChunk {
  const draw = (of: (size: number) => number) =>
    Array.from({ length: MAX_CHUNK_ROWS }, () => sizes.map(of)).flat();
  const numLogits = MAX_CHUNK_ROWS * sizes.reduce((sum, size) => sum + size, 0);
  const masks = draw((size) => stream.integer(size)).flatMap((allowed, k) =>
    Array.from({ length: sizes[k % sizes.length] }, (_, a) =>
      a === allowed || stream.uniform() < 0.5 ? 1 : 0,
    ),
  );
  return {
    numRows: 1 + stream.integer(MAX_CHUNK_ROWS),
    distributionParameters: Float32Array.from({ length: numLogits }, () => scale * stream.normal()),
    actions: Int32Array.from(draw((size) => stream.integer(size))),
    masks: Uint8Array.from(hasMasks ? masks : []),
    gradDistributionParameters: new Float32Array(numLogits),
  } as Partial<GradientChunk> as GradientChunk;
}

const kernels = await loadKernels();

describe.each(nativeWidths(kernels.native))('machine code, %i lanes', (numLanes) => {
  const cases = [[2], [5], [9], [1], [3, 4]].flatMap((sizes) => [
    [sizes, false] as const,
    [sizes, true] as const,
  ]);

  it.each(cases)(
    'gives categoricals of %j, masks %s, the bits of TypeScript, and leaves what is unusual to it',
    (sizes, hasMasks) => {
      const planner = createArenaPlanner();
      planner.reserve(64);
      const path = kernels.native?.path ?? '';
      const { openCategorical } = instantiateKernels(
        { ...kernels, native: { path, numLanes } },
        createArena(planner).memory,
      );
      const stream = openStream(7, 'native-categorical');
      const answers: boolean[] = [];
      const open: OpenCategorical = (...of) => {
        const rows = (openCategorical as OpenCategorical)(...of);
        return {
          ...rows,
          evaluate(...call) {
            answers.push(rows.evaluate(...call));
            return answers.at(-1) === true;
          },
        };
      };
      for (const scale of [0, 1e-8, 0.01, 1, 5, 30, 3000, Number.NaN]) {
        const chunk = makeRows(stream, sizes, hasMasks, scale);
        const weights = () => Float64Array.from({ length: MAX_CHUNK_ROWS }, () => stream.normal());
        const [byLogProb, byEntropy] = [weights(), weights()];
        const [written, native] = [undefined, open].map((openCategoricalOf) => {
          const of = { ...chunk, openCategorical: openCategoricalOf };
          const [logProbs, entropies] = [new Float64Array(MAX_CHUNK_ROWS), new Float64Array(MAX_CHUNK_ROWS)];
          chunk.gradDistributionParameters.fill(0);
          const gradient = categoricalGradient(sizes, hasMasks);
          gradient.evaluate(of, logProbs, entropies);
          gradient.backward(of, byLogProb, byEntropy);
          const { numRows } = chunk;
          return [
            ...logProbs.subarray(0, numRows),
            ...entropies.subarray(0, numRows),
            ...chunk.gradDistributionParameters,
          ];
        });
        expect(native).toEqual(written); // tells -0 from 0
      }
      expect(answers.slice(2, 6)).toEqual([true, true, true, true]);
      expect(answers[7]).toBe(false);
    },
  );

  it('writes nowhere for actions that there are not', () => {
    const planner = createArenaPlanner();
    planner.reserve(64);
    const path = kernels.native?.path ?? '';
    const { memory } = createArena(planner);
    const { openCategorical } = instantiateKernels({ ...kernels, native: { path, numLanes } }, memory);
    const rows = (openCategorical as OpenCategorical)([3, 4], false);
    const chunk = makeRows(openStream(7, 'native-categorical'), [3, 4], false, 1);
    const evaluate = () =>
      rows.evaluate(chunk, new Float64Array(MAX_CHUNK_ROWS), new Float64Array(MAX_CHUNK_ROWS));
    expect(evaluate()).toBe(true);
    for (const [segment, action] of [
      [0, 3],
      [1, 4],
      [0, -1],
      [1, 0x3f800000],
    ]) {
      const kept = chunk.actions[segment];
      chunk.actions[segment] = action;
      expect(evaluate()).toBe(false);
      chunk.actions[segment] = kept;
    }
    expect(evaluate()).toBe(true);
  });
});
