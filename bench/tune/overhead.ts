/** What a study costs beside its trials: 8 trials of 20,480 steps, the same 8 commands from a bare pool, and from Ray Tune where there is one. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../statistics.ts';
import type { Section } from './report.ts';

const NUM_ROUNDS = 3;
const RATES = [1e-4, 2e-4, 3e-4, 4e-4, 5e-4, 6e-4, 7e-4, 8e-4];
const SHARED = ['--env', 'CartPole', '--no-tuned', '--stop-steps', '20480', '--num-env-runners', '0'];

/** @param cli arguments of node that are `operant`. @param python one that may have ray[tune]. */
export async function measureOverhead(cli: readonly string[], python: string): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-bench-overhead-'));
  const times: Record<'pool' | 'study' | 'ray', number[]> = { pool: [], study: [], ray: [] };
  let ray = '';
  try {
    for (let round = 0; round < NUM_ROUNDS; round++) {
      const commandsTo = (name: string) =>
        RATES.map((rate, k) => [
          ...[process.execPath, ...cli, 'train', ...SHARED, '--no-csv', '--learning-rate', String(rate)],
          ...['--quiet', '--json', '--out', join(folder, `${name}-${round}-${k}`)],
        ]);
      times.pool.push(await seconds(() => runPool(commandsTo('pool'))));
      const space = JSON.stringify({ learningRate: { choice: RATES } });
      const study = ['tune', ...SHARED, '--space', space, '--searcher', 'grid'];
      const out = [
        '--final-seeds',
        '0',
        '--suggestion-lag',
        '7',
        '--parallel',
        '2',
        '--quiet',
        '--out',
        join(folder, `${round}`),
      ];
      times.study.push(await seconds(() => run([process.execPath, ...cli, ...study, ...out])));
      const around = rayTrials(python, commandsTo('ray'), join(folder, `ray-${round}`));
      if (around === null) continue;
      times.ray.push(around.fit);
      ray = `Ray Tune ${around.version} (and ${around.init.toFixed(1)} s of ray.init)`;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const ideal = median(times.pool);
  const row = (name: string, values: readonly number[]) => [
    ...[name, `${median(values).toFixed(1)} s`, values.map((value) => value.toFixed(1)).join(', ')],
    (median(values) / ideal).toFixed(2),
  ];
  return {
    title: 'Overhead: 8 trials of 20,480 CartPole steps, two at a time, rounds in turns',
    head: ['', 'median', 'rounds', 'times the bare pool'],
    rows: [
      row('the commands from a bare pool of two', times.pool),
      row('operant tune', times.study),
      ...(ray === '' ? [] : [row(ray, times.ray)]),
    ],
    note: ray === '' ? `Without Ray Tune: \`${python}\` has none (--ray-python names another).` : '',
  };
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

async function runPool(commands: readonly string[][]): Promise<void> {
  const waiting = [...commands];
  const work = async () => {
    for (let command = waiting.shift(); command !== undefined; command = waiting.shift()) await run(command);
  };
  await Promise.all([work(), work()]);
}

function run([program, ...args]: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${args.join(' ')}: exit ${code}`)),
    );
  });
}

function rayTrials(python: string, commands: readonly string[][], storage: string) {
  const script = fileURLToPath(new URL('ray_trials.py', import.meta.url));
  const child = spawnSync(python, [script, JSON.stringify(commands), storage], { encoding: 'utf8' });
  if (child.status !== 0) return null;
  return JSON.parse(child.stdout.trim().split('\n').at(-1) as string) as {
    version: string;
    init: number;
    fit: number;
  };
}
