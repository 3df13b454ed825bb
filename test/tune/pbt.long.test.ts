/** Population based training as processes: the same study for any number side by side, killed or not. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operant } from '../cli/run-in-process.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const STUDY = [
  ...['tune', '--env', 'CartPole', '--no-tuned', '--scheduler', 'pbt', '--num-trials', '4'],
  ...['--space', '{"learningRate":{"logUniform":[1e-5,1e-2]},"entropyCoeff":{"uniform":[0,0.02]}}'],
  ...['--num-envs', '4', '--rollout-length', '64', '--minibatch-size', '64', '--num-epochs', '2'],
  ...['--trial-steps', '1024', '--perturbation-interval', '256', '--final-seeds', '1'],
];
const report = (study: string) => readFileSync(join(study, 'report.md'), 'utf8');
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));

describe('operant tune --scheduler pbt', () => {
  const folder = mkdtempSync(join(tmpdir(), 'operant-pbt-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const alone = join(folder, 'alone');
  beforeAll(async () => {
    const run = await operant(...STUDY, '--parallel', '1', '--out', alone);
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
  }, 600_000);

  const cloneFolders = (study: string) =>
    readdirSync(join(study, 'trials')).flatMap((trial) =>
      readdirSync(join(study, 'trials', trial))
        .filter((name) => name.startsWith('seed-0-from-'))
        .map((name) => join(study, 'trials', trial, name)),
    );

  it('replaces a quarter of the population in each generation, with config and checkpoint of one trial', () => {
    const clones = cloneFolders(alone);
    expect(clones.length).toBe(3); // one of four, at 256, 512 and 768 steps
    for (const folder of clones) {
      const { trial, numSteps, from, to } = json(folder, 'cloned-from.json');
      const { training, history, debugging } = json(folder, 'config.json');
      expect(training).toMatchObject(to);
      expect(to).not.toEqual(from);
      const change = history.find(({ iteration }: { iteration: number }) => iteration * 256 === numSteps);
      for (const { option, from: before, to: after } of change.changes) {
        const [section, name] = option.split('.');
        if (section === 'training') expect([before, after]).toEqual([from[name], to[name]]);
      }
      // the log goes on from that of its source, whose seed it has
      const seedsOf = join(alone, 'trials', String(trial).padStart(4, '0'));
      const seeds = readdirSync(seedsOf).filter((name) => name.startsWith('seed-'));
      expect(seeds.map((name) => json(seedsOf, name, 'config.json').debugging.seed)).toContain(
        debugging.seed,
      );
      const rows = readFileSync(join(folder, 'progress.jsonl'), 'utf8').trimEnd().split('\n');
      expect(rows.map((row) => JSON.parse(row).numEnvSteps).slice(0, numSteps / 256)).toEqual(
        Array.from({ length: numSteps / 256 }, (_, k) => 256 * (k + 1)),
      );
    }
    expect(existsSync(join(alone, 'snapshots'))).toBe(false);
  });

  it('runs the schedule of the best again on new seeds', () => {
    const [, number] = /Best: trial (\d+)/.exec(report(alone)) ?? [];
    if (existsSync(join(alone, 'schedule.json'))) {
      const schedule = json(alone, 'schedule.json') as { untilSteps: number; values: object }[];
      const { history, training } = json(alone, 'final', `trial-${number}`, 'seed-0', 'config.json');
      expect(history.map(({ iteration }: { iteration: number }) => iteration * 256)).toEqual(
        schedule.slice(0, -1).map(({ untilSteps }) => untilSteps),
      );
      expect(schedule[0].values).not.toEqual(schedule.at(-1)?.values);
      expect(training).toMatchObject(schedule.at(-1)?.values as object);
    } else expect(json(alone, 'best.json').stopping.stopSteps).toBe(1024);
  });

  it('is the same study with three at a time, killed while clones run, and resumed', async () => {
    const killed = join(folder, 'killed');
    const journal = join(killed, 'journal.log');
    for (const numClones of [1, 2]) {
      const args =
        numClones === 1 ? [...STUDY, '--parallel', '3', '--out', killed] : ['tune', '--resume', killed];
      const driver = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { stdio: 'ignore' });
      const count = () =>
        existsSync(journal) ? readFileSync(journal, 'utf8').split('operant:clone').length - 1 : 0;
      while (count() < numClones && driver.exitCode === null) await sleep(10);
      driver.kill('SIGKILL');
      await new Promise((resolve) => driver.once('exit', resolve));
    }
    const resumed = await operant('tune', '--resume', killed, '--parallel', '2', '--quiet');
    expect([resumed.exitCode, resumed.stderr]).toEqual([0, '']);
    expect(report(killed)).toBe(report(alone));
    const changes = (study: string) => cloneFolders(study).map((folder) => json(folder, 'cloned-from.json'));
    expect(changes(killed)).toEqual(changes(alone));
  }, 600_000);

  it('keeps its population', async () => {
    const more = await operant('tune', '--resume', alone, '--num-trials', '5');
    expect([more.exitCode, more.stderr]).toEqual([2, expect.stringMatching(/population of pbt is fixed/)]);
  });
});
