/**
 * What a run survives, counted: SIGKILLs and crashes, lost workers of every kind at every place, damaged files, wrong configs, and
 * drills from outside (parallel runs, forged locks, lost terminals and outputs, other containers, special files).
 *
 *     npm run bench:faults -- [--kills 200] [--replay-kills 200] [--memory-kills 200] [--league-kills 200] [--crashes 100] [--deaths 100] [--inputs 100000]
 *                             [--configs 10000] [--rounds 10] [--minutes 120] [--only kills,deaths,parsers,drills] [--seed 1]
 *
 * Builds the package and tries that, an equal share of everything in each round. Unless something is left out, every round writes
 * bench/results/faults.md anew. The exit status is 1 when anything was lost or differs from an undisturbed run, or was not tried
 * for lack of time.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCampaign } from './faults/campaign.ts';
import { faultsPage, problemsOf } from './faults/report.ts';
import { compiledSubject } from './faults/subject.ts';
import { describeMachine, load } from './machine.ts';

const ALL = 'kills,deaths,parsers,drills';
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    'replay-kills': { type: 'string', default: '200' },
    'memory-kills': { type: 'string', default: '200' },
    'league-kills': { type: 'string', default: '200' },
    crashes: { type: 'string', default: '100' },
    deaths: { type: 'string', default: '100' },
    inputs: { type: 'string', default: '100000' },
    configs: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '10' },
    minutes: { type: 'string', default: '120' },
    only: { type: 'string', default: ALL },
    seed: { type: 'string', default: '1' },
  },
});
const numRounds = Number(values.rounds);
const machine = describeMachine();
const loadBefore = load();
const begin = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'operant-faults-'));
let numDone = 0;
try {
  const counts = await runCampaign({
    size: {
      kills: Number(values.kills),
      replayKills: Number(values['replay-kills']),
      memoryKills: Number(values['memory-kills']),
      leagueKills: Number(values['league-kills']),
      crashes: Number(values.crashes),
      deaths: Number(values.deaths),
      inputs: Number(values.inputs),
      configs: Number(values.configs),
    },
    parts: values.only.split(','),
    numRounds,
    seed: Number(values.seed),
    subject: await compiledSubject(folder),
    folder,
    maxMinutes: Number(values.minutes),
    onRound(soFar, round) {
      numDone = round;
      const progress = { round, numRounds, minutes: (performance.now() - begin) / 60_000, loadBefore };
      const page = faultsPage(soFar, machine, progress);
      console.log(page);
      if (values.only === ALL) writeFileSync(new URL('./results/faults.md', import.meta.url), page);
    },
  });
  const problems = problemsOf(counts);
  for (const problem of problems) console.log(`PROBLEM ${problem}`);
  process.exitCode = problems.length === 0 && numDone === numRounds ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
