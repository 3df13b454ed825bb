import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { factorySource, resolveEnv } from '../../src/env/env-source.ts';
import { Box, Dict } from '../../src/env/spaces.ts';
import { flattenObservation } from '../../src/env/wrappers/observations.ts';
import { repeatAction } from '../../src/env/wrappers/repetition.ts';
import { clipReward, transformReward } from '../../src/env/wrappers/rewards.ts';
import { timeLimit } from '../../src/env/wrappers/time.ts';
import { openStream } from '../../src/random/streams.ts';
import { type GoalReward, goalLayout, loadGoalReward } from '../../src/replay/goal.ts';
import { createHindsight, type GoalStrategy } from '../../src/replay/hindsight.ts';
import { createReplay } from '../../src/replay/replay.ts';
import type { ReplaySpec } from '../../src/replay/replay-spec.ts';
import { firstPosition, positionOf } from '../../src/replay/ring.ts';
import { sampleUniform } from '../../src/replay/uniform-sampler.ts';
import lineEnv from './goal-env.ts';
import { batchOf, type EndOf, recorder, vectorSpec } from './recorded-steps.ts';

/** [achieved, desired, step]: what was achieved is a number of its own in every observation, what was desired is -1. */
const goalSpec: ReplaySpec = {
  ...vectorSpec,
  maskSize: 3, // odd, so that the mask of a last state is not that of the next first one
  goal: { achievedGoal: { offset: 0, size: 1 }, desiredGoal: { offset: 1, size: 1 } },
};
const goalValues = () => {
  let counter = 0;
  return (_row: number, _episode: number, step: number) => [counter++, -1, step];
};
const rewardOf = (achieved: number, desired: number) => achieved - 2 * desired;
const reward: GoalReward = {
  computeReward: ([achieved], [desired]) => rewardOf(achieved, desired),
  close: () => undefined,
};

describe('relabelling', () => {
  const scenario = fc.record({
    strategy: fc.constantFrom<GoalStrategy>('future', 'final', 'episode'),
    capacity: fc.integer({ min: 8, max: 40 }),
    numRows: fc.integer({ min: 1, max: 3 }),
    segmentSteps: fc.integer({ min: 1, max: 6 }),
    numSteps: fc.integer({ min: 1, max: 4 }),
    endsAtGoal: fc.boolean(),
    lengths: fc.array(fc.integer({ min: 4, max: 9 }), { minLength: 2, maxLength: 9 }),
    seed: fc.nat(),
  });

  test('takes goals that the same episode reached, and gives the rewards and ends that go with them', () => {
    fc.assert(
      fc.property(scenario, ({ strategy, numSteps, endsAtGoal, lengths, seed, ...sizes }) => {
        const spec = { ...goalSpec, ...sizes };
        const stream = openStream(seed, 'x');
        const endOf: EndOf = () =>
          (['terminated', 'truncated', null, null, null, null] as const)[stream.integer(6)];
        const replay = createReplay(spec);
        const { play, rows } = recorder(spec, endOf, goalValues());
        for (const T of lengths) replay.append(play(T));
        const hindsight = createHindsight(replay, {
          strategy,
          numGoals: 1e9, // all of them
          reward: { ...reward, ...(endsAtGoal && { computeTerminated: ([a], [d]) => a === d }) },
        });
        const B = 8;
        const indices = new Int32Array(B);
        const batch = batchOf(spec, B);
        sampleUniform(replay, 1, stream, indices);
        replay.gather(indices, numSteps, 0.5, batch);
        expect(hindsight.relabel(indices, numSteps, 0.5, stream, batch)).toBe(B);
        const { rowSlots } = replay.ring.plan;
        for (let b = 0; b < B; b++) {
          const steps = rows[Math.floor(indices[b] / rowSlots)];
          const k = positionOf(replay.ring, indices[b] % rowSlots);
          const hasEnded = (i: number) => steps[i].terminated || steps[i].truncated;
          let end = k;
          while (!hasEnded(end) && end + 1 < steps.length) end += 1;
          let start = k;
          while (start > firstPosition(replay.ring) && !hasEnded(start - 1)) start -= 1;
          const from = { future: k, final: end, episode: start }[strategy];
          const goal = batch.observations[b * 3 + 1];
          expect(steps.slice(from, end + 1).map((step) => step.next[0])).toContain(goal);
          expect([...batch.observations.subarray(b * 3, b * 3 + 3)]).toEqual([
            steps[k].observation[0],
            goal,
            steps[k].observation[2],
          ]);
          let value = 0;
          let discount = 1;
          let last = k;
          for (let j = 0; j < numSteps; j++) {
            last = k + j;
            value += discount * rewardOf(steps[last].next[0], goal);
            discount *= 0.5;
            if (endsAtGoal ? steps[last].next[0] === goal : steps[last].terminated) {
              discount = 0;
              break;
            }
            if (hasEnded(last) || last + 1 === steps.length) break;
          }
          expect(batch.rewards[b]).toBe(Math.fround(value));
          expect(batch.discounts[b]).toBe(discount);
          expect([...batch.masks.subarray(3 * b, 3 * b + 3)]).toEqual(steps[k].mask);
          if (discount === 0) continue;
          expect([...batch.nextMasks.subarray(3 * b, 3 * b + 3)]).toEqual(steps[last].nextMask);
          const next = [...batch.nextObservations.subarray(b * 3, b * 3 + 3)];
          expect(next).toEqual([steps[last].next[0], goal, steps[last].next[2]]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['future', 4],
    ['episode', 0],
  ] as const)(
    '%s reaches k / (k + 1) of the transitions, leaves the others alone, and every step from %i on alike',
    (strategy, from) => {
      const spec = { ...goalSpec, capacity: 8 };
      const replay = createReplay(spec);
      const { play, rows } = recorder(spec, (_, step) => (step === 7 ? 'truncated' : null), goalValues());
      replay.append(play(8));
      const hindsight = createHindsight(replay, { strategy, numGoals: 4, reward });
      const stream = openStream(2, 'x');
      const indices = new Int32Array(8).fill(4);
      const batch = batchOf(spec, 8);
      const counts = new Map<number, number>();
      let relabelled = 0;
      for (let k = 0; k < 1000; k++) {
        replay.gather(indices, 1, 0.9, batch);
        relabelled += hindsight.relabel(indices, 1, 0.9, stream, batch);
        for (let b = 0; b < 8; b++) {
          const goal = batch.observations[3 * b + 1];
          if (goal === -1) expect(batch.rewards[b]).toBe(rows[0][4].reward);
          counts.set(goal, (counts.get(goal) ?? 0) + 1);
        }
      }
      const goals = rows[0].slice(from).map((step) => step.next[0]);
      expect([...counts.keys()].sort()).toEqual([-1, ...goals].sort());
      for (const [goal, count] of counts) {
        const expected = goal === -1 ? 1600 : 6400 / goals.length;
        expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
      }
      expect(relabelled).toBe(8000 - (counts.get(-1) ?? 0));
    },
  );

  test('a reward that is not finite names the goals', () => {
    const replay = createReplay(goalSpec);
    replay.append(recorder(goalSpec, () => null, goalValues()).play(4));
    const broken = { ...reward, computeReward: () => Number.NaN };
    const hindsight = createHindsight(replay, { strategy: 'final', numGoals: 1e9, reward: broken });
    const batch = batchOf(goalSpec, 1);
    const relabel = () => hindsight.relabel(Int32Array.of(1), 1, 1, openStream(1, 'x'), batch);
    expect(relabel).toThrow(/computeReward.*NaN.*achieved goal \[2\] and desired goal \[4\]/);
  });

  test('needs goals, and a number of them from 0', () => {
    const options = { strategy: 'final', numGoals: 4, reward } as const;
    expect(() => createHindsight(createReplay(vectorSpec), options)).toThrow(/goal layout/);
    expect(() => createHindsight(createReplay(goalSpec), { ...options, numGoals: -1 })).toThrow(/-1/);
  });
});

describe('goals of an environment', () => {
  test('lie in the flat observation in the order of the keys, which a Dict sorts', () => {
    expect(goalLayout(lineEnv().observationSpace)).toEqual({
      achievedGoal: { offset: 0, size: 1 },
      desiredGoal: { offset: 1, size: 1 },
    });
    const other = new Dict({
      observation: new Box(0, 1, [4]),
      desiredGoal: new Box(0, 1, [2]),
      achievedGoal: new Box(0, 1, [2]),
      aims: new Box(0, 1, [1]),
      camera: new Box(0, 1, [3]),
    });
    expect(goalLayout(other)).toEqual({
      achievedGoal: { offset: 0, size: 2 },
      desiredGoal: { offset: 6, size: 2 },
    });
  });

  test.each([
    ['a Box', new Box(0, 1, [3]), /got a box/],
    ['a Dict of something else', new Dict({ observation: new Box(0, 1, [3]) }), /got a Dict of observation/],
    [
      'a Dict whose goals differ',
      new Dict({
        observation: new Box(0, 1, [1]),
        achievedGoal: new Box(0, 1, [2]),
        desiredGoal: new Box(0, 1, [3]),
      }),
      /both goals of the same size/,
    ],
  ])('are missing in %s', (_, space, message) => {
    expect(() => goalLayout(space)).toThrow(message);
  });

  test('computeReward comes from an instance of its own, by module path too', async () => {
    const source = resolveEnv(new URL('./goal-env.ts', import.meta.url).href, { ends: true });
    const loaded = await loadGoalReward(source);
    expect(loaded.computeReward(Float32Array.of(2), Float32Array.of(2))).toBe(0);
    expect(loaded.computeReward(Float32Array.of(2), Float32Array.of(3))).toBe(-1);
    expect(loaded.computeTerminated?.(Float32Array.of(2), Float32Array.of(2))).toBe(true);
    loaded.close();
    expect((await loadGoalReward(factorySource(lineEnv))).computeTerminated).toBeUndefined();
  });

  test('an environment without computeReward is refused', async () => {
    const source = factorySource(() => flattenObservation(lineEnv()));
    await expect(loadGoalReward(source)).rejects.toMatchObject({ code: 'CONFIG_GOAL' });
  });

  test('wrappers pass it on where it still is the reward of a step', () => {
    const [a, b] = [Float32Array.of(1), Float32Array.of(4)];
    expect(timeLimit(lineEnv({ ends: true }), 5).computeReward?.(a, b)).toBe(-1);
    expect(timeLimit(lineEnv({ ends: true }), 5).computeTerminated?.(a, a)).toBe(true);
    expect(transformReward(lineEnv(), (value) => 10 * value).computeReward?.(a, b)).toBe(-10);
    expect(clipReward(lineEnv(), -0.5, 1).computeReward?.(a, b)).toBe(-0.5);
    expect(repeatAction(lineEnv(), 2).computeReward).toBeUndefined();
    expect(flattenObservation(lineEnv()).computeReward).toBeUndefined();
  });
});
