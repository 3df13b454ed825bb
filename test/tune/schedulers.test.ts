/** Schedulers, by hand. */
import { describe, expect, it } from 'vitest';
import { choice, conditional, int, uniform } from '../../src/config/search-space.ts';
import { openStream } from '../../src/random/streams.ts';
import { createAsha, createPromotingAsha } from '../../src/tune/schedulers/asha.ts';
import { bracketOf, createHyperband } from '../../src/tune/schedulers/hyperband.ts';
import { createMedianStopping } from '../../src/tune/schedulers/median.ts';
import { createPbt, explore } from '../../src/tune/schedulers/pbt.ts';
import type { ScheduledTrial } from '../../src/tune/schedulers/scheduler.ts';

describe('asha', () => {
  const asha = createAsha({ numSteps: 100, gracePeriod: 1, reductionFactor: 4 });

  it('has rungs at powers of the reduction factor', () => {
    expect(asha.milestones).toEqual([1, 4, 16, 64]);
  });

  it('lets the first at a rung go on, then whoever is in the upper quarter of those before', () => {
    expect(asha.goesOn([-5], [])).toBe(true);
    // before it: 1, 2, 3, 4, 5; the 75th percentile is 4
    const before = [[1], [2], [3], [4], [5]];
    expect(asha.goesOn([4], before)).toBe(true);
    expect(asha.goesOn([3.9], before)).toBe(false);
    // between order statistics: 1, 2 give 1.75
    expect(asha.goesOn([1.8], before.slice(0, 2))).toBe(true);
    expect(asha.goesOn([1.7], before.slice(0, 2))).toBe(false);
  });

  it('compares at a later rung only with those that came there', () => {
    expect(asha.goesOn([9, 2], [[1], [3, 3], [8]])).toBe(false);
    expect(asha.goesOn([9, 2], [[1], [8]])).toBe(true);
  });
});

describe('median stopping', () => {
  const median = createMedianStopping({ numSteps: 100, gracePeriod: 20, numParts: 10 });

  it('asks at the end of each tenth from the grace period on', () => {
    expect(median.milestones).toEqual([20, 30, 40, 50, 60, 70, 80, 90]);
  });

  it("holds a trial's best against the median of the others' means so far", () => {
    const before = [
      [1, 3], // mean 2
      [4, 6], // mean 5
      [5, 9], // mean 7
    ];
    expect(median.goesOn([5, 0], before)).toBe(true);
    expect(median.goesOn([4.9, 0], before)).toBe(false);
    expect(median.goesOn([0, 0], before.slice(1))).toBe(true); // too few to judge by
    expect(median.goesOn([4.9, 0], [...before.slice(1), [1]])).toBe(true); // one of three has not come so far
  });
});

/** Trials by number, each with a state and its scores. */
type Row = readonly [state: ScheduledTrial['state'], ...scores: number[]];
function trialsOf(...rows: Row[]): ScheduledTrial[] {
  return rows.map(([state, ...scores], number) => ({ number, values: {}, state, scores }));
}

describe('asha that promotes', () => {
  const asha = createPromotingAsha({ numSteps: 100, gracePeriod: 10, reductionFactor: 2 });
  const decide = (...rows: Row[]) => asha.decide({ trials: trialsOf(...rows), isFull: false });

  it('has rungs at 10, 20, 40 and 80 of 100 steps', () => {
    expect(asha.milestonesOf(7)).toEqual([10, 20, 40, 80]);
  });

  it('lets nobody go on for being the first: of one, floor(1 / 2) are promoted', () => {
    expect(decide(['waiting', 5])).toBeNull();
  });

  it('promotes the better of two, and the second best of four once the best has gone on', () => {
    expect(decide(['waiting', 5], ['waiting', 7])).toEqual({ action: 'go', number: 1 });
    const before: Row[] = [
      ['waiting', 5],
      ['running', 7],
      ['waiting', 6],
    ];
    expect(decide(...before)).toBeNull(); // floor(3 / 2) = 1 is promoted already
    expect(decide(...before, ['waiting', 1])).toEqual({ action: 'go', number: 2 });
  });

  it('looks at the highest rung first, counts those that failed later, and takes the older of equals', () => {
    const rows: Row[] = [
      ['waiting', 9, 1],
      ['waiting', 8, 3],
      ['waiting', 7],
      ['waiting', 6],
      ['waiting', 5],
      ['waiting', 4],
    ];
    expect(decide(...rows)).toEqual({ action: 'go', number: 1 });
    expect(decide(['failed', 9], ['waiting', 8])).toBeNull();
    expect(decide(['waiting', 8], ['waiting', 8])).toEqual({ action: 'go', number: 0 });
  });
});

describe('hyperband', () => {
  const options = { numSteps: 81, gracePeriod: 1, reductionFactor: 3 };

  it('has the brackets of the paper: 81, 34, 15, 8 and 5 trials from 1, 3, 9, 27 and 81 steps', () => {
    const firsts = [0, 81, 115, 130, 138, 143];
    expect(firsts.map((first) => bracketOf(first, options)).map(({ numTrials }) => numTrials)).toEqual([
      81, 34, 15, 8, 5, 81,
    ]);
    expect(firsts.slice(1).map((first) => bracketOf(first - 1, options).first)).toEqual(firsts.slice(0, 5));
    expect(bracketOf(0, options).milestones).toEqual([1, 3, 9, 27]);
    expect(bracketOf(129, options).milestones).toEqual([9, 27]);
    expect(bracketOf(142, options).milestones).toEqual([]);
  });

  // brackets of 4, 2 (ceil(2 / 1 * 1)), ... trials: 4 = ceil(2 / 2 * 4)
  const small = createHyperband({ numSteps: 16, gracePeriod: 4, reductionFactor: 4 });
  const decide = (isFull: boolean, ...rows: Row[]) => small.decide({ trials: trialsOf(...rows), isFull });

  it('waits for the whole bracket, and for each that still runs', () => {
    expect(decide(false, ['waiting', 5], ['waiting', 7])).toBeNull();
    expect(decide(false, ['waiting', 5], ['waiting', 7], ['running'], ['waiting', 1])).toBeNull();
  });

  it('keeps a quarter, whoever failed, and of a bracket that stays unfinished the best', () => {
    const rows: Row[] = [['waiting', 5], ['waiting', 7], ['failed'], ['waiting', 1]];
    expect(decide(false, ...rows)).toEqual({ action: 'stop', number: 0 });
    expect(decide(false, ['stopped', 5], ...rows.slice(1))).toEqual({ action: 'go', number: 1 });
    expect(decide(false, ['stopped', 5], ['running', 7], ...rows.slice(2))).toEqual({
      action: 'stop',
      number: 3,
    });
    expect(decide(true, ['waiting', 5], ['waiting', 7])).toEqual({ action: 'stop', number: 0 });
  });
});

describe('population based training', () => {
  const space = { learningRate: uniform(0, 1) };
  const pbt = createPbt({
    ...{ numSteps: 100, perturbationInterval: 25, numTrials: 4, quantile: 0.25, resampleProbability: 0 },
    ...{ space, seed: 1 },
  });
  const population = (...rows: Row[]) =>
    trialsOf(...rows).map((trial) => ({ ...trial, values: { learningRate: 0.1 * (trial.number + 1) } }));
  const decide = (...rows: Row[]) => pbt.decide({ trials: population(...rows), isFull: rows.length === 4 });

  it('has its generations at 25, 50 and 75 of 100 steps', () => {
    expect(pbt.milestonesOf(0)).toEqual([25, 50, 75]);
  });

  it('waits for the whole population, but for no member that failed', () => {
    expect(decide(['waiting', 1], ['waiting', 2], ['waiting', 3])).toBeNull();
    expect(decide(['waiting', 1], ['waiting', 2], ['waiting', 3], ['running'])).toBeNull();
    expect(decide(['waiting', 1], ['waiting', 2], ['waiting', 3], ['failed'])).not.toBeNull();
  });

  it('gives the worst of four the checkpoint of the best, and its values times 0.8 or 1.2; the others go on', () => {
    const rows: Row[] = [
      ['waiting', 3],
      ['waiting', 1],
      ['waiting', 9],
      ['waiting', 4],
    ];
    expect(decide(...rows)).toEqual({ action: 'go', number: 0 });
    const decision = decide(['running', 3], ...rows.slice(1));
    expect(decision).toMatchObject({ action: 'clone', number: 1, source: 2 });
    const { learningRate } = (decision as unknown as { values: { learningRate: number } }).values;
    expect([0.24, 0.36].some((value) => Math.abs(value - learningRate) < 1e-12)).toBe(true);
    // the members that went on before are of the same generation, and are counted
    expect(decide(['running', 3], ['waiting', 1], ['running', 9, 4], ['running', 4])).toMatchObject({
      source: 2,
    });
  });

  it('replaces nobody by an equal', () => {
    expect(decide(['running', 3], ['running', 3], ['running', 3], ['waiting', 3])).toEqual({
      action: 'go',
      number: 3,
    });
  });
});

describe('exploration', () => {
  const explored = (values: Parameters<typeof explore>[0], space: Parameters<typeof explore>[1], p = 0) =>
    Array.from({ length: 40 }, (_, k) => explore(values, space, p, openStream(k, 'test')));

  it('stays within the ends, and moves integers by one at least', () => {
    const space = { gamma: uniform(0.9, 1), numEpochs: int(1, 8) };
    for (const { gamma, numEpochs } of explored({ gamma: 0.99, numEpochs: 2 }, space)) {
      expect([0.9, 1]).toContain(gamma); // 0.792 and 1.188
      expect([1, 3]).toContain(numEpochs);
    }
    for (const { numEpochs } of explored({ gamma: 0.99, numEpochs: 8 }, space))
      expect([6, 8]).toContain(numEpochs);
  });

  it('moves numbers among choices to a neighbour, and leaves other choices', () => {
    const space = { minibatchSize: choice([256, 32, 64]), kind: choice(['a', 'b']) };
    const values = explored({ minibatchSize: 64, kind: 'a' }, space);
    expect(new Set(values.map(({ minibatchSize }) => minibatchSize))).toEqual(new Set([32, 256]));
    expect(new Set(values.map(({ kind }) => kind))).toEqual(new Set(['a']));
    expect(explored({ minibatchSize: 256, kind: 'a' }, space).some((v) => v.minibatchSize === 256)).toBe(
      true,
    );
  });

  it('draws anew as often as it is told to', () => {
    const values = explored({ kind: 'a' }, { kind: choice(['a', 'b']) }, 1);
    expect(new Set(values.map(({ kind }) => kind))).toEqual(new Set(['a', 'b']));
  });

  it('gives conditional options a value exactly where their condition holds', () => {
    const space = { size: conditional(int(1, 9), { kind: ['a'] }), kind: choice(['a', 'b']) };
    for (const values of explored({ kind: 'a', size: 5 }, space, 1))
      expect('size' in values).toBe(values.kind === 'a');
  });
});
