/**
 * What a study costs beside its trials: 8 of them, the same 8 commands from a bare pool, and from Ray Tune where there is one. By the clock, and in processor time,
 * which says more on a machine that does other work.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from '../machine.ts';
import { median } from '../statistics.ts';
import type { Section } from './report.ts';

const NUM_ROUNDS = 3;
const RATES = [1e-4, 2e-4, 3e-4, 4e-4, 5e-4, 6e-4, 7e-4, 8e-4];
const SHARED = ['--env', 'CartPole', '--no-tuned', '--num-env-runners', '0'];

/** Seconds, with those of all processes that have ended. */
interface Cost {
  readonly elapsed: number;
  readonly cpu: number;
}

/** @param cli arguments of node that are `operant`. @param python one that may have ray[tune]. @param numSteps of a trial. */
export async function measureOverhead(
  cli: readonly string[],
  python: string,
  numSteps: number,
): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-bench-overhead-'));
  const costs: Record<'pool' | 'study' | 'ray', Cost[]> = { pool: [], study: [], ray: [] };
  const shared = [...SHARED, '--stop-steps', String(numSteps)];
  let ray = '';
  try {
    for (let round = 0; round < NUM_ROUNDS; round++) {
      const commandsTo = (name: string) =>
        RATES.map((rate, k) => [
          ...[process.execPath, ...cli, 'train', ...shared, '--no-csv', '--learning-rate', String(rate)],
          ...['--quiet', '--json', '--out', join(folder, `${name}-${round}-${k}`)],
        ]);
      costs.pool.push(await costOf(() => runPool(commandsTo('pool'))));
      const space = JSON.stringify({ learningRate: { choice: RATES } });
      const study = ['tune', ...shared, '--space', space, '--searcher', 'grid', '--final-seeds', '0'];
      const out = ['--suggestion-lag', '7', '--parallel', '2', '--quiet', '--out', join(folder, `${round}`)];
      costs.study.push(
        await costOf(async () => (await run([process.execPath, ...cli, ...study, ...out])).cpu),
      );
      const around = await rayTrials(python, commandsTo('ray'), join(folder, `ray-${round}`));
      if (around === null) continue;
      costs.ray.push({ elapsed: around.fit, cpu: around.cpu });
      ray = `Ray Tune ${around.version} (and ${around.init.toFixed(1)} s of ray.init)`;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const ideal = median(costs.pool.map(({ elapsed }) => elapsed));
  const idealCpu = median(costs.pool.map(({ cpu }) => cpu));
  const row = (name: string, of: readonly Cost[]) => {
    const [times, cpus] = [of.map(({ elapsed }) => elapsed), of.map(({ cpu }) => cpu)];
    const each = (values: readonly number[]) => values.map((value) => value.toFixed(1)).join(', ');
    return [
      ...[name, `${median(times).toFixed(1)} s`, each(times), (median(times) / ideal).toFixed(2)],
      ...[`${median(cpus).toFixed(1)} s`, each(cpus), (median(cpus) / idealCpu).toFixed(2)],
    ];
  };
  const steps = numSteps.toLocaleString('en-US');
  return {
    title: `Overhead: 8 trials of ${steps} CartPole steps, two at a time, rounds in turns (load ${load()})`,
    head: ['', 'median', 'rounds', 'times the bare pool', 'processor time', 'rounds', 'times the bare pool'],
    rows: [
      row('the commands from a bare pool of two', costs.pool),
      row('operant tune', costs.study),
      ...(ray === '' ? [] : [row(ray, costs.ray)]),
    ],
    note: ray === '' ? `Without Ray Tune: \`${python}\` has none (--ray-python names another).` : '',
  };
}

/** @param work returns its processor time. */
async function costOf(work: () => Promise<number>): Promise<Cost> {
  const begin = performance.now();
  const cpu = await work();
  return { elapsed: (performance.now() - begin) / 1000, cpu };
}

async function runPool(commands: readonly string[][]): Promise<number> {
  const waiting = [...commands];
  let cpu = 0;
  const work = async () => {
    for (let command = waiting.shift(); command !== undefined; command = waiting.shift())
      cpu += (await run(command)).cpu;
  };
  await Promise.all([work(), work()]);
  return cpu;
}

/** A shell says what its children took, and theirs. */
const TIMED = '"$@"; code=$?; times; exit $code';

async function run(command: readonly string[]): Promise<{ readonly cpu: number; readonly stdout: string }> {
  const child = spawn('sh', ['-c', TIMED, 'sh', ...command], { stdio: ['ignore', 'pipe', 'ignore'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${command.join(' ')}: exit ${code}`);
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  const cpu = [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + 60 * Number(m) + Number(s),
    0,
  );
  return { cpu, stdout };
}

async function rayTrials(python: string, commands: readonly string[][], storage: string) {
  const script = fileURLToPath(new URL('ray_trials.py', import.meta.url));
  const done = await run([python, script, JSON.stringify(commands), storage]).catch(() => null);
  if (done === null) return null;
  const told = done.stdout.split('\n').find((line) => line.startsWith('{"version"')) ?? '';
  return { ...(JSON.parse(told) as { version: string; init: number; fit: number }), cpu: done.cpu };
}
