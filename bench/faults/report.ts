/** The counted faults as a page. */
import { load, type Machine, machineLine } from '../machine.ts';
import { median } from '../statistics.ts';
import type { DrillReport } from './drills.ts';
import type { KillReport } from './kill-and-resume.ts';
import type { ParserReport } from './parsers.ts';
import type { DeathReport, Fault } from './worker-deaths.ts';

/** `signal`: which one, and of which run where that is not the plain one. */
export type SignalReport = KillReport & { readonly signal: string };

export interface FaultCounts {
  readonly parsers: readonly ParserReport[];
  readonly kills: readonly SignalReport[];
  readonly deaths: readonly DeathReport[];
  /** The same with time enough in between for another thread to be ready. */
  readonly paused: DeathReport | null;
  /** Tried once. */
  readonly drills: readonly DrillReport[];
}

const PLACES: Readonly<Record<Fault['place'], string>> = {
  reset: 'reset',
  step: 'step',
  sampling: 'sampling',
  learning: 'gradient barrier',
  evaluation: 'evaluation',
};

const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string[] => [
  row(...head),
  row(...head.map(() => '---')),
  ...rows,
  '',
];

export function problemsOf({ parsers, kills, deaths, paused, drills }: FaultCounts): string[] {
  const all = paused === null ? deaths : [...deaths, paused];
  const missing = all.flatMap(({ fault, numInjected, numExact }) =>
    numExact === numInjected ? [] : [`${fault.kind} at ${fault.place}: ${numExact} of ${numInjected} exact`],
  );
  return [...parsers, ...kills, ...all, ...drills].flatMap(({ problems }) => problems).concat(missing);
}

function parserTable(parsers: readonly ParserReport[]): string[] {
  return table(
    ['parser', 'inputs', 'accepted', 'anything but a typed error', 'slowest'],
    parsers.map(({ parser, numInputs, numAccepted, problems, slowestMs }) =>
      row(parser, numInputs, numAccepted, problems.length, `${slowestMs.toFixed(1)} ms`),
    ),
  );
}

function killTable(kills: FaultCounts['kills']): string[] {
  return table(
    [
      'signal',
      'sent',
      'inside a save',
      'before training began',
      'newest checkpoint whole and equal to the undisturbed run',
      'iterations, trained twice',
    ],
    kills.map((kill) =>
      row(
        kill.signal,
        kill.numKills,
        kill.numInsideSave,
        kill.numDuringStart,
        `${kill.numExact} of ${kill.numKills}`,
        `${kill.numIterations}, ${kill.numIterationsRepeated}`,
      ),
    ),
  );
}

function drillTable(drills: FaultCounts['drills']): string[] {
  return table(
    ['drill', 'tried', 'held'],
    drills.map(({ drill, numTried, numHeld }) => row(drill, numTried, numHeld)),
  );
}

function deathTable(deaths: readonly DeathReport[]): string[] {
  return table(
    [
      'fault',
      'place',
      'injected',
      'worker replaced',
      'environment restarted alone',
      'same weights, environments, episodes',
      'to full strength: median',
      'worst',
    ],
    deaths.map(({ fault, numInjected, numReplaced, numRestarted, numExact, recoverySeconds }) => {
      const [middle, worst] =
        recoverySeconds.length === 0 ? [] : [median(recoverySeconds), Math.max(...recoverySeconds)];
      const seconds = (value: number | undefined) => (value === undefined ? '-' : `${value.toFixed(2)} s`);
      const counts = [numInjected, numReplaced, numRestarted, `${numExact} of ${numInjected}`];
      return row(fault.kind, PLACES[fault.place], ...counts, seconds(middle), seconds(worst));
    }),
  );
}

export interface Progress {
  readonly round: number;
  readonly numRounds: number;
  readonly minutes: number;
  readonly loadBefore: number;
}

export function faultsPage(
  counts: FaultCounts,
  machine: Machine,
  { round, numRounds, minutes, loadBefore }: Progress,
): string {
  const problems = problemsOf(counts);
  return [
    '# What a run survives, counted',
    '',
    `\`npm run bench:faults\`, compiled package. ${machineLine(machine)}. Load ${loadBefore} before, ${load()} after; ${minutes.toFixed(0)} min${round < numRounds ? `, ended after ${round} of ${numRounds} rounds` : ''}.`,
    '',
    problems.length === 0 ? 'Nothing was lost.' : `**${problems.length} problems**:`,
    ...problems.slice(0, 50).map((problem) => `- ${problem}`),
    '',
    '## The process is killed',
    '',
    'Real training from the command line, a checkpoint each iteration, killed at random moments and resumed. SIGSEGV and SIGABRT are how',
    'a crash in native code ends a process: it takes the main thread along, so no worker can be replaced, and the run is resumed.',
    '',
    ...killTable(counts.kills),
    '## A worker or an environment is lost',
    '',
    'One fault an iteration, two workers; after each one everything is compared with a run that nothing happened to. `terminate` ends the',
    'thread from outside, as a crash would. At the gradient barrier no code of an environment runs, so that is the only way to be lost there.',
    'Time to full strength begins when the loss is noticed: at once, or for a hang after its deadline.',
    '',
    ...deathTable(counts.deaths),
    ...(counts.paused === null
      ? []
      : [
          'With three seconds between losses, so that a thread stands by each time but the first of a round:',
          '',
          ...deathTable([counts.paused]),
        ]),
    '## Drills',
    '',
    'Tried from outside, once each: what somebody does who wants to break a run.',
    '',
    ...drillTable(counts.drills),
    '## Parsers',
    '',
    ...parserTable(counts.parsers),
  ].join('\n');
}
