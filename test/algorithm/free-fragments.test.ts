/** Workers ahead of the learner: what `lag` promises of the versions, by a number and free. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IMPALAConfig } from '../../algorithms/impala/index.ts';
import type { TrainResult } from '../../src/algorithm/algorithm.ts';
import '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { PROBE } from '../conformance/subject.ts';
import { temporaryFolder } from '../temporary-folder.ts';

interface Setting {
  readonly lag: number | 'free';
  readonly maxPolicyLag?: number;
  readonly numEnvRunners: number;
  readonly probe?: JsonObject;
}

async function train({ lag, maxPolicyLag, numEnvRunners, probe = {} }: Setting, numIterations = 2) {
  const algorithm = await new IMPALAConfig()
    .environment(PROBE, { actions: 'discrete', ...probe })
    .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 5 })
    .training({
      lag,
      ...(maxPolicyLag === undefined ? {} : { maxPolicyLag }),
      fragmentsPerIteration: 8,
      hiddenSizes: [8],
    })
    .learners({ engine: 'simd' })
    .build();
  const results: TrainResult[] = [];
  try {
    for (let k = 0; k < numIterations; k++) results.push(await algorithm.train());
    return { results, notes: algorithm.notes ?? [], numEnvSteps: algorithm.numEnvSteps };
  } finally {
    await algorithm.stop();
  }
}

describe('a lag that is a number', () => {
  test.each([
    [1, 7 / 8], // 0, 1, 1, 1, 1, 1, 1, 1
    [3, (0 + 1 + 2 + 5 * 3) / 8],
  ])('%i: fragment i learns with weights min(i, lag) versions newer', async (lag, mean) => {
    const { results, notes } = await train({ lag, numEnvRunners: 0 });
    for (const { metrics } of results) {
      expect(metrics['time/policyLagMax']).toBe(lag);
      expect(metrics['time/policyLagMean']).toBeCloseTo(mean, 10);
      expect(metrics['train/numUpdates']).toBe(8);
    }
    expect(notes).toEqual([]);
  });
});

test('a free lag keeps its bound, tells how late it was, that it cannot be repeated, and replaces a worker that dies', async () => {
  const probe = { busyMs: 1, exitFile: join(temporaryFolder(), 'exit') };
  const { results, notes, numEnvSteps } = await train(
    { lag: 'free', maxPolicyLag: 3, numEnvRunners: 2, probe },
    3,
  );
  for (const { metrics } of results) {
    expect(metrics['time/policyLagMax']).toBeLessThanOrEqual(3);
    expect(metrics['time/policyLagMax']).toBeGreaterThanOrEqual(1); // a worker goes on while a fragment is learnt from
    expect(metrics['time/policyLagMean']).toBeLessThanOrEqual(metrics['time/policyLagMax']);
    expect(metrics['train/numUpdates']).toBe(8);
  }
  expect(numEnvSteps).toBe(3 * 8 * 4 * 5);
  const numEpisodes = results.reduce((sum, { episodes }) => sum + episodes.length, 0);
  expect(numEpisodes).toBeGreaterThanOrEqual((3 * 8 * 4 * 5) / 8 - 4); // of 8 steps each; each environment may be in one
  expect(notes).toEqual([expect.stringMatching(/cannot be repeated/)]);
  expect(results.flatMap(({ workerFailures = [] }) => workerFailures)).toMatchObject([{ isRecovered: true }]);
});
