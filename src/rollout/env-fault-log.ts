/** Environments that failed and went on: noted in the thread where it happened, counted and bounded in the main thread. */
import type { EnvFault, EnvFaultHandling, EnvFaultOutcome, EnvFaultPolicy } from '../env/env-faults.ts';
import type { EnvSource } from '../env/env-source.ts';
import { EnvError } from '../errors.ts';
import type { EndlessEpisode } from './episode-ledger.ts';
import { type ErrorMessage, fromErrorMessage, toErrorMessage } from './error-message.ts';
import { placeEnvError } from './place-env-error.ts';

/** So many of each outcome are told of in full; the others are counted. */
const MAX_TOLD = 20;

/** Of those that are counted; an observation out of bounds and an episode without an end are told once and not counted. */
type CountedOutcome = Exclude<EnvFaultOutcome, 'out-of-bounds' | 'endless'>;

export type EnvFaultCounts = Readonly<Record<CountedOutcome, number>>;

/** Plain data, since the last report. */
export interface EnvFaultReport {
  readonly counts: EnvFaultCounts;
  readonly first: readonly { readonly error: ErrorMessage; readonly outcome: EnvFaultOutcome }[];
}

export interface EnvFaultLog {
  readonly handling: EnvFaultHandling;
  /** null = nothing happened. */
  take(): EnvFaultReport | null;
}

const noFaults = (): Record<CountedOutcome, number> => ({ repeated: 0, 'new-episode': 0, clipped: 0 });

/** @param firstRow index of this thread's first environment in the whole run. */
export function createEnvFaultLog(policy: EnvFaultPolicy, source: EnvSource, firstRow: number): EnvFaultLog {
  let counts = noFaults();
  let first: { error: ErrorMessage; outcome: EnvFaultOutcome }[] = [];
  return {
    handling: {
      ...policy,
      onFault({ error, outcome }) {
        if (outcome !== 'out-of-bounds' && outcome !== 'endless') {
          counts[outcome] += 1;
          if (counts[outcome] > MAX_TOLD) return;
        }
        first.push({ error: toErrorMessage(placeEnvError(error, source, firstRow)), outcome });
      },
    },
    take() {
      if (first.length === 0) return null;
      const report = { counts, first };
      counts = noFaults();
      first = [];
      return report;
    },
  };
}

export interface EnvFaults {
  readonly counts: EnvFaultCounts;
  /** The first ones of each report. */
  readonly faults: readonly EnvFault[];
}

export interface EnvFaultBook {
  /** @throws EnvError `ENV_RESTARTS` when more environments were restarted within the window than may be. */
  absorb(reports: readonly (EnvFaultReport | null)[]): void;
  /** Tells of an episode that goes on and on. */
  noteEndless(envId: string, episode: EndlessEpisode | null): void;
  /** Since they were taken last. */
  take(): EnvFaults;
}

export interface EnvRestartLimit {
  readonly maxEnvRestarts: number;
  readonly restartWindowMs: number;
}

export function createEnvFaultBook({ maxEnvRestarts, restartWindowMs }: EnvRestartLimit): EnvFaultBook {
  let counts = noFaults();
  let faults: EnvFault[] = [];
  let hasToldOutside = false;
  let spent: { time: number; count: number }[] = [];
  const spend = (count: number, last: Error): void => {
    const now = performance.now();
    spent = [...spent.filter(({ time }) => now - time < restartWindowMs), { time: now, count }];
    const total = spent.reduce((sum, entry) => sum + entry.count, 0);
    if (total <= maxEnvRestarts) return;
    throw new EnvError(
      'ENV_RESTARTS',
      `Environments were restarted ${total} times within ${restartWindowMs / 1000} s, and \`maxEnvRestarts\` is ${maxEnvRestarts}. Mend the environment, or raise \`maxEnvRestarts\`. The last failure: ${last.message}`,
      last instanceof EnvError ? last.place : {},
      { cause: last },
    );
  };
  return {
    absorb(reports) {
      const told = reports.filter((report) => report !== null);
      let numRestarts = 0;
      for (const report of told) {
        for (const outcome of Object.keys(counts) as CountedOutcome[])
          counts[outcome] += report.counts[outcome];
        numRestarts += report.counts.repeated + report.counts['new-episode'];
        for (const { error, outcome } of report.first) {
          // Every thread tells it once; so does the run.
          if (outcome === 'out-of-bounds' && hasToldOutside) continue;
          hasToldOutside ||= outcome === 'out-of-bounds';
          faults.push({ error: fromErrorMessage(error) as EnvError, outcome });
        }
      }
      const last = faults.findLast(({ outcome }) => outcome === 'repeated' || outcome === 'new-episode');
      if (numRestarts > 0 && last !== undefined) spend(numRestarts, last.error);
    },
    noteEndless(envId, episode) {
      if (episode !== null) faults.push({ error: endlessError(envId, episode), outcome: 'endless' });
    },
    take() {
      const taken = { counts, faults };
      counts = noFaults();
      faults = [];
      return taken;
    },
  };
}

function endlessError(envId: string, { row, numSteps, bytes }: EndlessEpisode): EnvError {
  return new EnvError(
    'ENV_ENDLESS_EPISODE',
    `${envId}: the episode of environment ${row} has gone on for ${numSteps} steps. Its actions are kept to repeat it after a resume, here and in ` +
      `every checkpoint, ${(bytes / 2 ** 20).toFixed(0)} MiB so far. Set maxEpisodeSteps, or write getState and setState, which take their place. This is told once`,
    { envId, envIndex: row, episodeStep: numSteps },
  );
}
