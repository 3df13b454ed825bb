/** PPO on CartPole with RLlib's tuned settings and two runners, RLlib and ours in turns on the same Ray. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RayCluster } from '../../test/cluster/ray-cluster.ts';
import { load } from '../machine.ts';
import { CARTPOLE_RLLIB } from '../peers/settings.ts';
import { median } from '../statistics.ts';
import { processorMsOf } from './processor-time.ts';

const PYTHON = process.env.OPERANT_RAY_PYTHON ?? 'python3';
const LIMITS = { steps: 600_000, stopReturn: 450, limitSeconds: 400 } as const;

interface Trained {
  readonly reached: boolean;
  readonly sinceStart: number;
  readonly stepsPerSecond: number;
  readonly envSteps: number;
  readonly pids: readonly number[];
}

interface Recovered {
  readonly recovery: number;
  readonly firstIteration: number;
  readonly isBack: boolean;
}

interface Record extends Trained, Recovered {
  readonly megabytes: number;
  readonly processorSeconds: number;
}

const WHO = {
  ours: (task: string) =>
    [
      'node',
      '--import',
      './.ci/typescript.mjs',
      fileURLToPath(new URL('./rllib/ours.ts', import.meta.url)),
      task,
    ] as const,
  RLlib: (task: string) =>
    [PYTHON, fileURLToPath(new URL('./rllib/rllib_runners.py', import.meta.url)), task] as const,
};

/** @returns whether both could be run and each lost runner came back. */
export async function compareWithRllib(cluster: RayCluster, numSeeds: number): Promise<boolean> {
  if (spawnSync(PYTHON, ['-c', 'import torch, ray.rllib']).status !== 0) {
    console.log('rllib: left out, the Python of OPERANT_RAY_PYTHON has no ray[rllib] and torch');
    return true;
  }
  const records: { readonly [who in keyof typeof WHO]: Record[] } = { ours: [], RLlib: [] };
  for (let seed = 0; seed < numSeeds; seed++)
    for (const who of ['ours', 'RLlib'] as const) {
      const task = { address: cluster.address, settings: CARTPOLE_RLLIB, seed, ...LIMITS };
      records[who].push(await measure(WHO[who](JSON.stringify(task))));
    }
  report(records);
  return Object.values(records).every((all) => all.every(({ isBack }) => isBack));
}

async function measure([program, ...args]: readonly string[]): Promise<Record> {
  const child: ChildProcess = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  if (child.stdin === null || child.stdout === null) throw new Error('There are no pipes.');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${program} ended.`);
      if (value.startsWith('{')) return JSON.parse(value) as T;
    }
  };
  const trained = await next<Trained>();
  const megabytes = trained.pids.reduce((sum, pid) => sum + proportionalMegabytes(pid), 0);
  const processorSeconds = processorMsOf(trained.pids) / 1000;
  child.stdin.write('\n');
  const recovered = await next<Recovered>();
  await new Promise((resolve) => {
    child.on('close', resolve);
    child.stdin?.end();
  });
  return { ...trained, ...recovered, megabytes, processorSeconds };
}

/** Pages that several share are shared out. */
function proportionalMegabytes(pid: number): number {
  const [, kilobytes] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

function report(records: { readonly [who: string]: readonly Record[] }): void {
  console.log(
    `| | seeds | reached ${LIMITS.stopReturn} | process start to there | steps to there | steps/s | processor seconds to there | memory of learner and runners | back after a killed runner | load |`,
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const [who, all] of Object.entries(records)) {
    const of = (read: (record: Record) => number, digits: number) => {
      const values = all.map(read);
      const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
      return `${median(values).toFixed(digits)} (${least} to ${most})`;
    };
    const cells = [
      ...[who, all.length, all.filter(({ reached }) => reached).length],
      ...[`${of((each) => each.sinceStart, 1)} s`, of((each) => each.envSteps, 0)],
      ...[of((each) => each.stepsPerSecond, 0), of((each) => each.processorSeconds, 1)],
      ...[`${of((each) => each.megabytes, 0)} MiB`, `${of((each) => each.recovery, 1)} s`, load()],
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
