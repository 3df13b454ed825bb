/** Kills of studies: drivers and trials are killed (SIGKILL) at random moments, the study is resumed until it is done, and compared with an unbroken one. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStream } from '../../src/random/streams.ts';
import type { Section } from './report.ts';

const COMMON = [
  ...['tune', '--env', 'CartPole', '--no-tuned', '--num-envs', '4', '--rollout-length', '64'],
  ...['--minibatch-size', '64', '--num-epochs', '2', '--trial-steps', '2048', '--final-seeds', '1'],
  ...['--space', '{"learningRate":{"logUniform":[1e-5,1e-2]},"entropyCoeff":{"uniform":[0,0.02]}}'],
];
const halving = ['--num-trials', '8', '--grace-period', '256', '--reduction-factor', '2'];
const STUDIES: Readonly<Record<string, readonly string[]>> = {
  asha: ['--scheduler', 'asha', ...halving],
  'asha-promote': ['--scheduler', 'asha-promote', ...halving, '--seeds-per-trial', '2'],
  hyperband: ['--scheduler', 'hyperband', ...halving],
  pbt: ['--scheduler', 'pbt', '--num-trials', '4', '--perturbation-interval', '512'],
};
/** A killed trial is begun again from its checkpoint, however often. */
const RUN = ['--max-retries', '1000', '--quiet'];
const MAX_DELAY_MS = 4_000;
/** Then it may come to its end, so that kills are spread over many studies. */
const MAX_KILLS = 10;

/** @param cli arguments of node that are `operant`. */
export async function killStudies(cli: readonly string[], numKills: number): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-bench-kills-'));
  const stream = openStream(0, 'kills');
  const counts = new Map(
    Object.keys(STUDIES).map((name) => [name, { driver: 0, trial: 0, same: 0, studies: 0 }]),
  );
  try {
    for (const [name, flags] of Object.entries(STUDIES)) {
      const out = join(folder, name);
      spawnSync(process.execPath, [...cli, ...COMMON, ...flags, ...RUN, '--parallel', '2', '--out', out]);
    }
    for (let round = 0, killed = 0; killed < numKills; round++) {
      const [name, flags] = Object.entries(STUDIES)[round % counts.size];
      const count = counts.get(name) as { driver: number; trial: number; same: number; studies: number };
      const out = join(folder, `${name}-${round}`);
      const parallel = ['--parallel', String([1, 2, 4][round % 3])];
      const before = killed;
      for (;;) {
        const isBegun = existsSync(join(out, 'study.json'));
        const args = isBegun ? ['tune', '--resume', out] : [...COMMON, ...flags, '--out', out];
        const driver = spawn(process.execPath, [...cli, ...args, ...RUN, ...parallel], { stdio: 'ignore' });
        const mayHarm = killed < Math.min(numKills, before + MAX_KILLS);
        if (mayHarm && (await harm(driver, stream, count)))
          killed = [...counts.values()].reduce((sum, { driver: a, trial: b }) => sum + a + b, 0);
        if ((await ended(driver)) === 0) break;
      }
      count.studies += 1;
      if (isSame(join(folder, name), out)) count.same += 1;
      process.stderr.write(
        `${name}, round ${round}: ${killed} kills, ${count.same} of ${count.studies} the same\n`,
      );
      rmSync(out, { recursive: true, force: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    title: 'Kills: studies resumed after SIGKILL of driver or trial, beside an unbroken one',
    head: ['scheduler', 'kills of the driver', 'of a trial', 'studies the same, of all'],
    rows: [...counts].map(([name, { driver, trial, same, studies }]) => [
      ...[name, String(driver), String(trial), `${same} of ${studies}`],
    ]),
    note: 'The same: report, values, scores, clones, state of each trial; with 1, 2 and 4 side by side in turn.',
  };
}

/** Kills the driver, or first some of its trials and then the driver. @returns whether anything was killed. */
async function harm(
  driver: ChildProcess,
  stream: ReturnType<typeof openStream>,
  count: { driver: number; trial: number },
): Promise<boolean> {
  let isKilled = false;
  for (let n = stream.integer(3); n >= 0; n--) {
    await sleep(stream.integer(MAX_DELAY_MS));
    if (driver.exitCode !== null) return isKilled;
    const trials = childrenOf(driver.pid as number);
    const target = n === 0 || trials.length === 0 ? null : trials[stream.integer(trials.length)];
    if (target === null) driver.kill('SIGKILL');
    else if (!killed(target)) continue;
    count[target === null ? 'driver' : 'trial'] += 1;
    isKilled = true;
    if (target === null) return true;
  }
  return isKilled;
}

function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false; // it ended by itself
  }
}

/** Linux only. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
        .trim()
        .split(' ')
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    return [];
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', resolve));
}

function isSame(first: string, second: string): boolean {
  const report = (study: string) => readFileSync(join(study, 'report.md'), 'utf8');
  return report(first) === report(second) && journalOf(first) === journalOf(second);
}

/** What happened to each trial, without times, and without the order in which results arrived. */
function journalOf(study: string): string {
  const lines = readFileSync(join(study, 'journal.log'), 'utf8').trimEnd().split('\n');
  let numTrials = 0;
  const told = lines.map((line) => {
    const { worker_id, datetime_start, datetime_complete, study_name, ...event } = JSON.parse(line);
    if (event.op_code === 4) numTrials += 1;
    return JSON.stringify(event.op_code === 4 ? { ...event, trial_id: numTrials - 1 } : event);
  });
  return told.toSorted().join('\n');
}
