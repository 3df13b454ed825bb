/** The arithmetic of docs/ray-scale.md, beside numbers worked out by hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  breakEvenRows,
  evaluateCluster,
  exchange,
  fitCost,
  saturation,
} from '../../bench/ray/cluster-model.ts';
import { MEASURED, modelTable } from '../../bench/ray/model-table.ts';
import { packageRoot } from '../../src/machine/operant-version.ts';

const costs = {
  bridge: { perFragment: 0.001, perMegabyte: 0.004 },
  learner: { perFragment: 0.0005, perMegabyte: 0.001 },
  host: { perFragment: 0.002, perMegabyte: 0.008 },
  headPerNode: 0.002,
};
const load = {
  stepsPerFragment: 10_000,
  bytesPerStep: 50,
  hostStepsPerSecond: 100_000,
  learnSecondsPerStep: 1e-6,
  weightBytes: 500_000,
  networkBytesPerSecond: 1e9,
};

describe('a fragment of half a megabyte', () => {
  // bridge 1 + 0.5 * 4 = 3 ms, unpacking 0.5 + 0.5 * 1 = 1 ms, learning 10 ms, a host 100 + 2 + 0.5 * 8 = 106 ms, network (0.5 + 0.5) MB / 1 GB/s = 1 ms
  test('one host: it is the bottleneck', () => {
    const { limits, bottleneck, asynchronous, synchronous, headLoad } = evaluateCluster(costs, load, 1);
    expect(limits.hosts).toBeCloseTo(10_000 / 0.106, 6);
    expect(limits.learning).toBeCloseTo(10_000 / 0.011, 6);
    expect(limits.bridge).toBeCloseTo(10_000 / 0.003, 6);
    expect(limits.unpacking).toBeCloseTo(10_000_000, 3);
    expect(limits.network).toBeCloseTo(10_000_000, 3);
    expect(bottleneck).toBe('hosts');
    expect(asynchronous).toBe(limits.hosts);
    expect(synchronous).toBeCloseTo(10_000 / (0.106 + 0.003 + 0.01), 6);
    expect(headLoad).toBeCloseTo(0.002, 12);
  });

  test('ten hosts: learning, 11 ms a fragment against 10.6 ms that they need for one', () => {
    const { bottleneck, asynchronous, synchronous } = evaluateCluster(costs, load, 10);
    expect(bottleneck).toBe('learning');
    expect(asynchronous).toBeCloseTo(10_000 / 0.011, 6);
    expect(synchronous).toBeCloseTo(100_000 / (0.106 + 0.03 + 0.1), 6);
  });

  test('without learning it is the bridge, from 35.3 hosts on; the head gives out at 500', () => {
    const free = { ...load, learnSecondsPerStep: 0 };
    expect(evaluateCluster(costs, free, 100).bottleneck).toBe('bridge');
    expect(saturation(costs, free, 'bridge')).toBeCloseTo(0.106 / 0.003, 9);
    expect(saturation(costs, load, 'learning')).toBeCloseTo(0.106 / 0.011, 9);
    expect(saturation(costs, load, 'network')).toBeCloseTo(106, 9);
    expect(saturation(costs, load, 'head')).toBe(500);
    expect(evaluateCluster(costs, free, 1000)).toMatchObject({ bottleneck: 'head', headLoad: 2 });
  });
});

describe('fitCost', () => {
  test('finds 1 ms a fragment and 4 ms a megabyte', () => {
    const samples = [
      [10, 1],
      [20, 30],
      [30, 100],
    ].map(([numFragments, megabytes]) => ({
      ...{ numFragments, megabytes },
      seconds: 0.001 * numFragments + 0.004 * megabytes,
    }));
    const { perFragment, perMegabyte } = fitCost(samples);
    expect(perFragment).toBeCloseTo(0.001, 12);
    expect(perMegabyte).toBeCloseTo(0.004, 12);
  });

  // (1, 1, 3), (1, 2, 1): the line through both is 5 - 2 m; without the slope the mean is 2
  test('a cost that would be negative is none', () => {
    const sample = (megabytes: number, seconds: number) => ({ numFragments: 1, megabytes, seconds });
    expect(fitCost([sample(1, 3), sample(2, 1)])).toEqual({ perFragment: 2, perMegabyte: 0 });
    expect(fitCost([sample(1, -3), sample(2, -5)])).toEqual({ perFragment: 0, perMegabyte: 0 });
  });
});

describe('several learners', () => {
  // two, 1,000 parameters: 4 kB of gradient each, 8 kB over 1 MB/s are 8 ms, and twice 1 ms; half of 30 ms is saved
  test('save half a minibatch, and wait for the gradients of both', () => {
    const load = { numLearners: 2, numParameters: 1000, minibatchSeconds: 0.03 };
    const { saved, cost } = exchange({ ...load, latency: 0.001, bytesPerSecond: 1e6 });
    expect(saved).toBeCloseTo(0.015, 12);
    expect(cost).toBeCloseTo(0.01, 12);
  });

  // 8 bytes a parameter at 100 MB/s are 80 ns; a row saves 3 operations, 60 ps at 50 GFLOP/s: 1333 rows
  test('pay from 1,333 rows on at 50 GFLOP/s and 100 MB/s', () =>
    expect(breakEvenRows(2, 50e9, 100e6)).toBeCloseTo(4000 / 3, 6));
});

describe('docs/ray-scale.md', () => {
  const page = readFileSync(join(packageRoot(), 'docs/ray-scale.md'), 'utf8');

  test('has the table that follows from what was measured', () => {
    for (const line of modelTable(MEASURED)) expect(page).toContain(`${line}\n`);
  });

  test('has what was measured', () => {
    const { bridge, learner, host, headPerNode } = MEASURED;
    const ms = (seconds: number) => (1000 * seconds).toFixed(2);
    for (const { perFragment, perMegabyte } of [bridge, learner, host])
      expect(page).toContain(` | ${ms(perFragment)} ms | ${ms(perMegabyte)} ms | `);
    expect(page).toContain(`| head | ${(100 * headPerNode).toFixed(2)} % of a processor for each node |`);
  });
});
