import { describe, expect, it } from 'vitest';
import { type GradientChunk, MAX_CHUNK_ROWS } from '../../../src/learner/output-gradient.ts';
import { categoricalGradient } from '../../../src/learner/simd/categorical-gradient.ts';
import { openStream } from '../../../src/random/streams.ts';

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
