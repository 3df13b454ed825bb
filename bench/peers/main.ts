/**
 * `npm run bench:peers`: Operant and its peers side by side, on this machine, in one run.
 *
 *     npm run bench:peers -- [--only 1,5] [--seeds 5] [--peers sb3,cleanrl] [--smoke] [--out DIR] [--cache DIR]
 *                            [--python PATH] [--torch-index URL] [--rltools DIR] [--reinstall] [--report]
 *
 * Runs of one round are interleaved, and each round begins with another contestant. Results are kept by workload in
 * DIR/peers.json, so parts can be run again; `--report` writes the report from what is there.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { buildOurs, CONTESTANTS, type ContestantName, commandOf, titleOf } from './contestants.ts';
import { defaultCache, type Prepared, prepare } from './prepare.ts';
import { peersReport } from './report.ts';
import type { Results, RunRecord } from './results.ts';
import { runTask } from './run-task.ts';
import { CARTPOLE_ZOO } from './settings.ts';
import type { Answer } from './task.ts';
import { type Entry, shorten, WORKLOADS } from './workloads.ts';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    peers: { type: 'string' },
    smoke: { type: 'boolean', default: false },
    out: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
    cache: { type: 'string', default: defaultCache() },
    python: { type: 'string' },
    'torch-index': { type: 'string' },
    rltools: { type: 'string' },
    reinstall: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stderr.write(`${text}\n`);
const resultsPath = join(flags.out, 'peers.json');
const only = flags.only === undefined ? null : new Set(flags.only.split(',').map(Number));
const chosen = flags.peers === undefined ? null : new Set(['operant', ...flags.peers.split(',')]);
const workloads = WORKLOADS.filter(({ id }) => only === null || only.has(id));

function readResults(): Results {
  const fresh: Results = { machine: describeMachine(), peers: [], threads: {}, records: [] };
  if (!existsSync(resultsPath)) return fresh;
  return { ...(JSON.parse(readFileSync(resultsPath, 'utf8')) as Results), machine: fresh.machine };
}

/** Threads that each PyTorch contestant is fastest with, on a short run of workload 1. */
async function tuneThreads(results: Results, prepared: ReadonlyMap<string, Prepared>): Promise<void> {
  const counts = [...new Set([1, cpus().length])];
  for (const name of ['sb3', 'sbx', 'cleanrl'] as const) {
    if (!isPresent(name, prepared) || results.threads[name] !== undefined) continue;
    const stepsPerSecond: { [count: string]: number } = {};
    for (const count of counts) {
      const steps = flags.smoke ? 2048 : 20_000;
      const valueClipRange = name === 'cleanrl' ? 0.2 : null;
      const settings = { ...CARTPOLE_ZOO, valueClipRange };
      const task = { kind: 'train', settings, steps, seed: 0, evaluate: false, evaluationSeed: 0 } as const;
      const { answer } = await runTask(commandOf(name, prepared, count, 0), task, 300_000);
      stepsPerSecond[count] = Math.round((answer.envSteps ?? 0) / (answer.seconds ?? Infinity));
    }
    const best = counts.toSorted((a, b) => stepsPerSecond[b] - stepsPerSecond[a])[0];
    results.threads[name] = { chosen: best, stepsPerSecond };
    say(`${titleOf(name)}: ${best} thread(s) ${JSON.stringify(stepsPerSecond)}`);
  }
}

function isPresent(name: ContestantName, prepared: ReadonlyMap<string, Prepared>): boolean {
  const needs = CONTESTANTS.find((contestant) => contestant.name === name)?.needs ?? null;
  return (chosen?.has(name) ?? true) && (needs === null || prepared.get(needs)?.problem === null);
}

async function runEntry(
  id: number,
  entry: Entry,
  seed: number,
  results: Results,
  prepared: ReadonlyMap<string, Prepared>,
) {
  const { contestant, variant } = entry;
  const numThreads = results.threads[contestant]?.chosen ?? cpus().length;
  const command = commandOf(contestant, prepared, numThreads, seed);
  const run = await runTask(command, entry.task, entry.limitSeconds * 1000);
  const record: RunRecord = { workload: id, contestant, variant, seed, ...run };
  const isSame = (other: RunRecord) =>
    other.workload === id &&
    other.contestant === contestant &&
    other.variant === variant &&
    other.seed === seed;
  results.records = [...results.records.filter((other) => !isSame(other)), record];
  writeFileSync(resultsPath, `${JSON.stringify(results)}\n`);
  say(
    `  ${id} seed ${seed} ${titleOf(contestant)} ${variant}: ${summary(run.answer)} (${run.wallSeconds.toFixed(1)} s, load ${run.load})`,
  );
}

function summary({ error, envSteps, seconds, solved }: Answer): string {
  if (error !== undefined) return error;
  if (solved !== undefined)
    return `${solved ? 'solved' : 'not solved'} in ${seconds?.toFixed(2)} s, ${envSteps} steps`;
  return envSteps === undefined || seconds === undefined
    ? 'done'
    : `${Math.round(envSteps / seconds)} steps/s`;
}

async function measure(): Promise<void> {
  const wanted = new Set(
    CONTESTANTS.filter(({ name }) => chosen?.has(name) ?? true).flatMap(({ needs }) => needs ?? []),
  );
  const { cache, reinstall, python = null, rltools = null } = flags;
  const torchIndex = flags['torch-index'] ?? null;
  const prepared = prepare({ cache, reinstall, python, rltools, torchIndex }, wanted);
  const results = readResults();
  const told = [...prepared].map(([needs, { versions, problem }]) => ({
    title: CONTESTANTS.filter((contestant) => contestant.needs === needs)
      .map(({ title }) => title)
      .join(', '),
    versions,
    problem,
  }));
  results.peers = [
    ...results.peers.filter(({ title }) => !told.some((other) => other.title === title)),
    ...told,
  ];
  await buildOurs();
  await tuneThreads(results, prepared);
  for (const { id, title, round, maxRounds } of workloads) {
    say(`Workload ${id}: ${title}`);
    for (let seed = 0; seed < Math.min(Number(flags.seeds), maxRounds); seed += 1) {
      const entries = round(seed).filter(({ contestant }) => isPresent(contestant, prepared));
      const first = seed % entries.length;
      for (const entry of [...entries.slice(first), ...entries.slice(0, first)])
        await runEntry(id, flags.smoke ? shorten(entry) : entry, seed, results, prepared);
    }
  }
}

mkdirSync(flags.out, { recursive: true });
if (!flags.report) await measure();
const report = peersReport(readResults());
writeFileSync(join(flags.out, 'peers.md'), report);
process.stdout.write(report);
