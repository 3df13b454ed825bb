/** Priorities of sequences: worked by hand, followed as a ring goes round, kept over a checkpoint. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openStream } from '../../src/random/streams.ts';
import { createFragmentStates } from '../../src/replay/fragment-states.ts';
import { createReplay } from '../../src/replay/replay.ts';
import { createSequencePriorities, sequencePriority } from '../../src/replay/sequence-priorities.ts';
import { recorder, vectorSpec } from './recorded-steps.ts';

test('eta of the largest error and the rest of the mean, over the rows that are learnt, worked by hand', () => {
  // two sequences side by side, three rows each; the middle row of the first one is not learnt
  const errors = Float32Array.of(1, 9, -4, 9, 2, 9);
  const weights = Float32Array.of(1, 1, 0, 1, 2, 1);
  const of = (firstRow: number) => sequencePriority(errors, weights, { firstRow, stride: 2, length: 3 });
  expect(of(0)).toBeCloseTo(0.9 * 2 + 0.1 * 1.5, 12);
  expect(of(1)).toBeCloseTo(9, 12);
  const one = { firstRow: 0, stride: 2, length: 3 };
  expect(
    sequencePriority(Float32Array.of(1, 0, Number.NaN, 0, 0, 0), Float32Array.of(1, 0, 1, 0, 1, 0), one),
  ).toBeNaN();
  expect(sequencePriority(errors, new Float32Array(6), one)).toBe(0);
});

/** Fragments of T steps in two rows, of which a buffer keeps 40 a row; sequences of 7 steps. */
function open(T: number) {
  const spec = { ...vectorSpec, capacity: 80, numRows: 2 };
  const replay = createReplay(spec);
  const states = createFragmentStates(replay.ring, T, 1);
  const play = recorder(spec, () => null);
  const priorities = createSequencePriorities(states, 2, 7);
  const append = () => {
    states.append(new Float32Array(2));
    replay.append(play.play(T));
  };
  return { states, priorities, append, replay };
}

test('what is drawn is whole and kept, in proportion to p^alpha; what is new comes with the largest so far', async () => {
  const cases = [fc.integer({ min: 1, max: 6 }), fc.integer({ min: 8, max: 60 }), fc.integer()] as const;
  await fc.assert(
    fc.property(...cases, (T, numFragments, seed) => {
      const { states, priorities, append } = open(T);
      const stream = openStream(seed, 'replay');
      const [drawn, weights] = [new Int32Array(16), new Float32Array(16)];
      const known = new Map<string, number>(); // by row and position
      let largest = 1;
      for (let f = 0; f < numFragments; f++) {
        append();
        const { first, count } = states.beginnings(7);
        if (count < 8) continue;
        priorities.sample(stream, 0.5, 1, drawn, weights);
        const errors = Float32Array.from(drawn, () => 4 * stream.uniform());
        const masses = [0, 1].flatMap((row) =>
          Array.from({ length: count }, (_, k) => Math.sqrt(known.get(`${row} ${first + k * T}`) ?? largest)),
        );
        const total = masses.reduce((sum, mass) => sum + mass, 0);
        const expected = [...drawn].map((index) => {
          const [row, position] = [priorities.rowOf(index), priorities.positionOf(index)];
          expect((position - first) % T).toBe(0);
          expect(position).toBeGreaterThanOrEqual(first);
          expect((position - first) / T).toBeLessThan(count);
          const p = known.get(`${row} ${position}`) ?? largest;
          known.set(`${row} ${position}`, p);
          return 1 / ((2 * count * Math.sqrt(p)) / total);
        });
        const top = Math.max(...expected);
        for (const [b, weight] of expected.entries()) expect(weights[b]).toBeCloseTo(weight / top, 4);
        // what was never drawn keeps what it came with
        for (const row of [0, 1])
          for (let k = 0; k < count; k++) {
            const key = `${row} ${first + k * T}`;
            if (!known.has(key)) known.set(key, largest);
          }
        priorities.update(drawn, errors, 0.5);
        for (const [b, index] of drawn.entries())
          known.set(`${priorities.rowOf(index)} ${priorities.positionOf(index)}`, errors[b] + 1e-6);
        largest = Math.max(largest, ...errors.map((error) => error + 1e-6));
      }
    }),
    { numRuns: 30 },
  );
});

test('a checkpoint goes on with them, and one that does not fit its buffer is refused', async () => {
  const { priorities, append, replay } = open(4);
  for (let f = 0; f < 14; f++) append();
  const [drawn, weights] = [new Int32Array(8), new Float32Array(8)];
  priorities.sample(openStream(1, 'replay'), 0.6, 0.4, drawn, weights);
  priorities.update(
    drawn,
    Float32Array.from({ length: 8 }, (_, b) => b),
    0.6,
  );
  const saved = await priorities.statePart(true).getState(new Set());
  const json = { ...saved.json, 'replay.json': { end: replay.ring.end } };
  const content = { tensors: saved.tensors ?? {}, json } as never;
  const other = open(4);
  for (let f = 0; f < 14; f++) other.append();
  await other.priorities.statePart(true).readState(content)();
  const draws = [priorities, other.priorities].map((each) => {
    const [indices, shares] = [new Int32Array(8), new Float32Array(8)];
    each.sample(openStream(2, 'replay'), 0.6, 0.4, indices, shares);
    return [[...indices], [...shares]];
  });
  expect(draws[1]).toEqual(draws[0]);
  expect(new Set(draws[0][1]).size).toBeGreaterThan(1);
  const forged = { ...json, 'replay-priorities.json': { largestPriority: 1, first: 0, end: 99 } };
  expect(() =>
    other.priorities.statePart(true).readState({ ...(content as object), json: forged } as never),
  ).toThrow(/priorities of the checkpoint's sequences are not those of its replay buffer/);
});
