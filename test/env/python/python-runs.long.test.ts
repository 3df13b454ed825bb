/** Runs with environments in Python: the same for any number of workers, exact resume, and 200 deaths of the process. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../../src/checkpoint/load-checkpoint.ts';
import { type Algorithm, PPOConfig } from '../../../src/index.ts';
import type { JsonObject } from '../../../src/json.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { findPythonWith, WORLDS } from './open-python.ts';

const python = findPythonWith('numpy');
const NUM_KILLS = 200;

function configFor(numEnvRunners: number, kwargs: JsonObject = {}) {
  return new PPOConfig()
    .environment({
      env: `python:${WORLDS}#walk`,
      envOptions: { kwargs: { limit: 9, ...kwargs }, infoMetrics: false },
      python: python ?? '',
    })
    .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 64 })
    .training({ numEpochs: 2, minibatchSize: 64, hiddenSizes: [16] })
    .faultTolerance({ maxEnvRestarts: 2 * NUM_KILLS })
    .debugging({ seed: 5 });
}

async function trainAndStop(algorithm: Pick<Algorithm, 'train' | 'getState' | 'stop'>, count: number) {
  const results = [];
  for (let k = 0; k < count; k++) results.push(await algorithm.train());
  const { tensors } = await algorithm.getState();
  await algorithm.stop();
  return { tensors, results };
}

describe.skipIf(python === null)('a run with environments in Python', () => {
  test('is the same in the main thread, with one worker and with two; a resume goes on as if nothing had been', async () => {
    const expected = await trainAndStop(await configFor(0).build(), 4);
    for (const numEnvRunners of [1, 2]) {
      const other = await trainAndStop(await configFor(numEnvRunners).build(), 4);
      expect(other.tensors).toEqual(expected.tensors);
    }
    const first = await configFor(1).build();
    for (let k = 0; k < 2; k++) await first.train();
    const path = await first.save(join(temporaryFolder(), 'checkpoint'));
    await first.stop();
    const second = await configFor(2).build();
    await second.setState((await loadCheckpoint(path)).content);
    const resumed = await trainAndStop(second, 2);
    expect(resumed.tensors).toEqual(expected.tensors);
  }, 120_000);

  test(`ends right after ${NUM_KILLS} kills of the process, with the weights of a run without them`, async () => {
    const numIterations = 50;
    const expected = await trainAndStop(await configFor(0).build(), numIterations);
    const counter = join(temporaryFolder(), 'kills');
    writeFileSync(counter, String(NUM_KILLS));
    writeFileSync(`${counter}.steps`, '0');
    const killed = await trainAndStop(await configFor(1, { counter, every: 60 }).build(), numIterations);
    expect(readFileSync(counter, 'utf8')).toBe('0');
    const numRestarts = killed.results.reduce(
      (sum, { metrics }) => sum + metrics['rollout/numEnvsRestarted'],
      0,
    );
    expect(numRestarts).toBe(NUM_KILLS); // one a process, however many rows it had
    expect(killed.tensors).toEqual(expected.tensors);
  }, 600_000);
});
