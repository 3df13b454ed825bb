/** The whole campaign in rounds, each with an equal share of everything, so that there are figures for all of it at any time. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runDrills } from './drills.ts';
import { type KillReport, killAndResume } from './kill-and-resume.ts';
import { fuzzParsers, type ParserReport } from './parsers.ts';
import type { FaultCounts, SignalReport } from './report.ts';
import type { Subject } from './subject.ts';
import { type DeathReport, FAULTS, type Fault, injectDeaths } from './worker-deaths.ts';

export interface CampaignSize {
  /** SIGKILLs, and crashes of each kind. */
  readonly kills: number;
  /** SIGKILLs of a run whose checkpoints hold a replay buffer. */
  readonly replayKills: number;
  /** SIGKILLs of a run with a recurrent policy. */
  readonly memoryKills: number;
  /** SIGKILLs of self-play. */
  readonly leagueKills: number;
  readonly crashes: number;
  /** Losses of each kind at each place. */
  readonly deaths: number;
  /** Random inputs to each parser, and random configs. */
  readonly inputs: number;
  readonly configs: number;
}

export interface CampaignOptions {
  readonly size: CampaignSize;
  readonly parts: readonly string[];
  readonly numRounds: number;
  readonly seed: number;
  readonly subject: Subject;
  readonly folder: string;
  /** No round begins after this long. */
  readonly maxMinutes: number;
  readonly onRound: (counts: FaultCounts, round: number) => void;
}

/** Losses with a thread standing by; one is started after the first loss, and takes a moment. */
const PAUSED: Fault = { kind: 'terminate', place: 'sampling' };
const PAUSE_MS = 3000;
const NUM_PAUSED = 20;
/** What the table calls the runs that are killed. */
const SUFFIXES = {
  ppo: '',
  dqn: ', with a replay buffer',
  lstm: ', with a recurrent policy',
  league: ', in mid-league',
} as const;
/** In a round; the first one finds no thread ready. */
const MIN_PAUSED = 2;

export async function runCampaign(options: CampaignOptions): Promise<FaultCounts> {
  const { size, parts, numRounds, seed, subject, folder } = options;
  const end = performance.now() + options.maxMinutes * 60_000;
  let counts: FaultCounts = { parsers: [], kills: [], deaths: [], paused: null, drills: [] };
  for (let round = 0; round < numRounds && performance.now() < end; round++) {
    const share = (total: number) =>
      Math.floor(((round + 1) * total) / numRounds) - Math.floor((round * total) / numRounds);
    const roundSeed = seed * 1000 + round;
    let { parsers, kills, deaths, paused, drills } = counts;
    if (parts.includes('drills') && round === 0) drills = await runDrills(subject, folder);
    if (parts.includes('parsers')) {
      parsers = addEach(parsers, fuzzParsers(share(size.inputs), share(size.configs), roundSeed), addParsers);
    }
    if (parts.includes('deaths')) {
      const reports: DeathReport[] = [];
      for (const fault of FAULTS)
        reports.push(await injectDeaths(fault, share(size.deaths), roundSeed, subject));
      deaths = addEach(deaths, reports, addDeaths);
      const numPaused = Math.max(MIN_PAUSED, share(Math.min(NUM_PAUSED, size.deaths)));
      const more = await injectDeaths(PAUSED, numPaused, roundSeed, subject, PAUSE_MS);
      paused = paused === null ? more : addDeaths(paused, more);
    }
    if (parts.includes('kills')) {
      const reports: SignalReport[] = [];
      for (const { signal, task, total } of [
        { signal: 'SIGKILL', task: 'ppo', total: size.kills },
        { signal: 'SIGKILL', task: 'dqn', total: size.replayKills },
        { signal: 'SIGKILL', task: 'lstm', total: size.memoryKills },
        { signal: 'SIGKILL', task: 'league', total: size.leagueKills },
        { signal: 'SIGSEGV', task: 'ppo', total: size.crashes },
        { signal: 'SIGABRT', task: 'ppo', total: size.crashes },
      ] as const) {
        const run = join(folder, `${signal}-${task}`);
        const options = { subject, signal, task };
        const name = `${signal}${SUFFIXES[task]}`;
        reports.push({ ...(await killAndResume(run, share(total), roundSeed, options)), signal: name });
        rmSync(run, { recursive: true, force: true });
      }
      kills = addEach(kills, reports, addKills);
    }
    counts = { parsers, kills, deaths, paused, drills };
    options.onRound(counts, round + 1);
  }
  return counts;
}

/** Adds the k-th to the k-th. */
function addEach<T>(sums: readonly T[], more: readonly T[], add: (sum: T, one: T) => T): T[] {
  return more.map((one, k) => (k < sums.length ? add(sums[k], one) : one));
}

function addParsers(sum: ParserReport, one: ParserReport): ParserReport {
  return {
    parser: sum.parser,
    numInputs: sum.numInputs + one.numInputs,
    numAccepted: sum.numAccepted + one.numAccepted,
    problems: [...sum.problems, ...one.problems],
    slowestMs: Math.max(sum.slowestMs, one.slowestMs),
  };
}

function addDeaths(sum: DeathReport, one: DeathReport): DeathReport {
  return {
    fault: sum.fault,
    numInjected: sum.numInjected + one.numInjected,
    numReplaced: sum.numReplaced + one.numReplaced,
    numRestarted: sum.numRestarted + one.numRestarted,
    numExact: sum.numExact + one.numExact,
    recoverySeconds: [...sum.recoverySeconds, ...one.recoverySeconds],
    problems: [...sum.problems, ...one.problems],
  };
}

function addKills(sum: SignalReport, one: SignalReport): SignalReport {
  const add = (name: Exclude<keyof KillReport, 'problems'>) => sum[name] + one[name];
  return {
    signal: sum.signal,
    numKills: add('numKills'),
    numExact: add('numExact'),
    numInsideSave: add('numInsideSave'),
    numDuringStart: add('numDuringStart'),
    numIterations: add('numIterations'),
    numIterationsRepeated: add('numIterationsRepeated'),
    problems: [...sum.problems, ...one.problems],
  };
}
