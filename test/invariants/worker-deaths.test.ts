/** The short version of what bench/faults.ts does a hundred times for each way and place. */
import { expect, test } from 'vitest';
import { type Fault, injectDeaths } from '../../bench/faults/worker-deaths.ts';

test.each<Fault>([
  { kind: 'memory', place: 'step' },
  { kind: 'terminate', place: 'sampling' },
  { kind: 'terminate', place: 'learning' },
  { kind: 'terminate', place: 'evaluation' },
])(
  'a worker thread lost to $kind while $place: the same weights, nothing left',
  async (fault) => {
    const report = await injectDeaths(fault, 2, 3);
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ numInjected: 2, numExact: 2 });
    expect(report.numReplaced).toBe(2);
  },
  120_000,
);
