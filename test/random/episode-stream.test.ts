import seedrandom from 'seedrandom';
import { describe, expect, it } from 'vitest';
import { type EpisodeStreamPurpose, openEpisodeStream } from '../../src/random/episode-stream.ts';
import { episodeSeed, type StreamState } from '../../src/random/streams.ts';

const PURPOSES: readonly EpisodeStreamPurpose[] = ['env', 'action', 'sticky'];

/** seedrandom's own generator, started from a state. */
function aleaFrom(state: StreamState): () => number {
  return seedrandom.alea('', { state: { ...state } } as never) as unknown as () => number;
}

describe('openEpisodeStream', () => {
  it.each(PURPOSES)('draws what seedrandom.alea draws from the same state: %s', (purpose) => {
    for (const seed of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 40 + 3, -7]) {
      const stream = openEpisodeStream(seed, purpose);
      const reference = aleaFrom(stream.getState());
      for (let k = 0; k < 2000; k++) expect(stream.uniform()).toBe(reference());
      const later = aleaFrom(stream.getState());
      expect(stream.integer(1000)).toBe(Math.floor(later() * 1000));
      const [u, v] = [later(), later()];
      expect(stream.normal()).toBe(Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v));
    }
  });

  it('starts from a state that alea can be in', () => {
    for (let seed = 0; seed < 1000; seed++) {
      const { c, s0, s1, s2 } = openEpisodeStream(seed, 'env').getState();
      expect(c).toBe(1);
      for (const s of [s0, s1, s2]) {
        expect(s >= 0 && s < 1 && Number.isInteger(s * 2 ** 32)).toBe(true);
      }
    }
  });

  it('never changes: runs are reproducible between versions', () => {
    // Worked out apart from this code, in Python with 32-bit arithmetic.
    const words = (seed: number, purpose: EpisodeStreamPurpose) => {
      const { s0, s1, s2 } = openEpisodeStream(seed, purpose).getState();
      return [s0, s1, s2].map((s) => s * 2 ** 32);
    };
    expect([words(0, 'env'), words(123456789, 'action'), words(2 ** 40 + 5, 'sticky')]).toEqual([
      [1107962638, 1680314195, 3617108920],
      [695362308, 1120584468, 1310890077],
      [1786368614, 3082072141, 3626211035],
    ]);
  });

  it('restarts as if it had just been opened, and keeps its purpose', () => {
    for (const purpose of PURPOSES) {
      const stream = openEpisodeStream(5, purpose);
      for (let k = 0; k < 7; k++) stream.normal();
      stream.restart(6);
      expect(stream.getState()).toEqual(openEpisodeStream(6, purpose).getState());
    }
  });

  it('goes on from a state that went through JSON', () => {
    const stream = openEpisodeStream(5, 'env');
    for (let k = 0; k < 9; k++) stream.uniform();
    const state = JSON.parse(JSON.stringify(stream.getState()));
    const expected = [stream.uniform(), stream.normal(), stream.integer(100)];
    const other = openEpisodeStream(99, 'action');
    other.setState(state);
    expect([other.uniform(), other.normal(), other.integer(100)]).toEqual(expected);
  });
});

/** Statistics over streams, not within one: what a run sees is the first numbers of many streams. */
describe('streams of different episodes', () => {
  const NUM_STREAMS = 40_000;
  const NUM_DRAWS = 6;
  const seeds: Readonly<Record<string, (k: number) => number>> = {
    'counted seeds': (k) => k,
    'seeds of episodes': (k) => episodeSeed(3, k % 8, k >> 3),
    'seeds that differ in high bits': (k) => k * 2 ** 20,
    'seeds that differ in one word': (k) => k * 2 ** 32 + 1,
  };
  const draws = (seedOf: (k: number) => number, purpose: EpisodeStreamPurpose) =>
    Array.from({ length: NUM_STREAMS }, (_, k) => {
      const stream = openEpisodeStream(seedOf(k), purpose);
      return Array.from({ length: NUM_DRAWS }, () => stream.uniform());
    });

  it.each(Object.entries(seeds))('are uniform, in high and in low bits: %s', (_, seedOf) => {
    for (const purpose of PURPOSES) {
      const table = draws(seedOf, purpose);
      for (let d = 0; d < NUM_DRAWS; d++) {
        const high = chiSquare(64, table, (row) => Math.floor(row[d] * 64));
        const low = chiSquare(64, table, (row) => (row[d] * 2 ** 32) % 64);
        // 63 degrees of freedom: above 140 once in 10^7
        expect(Math.max(high, low)).toBeLessThan(140);
      }
    }
  });

  it.each(Object.entries(seeds))('have nothing to do with their neighbours: %s', (_, seedOf) => {
    const [env, action] = [draws(seedOf, 'env'), draws(seedOf, 'action')];
    const next = [...env.slice(1), env[0]];
    const pairs: readonly [number[][], number[][]][] = [
      [env, next],
      [env, action],
      [next, action],
    ];
    for (const [left, right] of pairs) {
      for (let a = 0; a < NUM_DRAWS; a++) {
        for (let b = 0; b < NUM_DRAWS; b++) {
          const joint = chiSquare(
            256,
            left,
            (row, k) => Math.floor(row[a] * 16) * 16 + Math.floor(right[k][b] * 16),
          );
          // 255 degrees of freedom: above 385 once in 10^6.5
          expect(joint).toBeLessThan(385);
        }
      }
    }
  });

  it('have normals of mean 0 and variance 1 that are not correlated', () => {
    const table = Array.from({ length: NUM_STREAMS }, (_, k) => {
      const [env, action] = [openEpisodeStream(k, 'env'), openEpisodeStream(k, 'action')];
      return [env.normal(), env.normal(), action.normal(), action.normal()];
    });
    const mean = (f: (row: number[]) => number) => table.reduce((sum, row) => sum + f(row), 0) / NUM_STREAMS;
    const bound = 5 / Math.sqrt(NUM_STREAMS); // 5 standard errors
    for (let a = 0; a < 4; a++) {
      expect(Math.abs(mean((row) => row[a]))).toBeLessThan(bound);
      expect(Math.abs(mean((row) => row[a] ** 2) - 1)).toBeLessThan(bound * Math.SQRT2);
      for (let b = 0; b < a; b++) expect(Math.abs(mean((row) => row[a] * row[b]))).toBeLessThan(bound);
    }
  });

  it('start in different states, 64-bit seeds included', () => {
    const states = new Set<string>();
    for (let k = 0; k < 20_000; k++) {
      for (const purpose of PURPOSES) {
        states.add(JSON.stringify(openEpisodeStream(k, purpose).getState()));
        states.add(JSON.stringify(openEpisodeStream((k + 1) * 2 ** 33, purpose).getState()));
      }
    }
    expect(states.size).toBe(120_000);
  });
});

/** Pearson's statistic of counts in `numBins` equally likely bins. */
function chiSquare(numBins: number, table: number[][], binOf: (row: number[], k: number) => number): number {
  const counts = new Float64Array(numBins);
  table.forEach((row, k) => {
    counts[binOf(row, k)] += 1;
  });
  const expected = table.length / numBins;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
