/**
 * `npm run bench:peers`: Operant and its peers side by side, on this machine, in one run.
 *
 *     npm run bench:peers -- [--only 1,5] [--seeds 5] [--peers sb3,cleanrl] [--smoke] [--out DIR] [--cache DIR]
 *                            [--python PATH] [--torch-index URL] [--rltools DIR] [--reinstall] [--report]
 *                            [--purpose full|timing|learning]
 *
 * Runs of one round are interleaved, and each round begins with another contestant. Results are kept in DIR/peers.json by
 * workload, contestant, seed and purpose, so parts can be run again; `--report` writes the report from what is there. A round for
 * `learning` gives returns and may run on a busy machine; one for `timing` gives speed, and stops long runs early.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { buildOurs, CONTESTANTS, type ContestantName, commandOf, titleOf } from './contestants.ts';
import { measureCosts } from './costs.ts';
import { defaultCache, type Prepared, prepare } from './prepare.ts';
import { peersReport } from './report.ts';
import { changeResults, keepRecord, PURPOSES, readResults } from './results.ts';
import { runTask } from './run-task.ts';
import type { Answer } from './task.ts';
import { TUNED, tuneBlas, tuneThreads } from './tune-threads.ts';
import { type Entry, entriesFor, shorten, WORKLOADS } from './workloads.ts';

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
    purpose: { type: 'string', default: 'full' },
  },
});

const say = (text: string) => process.stderr.write(`${text}\n`);
const purpose = PURPOSES.find((known) => known === flags.purpose) ?? fail();
const resultsPath = join(flags.out, 'peers.json');
const only = flags.only === undefined ? null : new Set(flags.only.split(',').map(Number));
const chosen = flags.peers === undefined ? null : new Set(flags.peers.split(','));
const workloads = WORKLOADS.filter(({ id }) => only === null || only.has(id));
const seeds = flags.seeds.includes(',')
  ? flags.seeds.split(',').map(Number)
  : Array.from({ length: Number(flags.seeds) }, (_, seed) => seed);

function fail(): never {
  throw new Error(`--purpose must be one of ${PURPOSES.join(', ')}; ${flags.purpose} was given.`);
}

function isPresent(name: ContestantName, prepared: ReadonlyMap<string, Prepared>): boolean {
  const needs = CONTESTANTS.find((contestant) => contestant.name === name)?.needs ?? null;
  return (chosen?.has(name) ?? true) && (needs === null || prepared.get(needs)?.problem === null);
}

/** Installs who takes part, and keeps what they are. */
function prepareAll(): ReadonlyMap<string, Prepared> {
  const wanted = new Set(
    CONTESTANTS.filter(({ name }) => chosen?.has(name) ?? true).flatMap(({ needs }) => needs ?? []),
  );
  const { cache, reinstall, python = null, rltools = null } = flags;
  const torchIndex = flags['torch-index'] ?? null;
  const prepared = prepare({ cache, reinstall, python, rltools, torchIndex }, wanted);
  const told = [...prepared].map(([needs, { versions, problem }]) => ({
    title: CONTESTANTS.filter((contestant) => contestant.needs === needs)
      .map(({ title }) => title)
      .join(', '),
    versions,
    problem,
  }));
  changeResults(resultsPath, (results) => {
    const others = results.peers.filter(({ title }) => !told.some((other) => other.title === title));
    results.peers = [...others, ...told];
    if (purpose !== 'learning') results.machine = describeMachine();
  });
  return prepared;
}

async function tuneAll(prepared: ReadonlyMap<string, Prepared>): Promise<void> {
  if (purpose === 'learning') return;
  for (const name of TUNED) {
    if (!isPresent(name, prepared) || readResults(resultsPath).threads[name] !== undefined) continue;
    const tuned = await tuneThreads(name, prepared, flags.smoke ? 2048 : undefined);
    changeResults(resultsPath, ({ threads }) => {
      threads[name] = tuned;
    });
    say(`${titleOf(name)}: ${tuned.chosen} thread(s) ${JSON.stringify(tuned.stepsPerSecond)}`);
  }
  if (flags.smoke || !isPresent('rltools-1', prepared) || readResults(resultsPath).blas !== undefined) return;
  const blas = await tuneBlas(prepared);
  changeResults(resultsPath, (results) => {
    results.blas = blas;
  });
  say(`RLtools' OpenBLAS: ${blas.chosen} ${JSON.stringify(blas.stepsPerSecond)}`);
}

/** Learning runs share the machine, so they keep to one thread. */
function threadsOf(name: ContestantName): number {
  if (purpose === 'learning') return 1;
  return readResults(resultsPath).threads[name]?.chosen ?? cpus().length;
}

const blasCore = () => readResults(resultsPath).blas?.chosen ?? '';

async function runEntry(
  workload: number,
  { contestant, variant, task, limitSeconds }: Entry,
  seed: number,
  prepared: ReadonlyMap<string, Prepared>,
): Promise<void> {
  const command = commandOf(contestant, prepared, threadsOf(contestant), seed, blasCore(), task.kind);
  const { commit, cpu } = describeMachine();
  const run = await runTask(command, task, limitSeconds * 1000);
  changeResults(resultsPath, (results) =>
    keepRecord(results, { workload, contestant, variant, seed, purpose, commit, cpu, ...run }),
  );
  const name = `${titleOf(contestant)}${variant === '' ? '' : `, ${variant}`}`;
  const circumstances = `${run.wallSeconds.toFixed(1)} s, load ${run.load}`;
  say(`  ${workload} seed ${seed} ${name}: ${summary(run.answer)} (${circumstances})`);
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
  const prepared = prepareAll();
  if (isPresent('operant', prepared)) await buildOurs();
  await tuneAll(prepared);
  for (const { id, title, round, maxRounds } of workloads) {
    say(`Workload ${id}: ${title}`);
    for (const seed of seeds.slice(0, maxRounds)) {
      const entries = entriesFor(purpose, round(seed)).filter(({ contestant }) =>
        isPresent(contestant, prepared),
      );
      const first = entries.length === 0 ? 0 : seed % entries.length;
      for (const entry of [...entries.slice(first), ...entries.slice(0, first)])
        await runEntry(id, flags.smoke ? shorten(entry) : entry, seed, prepared);
    }
    if (purpose !== 'learning' && isPresent('operant', prepared)) await profile(id);
  }
}

async function profile(workload: number): Promise<void> {
  const costs = await measureCosts(workload, flags.smoke);
  if (costs === null) return;
  changeResults(resultsPath, (results) => {
    results.costs[workload] = costs;
  });
}

mkdirSync(flags.out, { recursive: true });
if (!flags.report) await measure();
const report = peersReport(readResults(resultsPath));
writeFileSync(join(flags.out, 'peers.md'), report);
process.stdout.write(report);
