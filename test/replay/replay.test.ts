import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, type ShapeError } from '../../src/errors.ts';
import { openStream } from '../../src/random/streams.ts';
import { createReplay, type Replay } from '../../src/replay/replay.ts';
import type { ReplaySpec } from '../../src/replay/replay-spec.ts';
import { firstPosition } from '../../src/replay/ring.ts';
import { sampleUniform } from '../../src/replay/uniform-sampler.ts';
import { batchOf, type EndOf, recorder, referenceTransition, vectorSpec } from './recorded-steps.ts';

/** Slot of the step at `position` of a row. */
const slotOf = ({ ring }: Replay, row: number, position: number) =>
  row * ring.plan.rowSlots + (position % ring.plan.rowSlots);

const errorOf = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    return error as ConfigError | ShapeError;
  }
  throw new Error('did not fail');
};

describe('n-step returns', () => {
  test('of 3 steps across a terminated and a truncated end, worked by hand', () => {
    const spec = { ...vectorSpec, observationSize: 1 };
    const replay = createReplay(spec);
    replay.append({
      numRows: 1,
      rolloutLength: 7,
      observations: new Float32Array([10, 11, 12, 13, 20, 21, 22]),
      actions: new Float32Array(7),
      rewards: new Float32Array([1, 2, 3, 4, 5, 6, 7]),
      terminated: new Uint8Array([0, 0, 0, 1, 0, 0, 0]),
      truncated: new Uint8Array([0, 0, 0, 0, 0, 0, 1]),
      actionMasks: new Uint8Array(0),
      bootstrapObservations: new Float32Array([30]),
      bootstrapMasks: new Uint8Array(0),
      finalSlots: new Int32Array([-1, -1, -1, -1, -1, -1, 0]),
      finalObservations: new Float32Array([23]),
    });
    const batch = batchOf(spec, 7);
    replay.gather(
      Int32Array.from({ length: 7 }, (_, k) => k),
      3,
      0.9,
      batch,
    );
    const rounded = (values: Float32Array) => [...values].map((value) => Number(value.toFixed(4)));
    expect(rounded(batch.rewards)).toEqual([5.23, 7.94, 6.6, 4, 16.07, 12.3, 7]);
    expect(rounded(batch.discounts)).toEqual([0.729, 0, 0, 0, 0.729, 0.81, 0.9]);
    const bootstraps = [...batch.nextObservations].filter((_, k) => batch.discounts[k] > 0);
    expect(bootstraps).toEqual([13, 23, 23, 23]);
  });

  test('end at the newest step, also where the ring has gone around', () => {
    const replay = createReplay(vectorSpec);
    const { play, rows } = recorder(vectorSpec, () => null);
    for (let k = 0; k < 29; k++) replay.append(play(1));
    const batch = batchOf(vectorSpec, 1);
    replay.gather(Int32Array.of(slotOf(replay, 0, 27)), 5, 0.5, batch);
    expect(batch.rewards[0]).toBeCloseTo(rows[0][27].reward + 0.5 * rows[0][28].reward, 4);
    expect(batch.discounts[0]).toBe(0.25);
    expect([...batch.nextObservations]).toEqual(rows[0][28].next);
  });
});

describe('a ring', () => {
  const spec = fc.record({
    capacity: fc.integer({ min: 1, max: 40 }),
    numRows: fc.integer({ min: 1, max: 4 }),
    frameSize: fc.constantFrom(1, 2, 3, 4, 8),
    numFrames: fc.constantFrom(1, 1, 3, 4),
    isWholeGroup: fc.boolean(),
    observationDtype: fc.constantFrom('float32' as const, 'uint8' as const),
    actionSize: fc.integer({ min: 1, max: 3 }),
    actionDtype: fc.constantFrom('float32' as const, 'int32' as const),
    maskSize: fc.constantFrom(0, 3),
    segmentSteps: fc.integer({ min: 1, max: 9 }),
  });

  test('gives back the last `capacity` transitions, whatever ended, wrapped or was stacked', () => {
    fc.assert(
      fc.property(
        spec,
        fc.array(fc.integer({ min: 1, max: 11 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        (shape, lengths, numSteps, seed) => {
          const { frameSize, numFrames, isWholeGroup, ...rest } = shape;
          const frameStack = { numFrames, groupSize: isWholeGroup ? frameSize : 1 };
          const replaySpec: ReplaySpec = {
            ...rest,
            observationSize: frameSize * numFrames,
            ...(numFrames > 1 && { frameStack }),
          };
          const stream = openStream(seed, 'ends');
          const endOf: EndOf = () =>
            (['terminated', 'truncated', null, null, null] as const)[stream.integer(5)];
          checkAgainstReference(replaySpec, lengths, numSteps, endOf);
        },
      ),
      { numRuns: 150 },
    );
  });

  function checkAgainstReference(
    spec: ReplaySpec,
    lengths: readonly number[],
    numSteps: number,
    endOf: EndOf,
  ) {
    const replay = createReplay(spec);
    const { play, rows } = recorder(spec, endOf);
    for (const T of lengths) replay.append(play(T));
    const { rowCapacity, numFrames } = replay.ring.plan;
    const length = rows[0].length;
    const kept = Math.min(length, rowCapacity);
    expect(replay.size).toBe(kept * spec.numRows);
    const batch = batchOf(spec, 1);
    for (let n = 0; n < spec.numRows; n++) {
      for (let k = length - kept; k < length; k++) {
        // positions begin where the frames before the first step end
        replay.gather(Int32Array.of(slotOf(replay, n, k + numFrames - 1)), numSteps, 0.5, batch);
        const expected = referenceTransition(rows[n], k, numSteps, 0.5);
        expect([...batch.observations]).toEqual(rows[n][k].observation);
        expect([...batch.actions]).toEqual(rows[n][k].action);
        expect([...batch.masks]).toEqual(rows[n][k].mask);
        expect(batch.rewards[0]).toBe(Math.fround(expected.reward));
        expect(batch.discounts[0]).toBe(expected.discount);
        if (expected.isTerminated) continue;
        expect([...batch.nextObservations]).toEqual(expected.next);
        expect([...batch.nextMasks]).toEqual(expected.nextMask);
      }
    }
  }

  test('that begins in the middle of an episode has the frames before its first step', () => {
    const spec = { ...vectorSpec, observationSize: 6, frameStack: { numFrames: 3, groupSize: 2 } };
    const { play, rows } = recorder(spec, () => null);
    play(7);
    const replay = createReplay(spec);
    replay.append(play(5));
    const batch = batchOf(spec, 1);
    for (let k = 0; k < 5; k++) {
      replay.gather(Int32Array.of(slotOf(replay, 0, k + 2)), 1, 1, batch);
      expect([...batch.observations]).toEqual(rows[0][7 + k].observation);
      expect([...batch.nextObservations]).toEqual(rows[0][7 + k].next);
    }
  });

  test('cuts an episode that does not go on from where it was', () => {
    const spec = { ...vectorSpec, numRows: 3, capacity: 60 };
    const replay = createReplay(spec);
    const before = recorder(spec, (row, step) => (row === 2 && step === 3 ? 'truncated' : null));
    replay.append(before.play(4));
    // Rows 0 and 2 begin anew, of which row 2 had ended; row 1 goes on.
    const fragment = recorder(
      spec,
      () => null,
      () => [7, 8, 9],
    ).play(2);
    fragment.observations.set(before.rows[1][3].next, 2 * 3);
    replay.append(fragment);
    const batch = batchOf(spec, 3);
    replay.gather(
      Int32Array.from([0, 1, 2], (n) => slotOf(replay, n, 3)),
      2,
      0.5,
      batch,
    );
    expect([...batch.discounts]).toEqual([0.5, 0.25, 0.5]);
    expect([...batch.nextObservations]).toEqual([
      ...before.rows[0][3].next,
      7,
      8,
      9,
      ...before.rows[2][3].next,
    ]);
  });

  test('cuts it in stacks of frames, too', () => {
    const spec = { ...vectorSpec, observationSize: 6, frameStack: { numFrames: 3, groupSize: 1 } };
    const replay = createReplay(spec);
    const before = recorder(spec, () => null);
    replay.append(before.play(4));
    const restarted = recorder(spec, () => null);
    const fragment = restarted.play(3);
    for (let k = 0; k < fragment.observations.length; k++) fragment.observations[k] += 1000;
    replay.append(fragment);
    const batch = batchOf(spec, 2);
    replay.gather(Int32Array.of(slotOf(replay, 0, 5), slotOf(replay, 0, 7)), 3, 0.5, batch);
    expect([...batch.discounts]).toEqual([0.5, 0.25]);
    expect([...batch.nextObservations.subarray(0, 6)]).toEqual(before.rows[0][3].next);
    expect([...batch.observations.subarray(6)]).toEqual([...fragment.observations.subarray(6 * 1, 6 * 2)]);
  });

  test('drops the last observations of episodes that it no longer has', () => {
    const replay = createReplay(vectorSpec);
    const { play } = recorder(vectorSpec, () => 'truncated');
    const numBytes = () =>
      replay.ring.finals.frames.chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    for (let k = 0; k < 100; k++) replay.append(play(4));
    const before = numBytes();
    for (let k = 0; k < 5000; k++) replay.append(play(4));
    expect(numBytes()).toBe(before);
  });

  test('keeps the bits of every float, NaN payloads included', () => {
    const replay = createReplay({ ...vectorSpec, observationSize: 2 });
    const { play } = recorder({ ...vectorSpec, observationSize: 2 }, () => null);
    const fragment = play(1);
    const bits = new Uint32Array([0x7fa00001, 0x80000000]);
    fragment.observations.set(new Float32Array(bits.buffer));
    new Uint32Array(fragment.observations.buffer).set(bits);
    replay.append(fragment);
    const batch = batchOf({ ...vectorSpec, observationSize: 2 }, 1);
    replay.gather(Int32Array.of(0), 1, 1, batch);
    expect([...new Uint32Array(batch.observations.buffer)]).toEqual([...bits]);
  });
});

describe('a gather is refused', () => {
  const ofBatch = (indices: Int32Array, numSteps: number, change: Partial<ReturnType<typeof batchOf>>) => {
    const replay = createReplay(vectorSpec);
    replay.append(recorder(vectorSpec, () => null).play(5));
    const batch = { ...batchOf(vectorSpec, 1), ...change };
    return errorOf(() => replay.gather(indices, numSteps, 1, batch)).code;
  };

  test.each([
    ['of more rows than the batch has', Int32Array.of(0, 1), 1, {}, 'SHAPE_REPLAY_BATCH'],
    ['of no steps', Int32Array.of(0), 0, {}, 'CONFIG_REPLAY_STEPS'],
    [
      'into actions of another size',
      Int32Array.of(0),
      1,
      { actions: new Float32Array(0) },
      'SHAPE_REPLAY_BATCH',
    ],
  ])('%s', (_, indices, numSteps, change, code) => {
    expect(ofBatch(indices, numSteps, change)).toBe(code);
  });
});

describe('uniform sampling', () => {
  test('draws every transition that is kept, equally often, and no other', () => {
    const spec = { ...vectorSpec, capacity: 15, numRows: 3 };
    const replay = createReplay(spec);
    const { play } = recorder(spec, () => null);
    for (let k = 0; k < 9; k++) replay.append(play(3));
    expect(replay.numSampleable(3)).toBe(9);
    const indices = new Int32Array(9);
    const counts = new Map<number, number>();
    const stream = openStream(3, 'sample');
    for (let k = 0; k < 2000; k++) {
      sampleUniform(replay, 3, stream, indices);
      for (const index of indices) counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    const first = firstPosition(replay.ring);
    const allowed = [0, 1, 2].flatMap((n) => [0, 1, 2].map((k) => slotOf(replay, n, first + k)));
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual(allowed.sort((a, b) => a - b));
    // 2000 draws expected of each: five standard deviations.
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(2000));
  });

  test('of more than was collected is refused with both numbers', () => {
    const replay = createReplay(vectorSpec);
    replay.append(recorder(vectorSpec, () => null).play(5));
    const error = errorOf(() => sampleUniform(replay, 3, openStream(1, 'x'), new Int32Array(4)));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.code).toBe('CONFIG_REPLAY_BATCH');
    expect(error.message).toMatch(/Cannot sample 4 .*3-step.*: 3 have been collected/);
  });
});

describe('a fragment is refused', () => {
  const fragment = () => recorder(vectorSpec, (_, step) => (step === 1 ? 'truncated' : null)).play(3);

  test('when a truncated step lacks its last observation', () => {
    const broken = { ...fragment(), finalSlots: new Int32Array(3).fill(-1) };
    expect(errorOf(() => createReplay(vectorSpec).append(broken)).code).toBe('SHAPE_REPLAY_FINAL');
  });

  test.each([
    ['numRows', { ...vectorSpec, numRows: 2 }],
    ['observations', { ...vectorSpec, observationSize: 4 }],
    ['actions', { ...vectorSpec, actionSize: 2 }],
    ['actionMasks', { ...vectorSpec, maskSize: 2 }],
  ])('when %s have another size', (name, spec) => {
    const error = errorOf(() => createReplay(spec).append(fragment()));
    expect([error.code, error.message]).toEqual(['SHAPE_REPLAY_FRAGMENT', expect.stringContaining(name)]);
  });

  test('when it has another dtype', () => {
    const spec = { ...vectorSpec, actionDtype: 'int32' as const };
    expect(errorOf(() => createReplay(spec).append(fragment())).message).toContain('int32 actions');
  });

  test('when its observations are not the stacks that were promised', () => {
    const spec = { ...vectorSpec, observationSize: 6, frameStack: { numFrames: 2, groupSize: 3 } };
    const { play } = recorder({ ...spec, frameStack: { numFrames: 2, groupSize: 1 } }, () => null);
    expect(errorOf(() => createReplay(spec).append(play(3))).code).toBe('SHAPE_REPLAY_STACK');
  });
});
