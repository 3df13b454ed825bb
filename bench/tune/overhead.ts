/**
 * What a study costs beside its trials: 8 of them, the same 8 commands from a bare pool, and from Ray Tune where there is one. By the clock, and in processor time,
 * which says more on a machine that does other work.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from '../machine.ts';
import { median } from '../statistics.ts';
import type { Section } from './report.ts';
import { type Cost, runPool, runStudy, runUnderRay, trialCommands } from './trials.ts';

const NUM_ROUNDS = 3;

/** @param cli arguments of node that are `operant`. @param python one that may have ray[tune]. @param numSteps of a trial. */
export async function measureOverhead(
  cli: readonly string[],
  python: string,
  numSteps: number,
): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-bench-overhead-'));
  const costs: Record<'pool' | 'study' | 'ray', Cost[]> = { pool: [], study: [], ray: [] };
  let ray = '';
  try {
    for (let round = 0; round < NUM_ROUNDS; round++) {
      const of = (name: string) => join(folder, `${name}-${round}`);
      costs.pool.push(await runPool(trialCommands(cli, numSteps, of('pool'))));
      costs.study.push(await runStudy(cli, numSteps, of('study')));
      const around = await runUnderRay(python, trialCommands(cli, numSteps, of('ray')), of('storage'));
      if (around === null) continue;
      costs.ray.push(around);
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
