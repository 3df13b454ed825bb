import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';

describe('the arena', () => {
  it('hands out regions on cache lines that never overlap, and never offset 0', () => {
    const planner = createArenaPlanner();
    let end = 1;
    for (const bytes of [0, 1, 63, 64, 65, 1000, 0, 7]) {
      const { offset, byteLength } = planner.reserve(bytes);
      expect(offset % 64).toBe(0);
      expect(offset).toBeGreaterThanOrEqual(end);
      expect(byteLength).toBe(bytes);
      end = offset + bytes;
    }
    expect(createArena(planner).buffer.byteLength).toBeGreaterThanOrEqual(end);
  });

  it('is shared, or not, as asked, zero-filled and of a fixed size', () => {
    const planner = createArenaPlanner();
    planner.reserve(200_000);
    const shared = createArena(planner);
    expect(shared.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(createArena(planner, false).buffer).toBeInstanceOf(ArrayBuffer);
    expect(new Uint8Array(shared.buffer).every((byte) => byte === 0)).toBe(true);
    const { memory } = shared;
    expect(() => (memory as unknown as { grow(pages: number): void }).grow(1)).toThrow(RangeError);
  });

  it('refuses more than 4 GiB, naming the size and what to lower', () => {
    const planner = createArenaPlanner();
    planner.reserve(6 * 2 ** 30);
    expect(() => createArena(planner)).toThrow(ConfigError);
    expect(() => createArena(planner)).toThrow(expect.objectContaining({ code: 'CONFIG_ARENA_SIZE' }));
    expect(() => createArena(planner)).toThrow(/6\.0 GiB.*Lower `numEnvs` or `rolloutLength`/);
  });
});
