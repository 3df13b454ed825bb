/** A study is the same in whatever order its processes end. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choice, uniform } from '../../src/config/search-space.ts';
import { SCHEDULERS, type SchedulerSettings, schedulerOf } from '../../src/tune/schedulers/by-name.ts';
import { runAll } from '../../src/tune/schedulers/scheduler.ts';
import { gridSearcher } from '../../src/tune/searchers/grid.ts';
import { tpeSearcher } from '../../src/tune/searchers/tpe.ts';
import { createStudy, type Study, type StudyRules } from '../../src/tune/study.ts';
import { bestTrial, type Job, type StudyEvent, scheduleOf } from '../../src/tune/trial.ts';

const SPACE = { learningRate: uniform(0, 1) };
const SETTINGS: Omit<SchedulerSettings, 'scheduler'> = {
  space: SPACE,
  searcher: 'random',
  numTrials: 24,
  trialSteps: 64,
  gracePeriod: 4,
  reductionFactor: 2,
  perturbationInterval: 16,
  quantile: 0.25,
  resampleProbability: 0.25,
  seed: 3,
};

const RULES: StudyRules = {
  space: SPACE,
  seed: 3,
  searcher: tpeSearcher,
  scheduler: schedulerOf({ ...SETTINGS, scheduler: 'asha' }),
  numTrials: 24,
  seedsPerTrial: 2,
  trialSteps: 64,
  numSlots: 5,
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

const sorted = (events: readonly StudyEvent[]) => events.map((event) => JSON.stringify(event)).sort();

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

  it.each(SCHEDULERS)('is the same for any number of processes and any order of their ends: %s', (name) => {
    const rules = { ...RULES, scheduler: schedulerOf({ ...SETTINGS, scheduler: name }) };
    const expected = newStudy(rules).study;
    runStudy(expected, 1, inOrder);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.infiniteStream(fc.nat()), (parallel, picks) => {
        const { study } = newStudy(rules);
        runStudy(study, parallel, (count) => (picks.next().value as number) % count);
        expect(study.trials).toEqual(expected.trials);
      }),
      { numRuns: 15 },
    );
  });

  it.each(SCHEDULERS)('is the same when it was cut anywhere and told its events again: %s', (name) => {
    const rules = { ...RULES, scheduler: schedulerOf({ ...SETTINGS, scheduler: name }) };
    const whole = newStudy(rules);
    runStudy(whole.study, 1, inOrder);
    fc.assert(
      fc.property(
        fc.nat(90),
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat()),
        (numEnds, parallel, picks) => {
          const { study: first, events } = newStudy(rules);
          runStudy(first, parallel, (count) => (picks.next().value as number) % count, numEnds);
          const numBefore = events.length;
          const resumed = createStudy(rules, (event) => events.push(event));
          for (const event of events.slice(0, numBefore)) resumed.replay(event);
          runStudy(resumed, 3, inOrder);
          expect(resumed.trials).toEqual(whole.study.trials);
          // nothing is written down twice, and nothing is left out
          expect(sorted(events)).toEqual(sorted(whole.events));
        },
      ),
      { numRuns: 15 },
    );
  });

  it.each(SCHEDULERS)('ends every trial once, at steps that the scheduler has: %s', (name) => {
    const scheduler = schedulerOf({ ...SETTINGS, scheduler: name });
    const { study, events } = newStudy({ ...RULES, scheduler });
    runStudy(study, 3, inOrder);
    expect(study.trials).toHaveLength(24);
    const ends = events.flatMap((event) => (event.type === 'ended' ? [event.number] : []));
    expect(ends.toSorted((a, b) => a - b)).toEqual(study.trials.map(({ number }) => number));
    for (const { number, state, steps, values } of study.trials) {
      const all = [...scheduler.milestonesOf(number), 64];
      expect(steps).toEqual(all.slice(0, steps.length));
      if (state !== 'failed') expect(steps.length === all.length).toBe(state === 'complete');
      expect(values.learningRate).toBeGreaterThanOrEqual(0);
      expect(values.learningRate).toBeLessThanOrEqual(1);
    }
  });

  it('begins no trial once those that it knows have spent the budget', () => {
    const { study } = newStudy({ ...RULES, scheduler: runAll, budgetSteps: 3 * 2 * 64 });
    runStudy(study, 2, inOrder);
    expect(study.trials).toHaveLength(3 + 4); // four others run when trial 2 ends and the budget is spent
  });

  it('halves the bracket that a searcher left unfinished', () => {
    const scheduler = schedulerOf({ ...SETTINGS, scheduler: 'hyperband' }); // brackets of 16, 10, ...
    const space = { learningRate: choice([0.1, 0.3, 0.5, 0.7, 0.95]) };
    const { study } = newStudy({ ...RULES, space, scheduler, searcher: gridSearcher, numTrials: 100 });
    runStudy(study, 2, inOrder);
    expect(study.trials.map(({ state, steps }) => [state, steps.length])).toEqual([
      ['stopped', 1],
      ['stopped', 1],
      ['stopped', 2], // 2 of 5 go on, then 1
      ['complete', 5],
      ['stopped', 1],
    ]);
  });

  it('clones checkpoints along a lineage whose stretches join', () => {
    const scheduler = schedulerOf({ ...SETTINGS, scheduler: 'pbt' });
    const { study } = newStudy({ ...RULES, scheduler, numSlots: 24 });
    runStudy(study, 3, inOrder);
    const { trials } = study;
    expect(trials.some(({ clones }) => clones.length > 1)).toBe(true);
    for (const { number, clones, values, numSteps } of trials) {
      for (const { source, numSteps: at } of clones) {
        const k = trials[number].steps.indexOf(at);
        expect(trials[source].scores[k]).toBeGreaterThan(trials[number].scores[k]);
        expect(trials[source].clones.some((clone) => clone.numSteps === at)).toBe(false);
      }
      if (numSteps === 0) continue;
      const schedule = scheduleOf(trials, number, numSteps);
      expect(schedule.at(-1)).toEqual({ number, untilSteps: numSteps, values });
      const untils = schedule.map(({ untilSteps }) => untilSteps);
      expect(untils).toEqual(untils.toSorted((a, b) => a - b));
    }
  });
});
