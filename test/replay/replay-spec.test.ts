import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { availableMemory } from '../../src/replay/available-memory.ts';
import { createReplay } from '../../src/replay/replay.ts';
import { checkReplayMemory, planReplay, type ReplaySpec, replayBytes } from '../../src/replay/replay-spec.ts';
import { recorder, vectorSpec } from './recorded-steps.ts';

const pendulum: ReplaySpec = {
  capacity: 1_000_000,
  numRows: 1,
  observationSize: 3,
  observationDtype: 'float32',
  actionSize: 1,
  actionDtype: 'float32',
  maskSize: 0,
};

describe('memory', () => {
  test('of a million Pendulum transitions is at most 1.3 times their floats, estimated and taken', () => {
    const rawFloats = 1_000_000 * 4 * (3 + 1 + 1);
    const { total, ring, finals } = replayBytes(pendulum);
    expect(total).toBeLessThan(1.3 * rawFloats);
    const replay = createReplay(pendulum);
    const { play } = recorder(pendulum, (_, step) => (step === 199 ? 'truncated' : null));
    for (let k = 0; k < 3; k++) replay.append(play(2000));
    const { frames, actions, rewards, flags, masks } = replay.ring;
    const arrays = [...frames.chunks, actions, rewards, flags, masks];
    expect(arrays.reduce((sum, array) => sum + array.byteLength, 0)).toBe(ring);
    const finalBytes = replay.ring.finals.frames.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    expect(finalBytes).toBeLessThan(finals);
  });

  test('of pixels: a frame is stored once, and once only', () => {
    const atari: ReplaySpec = {
      capacity: 1_000_000,
      numRows: 8,
      observationSize: 84 * 84 * 4,
      observationDtype: 'uint8',
      frameStack: { numFrames: 4, groupSize: 1 },
      actionSize: 1,
      actionDtype: 'int32',
      maskSize: 0,
    };
    expect(replayBytes(atari).total / 1_000_000).toBeLessThan(7065 * 1.08);
  });

  test('is checked before anything is allocated, and the message says what would fit', () => {
    expect(checkReplayMemory(pendulum, 1e9)).toMatch(/^replay: 1,000,000 transitions, 2\d\.\d MB of 1\.0 GB/);
    const check = () => checkReplayMemory(pendulum, 1e7);
    expect(check).toThrow(ConfigError);
    expect(check).toThrow(/takes 2\d\.\d MB.*has 10\.0 MB.*Lower replayCapacity to (3|4)\d{5},/);
    const suggested = (text: string) => Number(/replayCapacity to (\d+)/.exec(text)?.[1]);
    expect(checkReplayMemory({ ...pendulum, capacity: suggested(messageOf(check)) }, 1e7)).toContain(
      'replay:',
    );
    // The sum tree is a power of two: half of the transitions need not take half of the memory.
    for (const available of [1.1e7, 1.3e7, 1.9e7, 3e7]) {
      const capacity = suggested(messageOf(() => checkReplayMemory(pendulum, available, true)));
      expect(checkReplayMemory({ ...pendulum, capacity }, available, true)).toContain('replay:');
    }
    // The tree of prioritised sampling counts.
    expect(replayBytes(pendulum, true).priorities).toBe(16 * 2 ** 20);
  });

  test('there is some on this machine', () => {
    const available = availableMemory();
    expect(available).toBeGreaterThan(1e7);
    expect(Number.isSafeInteger(available)).toBe(true);
  });
});

describe('capacity', () => {
  test('in bytes is the largest that fits', () => {
    const bytes = 5_000_000;
    const { capacity: _, ...rest } = pendulum;
    const { rowCapacity } = planReplay({ ...rest, bytes });
    expect(replayBytes({ ...rest, bytes }).total).toBeLessThanOrEqual(bytes);
    expect(rowCapacity).toBeGreaterThan(200_000);
    // Segments make the bytes jump a little.
    expect(replayBytes({ ...pendulum, capacity: Math.ceil(1.01 * rowCapacity) }).total).toBeGreaterThan(
      bytes,
    );
  });

  test.each([
    [{ ...pendulum, capacity: 0 }, /capacity.*got 0/],
    [{ ...pendulum, capacity: undefined }, /`capacity` or `bytes`/],
    [{ ...pendulum, bytes: 5 }, /at least 1/],
    [{ ...pendulum, numRows: 0 }, /numRows/],
    [{ ...pendulum, frameStack: { numFrames: 2, groupSize: 1 } }, /numFrames/],
    [{ ...pendulum, frameStack: { numFrames: 3, groupSize: 2 } }, /groupSize/],
    [
      { ...pendulum, goal: { achievedGoal: { offset: 0, size: 2 }, desiredGoal: { offset: 2, size: 2 } } },
      /lie in the observation/,
    ],
    [{ ...vectorSpec, capacity: 3_000_000_000 }, /at most 2147483647 slots/],
  ])('%j is refused', (spec, message) => {
    expect(() => planReplay(spec as ReplaySpec)).toThrow(message);
  });

  test('in transitions and bytes is the smaller of the two', () => {
    const { capacity: _, ...rest } = pendulum;
    const fitting = planReplay({ ...rest, bytes: 5_000_000 }).rowCapacity;
    expect(planReplay({ ...pendulum, bytes: 5_000_000 }).rowCapacity).toBe(fitting);
    expect(planReplay({ ...pendulum, capacity: 1000, bytes: 5_000_000 }).rowCapacity).toBe(1000);
  });

  test('of a small buffer costs little more than what it holds', () => {
    expect(replayBytes({ ...pendulum, capacity: 1000 }).total).toBeLessThan(1.5 * 21_000);
  });

  test('in bytes that hold not one transition is refused', () => {
    const { capacity: _, ...rest } = pendulum;
    expect(() => planReplay({ ...rest, bytes: 40 })).toThrow(
      /replayBytes \(40\) keeps 0 transitions of each of 1 rows \(one for each environment; among several agents .*at least 1 .* Raise replayBytes\.$/,
    );
  });
});

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}
