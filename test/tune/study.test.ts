/** A study is the same in whatever order its processes end. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAsha } from '../../src/tune/schedulers/asha.ts';
import { createMedianStopping } from '../../src/tune/schedulers/median.ts';
import { runAll } from '../../src/tune/schedulers/scheduler.ts';
import { tpeSearcher } from '../../src/tune/searchers/tpe.ts';
import { uniform } from '../../src/tune/space.ts';
import {
  bestTrial,
  createStudy,
  type Job,
  type Study,
  type StudyEvent,
  type StudyRules,
} from '../../src/tune/study.ts';

const RULES: StudyRules = {
  space: { learningRate: uniform(0, 1) },
  seed: 3,
  searcher: tpeSearcher,
  scheduler: createAsha({ numSteps: 64, gracePeriod: 4, reductionFactor: 2 }),
  numTrials: 24,
  seedsPerTrial: 2,
  trialSteps: 64,
  suggestionLag: 4,
  budgetSteps: null,
};

/** What a run of these values would score; one in nine fails. */
function scoreOf({ trial, seedIndex, numSteps }: Job): number | null {
  if (trial.number % 9 === 5) return null;
  const x = trial.values.learningRate as number;
  return 1 - (x - 0.7) ** 2 + Math.log(numSteps) + 0.01 * seedIndex;
}

/** Runs a study with so many processes, of which the one that `pick` says ends next. */
function runStudy(
  study: Study,
  parallel: number,
  pick: (count: number) => number,
  maxEnds = Number.POSITIVE_INFINITY,
): void {
  const running: Job[] = [];
  for (let n = 0; n < maxEnds; n++) {
    while (running.length < parallel) {
      const job = study.nextJob();
      if (job === null) break;
      running.push(job);
    }
    if (running.length === 0) return;
    const [job] = running.splice(pick(running.length), 1);
    const score = scoreOf(job);
    if (score === null) study.fail(job, 'it fails');
    else study.finish(job, score);
  }
}

const inOrder = () => 0;

function newStudy(rules: StudyRules = RULES) {
  const events: StudyEvent[] = [];
  return { events, study: createStudy(rules, (event) => events.push(event)) };
}

describe('a study', () => {
  const alone = newStudy().study;
  runStudy(alone, 1, inOrder);

  it('ends every trial, stops some, and counts what failed', () => {
    const states = alone.trials.map(({ state }) => state);
    expect(alone.trials).toHaveLength(24);
    expect(new Set(states)).toEqual(new Set(['complete', 'stopped', 'failed']));
    expect(alone.trials.filter(({ state }) => state === 'failed').map(({ number }) => number)).toEqual([
      5, 14, 23,
    ]);
    expect(bestTrial(alone.trials)?.values.learningRate).toBeCloseTo(0.7, 1);
  });

  it.each([
    ['asha', RULES.scheduler],
    ['median', createMedianStopping({ numSteps: 64, gracePeriod: 12, numParts: 10 })],
    ['none', runAll],
  ])('is the same for any number of processes and any order of their ends: %s', (_, scheduler) => {
    const rules = { ...RULES, scheduler };
    const expected = newStudy(rules).study;
    runStudy(expected, 1, inOrder);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.infiniteStream(fc.nat()), (parallel, picks) => {
        const { study } = newStudy(rules);
        runStudy(study, parallel, (count) => (picks.next().value as number) % count);
        expect(study.trials).toEqual(expected.trials);
      }),
      { numRuns: 25 },
    );
  });

  it('is the same when it was cut anywhere and told its events again', () => {
    fc.assert(
      fc.property(fc.nat(90), fc.integer({ min: 1, max: 4 }), (numEnds, parallel) => {
        const { study: first, events } = newStudy();
        runStudy(first, parallel, inOrder, numEnds);
        const { study } = newStudy();
        for (const event of events) study.replay(event);
        expect(study.trials).toEqual(first.trials);
        runStudy(study, 3, inOrder);
        expect(study.trials).toEqual(alone.trials);
      }),
      { numRuns: 25 },
    );
  });

  it('begins no trial once those that it knows have spent the budget', () => {
    const { study } = newStudy({ ...RULES, scheduler: runAll, budgetSteps: 3 * 2 * 64 });
    runStudy(study, 2, inOrder);
    expect(study.trials).toHaveLength(3 + 4); // known to be spent when trial 7 is asked for: trials 0, 1 and 2
  });
});
