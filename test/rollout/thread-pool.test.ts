import { afterEach, describe, expect, it } from 'vitest';
import { endThreadsWithTasks } from '../../src/rollout/idle-threads.ts';
import { dropWarmThreads, takeThreads, warmThreads } from '../../src/rollout/thread-pool.ts';

const TWO = { numThreads: 2, memoryMb: null };

afterEach(dropWarmThreads);

describe('warmed threads', () => {
  it('go to the next who asks for as many, once', async () => {
    warmThreads(TWO);
    const other = takeThreads({ numThreads: 1, memoryMb: null });
    const first = takeThreads(TWO);
    const second = takeThreads(TWO);
    // Threads are numbered as they are started.
    const [before, marker, after] = [first, other, second].map(({ threads }) =>
      threads.map(({ threadId }) => threadId),
    );
    expect([before.length, after.length]).toEqual([2, 2]);
    expect(Math.max(...before)).toBeLessThan(marker[0]);
    expect(Math.min(...after)).toBeGreaterThan(marker[0]);
    await Promise.all([first, other, second].map((pool) => pool.destroy()));
  });

  it('are not given to who wants others', async () => {
    warmThreads(TWO);
    const other = takeThreads({ numThreads: 1, memoryMb: 64 });
    expect(other.threads).toHaveLength(1);
    expect(other.options.resourceLimits?.maxOldGenerationSizeMb).toBe(64);
    await other.destroy();
  });

  it('do not come back when one ends after its task was given', async () => {
    const pool = takeThreads({ numThreads: 1, memoryMb: null });
    const abort = new AbortController();
    const task = pool.run(null, { signal: abort.signal });
    endThreadsWithTasks(pool);
    abort.abort();
    await expect(task).rejects.toThrow();
    expect(pool.threads).toHaveLength(0);
    await pool.destroy();
  });
});
