/** The schedulers that there are, and which settings of a study each looks at. */
import { conflict, type Problem } from '../../config/problems.ts';
import type { Space } from '../../config/search-space.ts';
import type { Accepts } from '../searchers/searcher.ts';
import { createAsha, createPromotingAsha } from './asha.ts';
import { createHyperband } from './hyperband.ts';
import { createMedianStopping } from './median.ts';
import { createPbt } from './pbt.ts';
import { runAll, type Scheduler, stopByRule } from './scheduler.ts';

export const SCHEDULERS = ['asha', 'asha-promote', 'hyperband', 'median', 'pbt', 'none'] as const;
export type SchedulerName = (typeof SCHEDULERS)[number];

/** What schedulers look at. */
export interface SchedulerSettings {
  readonly scheduler: SchedulerName;
  readonly space: Space;
  readonly searcher: string;
  readonly numTrials: number;
  readonly trialSteps: number;
  readonly gracePeriod: number;
  readonly reductionFactor: number;
  readonly perturbationInterval: number;
  readonly quantile: number;
  readonly resampleProbability: number;
  readonly seed: number;
}

export function schedulerOf(settings: SchedulerSettings, accepts?: Accepts): Scheduler {
  const options = { ...settings, accepts, numSteps: settings.trialSteps };
  const create: Readonly<Record<SchedulerName, () => Scheduler>> = {
    asha: () => stopByRule(createAsha(options)),
    'asha-promote': () => createPromotingAsha(options),
    hyperband: () => createHyperband(options),
    median: () => stopByRule(createMedianStopping({ ...options, numParts: 10 })),
    pbt: () => createPbt(options),
    none: () => runAll,
  };
  return create[settings.scheduler]();
}

/** Settings that only some schedulers look at. */
const READ_BY: Readonly<Record<string, readonly SchedulerName[]>> = {
  gracePeriod: ['asha', 'asha-promote', 'hyperband', 'median'],
  reductionFactor: ['asha', 'asha-promote', 'hyperband'],
  perturbationInterval: ['pbt'],
  quantile: ['pbt'],
  resampleProbability: ['pbt'],
  suggestionLag: ['asha', 'asha-promote', 'hyperband', 'median', 'none'],
};

/** Of what was given, what the scheduler would not look at. */
export function inertProblems(
  given: Readonly<Partial<Record<string, unknown>>>,
  scheduler: SchedulerName,
): Problem[] {
  return Object.entries(READ_BY)
    .filter(([name, readers]) => given[name] !== undefined && !readers.includes(scheduler))
    .map(([name, readers]) => {
      const list = [readers.slice(0, -1).join(', '), readers.at(-1)].filter(Boolean).join(' and ');
      return conflict(
        `\`${name}\` is an option of ${list}, and the scheduler is ${scheduler}: leave it out.`,
      );
    });
}

/** What does not go together, each setting being in its own bounds. */
export function schedulerProblems(settings: SchedulerSettings): Problem[] {
  const { scheduler, trialSteps, gracePeriod, perturbationInterval, searcher, numTrials } = settings;
  const problems: Problem[] = [];
  const isRead = (name: string) => READ_BY[name].includes(scheduler);
  if (trialSteps > 1 && isRead('gracePeriod') && gracePeriod >= trialSteps)
    problems.push(
      conflict(
        `\`gracePeriod\` (${gracePeriod}) is not below \`trialSteps\` (${trialSteps}), so ${scheduler} would never stop a trial: give less.`,
      ),
    );
  if (scheduler !== 'pbt') return problems;
  if (perturbationInterval >= trialSteps)
    problems.push(
      conflict(
        `\`perturbationInterval\` (${perturbationInterval}) is not below \`trialSteps\` (${trialSteps}), so pbt would never change a trial: give less.`,
      ),
    );
  if (searcher === 'tpe')
    problems.push(
      conflict(
        'The searcher of pbt only says how the population begins, before anything is known, so tpe would be random: say random, sobol or grid.',
      ),
    );
  if (numTrials < 2)
    problems.push(conflict('`numTrials` is the population of pbt: expected 2 at least, got 1.'));
  return problems;
}
