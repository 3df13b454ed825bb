/**
 * What a scheduler would have made of trials that all ran to their end. A trial that is stopped or goes on is to the bit the one that runs
 * through (test/tune), so its scores on the way are in that one's log, and the scheduler needs no process of its own.
 */
import { join } from 'node:path';
import type { TrialValues } from '../../src/config/search-space.ts';
import { readProgress } from '../../src/metrics/curves/read-progress.ts';
import { type SchedulerSettings, schedulerOf } from '../../src/tune/schedulers/by-name.ts';
import { createStudy } from '../../src/tune/study.ts';
import { bestTrial, type Trial } from '../../src/tune/trial.ts';

const METRIC = 'rollout/episodeReturnMean';

export interface ReplayedStudy {
  /** Null where the scheduler let none come to its end. */
  readonly best: Trial | null;
  /** Of all trials together. */
  readonly numSteps: number;
}

/** @param folder of a study without a scheduler, whose trials had these values. @param settings of the study that is made of it. */
export async function replayStudy(
  folder: string,
  values: readonly TrialValues[],
  settings: SchedulerSettings & { readonly suggestionLag: number },
): Promise<ReplayedStudy> {
  const logs = await Promise.all(values.map((_, number) => readProgress(logFolder(folder, number))));
  const { space, seed, numTrials, trialSteps, suggestionLag } = settings;
  const study = createStudy(
    {
      ...{ space, seed, numTrials, trialSteps, seedsPerTrial: 1, budgetSteps: null },
      searcher: ({ number }) => values[number],
      scheduler: schedulerOf(settings),
      numSlots: suggestionLag + 1,
    },
    () => undefined,
  );
  for (let job = study.nextJob(); job !== null; job = study.nextJob()) {
    const { numSteps } = job;
    const column = logs[job.trial.number].get(METRIC);
    const at = column?.steps.findLastIndex((step) => step <= numSteps) ?? -1;
    if (column === undefined || at < 0) study.fail(job, `no ${METRIC} within ${numSteps} steps`);
    else study.finish(job, column.values[at]);
  }
  const { trials } = study;
  return { best: bestTrial(trials), numSteps: trials.reduce((sum, trial) => sum + trial.numSteps, 0) };
}

const logFolder = (study: string, number: number) =>
  join(study, 'trials', String(number).padStart(4, '0'), 'seed-0');
