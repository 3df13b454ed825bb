/** What is left when an iteration fails for good: the last completed one, or a clear refusal; never something in between. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { PPOConfig } from '../../src/index.ts';
import type { RunCallbacks } from '../../src/run/run-callbacks.ts';
import { createRunFolder } from '../../src/run/run-folder.ts';
import { runTraining } from '../../src/run/train-run.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { comparable } from './run-content.ts';

const ENV = fileURLToPath(new URL('./flawed-env.ts', import.meta.url));

function build(folder: string, numEnvRunners: number, nonFinite: 'stop' | 'skip' = 'stop') {
  return new PPOConfig()
    .environment(ENV, { failFile: join(folder, 'fail'), hugeFile: join(folder, 'huge') })
    .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 32 })
    .training({ numEpochs: 2, minibatchSize: 32 })
    .faultTolerance({ nonFinite })
    .build();
}

describe.each([0, 2])('with %i environment runners', (numEnvRunners) => {
  test('an environment that throws for ever: the state is that of the last iteration, and goes on exactly', async () => {
    const folder = temporaryFolder();
    const algorithm = await build(folder, numEnvRunners);
    for (let k = 0; k < 3; k++) await algorithm.train();
    const path = await algorithm.save(join(folder, 'third'));
    const third = comparable(await algorithm.getState());
    await algorithm.train();
    const fourth = comparable(await algorithm.getState());

    await algorithm.setState((await loadCheckpoint(path)).content);
    writeFileSync(join(folder, 'fail'), '');
    await expect(algorithm.train()).rejects.toMatchObject({
      name: 'EnvError',
      message: expect.stringContaining('the floor gave way'),
    });
    expect(algorithm.iteration).toBe(3);
    const afterFailure = await algorithm.getState();
    // Shipped environments aside, what an environment would say of itself is replaced by the actions that replay it.
    expect(comparable(afterFailure)).toEqual(third);

    rmSync(join(folder, 'fail'));
    await algorithm.setState(afterFailure);
    await algorithm.train();
    expect(comparable(await algorithm.getState())).toEqual(fourth);
    await algorithm.stop();
  });
});

test('a loss that is not finite: the weights are no state of the run, so nothing is given or saved', async () => {
  const folder = temporaryFolder();
  const algorithm = await build(folder, 0);
  await algorithm.train();
  const path = await algorithm.save(join(folder, 'first'));
  writeFileSync(join(folder, 'huge'), '');
  await expect(algorithm.train()).rejects.toMatchObject({ name: 'EngineError' });
  await expect(algorithm.getState()).rejects.toMatchObject({ code: 'CHECKPOINT_SPOILT' });
  await expect(algorithm.save(join(folder, 'second'))).rejects.toMatchObject({ code: 'CHECKPOINT_SPOILT' });
  rmSync(join(folder, 'huge'));

  await algorithm.setState((await loadCheckpoint(path)).content);
  await algorithm.train();
  expect(algorithm.iteration).toBe(2);
  await algorithm.stop();
});

test('a loss that is not finite, under `nonFinite: skip`: the weights stay finite, the skipped updates are counted', async () => {
  const folder = temporaryFolder();
  const algorithm = await build(folder, 0, 'skip');
  const before = await algorithm.train();
  expect(before.metrics['train/numSkippedUpdates']).toBe(0);
  writeFileSync(join(folder, 'huge'), '');
  const { metrics } = await algorithm.train();
  // 128 samples in minibatches of 32, twice.
  expect(metrics['train/numSkippedUpdates']).toBe(8);
  expect(metrics['train/numUpdates']).toBe(0);
  rmSync(join(folder, 'huge'));
  const after = await algorithm.train();
  expect(after.metrics['train/numSkippedUpdates']).toBe(0);
  const { tensors } = await algorithm.getState();
  const weights = Object.values(tensors['policies/default/weights.safetensors']);
  expect(weights.every(({ data }) => data.every((value) => Number.isFinite(value)))).toBe(true);
  await algorithm.stop();
});

test('a run that fails saves its last completed iteration, which no checkpoint was due for', async () => {
  const folder = temporaryFolder();
  const algorithm = await build(folder, 2);
  const path = join(folder, 'run');
  const runFolder = await createRunFolder(path, algorithm.config);
  const options = {
    folder: runFolder,
    ...{ stopReturn: null, stopSteps: null, stopSeconds: null, stopIterations: null },
    ...{ stopProcessSeconds: null, stopEvaluationReturn: null, stopEvaluationPatience: null },
    ...{ checkpointEvery: null, checkpointSeconds: null, keepCheckpoints: 3, metricsWindow: 10_000 },
    ...{ jsonl: true, csv: true, tensorboard: true, handleSignals: false },
  };
  let third: object = {};
  const onIterationEnd: RunCallbacks['onIterationEnd'] = async ({ result }) => {
    if (result.iteration !== 3) return;
    third = comparable(await algorithm.getState());
    writeFileSync(join(folder, 'fail'), '');
  };
  const run = runTraining(algorithm, options, { callbacks: [{ onIterationEnd }] });
  await expect(run).rejects.toMatchObject({ name: 'EnvError' });
  await algorithm.stop();
  await runFolder.close();
  const { content } = await loadCheckpoint(path);
  const { 'run.json': _driver, ...json } = content.json;
  expect(comparable({ ...content, json })).toEqual(third);
});
