/** The short version of bench/soak.ts. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { judgeSoak, type SoakSample, soak } from '../../bench/faults/soak-run.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test('memory and handles stay flat over hundreds of iterations', async () => {
  const samples = await soak({
    env: 'CartPole-v1',
    engine: 'simd',
    seconds: 24, // the first quarter is not judged: in it, five seconds in, the thread that stands by starts
    folder: join(temporaryFolder(), 'run'),
  });
  expect(samples.at(-1)!.iteration).toBeGreaterThan(50);
  // Times depend on what else the machine does; the long version looks at them, too.
  const { lines, isFlat } = judgeSoak(samples, ['iterationMs']);
  expect(lines.filter((line) => line.endsWith('(grew)'))).toEqual([]);
  expect(isFlat).toBe(true);
});

test('the judge sees a leak', () => {
  const sample = (k: number): SoakSample => ({
    iteration: k,
    rssMib: 100 + k,
    heapMib: 10,
    arrayBuffersMib: 1,
    numResources: 5,
    iterationMs: 3,
  });
  const { lines, isFlat } = judgeSoak(Array.from({ length: 60 }, (_, k) => sample(k)));
  expect(isFlat).toBe(false);
  expect(lines[0]).toBe('rssMib: 122.0 -> 152.0 MiB (grew)');
});
