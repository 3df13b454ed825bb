import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openStream } from '../../src/random/streams.ts';
import { createPrioritisedSampler, PRIORITY_EPSILON } from '../../src/replay/prioritised-sampler.ts';
import { createReplay } from '../../src/replay/replay.ts';
import { firstPosition } from '../../src/replay/ring.ts';
import { recorder, vectorSpec } from './recorded-steps.ts';

/** A buffer of five transitions with errors [0, .1, .5, 1, 4]. */
function fiveTransitions(alpha: number) {
  const spec = { ...vectorSpec, capacity: 5 };
  const replay = createReplay(spec);
  replay.append(recorder(spec, () => null).play(5));
  const sampler = createPrioritisedSampler(replay, 1);
  const stream = openStream(1, 'replay');
  sampler.sample(stream, alpha, 0, new Int32Array(5), new Float32Array(5));
  sampler.update(Int32Array.of(0, 1, 2, 3, 4), Float32Array.of(0, -0.1, 0.5, 1, -4), alpha);
  return { replay, sampler, stream };
}

describe('proportional priorities', () => {
  test('are p^alpha / sum p^alpha, worked by hand for alpha .6', () => {
    const { sampler } = fiveTransitions(0.6);
    const { masses } = sampler.getState();
    [0.000251, 0.25119, 0.659755, 1.000001, 2.297397].forEach((mass, i) => {
      expect(masses[i]).toBeCloseTo(mass, 5);
    });
    const shares = [...masses.subarray(0, 5)].map((mass) => mass / sampler.totalMass);
    [0.00006, 0.059685, 0.156764, 0.237609, 0.545882].forEach((share, i) => {
      expect(shares[i]).toBeCloseTo(share, 5);
    });
  });

  test('weights of the batch 1 to 4 with beta .4, worked by hand', () => {
    const { sampler, stream } = fiveTransitions(0.6);
    const indices = new Int32Array(5);
    const weights = new Float32Array(5);
    const expected = new Map([
      [1, 1],
      [2, 0.679592],
      [3, 0.575441],
      [4, 0.412579],
    ]);
    // Item 0 has mass .00006: drawn once in 3000 batches, and never with this seed.
    const seen = new Set<number>();
    for (let k = 0; k < 50; k++) {
      sampler.sample(stream, 0.6, 0.4, indices, weights);
      expect(indices).not.toContain(0);
      const scale = Math.max(...[...indices].map((index) => expected.get(index) ?? 0));
      indices.forEach((index, b) => {
        expect(weights[b]).toBeCloseTo((expected.get(index) ?? 0) / scale, 5);
        seen.add(index);
      });
    }
    expect(seen.size).toBe(4);
  });

  test('alpha 0 samples uniformly, with weights of 1', () => {
    const { sampler, stream } = fiveTransitions(0);
    const indices = new Int32Array(5);
    const weights = new Float32Array(5);
    sampler.sample(stream, 0, 1, indices, weights);
    expect([...indices]).toEqual([0, 1, 2, 3, 4]);
    expect([...weights]).toEqual([1, 1, 1, 1, 1]);
  });

  test('with beta 1 the weighted mean of anything is its uniform mean', () => {
    const spec = { ...vectorSpec, capacity: 400, numRows: 2 };
    const replay = createReplay(spec);
    replay.append(recorder(spec, () => null).play(200));
    const sampler = createPrioritisedSampler(replay, 1);
    const stream = openStream(7, 'replay');
    const all = new Int32Array(400);
    const weights = new Float32Array(400);
    sampler.sample(stream, 0.7, 1, all, weights);
    const errors = Float32Array.from({ length: 400 }, (_, k) => 0.05 + (k % 17) / 4);
    sampler.update(all, errors, 0.7);
    const { masses } = sampler.getState();
    const f = (index: number) => Math.log(masses[index]); // what is sampled most is largest
    const slots = [...masses.keys()].filter((slot) => masses[slot] > 0);
    const uniformMean = slots.reduce((sum, slot) => sum + f(slot), 0) / slots.length;
    let weighted = 0;
    let plain = 0;
    let total = 0;
    for (let k = 0; k < 200; k++) {
      sampler.sample(stream, 0.7, 1, all, weights);
      // The batch's largest weight is that of its smallest mass: undone, so that batches add up.
      const least = Math.min(...[...all].map((index) => masses[index]));
      all.forEach((index, b) => {
        const weight = weights[b] / least;
        weighted += weight * f(index);
        plain += f(index) / (200 * 400);
        total += weight;
      });
    }
    expect(Math.abs(weighted / total - uniformMean)).toBeLessThan(0.02);
    expect(plain - uniformMean).toBeGreaterThan(0.15); // without weights it would be far off
  });

  test('no exponent makes a transition that cannot be drawn', () => {
    const { sampler } = fiveTransitions(10); // (1e-6)^10 is below what float32 has
    expect(sampler.getState().masses[0]).toBe(2 ** -126);
  });

  test('an error that is not finite, and wrong exponents, are refused', () => {
    const { sampler, stream } = fiveTransitions(0.6);
    expect(() => sampler.update(Int32Array.of(1), Float32Array.of(Number.NaN), 0.6)).toThrow(/diverged/);
    const sample = (alpha: number, beta: number) => () =>
      sampler.sample(stream, alpha, beta, new Int32Array(2), new Float32Array(2));
    expect(sample(-0.1, 0.4)).toThrow(/alpha -0.1/);
    expect(sample(Number.NaN, 0.4)).toThrow(/alpha NaN/);
    expect(sample(0.6, 1.1)).toThrow(/beta 1.1/);
  });
});

describe('while the buffer goes on', () => {
  test('only whole windows have mass, new ones the largest priority, and the root is the sum', () => {
    const scenario = fc.record({
      capacity: fc.integer({ min: 6, max: 30 }),
      numRows: fc.integer({ min: 1, max: 3 }),
      segmentSteps: fc.integer({ min: 1, max: 7 }),
      numSteps: fc.integer({ min: 1, max: 3 }),
      lengths: fc.array(fc.integer({ min: 3, max: 9 }), { minLength: 2, maxLength: 12 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(scenario, ({ lengths, numSteps, seed, ...sizes }) => {
        const spec = { ...vectorSpec, ...sizes, capacity: sizes.capacity * sizes.numRows };
        const replay = createReplay(spec);
        const { rowSlots } = replay.ring.plan;
        const { play } = recorder(spec, () => null);
        const sampler = createPrioritisedSampler(replay, numSteps);
        const stream = openStream(seed, 'replay');
        let largest = 1;
        const set = new Map<string, number>(); // by row and position
        for (const T of lengths) {
          replay.append(play(T));
          const size = replay.numSampleable(numSteps);
          const indices = new Int32Array(Math.min(4, size));
          sampler.sample(stream, 1, 0.5, indices, new Float32Array(indices.length));
          const first = firstPosition(replay.ring);
          const { masses } = sampler.getState();
          let sum = 0;
          for (let row = 0; row < spec.numRows; row++) {
            for (let slot = 0; slot < rowSlots; slot++) {
              const mass = masses[row * rowSlots + slot];
              sum += mass;
              if (mass === 0) continue;
              const position = [...Array(rowSlots).keys()]
                .map((k) => first + k)
                .find((p) => p % rowSlots === slot);
              expect(position).toBeLessThan(replay.ring.end - numSteps + 1);
              expect(mass).toBe(Math.fround(set.get(`${row}/${position}`) ?? largest));
            }
          }
          expect(masses.filter((mass) => mass > 0)).toHaveLength(size);
          expect(sampler.totalMass).toBeCloseTo(sum, 6);
          const errors = Float32Array.from(indices, () => stream.uniform() * 5);
          sampler.update(indices, errors, 1);
          indices.forEach((index, b) => {
            const slot = index % rowSlots;
            const position = [...Array(rowSlots).keys()]
              .map((k) => first + k)
              .find((p) => p % rowSlots === slot);
            set.set(
              `${Math.floor(index / rowSlots)}/${position}`,
              Math.exp(Math.log(errors[b] + PRIORITY_EPSILON)),
            );
          });
          // Transitions that are new from now on get the largest so far; those there before keep what they had.
          for (let row = 0; row < spec.numRows; row++) {
            for (let p = first; p < replay.ring.end - numSteps + 1; p++) {
              const key = `${row}/${p}`;
              if (!set.has(key)) set.set(key, largest);
            }
          }
          largest = Math.max(largest, sampler.largestPriority);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('a priority for a transition that was overwritten meanwhile does not reach the new one', () => {
    const spec = { ...vectorSpec, capacity: 4, segmentSteps: 1 };
    const replay = createReplay(spec);
    const { play } = recorder(spec, () => null);
    replay.append(play(4));
    const sampler = createPrioritisedSampler(replay, 1);
    const indices = new Int32Array(4);
    const weights = new Float32Array(4);
    sampler.sample(openStream(1, 'replay'), 1, 1, indices, weights);
    replay.append(play(replay.ring.plan.rowSlots - 1));
    sampler.update(indices, Float32Array.of(50, 50, 50, 50), 1);
    expect([...sampler.getState().masses].filter((mass) => mass > 40)).toEqual([]);
    expect(sampler.largestPriority).toBeCloseTo(50, 4);
  });

  test('a restored sampler draws the same', () => {
    const { replay, sampler, stream } = fiveTransitions(0.6);
    const twin = createPrioritisedSampler(replay, 1);
    twin.setState(sampler.getState());
    const draw = (of: typeof sampler, from: typeof stream) => {
      const indices = new Int32Array(5);
      const weights = new Float32Array(5);
      of.sample(from, 0.6, 0.4, indices, weights);
      return [...indices, ...weights];
    };
    const twinStream = openStream(0, 'x');
    twinStream.setState(stream.getState());
    for (let k = 0; k < 20; k++) expect(draw(twin, twinStream)).toEqual(draw(sampler, stream));
    for (const positions of [{ end: 99 }, { first: 2, end: 1 }]) {
      const forged = { ...sampler.getState(), ...positions };
      expect(() => twin.setState(forged)).toThrow(/not those of its replay buffer/);
    }
  });
});
