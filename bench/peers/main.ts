/**
 * `npm run bench:peers`: Operant and its peers side by side, on this machine, in one run.
 *
 *     npm run bench:peers -- [--only 1,5] [--seeds 5] [--peers sb3,cleanrl] [--smoke] [--out DIR] [--cache DIR]
 *                            [--python PATH] [--torch-index URL] [--rltools DIR] [--reinstall] [--report]
 *                            [--purpose full|timing|learning]
 *
 * `--seeds 5`: the rounds of seeds 0 to 4, of every workload; `--seeds 3,4`: those of these. Runs of one round are interleaved, and each round begins with another contestant. Results are kept in DIR/peers.json by
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
import { type Entry, entriesFor, shorten } from './entries.ts';
import { drawGrowth } from './growth.ts';
import { defaultCache, type Prepared, prepare } from './prepare.ts';
import { peersReport } from './report.ts';
import { changeResults, keepRecord, PURPOSES, readResults } from './results.ts';
import { onOneCore, runTask } from './run-task.ts';
import type { Answer } from './task.ts';
import { TUNED, tuneBlas, tuneThreads } from './tune-threads.ts';
import { WORKLOADS } from './workloads.ts';

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
if (workloads.length === 0)
  throw new Error(`--only ${flags.only}: there are workloads 1 to ${WORKLOADS.length}.`);
for (const name of chosen ?? [])
  if (!CONTESTANTS.some((contestant) => contestant.name === name))
    throw new Error(
      `--peers: ${name} is none of ${CONTESTANTS.map((contestant) => contestant.name).join(', ')}.`,
    );
/** All that the chosen workloads may run. */
const candidates = workloads.flatMap(({ round }) => round(0));
const takesPart = (name: ContestantName): boolean =>
  (chosen?.has(name) ?? true) && (only === null || candidates.some(({ contestant }) => contestant === name));
const seeds = flags.seeds.includes(',')
  ? flags.seeds.split(',').map(Number)
  : Array.from({ length: Number(flags.seeds) }, (_, seed) => seed);

function fail(): never {
  throw new Error(`--purpose must be one of ${PURPOSES.join(', ')}; ${flags.purpose} was given.`);
}

function isPresent(name: ContestantName, prepared: ReadonlyMap<string, Prepared>): boolean {
  const needs = CONTESTANTS.find((contestant) => contestant.name === name)?.needs ?? null;
  return takesPart(name) && (needs === null || prepared.get(needs)?.problem === null);
}

/** Installs who takes part, and keeps what they are. */
function prepareAll(): ReadonlyMap<string, Prepared> {
  const wanted = new Set(
    CONTESTANTS.filter(({ name }) => takesPart(name)).flatMap(({ needs }) => needs ?? []),
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
    const isOnPolicy = candidates.some(
      ({ contestant, task }) => contestant === name && task.kind !== 'off-policy',
    );
    if (!isOnPolicy || !isPresent(name, prepared) || readResults(resultsPath).threads[name] !== undefined)
      continue;
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

/** Learning runs share the machine, so they keep to one thread; off-policy workloads have everyone on one core and on all. */
function threadsOf({ contestant, task, isOneCore, numThreads }: Entry): number {
  if (purpose === 'learning' || isOneCore) return 1;
  if (numThreads !== undefined) return numThreads;
  if (task.kind === 'off-policy') return cpus().length;
  return readResults(resultsPath).threads[contestant]?.chosen ?? cpus().length;
}

const blasCore = () => readResults(resultsPath).blas?.chosen ?? '';

async function runEntry(
  workload: number,
  entry: Entry,
  seed: number,
  prepared: ReadonlyMap<string, Prepared>,
): Promise<void> {
  const { contestant, variant, task, limitSeconds, isOneCore = false } = entry;
  const free = commandOf(contestant, prepared, threadsOf(entry), seed, blasCore(), task);
  const command = isOneCore ? onOneCore(free) : free;
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
  for (const { id, title, round } of workloads) {
    say(`Workload ${id}: ${title}`);
    const why = whyNothingRuns(round(0), prepared);
    if (why !== null) {
      say(`  nothing runs: ${why}`);
      continue;
    }
    for (const seed of seeds) {
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

/** Who could run it at all, and who of them is not here; null where somebody runs. */
function whyNothingRuns(entries: readonly Entry[], prepared: ReadonlyMap<string, Prepared>): string | null {
  const wanted = entriesFor(purpose, entries);
  if (wanted.length === 0)
    return `it has nothing for --purpose ${purpose}, which is for returns; its time is measured by timing and full.`;
  const names = new Set(wanted.map(({ contestant }) => contestant));
  const absent = [...names].filter((name) => !isPresent(name, prepared));
  for (const name of absent) {
    const problem = chosen?.has(name) === false ? 'not among --peers' : problemOf(name, prepared);
    say(`  without ${titleOf(name)}: ${problem}`);
  }
  return absent.length === names.size ? 'none of its contestants is here.' : null;
}

const problemOf = (name: ContestantName, prepared: ReadonlyMap<string, Prepared>): string => {
  const needs = CONTESTANTS.find((contestant) => contestant.name === name)?.needs ?? '';
  return prepared.get(needs)?.problem ?? 'not installed';
};

async function profile(workload: number): Promise<void> {
  const costs = await measureCosts(workload, flags.smoke);
  if (costs === null) return;
  changeResults(resultsPath, (results) => {
    results.costs[workload] = costs;
  });
}

mkdirSync(flags.out, { recursive: true });
if (!flags.report) await measure();
const results = readResults(resultsPath);
const report = peersReport(results);
writeFileSync(join(flags.out, 'peers.md'), report);
const growth = drawGrowth(results.records);
if (growth !== null) writeFileSync(join(flags.out, 'peers-growth.svg'), growth);
process.stdout.write(report);
