/** The short version of what bench/faults.ts does two hundred times. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { killAndResume } from '../../bench/faults/kill-and-resume.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test('training killed with SIGKILL four times ends as the undisturbed run, bit for bit, log included', async () => {
  const report = await killAndResume(join(temporaryFolder(), 'run'), 4, 1);
  expect(report.problems).toEqual([]);
  expect(report.numExact).toBe(4);
  expect(report.numIterations).toBeGreaterThanOrEqual(6);
}, 240_000);

test('with a replay buffer in the checkpoints as well', async () => {
  const report = await killAndResume(join(temporaryFolder(), 'run'), 3, 2, { task: 'dqn' });
  expect(report.problems).toEqual([]);
  expect(report.numExact).toBe(3);
}, 120_000);
