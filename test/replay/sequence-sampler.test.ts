import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openStream } from '../../src/random/streams.ts';
import { createReplay } from '../../src/replay/replay.ts';
import type { ReplaySpec } from '../../src/replay/replay-spec.ts';
import { positionOf } from '../../src/replay/ring.ts';
import { sampleSequences } from '../../src/replay/sequence-sampler.ts';
import { type EndOf, recorder, vectorSpec } from './recorded-steps.ts';

test('a sequence is contiguous, stays in one episode, and ends with what its last step led to', () => {
  const shape = fc.record({
    capacity: fc.integer({ min: 8, max: 40 }),
    numRows: fc.integer({ min: 1, max: 3 }),
    segmentSteps: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(shape, fc.integer({ min: 1, max: 6 }), fc.nat(), fc.nat({ max: 40 }), (sizes, L, seed, T) => {
      const spec: ReplaySpec = { ...vectorSpec, ...sizes };
      const stream = openStream(seed, 'replay');
      const endOf: EndOf = () =>
        (['terminated', 'truncated', null, null, null, null] as const)[stream.integer(6)];
      const replay = createReplay(spec);
      const { play, rows } = recorder(spec, endOf);
      replay.append(play(8));
      for (let k = 0; k < T; k++) replay.append(play(1));
      const B = 5;
      const size = spec.observationSize;
      const batch = {
        observations: new Float32Array(B * (L + 1) * size).fill(-1),
        actions: new Float32Array(B * L).fill(-1),
        rewards: new Float32Array(B * L).fill(-1),
        terminated: new Uint8Array(B * L).fill(9),
        lengths: new Int32Array(B),
      };
      const indices = new Int32Array(B);
      sampleSequences(replay, L, stream, indices, batch);
      for (let b = 0; b < B; b++) {
        const { rowSlots } = replay.ring.plan;
        const steps = rows[Math.floor(indices[b] / rowSlots)];
        const start = positionOf(replay.ring, indices[b] % rowSlots);
        const rest = steps.slice(start, start + L);
        const end = rest.findIndex((step) => step.terminated || step.truncated);
        const expected = end < 0 ? rest : rest.slice(0, end + 1);
        expect(batch.lengths[b]).toBe(expected.length);
        const zeros = new Array(L - expected.length).fill(0);
        const column = (array: Float32Array | Uint8Array) => [...array.subarray(b * L, (b + 1) * L)];
        expect(column(batch.rewards)).toEqual([...expected.map((step) => step.reward), ...zeros]);
        expect(column(batch.actions)).toEqual([...expected.map((step) => step.action[0]), ...zeros]);
        expect(column(batch.terminated)).toEqual([
          ...expected.map((step) => (step.terminated ? 1 : 0)),
          ...zeros,
        ]);
        const last = expected[expected.length - 1];
        const observations = [
          ...expected.flatMap((step) => step.observation),
          ...(last.terminated ? new Array(size).fill(0) : last.next),
          ...new Array((L - expected.length) * size).fill(0),
        ];
        const from = b * (L + 1) * size;
        expect([...batch.observations.subarray(from, from + (L + 1) * size)]).toEqual(observations);
      }
    }),
    { numRuns: 150 },
  );
});
