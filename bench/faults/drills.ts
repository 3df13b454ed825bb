/** What is tried once, from outside, as somebody would who wants to break it: each drill says what went wrong, or nothing. */
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { listCheckpoints, loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import type { Subject } from './subject.ts';

export interface DrillReport {
  readonly drill: string;
  readonly numTried: number;
  readonly numHeld: number;
  readonly problems: readonly string[];
}

const SMALL =
  '--env CartPole-v1 --no-tuned --num-envs 4 --rollout-length 32 --num-epochs 1 --minibatch-size 64 --num-env-runners 1';
const FEW = [...SMALL.split(' '), '--stop-iterations', '3'];
const LONG = [...SMALL.split(' '), '--stop-seconds', '60'];
const NUM_PARALLEL = 40;

/** A drill on a folder of its own, which does not exist yet; gives a problem for each time that something did not hold. */
interface Drill {
  readonly name: string;
  readonly isPossible?: () => boolean;
  readonly numTried: number;
  run(subject: Subject, folder: string): Promise<string[]>;
}

interface Ended {
  readonly status: number | null;
  readonly stderr: string;
}

function start(
  { train }: Subject,
  args: readonly string[],
  options: SpawnOptions = {},
  before: readonly string[] = [],
) {
  const [file, ...rest] = [...before, process.execPath, ...train, ...args];
  const child = spawn(file, rest, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  let stderr = '';
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (status) => resolve({ status, stderr }));
  });
  return { child, ended };
}

async function hasRows(folder: string): Promise<void> {
  const log = join(folder, 'progress.jsonl');
  for (let k = 0; k < 1200; k++) {
    if (existsSync(log) && readFileSync(log, 'utf8') !== '') return;
    await sleep(50);
  }
  throw new Error('no iteration within a minute');
}

/** A run folder with a checkpoint, finished. */
async function finishedRun(subject: Subject, folder: string): Promise<void> {
  const { status, stderr } = await start(subject, [...FEW, '--out', folder]).ended;
  if (status !== 0) throw new Error(`training ended with status ${status}: ${stderr}`);
}

async function isSaved(folder: string): Promise<string[]> {
  const problems: string[] = [];
  await loadCheckpoint(folder).catch((error) => problems.push(`nothing was saved: ${error}`));
  if (existsSync(join(folder, 'lock'))) problems.push('the lock was left');
  return problems;
}

const DRILLS: readonly Drill[] = [
  {
    name: 'forty runs without `--out` at once',
    numTried: NUM_PARALLEL,
    async run(subject, folder) {
      const cwd = join(folder, '..');
      const all = await Promise.all(
        Array.from({ length: NUM_PARALLEL }, () => start(subject, FEW, { cwd }).ended),
      );
      const names = readdirSync(join(cwd, 'runs'));
      const problems = all.flatMap(({ status, stderr }) =>
        status === 0 ? [] : [`status ${status}: ${stderr}`],
      );
      if (names.length !== NUM_PARALLEL) problems.push(`${names.length} folders`);
      for (const name of names) {
        if ((await listCheckpoints(join(cwd, 'runs', name, 'checkpoints'))).at(-1) !== '000003')
          problems.push(`${name} has no last checkpoint`);
      }
      return problems;
    },
  },
  {
    name: 'a lock whose token is a path',
    numTried: 1,
    async run(subject, folder) {
      await finishedRun(subject, folder);
      const victim = join(folder, '..', 'victim.txt');
      writeFileSync(victim, 'mine');
      const lock = { token: '/../../victim.txt', pid: 4_194_303, host: hostname(), processStart: null };
      writeFileSync(join(folder, 'lock'), JSON.stringify(lock));
      const { status, stderr } = await start(subject, ['--resume', folder, '--stop-iterations', '4']).ended;
      const isWhole = existsSync(victim) && readFileSync(victim, 'utf8') === 'mine';
      if (!isWhole) return ['the file is gone'];
      return status === 0 ? [] : [`status ${status}: ${stderr}`]; // the lock's process is gone, so it is taken over
    },
  },
  ...(['SIGHUP', 'SIGTERM', 'SIGINT'] as const).map(
    (signal): Drill => ({
      name: signal === 'SIGHUP' ? 'SIGHUP twice, as from a closed terminal' : signal,
      numTried: 1,
      async run(subject, folder) {
        const { child, ended } = start(subject, [...LONG, '--out', folder]);
        await hasRows(folder);
        child.kill(signal);
        if (signal === 'SIGHUP') child.kill(signal);
        const { status, stderr } = await ended;
        return [...(status === 130 ? [] : [`status ${status}: ${stderr}`]), ...(await isSaved(folder))];
      },
    }),
  ),
  {
    name: 'stdout that nobody reads any more (EPIPE)',
    numTried: 1,
    async run(subject, folder) {
      const options: SpawnOptions = { stdio: ['ignore', 'pipe', 'pipe'] };
      const { child, ended } = start(subject, [...LONG, '--json', '--out', folder], options);
      child.stdout?.once('data', () => child.stdout?.destroy());
      const { status, stderr } = await ended;
      return [...(status === 130 ? [] : [`status ${status}: ${stderr}`]), ...(await isSaved(folder))];
    },
  },
  {
    name: 'stderr that nobody reads any more, with `--json`',
    numTried: 1,
    async run(subject, folder) {
      const { child, ended } = start(subject, [...FEW, '--json', '--out', folder]);
      child.stderr?.destroy();
      const { status } = await ended;
      return [...(status === 0 ? [] : [`status ${status}`]), ...(await isSaved(folder))];
    },
  },
  {
    name: 'stdout on a full disk',
    isPossible: () => existsSync('/dev/full'),
    numTried: 1,
    async run(subject, folder) {
      const full = openSync('/dev/full', 'w');
      const options: SpawnOptions = { stdio: ['ignore', full, 'pipe'] };
      const { status, stderr } = await start(subject, [...FEW, '--json', '--out', folder], options).ended;
      closeSync(full);
      return [...(status === 1 ? [] : [`status ${status}: ${stderr}`]), ...(await isSaved(folder))];
    },
  },
  {
    name: 'the same folder from another pid namespace',
    isPossible: () => spawnSync('unshare', ['--fork', '--pid', 'true']).status === 0,
    numTried: 1,
    async run(subject, folder) {
      const first = start(subject, [...LONG, '--out', folder], {}, [
        'unshare',
        '--fork',
        '--pid',
        '--kill-child',
      ]);
      await hasRows(folder);
      const second = await start(subject, ['--resume', folder, '--stop-iterations', '9999']).ended;
      const isRunning = first.child.exitCode === null;
      first.child.kill('SIGKILL');
      await first.ended;
      const problems = second.status === 1 && /in use by process/.test(second.stderr) ? [] : [second.stderr];
      return isRunning ? problems : [...problems, 'the first run ended'];
    },
  },
  {
    name: 'a run whose lock is taken away',
    numTried: 1,
    async run(subject, folder) {
      const { ended } = start(subject, [...LONG, '--out', folder]);
      await hasRows(folder);
      writeFileSync(
        join(folder, 'lock'),
        JSON.stringify({
          token: randomUUID(),
          pid: 1,
          host: 'elsewhere',
          processStart: null,
          pidNamespace: null,
        }),
      );
      // a run that has found a best iteration by now has written it down, rightly
      const before = readdirSync(join(folder, 'checkpoints')).sort();
      const { status, stderr } = await ended;
      const problems =
        status === 1 && /Another process has taken/.test(stderr) ? [] : [`status ${status}: ${stderr}`];
      const after = readdirSync(join(folder, 'checkpoints')).sort();
      return isDeepStrictEqual(before, after) ? problems : [...problems, 'it wrote a checkpoint'];
    },
  },
  {
    name: 'links to devices and to good files in a run folder',
    isPossible: () => process.platform !== 'win32',
    numTried: 10,
    async run(subject, folder) {
      await finishedRun(subject, folder);
      const places = ['latest', 'checkpoints', 'checkpoints/000003', 'checkpoints/000003/manifest.json'];
      places.push('checkpoints/000003/policies/default/weights.safetensors');
      const problems: string[] = [];
      const aside = join(folder, '..', 'aside');
      for (const place of places) {
        renameSync(join(folder, place), aside);
        for (const target of ['/dev/zero', aside]) {
          symlinkSync(target, join(folder, place));
          const { status, stderr } = await start(subject, ['--resume', folder, '--stop-iterations', '3'])
            .ended;
          if (status === 0) problems.push(`${place} -> ${target} was followed`);
          else if (!/^error: /m.test(stderr)) problems.push(`${place} -> ${target}: ${stderr}`);
          rmSync(join(folder, place));
        }
        renameSync(aside, join(folder, place));
      }
      return problems;
    },
  },
];

/** @param folder gets a folder for each drill. */
export async function runDrills(subject: Subject, folder: string): Promise<DrillReport[]> {
  const reports: DrillReport[] = [];
  for (const [k, { name: drill, isPossible = () => true, numTried, run }] of DRILLS.entries()) {
    if (!isPossible()) continue;
    const place = join(folder, `drill-${k}`);
    mkdirSync(place, { recursive: true });
    const problems = await run(subject, join(place, 'run')).catch((error) => [String(error)]);
    const numHeld = Math.max(0, numTried - problems.length);
    reports.push({ drill, numTried, numHeld, problems: problems.map((problem) => `${drill}: ${problem}`) });
    rmSync(place, { recursive: true, force: true });
  }
  return reports;
}
