import { describe, expect, it } from 'vitest';
import { numLearnerThreadsOf } from '../../src/algorithm/create-objective-learner.ts';
import { numOffPolicyRunners } from '../../src/algorithm/num-off-policy-runners.ts';
import { fragmentsPerIteration, isCrossed, numUpdatesDue } from '../../src/algorithm/pace.ts';
import { checkPace } from '../../src/config/blocks/pace.ts';
import { qModel } from './fixtures/q-objective.ts';

describe('pace', () => {
  it('makes no update before learningStarts is exceeded', () => {
    const pace = { learningStarts: 100, updatesPerStep: 1, gradientSteps: null };
    expect(numUpdatesDue(pace, 96, 100)).toBe(0);
    expect(numUpdatesDue(pace, 100, 104)).toBe(4);
    expect(numUpdatesDue(pace, 98, 102)).toBe(2); // the steps since then alone
  });

  it('adds up fractions of an update, however the steps are cut', () => {
    const pace = { learningStarts: 10, updatesPerStep: 0.3, gradientSteps: null };
    for (const length of [1, 4, 7]) {
      let sum = 0;
      let step = 0;
      for (; step < 300; step += length) sum += numUpdatesDue(pace, step, step + length);
      expect(sum).toBe(Math.floor(0.3 * (step - 10)));
    }
  });

  it('makes gradientSteps updates a round where that is set', () => {
    const pace = { learningStarts: 1000, updatesPerStep: 1, gradientSteps: 128 };
    expect(numUpdatesDue(pace, 768, 1000)).toBe(0);
    expect(numUpdatesDue(pace, 768, 1024)).toBe(128);
  });

  it('sees a multiple of an interval in (before, after]', () => {
    expect(isCrossed(10, 9, 10)).toBe(true);
    expect(isCrossed(10, 10, 19)).toBe(false);
    expect(isCrossed(10, 15, 41)).toBe(true);
  });

  it('rounds an iteration up to whole fragments', () => {
    expect(fragmentsPerIteration(1000, 256)).toBe(4);
    expect(fragmentsPerIteration(100, 256)).toBe(1);
  });

  it('asks for a batch that can have been collected', () => {
    const check = (learningStarts: number, batchSize: number, prefill: string | null = null, nStep = 1) =>
      checkPace({
        training: {
          updatesPerStep: 1,
          gradientSteps: null,
          learningStarts,
          trainEvery: 4,
          batchSize,
          prefill,
          nStep,
        },
        envRunners: { numEnvs: 2 },
      });
    expect(check(100, 104)).toEqual([]);
    expect(check(100, 105)).toHaveLength(1);
    expect(check(100, 100, null, 3)).toEqual([]); // the newest 2 steps of 2 environments begin no window yet
    expect(check(100, 101, null, 3)).toHaveLength(1);
    expect(check(0, 8)).toEqual([]);
    expect(check(0, 256)).toHaveLength(1);
    expect(check(0, 256, 'random')).toEqual([]); // who knows how much that is
  });
});

describe('threads', () => {
  const config = (numEnvRunners: number | 'auto', numEnvs: number, trainEvery: number, lag: number) =>
    ({
      environment: { env: 'x' },
      envRunners: { numEnvRunners, numEnvs },
      training: { trainEvery, lag, batchSize: 1 },
    }) as never;

  it('of runners: none by themselves where a fragment is short and waited for', () => {
    expect(numOffPolicyRunners(config('auto', 8, 4, 0), 4)).toBe(0);
    expect(numOffPolicyRunners(config('auto', 8, 8, 0), 4)).toBe(4);
    expect(numOffPolicyRunners(config('auto', 1, 1, 1), 4)).toBe(1);
    expect(numOffPolicyRunners(config('auto', 1, 256, 0), 4)).toBe(0);
    expect(numOffPolicyRunners(config(2, 8, 1, 0), 4)).toBe(2);
  });

  it('of the learner: as many as an update is worth', () => {
    const model = qModel(4, 2); // 200 parameters or so
    expect(numLearnerThreadsOf({ model, batchSize: 64 }, 'auto', 8)).toBe(1);
    expect(numLearnerThreadsOf({ model, batchSize: 65536 }, 'auto', 8)).toBe(8);
    expect(numLearnerThreadsOf({ model, batchSize: 64 }, 3, 1)).toBe(3);
  });
});
