import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { describeThisProcess } from '../../src/run/lock-holder.ts';
import type { RunCallbacks, RunWarning } from '../../src/run/run-callbacks.ts';
import { createRunFolder, openRunFolder, type RunFolder } from '../../src/run/run-folder.ts';
import { readRunState } from '../../src/run/run-state.ts';
import { type RunOptions, runTraining } from '../../src/run/train-run.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { createToyAlgorithm, type ToyOptions } from './toy-algorithm.ts';

const QUIET: Omit<RunOptions, 'folder'> = {
  stopReturn: null,
  stopSteps: null,
  stopSeconds: null,
  stopIterations: null,
  stopProcessSeconds: null,
  stopEvaluationReturn: null,
  stopEvaluationPatience: null,
  checkpointEvery: null,
  checkpointSeconds: null,
  keepCheckpoints: 100,
  metricsWindow: 10,
  jsonl: true,
  csv: true,
  tensorboard: true,
  handleSignals: false,
};

async function withFolder<T>(path: string, action: (folder: RunFolder) => Promise<T>): Promise<T> {
  const folder = existsSync(path) ? await openRunFolder(path) : await createRunFolder(path, { toy: true });
  return action(folder).finally(() => folder.close());
}

/** A fresh run in a new folder. */
function trainToy(
  path: string,
  options: Partial<RunOptions>,
  toy: ToyOptions = {},
  callbacks: RunCallbacks = {},
) {
  const warnings: RunWarning[] = [];
  const algorithm = createToyAlgorithm(toy);
  return withFolder(path, async (folder) => {
    const hooks = { callbacks: [callbacks], onWarning: (warning: RunWarning) => warnings.push(warning) };
    const summary = await runTraining(algorithm, { ...QUIET, folder, ...options }, hooks);
    return { summary, algorithm, warnings };
  });
}

test('a run whose folder another process has taken writes nothing more, and ends with that', async () => {
  const path = join(temporaryFolder(), 'run');
  const takeAway = () => writeFileSync(join(path, 'lock'), JSON.stringify(describeThisProcess(randomUUID())));
  let logged = '';
  const error = await trainToy(
    path,
    { checkpointEvery: 1, stopIterations: 100 },
    { iterationMs: 20 },
    {
      onIterationEnd: async ({ result }) => {
        if (result.iteration !== 20) return;
        takeAway();
        await sleep(50); // a checkpoint that was on its way
        logged = readFileSync(join(path, 'progress.jsonl'), 'utf8');
      },
    },
  ).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'CHECKPOINT_LOCKED' });
  expect(logged.split('\n').length).toBeGreaterThan(2);
  expect(readFileSync(join(path, 'progress.jsonl'), 'utf8')).toBe(logged);
  expect((await loadCheckpoint(path)).manifest.description.iteration).toBeLessThanOrEqual(20);
});

/** Goes on in the same folder from a checkpoint of it. */
async function resumeToy(path: string, from: string, options: Partial<RunOptions>, toy: ToyOptions = {}) {
  const warnings: RunWarning[] = [];
  const { content } = await loadCheckpoint(from);
  const algorithm = createToyAlgorithm(toy);
  await algorithm.setState(content);
  return withFolder(path, async (folder) => {
    const all = { ...QUIET, folder, resumed: readRunState(content), ...options };
    const summary = await runTraining(algorithm, all, { onWarning: (warning) => warnings.push(warning) });
    return { summary, algorithm, warnings };
  });
}

const checkpointsOf = (path: string) => readdirSync(join(path, 'checkpoints')).sort();
const pointerOf = (path: string, name: string) => readFileSync(join(path, name), 'utf8');

/** The rows of progress.jsonl without the two fields that tell the time. */
function rowsOf(path: string): object[] {
  const lines = readFileSync(join(path, 'progress.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { seconds, timestamp, ...row } = JSON.parse(line);
    expect(seconds).toBeGreaterThan(0);
    expect(timestamp).toBeGreaterThan(1.6e12);
    return row;
  });
}

describe('stop conditions', () => {
  test('stopIterations, stopSteps', async () => {
    const first = await trainToy(join(temporaryFolder(), 'run'), { stopIterations: 3 });
    expect(first.summary).toMatchObject({ stopReason: 'stopIterations', iterations: 3, numEnvSteps: 120 });
    const second = await trainToy(join(temporaryFolder(), 'run'), { stopSteps: 81, stopIterations: 50 });
    expect(second.summary).toMatchObject({ stopReason: 'stopSteps', iterations: 3, numEnvSteps: 120 });
  });

  test('stopReturn waits for a full window', async () => {
    // Every episode beats -1000, so only the window decides: 10 episodes are full in iteration 3, 9 would be, too.
    const { summary } = await trainToy(join(temporaryFolder(), 'run'), {
      stopReturn: -1000,
      stopIterations: 50,
    });
    expect(summary).toMatchObject({ stopReason: 'stopReturn', iterations: 3 });
    expect(summary.episodeReturnMean).toBeGreaterThan(-1000);
  });

  test('stopReturn is reached by learning', async () => {
    const { summary } = await trainToy(join(temporaryFolder(), 'run'), {
      stopReturn: -1,
      stopIterations: 2000,
    });
    expect(summary.stopReason).toBe('stopReturn');
    expect(summary.episodeReturnMean).toBeGreaterThanOrEqual(-1);
  });

  test('stopSeconds counts the time before a resume', async () => {
    const path = join(temporaryFolder(), 'run');
    const first = await trainToy(path, { stopSeconds: 0.2 }, { iterationMs: 20 });
    expect(first.summary.stopReason).toBe('stopSeconds');
    expect(first.summary.seconds).toBeGreaterThanOrEqual(0.2);
    const second = await resumeToy(path, path, { stopSeconds: 0.2 });
    expect(second.summary).toMatchObject({ stopReason: 'stopSeconds', iterations: first.summary.iterations });
    expect(second.summary.seconds).toBeGreaterThan(0.2);
  });
});

describe('stop conditions on time and evaluations', () => {
  test('stopProcessSeconds counts this process alone', async () => {
    const path = join(temporaryFolder(), 'run');
    const options = { stopProcessSeconds: 0.1 };
    const first = await trainToy(path, options, { iterationMs: 10 });
    expect(first.summary.stopReason).toBe('stopProcessSeconds');
    const second = await resumeToy(path, path, options, { iterationMs: 10 });
    expect(second.summary.stopReason).toBe('stopProcessSeconds');
    expect(second.summary.iterations).toBeGreaterThan(first.summary.iterations);
    expect(second.summary.seconds).toBeGreaterThanOrEqual(0.2);
  });

  test('stopEvaluationReturn looks at evaluations, and holds after a resume', async () => {
    const path = join(temporaryFolder(), 'run');
    const options = { stopEvaluationReturn: -12, stopIterations: 500 };
    const { summary } = await trainToy(path, options, { evaluationInterval: 2 });
    expect(summary.stopReason).toBe('stopEvaluationReturn');
    expect(summary.lastEvaluation?.returnMean).toBeGreaterThanOrEqual(-12);
    expect(summary.lastEvaluation?.iteration).toBe(summary.iterations);
    const resumed = await resumeToy(path, path, options, { evaluationInterval: 2 });
    expect(resumed.summary).toMatchObject({
      stopReason: 'stopEvaluationReturn',
      iterations: summary.iterations,
    });
  });

  test('stopEvaluationPatience counts evaluations that are no new best, over resumes', async () => {
    const options = { stopEvaluationPatience: 3, stopIterations: 400 };
    const toy = { evaluationInterval: 1 };
    const unbroken = await trainToy(join(temporaryFolder(), 'run'), options, toy);
    const { stopReason, iterations, best } = unbroken.summary;
    expect([stopReason, iterations]).toEqual(['stopEvaluationPatience', (best?.iteration ?? 0) + 3]);
    const path = join(temporaryFolder(), 'run');
    await trainToy(path, { ...options, stopIterations: iterations - 1 }, toy);
    expect((await resumeToy(path, path, options, toy)).summary).toMatchObject({
      stopReason,
      iterations,
      best,
    });
  });
});

describe('a run folder', () => {
  test('holds config, logs, checkpoints and pointers; what retention keeps', async () => {
    const path = join(temporaryFolder(), 'run');
    const { summary } = await trainToy(path, { stopIterations: 20, checkpointEvery: 3, keepCheckpoints: 2 });
    expect(JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'))).toEqual({ toy: true });
    expect(summary).toMatchObject({
      runDir: path,
      checkpoint: join(path, 'checkpoints', '000020'),
      checkpointError: null,
    });
    expect(pointerOf(path, 'latest')).toBe('checkpoints/000020\n');
    const best = String(summary.best?.iteration).padStart(6, '0');
    expect(pointerOf(path, 'best')).toBe(`checkpoints/${best}\n`);
    const kept = checkpointsOf(path);
    expect(kept).toContain('000020');
    expect(kept).toContain(best);
    expect(kept.length).toBeLessThanOrEqual(3);
    expect(rowsOf(path)).toHaveLength(20);
    expect(readdirSync(path).filter((name) => name.startsWith('.tmp-') || name === 'lock')).toEqual([]);
  });

  test('best is the iteration with the highest full-window mean', async () => {
    const path = join(temporaryFolder(), 'run');
    const { summary } = await trainToy(path, { stopIterations: 30 });
    const means = rowsOf(path).map((row) => (row as Record<string, number>)['rollout/episodeReturnMean']);
    // Windows of 10 are full from iteration 3 on, at 4 episodes each.
    const highest = Math.max(...means.slice(2));
    expect(summary.best).toEqual({
      iteration: means.indexOf(highest) + 1,
      value: highest,
      measure: 'training',
    });
  });

  test('from the first evaluation on, best goes by evaluations alone', async () => {
    const path = join(temporaryFolder(), 'run');
    const evaluations: [number, number][] = [];
    const callbacks: RunCallbacks = {
      onEvaluate: ({ iteration, evaluation }) => void evaluations.push([iteration, evaluation.returnMean]),
    };
    const { summary } = await trainToy(path, { stopIterations: 24 }, { evaluationInterval: 5 }, callbacks);
    expect(evaluations.map(([iteration]) => iteration)).toEqual([5, 10, 15, 20]);
    const highest = Math.max(...evaluations.map(([, value]) => value));
    const winner = evaluations.find(([, value]) => value === highest)!;
    expect(summary.best).toEqual({ iteration: winner[0], value: winner[1], measure: 'evaluation' });
  });

  test('best is exact and on the disk, whatever the clock did: quick and slow iterations, saved often or never', async () => {
    const root = temporaryFolder();
    const outcomes: unknown[] = [];
    for (const [name, options, toy] of [
      ['quick', {}, {}],
      ['slow', {}, { iterationMs: 15 }],
      ['every', { checkpointEvery: 1 }, {}],
      ['by time', { checkpointSeconds: 0.01 }, { iterationMs: 3 }],
    ] as const) {
      const path = join(root, name);
      const { summary } = await trainToy(path, { stopIterations: 40, ...options }, toy);
      const { content } = await loadCheckpoint(join(path, 'best'));
      expect(content.description.iteration).toBe(summary.best?.iteration);
      expect(readRunState(content).best).toEqual(summary.best);
      outcomes.push([summary.best, content.tensors, pointerOf(path, 'best')]);
    }
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
  });

  test('a best that is held in memory is written when the run fails', async () => {
    const path = join(temporaryFolder(), 'run');
    await expect(trainToy(path, { metricsWindow: 4 }, { failAt: 12 })).rejects.toThrow('the toy broke');
    const means = rowsOf(path).map((row) => (row as Record<string, number>)['rollout/episodeReturnMean']);
    expect(means).toHaveLength(11);
    expect(pointerOf(path, 'best')).toMatch(/^checkpoints\/0000\d\d\n$/);
    const best = Number(pointerOf(path, 'best').slice(-3));
    expect(readRunState((await loadCheckpoint(join(path, 'best'))).content).best?.iteration).toBe(best);
  });

  test('without a folder nothing is written', async () => {
    const summary = await runTraining(createToyAlgorithm(), { ...QUIET, folder: null, stopIterations: 2 });
    expect(summary).toMatchObject({ runDir: null, checkpoint: null, iterations: 2 });
  });

  test('checkpointSeconds saves by time', async () => {
    const path = join(temporaryFolder(), 'run');
    const options = { stopIterations: 12, checkpointSeconds: 0.1, metricsWindow: 1000 };
    const { summary } = await trainToy(path, options, { iterationMs: 30 });
    const numbers = checkpointsOf(path);
    // 12 iterations of at least 30 ms: one every 0.1 s at most, however slow the machine, and the last.
    expect(numbers.length).toBeGreaterThanOrEqual(3);
    expect(numbers.length).toBeLessThanOrEqual(Math.floor(summary.seconds / 0.1) + 1);
    expect(numbers.at(-1)).toBe('000012');
  });
});

describe('a resumed run', () => {
  test('is the unbroken one: state, best, rows and checkpoints, wherever it was cut', async () => {
    const root = temporaryFolder();
    const options = { checkpointEvery: 4, stopIterations: 21 };
    const unbroken = await trainToy(join(root, 'unbroken'), options, { evaluationInterval: 6 });
    for (const cut of [1, 4, 7, 13]) {
      const path = join(root, `cut-${cut}`);
      await trainToy(path, { ...options, stopIterations: cut }, { evaluationInterval: 6 });
      const resumed = await resumeToy(path, path, options, { evaluationInterval: 6 });
      expect(resumed.algorithm.position).toEqual(unbroken.algorithm.position);
      expect(resumed.summary.best).toEqual(unbroken.summary.best);
      expect(rowsOf(path)).toEqual(rowsOf(join(root, 'unbroken')));
      const [a, b] = [await loadCheckpoint(path), await loadCheckpoint(join(root, 'unbroken'))];
      expect(a.content.tensors).toEqual(b.content.tensors);
      expect(a.content.json['state.json']).toEqual(b.content.json['state.json']);
      expect(pointerOf(path, 'best')).toBe(pointerOf(join(root, 'unbroken'), 'best'));
    }
  });

  test('from an earlier checkpoint moves later ones aside and cuts the logs', async () => {
    const root = temporaryFolder();
    const path = join(root, 'run');
    await trainToy(path, { stopIterations: 10, checkpointEvery: 2 });
    const unbroken = rowsOf(path);
    const resumed = await resumeToy(path, join(path, 'checkpoints', '000004'), { stopIterations: 5 });
    expect(resumed.warnings).toMatchObject([{ kind: 'rewind' }]);
    expect(readdirSync(join(path, 'superseded'))).toContain('000010');
    expect(pointerOf(path, 'latest')).toBe('checkpoints/000005\n');
    expect(rowsOf(path)).toEqual(unbroken.slice(0, 5));
    expect(Number(pointerOf(path, 'best').slice(-7))).toBeLessThanOrEqual(5);
  });

  test('that is already finished ends at once and writes no checkpoint', async () => {
    const path = join(temporaryFolder(), 'run');
    await trainToy(path, { stopIterations: 3 });
    const before = checkpointsOf(path);
    const { summary } = await resumeToy(path, path, { stopIterations: 3 });
    expect(summary).toMatchObject({
      stopReason: 'stopIterations',
      iterations: 3,
      checkpoint: join(path, 'checkpoints', '000003'),
    });
    expect(checkpointsOf(path)).toEqual(before);
    expect(rowsOf(path)).toHaveLength(3);
  });

  test('can go on in another folder', async () => {
    const root = temporaryFolder();
    await trainToy(join(root, 'a'), { stopIterations: 3 });
    const { summary } = await resumeToy(join(root, 'b'), join(root, 'a'), { stopIterations: 5 });
    expect(summary.checkpoint).toBe(join(root, 'b', 'checkpoints', '000005'));
    expect(rowsOf(join(root, 'b'))).toHaveLength(2);
    expect(rowsOf(join(root, 'a'))).toHaveLength(3);
  });
});

describe('callbacks', () => {
  test('see everything in order and can stop the run', async () => {
    const path = join(temporaryFolder(), 'run');
    const calls: string[] = [];
    const { summary } = await trainToy(
      path,
      { stopIterations: 100, checkpointEvery: 2 },
      { evaluationInterval: 2, workerFailureAt: 2 },
      {
        onWorkerFailure: ({ failure, iteration }) =>
          void calls.push(`failure ${failure.workerIndex} in ${iteration}`),
        onEpisodeEnd: ({ iteration }) => void calls.push(`episode in ${iteration}`),
        onEvaluate: ({ iteration }) => void calls.push(`evaluation in ${iteration}`),
        onIterationEnd: async ({ result, stop }) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          calls.push(`end of ${result.iteration}`);
          if (result.iteration === 2) stop();
        },
        onCheckpoint: ({ iteration, path: saved }) => {
          expect(existsSync(join(saved, 'manifest.json'))).toBe(true);
          calls.push(`checkpoint ${iteration}`);
        },
        onStop: ({ stopReason }) => void calls.push(`stop ${stopReason}`),
      },
    );
    expect(summary.stopReason).toBe('callback');
    const episodes = (iteration: number) => Array(4).fill(`episode in ${iteration}`);
    expect(calls).toEqual([
      ...[...episodes(1), 'end of 1'],
      ...['failure 1 in 2', ...episodes(2), 'evaluation in 2', 'end of 2', 'checkpoint 2', 'stop callback'],
    ]);
  });

  test('that throw are reported, and the run is the same as without them', async () => {
    const root = temporaryFolder();
    const plain = await trainToy(join(root, 'plain'), { stopIterations: 4 });
    const throwing = await trainToy(
      join(root, 'throwing'),
      { stopIterations: 4 },
      {},
      {
        onIterationEnd: () => {
          throw new Error('oops');
        },
        onStop: () => Promise.reject(new Error('oops again')),
      },
    );
    expect(throwing.summary.stopReason).toBe('stopIterations');
    expect(throwing.algorithm.position).toEqual(plain.algorithm.position);
    // Four times the same: told once, and at the end how often.
    expect(throwing.warnings.map(({ message }) => message)).toEqual([
      'The callback onIterationEnd failed: oops',
      'The callback onStop failed: oops again',
      'The callback onIterationEnd failed: oops (4 such warnings in all)',
    ]);
    expect(throwing.warnings.every(({ kind }) => kind === 'callback')).toBe(true);
  });

  test('that throw end a strict run with a checkpoint and their error', async () => {
    const path = join(temporaryFolder(), 'run');
    const onIterationEnd: RunCallbacks['onIterationEnd'] = ({ result }) => {
      if (result.iteration === 3) throw new Error('oops');
    };
    await expect(
      trainToy(path, { stopIterations: 9, strictCallbacks: true }, {}, { onIterationEnd }),
    ).rejects.toThrow('oops');
    expect((await loadCheckpoint(path)).manifest.description.iteration).toBe(3);
  });

  test('can replace a schedule, which the checkpoint then holds', async () => {
    const path = join(temporaryFolder(), 'run');
    const options = { stopIterations: 2 };
    await trainToy(
      path,
      options,
      {},
      {
        onIterationEnd: ({ setSchedule, result }) => {
          if (result.iteration === 2) setSchedule('learningRate', 0.125);
        },
      },
    );
    expect((await loadCheckpoint(path)).content.json['state.json'].stepSize).toBe(0.125);
    const { warnings } = await trainToy(
      join(path, '..', 'other'),
      options,
      {},
      {
        onIterationEnd: ({ setSchedule }) => setSchedule('nonsense', 1),
      },
    );
    expect(warnings).toMatchObject([{ kind: 'callback' }, { kind: 'callback' }]);
  });
});

describe('when something fails', () => {
  test('train(): its error comes out, earlier checkpoints stay, logs are whole, the folder is free', async () => {
    const path = join(temporaryFolder(), 'run');
    const stops: string[] = [];
    const run = trainToy(
      path,
      { stopIterations: 9, checkpointEvery: 2, metricsWindow: 1000 },
      { failAt: 6 },
      {
        onStop: ({ stopReason }) => void stops.push(stopReason),
      },
    );
    await expect(run).rejects.toThrow('the toy broke');
    expect(stops).toEqual(['error']);
    expect((await loadCheckpoint(path)).manifest.description.iteration).toBe(4);
    expect(rowsOf(path)).toHaveLength(5);
    const { summary } = await resumeToy(path, path, { stopIterations: 9 });
    expect(summary.iterations).toBe(9);
  });

  test('a checkpoint: a warning, the run goes on, older ones stay, and the end says so', async () => {
    const path = join(temporaryFolder(), 'run');
    const block = (iteration: number) => {
      // A file where the folder has to be: works for every user and file system.
      if (iteration === 4) writeFileSync(join(path, 'checkpoints', '000006'), 'in the way');
    };
    const { summary, warnings } = await trainToy(
      path,
      { stopIterations: 6, checkpointEvery: 2, metricsWindow: 1000 },
      { onTrain: block },
    );
    expect(summary).toMatchObject({
      stopReason: 'stopIterations',
      iterations: 6,
      checkpoint: join(path, 'checkpoints', '000004'),
    });
    expect(summary.checkpointError).toMatchObject({ code: 'CHECKPOINT_EXISTS' });
    expect(warnings.every(({ kind }) => kind === 'checkpoint')).toBe(true);
    expect(warnings[0].message).toMatch(/Checkpoint 6 was not written.*last whole one is.*000004/);
    expect((await loadCheckpoint(path)).manifest.description.iteration).toBe(4);
  });
});
