/** Hand-worked: two players in turn with ratios of their own, a time limit, discounts by tick; and the walk without holes. */
import { expect, test } from 'vitest';
import { openStream } from '../../src/random/streams.ts';
import type { RolloutWithHoles } from '../../src/targets/gae-with-holes.ts';
import { computeVtrace } from '../../src/targets/vtrace.ts';
import { computeVtraceWithHoles, type VtraceWithHolesOptions } from '../../src/targets/vtrace-with-holes.ts';

const PLAIN = { rewardScale: 1, clipReward: Number.POSITIVE_INFINITY, rhoClip: 1, traceClip: 1 };

function rollout(numRows: number, C: number, given: Partial<RolloutWithHoles>): RolloutWithHoles {
  const size = numRows * C;
  const ticks = Int32Array.from({ length: size }, (_, i) => i % C);
  return {
    ...{ numRows, rolloutLength: C, ticks },
    acted: new Uint8Array(size).fill(1),
    rewards: new Float32Array(size),
    values: new Float32Array(size),
    terminated: new Uint8Array(size),
    truncated: new Uint8Array(size),
    finalValues: new Float32Array(size),
    bootstrapValues: new Float32Array(numRows),
    finalTicks: ticks.map((tick) => tick + 1),
    nextTicks: new Int32Array(numRows).fill(C),
    advantages: new Float32Array(size).fill(Number.NaN),
    returns: new Float32Array(size).fill(Number.NaN),
    ...given,
  };
}

/** Ratios by step; holes have one that would show. */
const logProbsOf = (ratios: readonly number[]) => ({
  behaviour: new Float32Array(ratios.length).fill(-1),
  target: Float32Array.from(ratios, (ratio) => Math.log(ratio) - 1),
});

const near = (expected: readonly number[]) => expected.map((value) => expect.closeTo(value, 5));

test('two players in turn: each by its own steps, weighed by its own ratios', () => {
  // X acts at 0, 2, 4 and wins with the last; O acts at 1 and 3, and what it loses comes with the end.
  const turns = rollout(2, 5, {
    acted: Uint8Array.of(1, 0, 1, 0, 1, 0, 1, 0, 1, 0),
    values: Float32Array.of(0.2, 9, 0.4, 9, 0.6, 9, -0.1, 9, -0.3, 9),
    rewards: Float32Array.of(0, 9, 0, 9, 1, 9, 0, 9, -1, 9),
    terminated: Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 1, 0),
  });
  const ratios = [0.5, 7, 2, 7, 0.25, 7, 1, 7, 0.5, 7];
  computeVtraceWithHoles(turns, logProbsOf(ratios), {
    ...PLAIN,
    gamma: 0.9,
    lambda: 1,
    discountBy: 'own-step',
  });
  // X, from the end: v4 = 0.6 + 0.25 (1 - 0.6) = 0.7; v2 = 0.4 + (0.9 * 0.6 - 0.4) + 0.9 (0.7 - 0.6) = 0.63;
  // v0 = 0.2 + 0.5 (0.9 * 0.4 - 0.2) + 0.9 * 0.5 (0.63 - 0.4) = 0.3835
  // O: v3 = -0.3 + 0.5 (-1 + 0.3) = -0.65; v1 = -0.1 + (0.9 * -0.3 + 0.1) + 0.9 (-0.65 + 0.3) = -0.585
  expect([...turns.returns]).toEqual(near([0.3835, 0, 0.63, 0, 0.7, 0, -0.585, 0, -0.65, 0]));
  // rho (r + 0.9 v' - V): 0.5 (0.567 - 0.2), 0.63 - 0.4, 0.25 * 0.4; 0.9 * -0.65 + 0.1, 0.5 * -0.7
  expect([...turns.advantages]).toEqual(near([0.1835, 0, 0.23, 0, 0.1, 0, -0.485, 0, -0.35, 0]));
});

test('a time limit bootstraps from the last observation and ends the trace; the end of the rollout from what follows', () => {
  const cut = rollout(1, 4, {
    acted: Uint8Array.of(1, 0, 1, 0),
    values: Float32Array.of(1, 0, 2, 0),
    rewards: Float32Array.of(0.5, 0, 0.25, 0),
    truncated: Uint8Array.of(1, 0, 0, 0),
    finalValues: Float32Array.of(4, 0, 0, 0),
    bootstrapValues: Float32Array.of(3),
    finalTicks: Int32Array.of(3, 0, 0, 0), // it ends three ticks after its step
    nextTicks: Int32Array.of(4), // and acts again two ticks after its last one
  });
  const options: VtraceWithHolesOptions = { ...PLAIN, gamma: 0.5, lambda: 0.5, discountBy: 'tick' };
  computeVtraceWithHoles(cut, logProbsOf([1, 7, 0.5, 7]), options);
  // step 2: 0.5 (0.25 + 0.25 * 3 - 2) = -0.5; step 0: 0.5 + 0.125 * 4 - 1 = 0
  expect([...cut.advantages]).toEqual(near([0, 0, -0.5, 0]));
  expect([...cut.returns]).toEqual(near([1, 0, 1.5, 0]));
});

test('without holes the numbers are those of V-trace, to the bit', () => {
  const [numRows, C] = [6, 11];
  const stream = openStream(7, 'vtrace-with-holes');
  const draw = (length: number) => Float32Array.from({ length }, () => 2 * stream.uniform() - 1);
  const flags = (chance: number) =>
    Uint8Array.from({ length: numRows * C }, () => +(stream.uniform() < chance));
  const given = rollout(numRows, C, {
    ...{ rewards: draw(numRows * C), values: draw(numRows * C), finalValues: draw(numRows * C) },
    ...{ bootstrapValues: draw(numRows), terminated: flags(0.1), truncated: flags(0.1) },
  });
  const [behaviour, target] = [draw(numRows * C), draw(numRows * C)];
  const options = { ...PLAIN, gamma: 0.97, lambda: 0.9, rhoClip: 1.2 };
  const expected = { advantages: new Float32Array(numRows * C), returns: new Float32Array(numRows * C) };
  computeVtrace(given, behaviour, target, options, expected);
  computeVtraceWithHoles(given, { behaviour, target }, { ...options, discountBy: 'own-step' });
  expect(given.advantages).toEqual(expected.advantages);
  expect(given.returns).toEqual(expected.returns);
});
