/** Hand-worked: two players in turn, time limits; and the walk without holes. */
import { expect, test } from 'vitest';
import type { RolloutViews } from '../../src/experience/layout.ts';
import { openStream } from '../../src/random/streams.ts';
import { computeGae } from '../../src/targets/gae.ts';
import {
  computeGaeWithHoles,
  type DiscountBy,
  type RolloutWithHoles,
} from '../../src/targets/gae-with-holes.ts';

const PLAIN = { rewardScale: 1, clipReward: Number.POSITIVE_INFINITY };

function rollout(numRows: number, C: number, given: Partial<RolloutWithHoles>): RolloutWithHoles {
  const size = numRows * C;
  const ticks = Int32Array.from({ length: size }, (_, i) => i % C);
  return {
    numRows,
    rolloutLength: C,
    acted: new Uint8Array(size).fill(1),
    rewards: new Float32Array(size),
    values: new Float32Array(size),
    terminated: new Uint8Array(size),
    truncated: new Uint8Array(size),
    finalValues: new Float32Array(size),
    bootstrapValues: new Float32Array(numRows),
    ticks,
    finalTicks: ticks.map((tick) => tick + 1),
    nextTicks: new Int32Array(numRows).fill(C),
    advantages: new Float32Array(size).fill(Number.NaN),
    returns: new Float32Array(size).fill(Number.NaN),
    ...given,
  };
}

/** X acts at 0, 2, 4 and wins with the last; O acts at 1 and 3. */
const ticTacToe = (lastOfO = -1) =>
  rollout(2, 5, {
    acted: Uint8Array.of(1, 0, 1, 0, 1, 0, 1, 0, 1, 0),
    values: Float32Array.of(0.2, 0, 0.4, 0, 0.6, 0, -0.1, 0, -0.3, 0),
    rewards: Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, lastOfO, 0),
    terminated: Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 1, 0),
  });

const advantagesOf = (turns: RolloutWithHoles, discountBy: DiscountBy = 'own-step') => {
  computeGaeWithHoles(turns, { gamma: 0.9, gaeLambda: 0.8, ...PLAIN, discountBy });
  return [...turns.advantages].filter((_, i) => turns.acted[i] === 1);
};

const near = (expected: readonly number[]) => expected.map((value) => expect.closeTo(value, 5));

test("turn-based credit: both players' last moves get what the end gave", () => {
  expect(advantagesOf(ticTacToe())).toEqual(near([0.46816, 0.428, 0.4, -0.674, -0.7]));
});

test("and with the loser's reward lost the signs would be the other way round", () => {
  expect(advantagesOf(ticTacToe(0)).slice(3)).toEqual(near([0.046, 0.3]));
});

test('discounted by ticks of the environment', () => {
  expect(advantagesOf(ticTacToe(), 'tick').slice(0, 3)).toEqual(near([0.276078, 0.29336, 0.4]));
});

test('a time limit bootstraps from the last observation; a termination does not', () => {
  const limited = rollout(1, 2, {
    rewards: Float32Array.of(1, 1),
    values: Float32Array.of(4, 4.5),
    truncated: Uint8Array.of(0, 1),
    finalValues: Float32Array.of(0, 5),
  });
  expect(advantagesOf(limited)).toEqual(near([1.77, 1]));
  expect(advantagesOf({ ...limited, terminated: Uint8Array.of(0, 1) })).toEqual(near([-1.47, -3.5]));
});

test('without a hole the bits are those of the walk for a single agent, and entries of holes are 0', () => {
  const stream = openStream(3, 'gae');
  const numbers = (length: number) => Float32Array.from({ length }, () => stream.normal());
  const flags = (length: number) => Uint8Array.from({ length }, () => (stream.uniform() < 0.1 ? 1 : 0));
  const given = rollout(4, 33, {
    rewards: numbers(132),
    values: numbers(132),
    finalValues: numbers(132),
    bootstrapValues: numbers(4),
    terminated: flags(132),
    truncated: flags(132),
  });
  const single = { ...given, advantages: new Float32Array(132), returns: new Float32Array(132) };
  computeGae(single as unknown as RolloutViews, { gamma: 0.97, gaeLambda: 0.9, ...PLAIN });
  computeGaeWithHoles(given, { gamma: 0.97, gaeLambda: 0.9, ...PLAIN, discountBy: 'own-step' });
  expect(given.advantages).toEqual(single.advantages);
  expect(given.returns).toEqual(single.returns);
  const holed = rollout(1, 4, { acted: Uint8Array.of(0, 1, 0, 1), rewards: Float32Array.of(9, 1, 9, 2) });
  advantagesOf(holed);
  expect([holed.advantages[0], holed.advantages[2]]).toEqual([0, 0]);
});

test.each([1, 3, 7, 64])('with an exact critic nothing is an advantage, in blocks of %i columns', (C) => {
  const stream = openStream(5, 'exact');
  const length = 64 * 21;
  const chance = (p: number) => Uint8Array.from({ length }, () => (stream.uniform() < p ? 1 : 0));
  const [acted, truncated, terminated] = [chance(0.5), chance(0.1), chance(0.1)];
  const rewards = Float32Array.from({ length }, () => stream.integer(9) - 4);
  const finalValues = Float32Array.from({ length }, () => stream.integer(9));
  // from the last step to the first: what is worth what, with gamma 1 in whole numbers
  const values = new Float32Array(length);
  const after = new Float32Array(length + 1); // of the next own step from a column on
  for (let i = length - 1; i >= 0; i--) {
    after[i] = after[i + 1];
    if (acted[i] === 0) continue;
    const next = terminated[i] === 1 ? 0 : truncated[i] === 1 ? finalValues[i] : after[i + 1];
    values[i] = rewards[i] + next;
    after[i] = values[i];
  }
  let numSteps = 0;
  for (let first = 0; first < length; first += C) {
    const columns = { acted, truncated, terminated, rewards, finalValues, values };
    const cut = Object.entries(columns).map(
      ([name, column]) => [name, column.slice(first, first + C)] as const,
    );
    const block = rollout(1, C, Object.fromEntries(cut));
    block.bootstrapValues[0] = after[first + C];
    computeGaeWithHoles(block, { gamma: 1, gaeLambda: 0.5, ...PLAIN, discountBy: 'own-step' });
    expect(block.advantages.every((advantage) => advantage === 0)).toBe(true);
    numSteps += block.returns.filter((value, k) => block.acted[k] === 1 && value === block.values[k]).length;
  }
  expect(numSteps).toBe(acted.filter((is) => is === 1).length);
});
