/** What a run tells a person: lines of progress, a table at the end. */
import { describe, expect, it } from 'vitest';
import type { Algorithm, TrainResult } from '../../src/algorithm/algorithm.ts';
import { commonOptions } from '../../src/config/common-options.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import type { JsonObject } from '../../src/json.ts';
import { createConsoleReport } from '../../src/run/console-report.ts';
import { formatCount, formatDuration, formatValue } from '../../src/run/format-number.ts';
import { createSpeedometer, measureProgress } from '../../src/run/progress.ts';
import type { IterationEvent } from '../../src/run/run-callbacks.ts';
import { createRunOutput } from '../../src/run/run-output.ts';
import type { RunSummary } from '../../src/run/run-state.ts';
import { table } from '../../src/run/text-table.ts';

const toy = defineAlgorithm({
  name: 'toy',
  options: { ...commonOptions, training: {} },
  metrics: {
    'train/policyLoss': { unit: '-', window: 'iteration', formula: 'x' },
    'train/approxKl': { unit: '-', window: 'iteration', formula: 'x' },
    'train/missing': { unit: '-', window: 'iteration', formula: 'x' },
  },
  headline: { 'train/approxKl': 'KL', 'train/policyLoss': 'policy loss', 'train/missing': 'missing' },
  create: async () => ({}) as Algorithm,
});
const configWith = (stopping: JsonObject) =>
  toy.resolve([{ values: { environment: { env: 'a' }, stopping } }]);

function eventAt(iteration: number, secondsHere: number, seconds = secondsHere): IterationEvent {
  const result: TrainResult = {
    iteration,
    numEnvSteps: iteration * 1000,
    numEpisodes: iteration,
    episodeReturnMean: iteration === 1 ? null : iteration / 3,
    metrics: {
      'train/policyLoss': -0.0123456,
      'train/approxKl': 0.004321,
      'time/envStepsPerSecond': 51234.5,
    },
    episodes: [],
  };
  return {
    result,
    seconds,
    secondsHere,
    best: null,
    algorithm: {} as Algorithm,
    stop: () => undefined,
    setSchedule: () => undefined,
    addMetrics: () => undefined,
  };
}

const SUMMARY: RunSummary = {
  stopReason: 'stopSteps',
  iterations: 12,
  numEnvSteps: 12_000,
  numEpisodes: 40,
  metrics: { 'rollout/episodeReturnStd': 4, 'rollout/episodeReturnMin': 90, 'rollout/episodeReturnMax': 110 },
  seconds: 65,
  episodeReturnMean: 101.25,
  best: { iteration: 9, value: 120, measure: 'training' },
  lastEvaluation: null,
  checkpoint: '/runs/a/checkpoints/000012',
  runDir: '/runs/a',
  checkpointError: null,
};

/** A stream that keeps what is written to it. */
function memoryStream(tty: { isTTY?: boolean; columns?: number } = {}) {
  const chunks: string[] = [];
  return { ...tty, chunks, write: (chunk: string | Uint8Array) => chunks.push(String(chunk)) > 0 };
}

function report(tty: { isTTY?: boolean; columns?: number }, stopping: JsonObject = {}) {
  const stdout = memoryStream(tty);
  const output = createRunOutput(stdout, memoryStream());
  return {
    stdout,
    ...createConsoleReport(output, toy, configWith(stopping), { numEnvSteps: 0, iteration: 0 }),
  };
}

describe('the console report', () => {
  it('writes at most one line a second without a terminal, the first and the last always', async () => {
    const { stdout, hooks } = report({});
    const times = [0.01, 0.02, 0.9, 1.2, 1.3, 2.1, 2.3, 2.4];
    for (const [k, seconds] of times.entries()) await hooks.onIterationEnd?.(eventAt(k + 1, seconds));
    const lines = () =>
      stdout.chunks
        .join('')
        .split('\n')
        .filter((line) => line.startsWith('iteration '));
    expect(lines().map((line) => line.split('  ')[0])).toEqual(['iteration 1', 'iteration 4', 'iteration 7']);
    await hooks.onStop?.(SUMMARY);
    expect(lines().at(-1)).toContain('iteration 8  8,000 steps');
  });

  it('shows steps, share, time left, speed, return, loss and KL', async () => {
    const { stdout, hooks } = report({}, { stopSteps: 8000 });
    await hooks.onIterationEnd?.(eventAt(2, 10));
    expect(stdout.chunks).toEqual([
      'iteration 2  2,000/8,000 steps  25%, 0:30 left  51,235 steps/s  return 0.6667  KL 0.004321  policy loss -0.01235\n',
    ]);
  });

  it('says that no episode has ended yet', async () => {
    const { stdout, hooks } = report({});
    await hooks.onIterationEnd?.(eventAt(1, 1));
    expect(stdout.chunks[0]).toContain('return -  ');
  });

  it('redraws one line on a terminal and never wraps it', async () => {
    const { stdout, hooks } = report({ isTTY: true, columns: 40 });
    for (const seconds of [0.01, 0.02, 0.2]) await hooks.onIterationEnd?.(eventAt(3, seconds));
    expect(stdout.chunks).toHaveLength(2);
    for (const chunk of stdout.chunks) {
      expect(chunk.startsWith('\r\u001b[2K')).toBe(true);
      expect(chunk).not.toContain('\n');
      expect(chunk.length - '\r\u001b[2K'.length).toBeLessThan(40);
    }
  });

  it('gives a terminal to the hooks of others, and takes it back with the iteration', async () => {
    const { stdout, hooks, before, clear } = report({ isTTY: true });
    await hooks.onIterationEnd?.(eventAt(1, 0.01));
    await before.onIterationEnd?.(eventAt(2, 0.02));
    expect(stdout.chunks.slice(1)).toEqual(['\r\u001b[2K']); // on a line that is empty now the others print
    await hooks.onIterationEnd?.(eventAt(2, 0.02));
    expect(stdout.chunks.at(-1)).toContain('2,000 steps');
    clear();
    clear();
    expect(stdout.chunks.slice(3)).toEqual(['\r\u001b[2K']);
    expect(report({}).before).toEqual({}); // without a terminal there is no line to take away
  });

  it('ends with a table', async () => {
    const { stdout, hooks } = report({});
    await hooks.onStop?.(SUMMARY);
    expect(stdout.chunks.join('')).toBe(
      [
        'stopped by         stopSteps',
        'iterations         12',
        'environment steps  12,000',
        'time               1:05',
        'mean return        101.3',
        'of these episodes  +- 4, from 90 to 110',
        'best return        120 (training, iteration 9)',
        'run folder         /runs/a',
        'checkpoint         /runs/a/checkpoints/000012',
        '',
      ].join('\n'),
    );
  });
});

describe('measureProgress', () => {
  const at = (stopping: JsonObject, event: IterationEvent, origin = { numEnvSteps: 0, iteration: 0 }) =>
    measureProgress(event, configWith(stopping).stopping, origin);

  it('is nothing without a goal that has a distance', () => {
    expect(at({ stopReturn: 100 }, eventAt(3, 1))).toBeNull();
  });

  it('goes by the goal that will be reached first', () => {
    // 5 iterations in 10 s: 10 iterations after 10 s more, 20,000 steps after 30 s more
    expect(at({ stopSteps: 20_000, stopIterations: 10 }, eventAt(5, 10))).toEqual({
      fraction: 0.5,
      secondsLeft: 10,
    });
    expect(at({ stopSteps: 6000, stopIterations: 10 }, eventAt(5, 10))).toEqual({
      fraction: 5 / 6,
      secondsLeft: 2,
    });
  });

  it('takes the pace of a resumed run from what was done since', () => {
    const progress = at({ stopSteps: 8000 }, eventAt(6, 4, 1000), { numEnvSteps: 4000, iteration: 4 });
    expect(progress).toEqual({ fraction: 0.75, secondsLeft: 4 });
  });

  it('counts seconds over all resumes', () => {
    expect(at({ stopSeconds: 100 }, eventAt(1, 5, 80))).toEqual({ fraction: 0.8, secondsLeft: 20 });
  });
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [475, '475'],
    [-1203.7, '-1204'],
    [312.4321, '312.4'],
    [0.0043217, '0.004322'],
    [1.234e-7, '1.23e-7'],
    [12_345_678, '1.23e+7'],
    [0.5, '0.5'],
  ])('%d is shown as %s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  it('group thousands and write durations', () => {
    expect(formatCount(1234567.4)).toBe('1,234,567');
    expect([0, 7.4, 754, 10_929, -1].map(formatDuration)).toEqual([
      '0:00',
      '0:07',
      '12:34',
      '3:02:09',
      '0:00',
    ]);
  });
});

describe('layout', () => {
  it('aligns tables without trailing blanks', () => {
    expect(
      table([
        ['a', 'b'],
        ['long', ''],
      ]),
    ).toBe('a     b\nlong');
  });
});

describe('the pace', () => {
  it('is smoothed: a tenth of a second without a step takes a little of it, half a minute nearly all', () => {
    const speed = createSpeedometer();
    expect(speed(0, 0)).toBeNull();
    for (let t = 1; t <= 20; t++) expect(speed(1000 * t, t)).toBeCloseTo(1000, 6);
    const after = speed(20_000, 20.1) ?? 0;
    expect(after).toBeGreaterThan(950);
    expect(after).toBeLessThan(1000);
    expect(speed(20_000, 50)).toBeLessThan(5);
  });
});
