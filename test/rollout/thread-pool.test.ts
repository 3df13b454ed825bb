import { afterEach, describe, expect, it } from 'vitest';
import {
  dropWarmThreads,
  endThreadsWithTasks,
  takeThreads,
  warmThreads,
} from '../../src/rollout/thread-pool.ts';

const TWO = { numThreads: 2, memoryMb: null };

afterEach(dropWarmThreads);

describe('warmed threads', () => {
  it('go to the next who asks for as many, once', async () => {
    warmThreads(TWO);
    const first = takeThreads(TWO);
    const second = takeThreads(TWO);
    expect(first.threads.map(({ threadId }) => threadId)).toHaveLength(2);
    expect(second).not.toBe(first);
    await Promise.all([first.destroy(), second.destroy()]);
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
