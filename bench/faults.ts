/**
 * What a run survives, counted: SIGKILLs and crashes, lost workers of every kind at every place, damaged files, wrong configs.
 *
 *     npm run bench:faults -- [--kills 200] [--crashes 100] [--deaths 100] [--inputs 100000] [--configs 10000] [--only kills,deaths,parsers]
 *
 * Builds the package and tries that. Prints tables and, when nothing is left out, writes bench/results/faults.md; the exit status is
 * 1 when anything was lost or differs from an undisturbed run.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type KillReport, killAndResume } from './faults/kill-and-resume.ts';
import { fuzzParsers, type ParserReport } from './faults/parsers.ts';
import { deathTable, faultsPage, killTable, parserTable, problemsOf } from './faults/report.ts';
import { compiledSubject } from './faults/subject.ts';
import { type DeathReport, FAULTS, injectDeaths } from './faults/worker-deaths.ts';
import { describeMachine, load, machineLine } from './machine.ts';

/** Losses with a thread standing by, which takes a moment to start. */
const NUM_PAUSED = 20;
const PAUSE_MS = 3000;
const ALL = 'kills,deaths,parsers';
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    crashes: { type: 'string', default: '100' },
    deaths: { type: 'string', default: '100' },
    inputs: { type: 'string', default: '100000' },
    configs: { type: 'string', default: '10000' },
    only: { type: 'string', default: ALL },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
const parts = values.only.split(',');
const machine = describeMachine();
const loadBefore = load();
const begin = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'operant-faults-'));
const parsers: ParserReport[] = [];
const kills: (KillReport & { readonly signal: NodeJS.Signals })[] = [];
const deaths: DeathReport[] = [];
let paused: DeathReport | null = null;

function print(lines: readonly string[]): void {
  console.log(lines.join('\n'));
}

try {
  console.log(`${machineLine(machine)}\nload before: ${loadBefore}`);
  const subject = await compiledSubject(folder);
  if (parts.includes('deaths')) {
    for (const fault of FAULTS) {
      deaths.push(await injectDeaths(fault, Number(values.deaths), seed, subject));
      print(deathTable(deaths).slice(deaths.length === 1 ? 0 : -2, -1));
    }
  }
  if (parts.includes('deaths')) {
    const fault = { kind: 'terminate', place: 'sampling' } as const;
    paused = await injectDeaths(fault, Math.min(NUM_PAUSED, Number(values.deaths)), seed, subject, PAUSE_MS);
    print(['', `with ${PAUSE_MS} ms in between:`, ...deathTable([paused])]);
  }
  if (parts.includes('kills')) {
    const planned = [
      ['SIGKILL', values.kills],
      ['SIGSEGV', values.crashes],
      ['SIGABRT', values.crashes],
    ] as const;
    for (const [signal, count] of planned) {
      const report = await killAndResume(join(folder, signal), Number(count), seed, { subject, signal });
      kills.push({ ...report, signal });
      print(killTable(kills).slice(kills.length === 1 ? 0 : -2, -1));
    }
  }
  if (parts.includes('parsers')) {
    parsers.push(...fuzzParsers(Number(values.inputs), Number(values.configs), seed));
    print(parserTable(parsers));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const counts = { parsers, kills, deaths, paused };
const problems = problemsOf(counts);
for (const problem of problems) console.log(`PROBLEM ${problem}`);
console.log(problems.length === 0 ? 'nothing was lost' : `${problems.length} problems`);
if (values.only === ALL) {
  const page = faultsPage(counts, machine, loadBefore, (performance.now() - begin) / 60_000);
  writeFileSync(new URL('./results/faults.md', import.meta.url), page);
}
process.exitCode = problems.length === 0 ? 0 : 1;
