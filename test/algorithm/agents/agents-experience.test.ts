/** What comes into replay buffers of several agents: every reward once, own step after own step, whatever the schedule and the block length. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAgentsExperience } from '../../../src/algorithm/agents/agents-experience.ts';
import type { MultiAgentEnv } from '../../../src/env/agents/multi-agent-env.ts';
import { Box, Discrete } from '../../../src/env/spaces.ts';
import { OFF_POLICY_COLUMNS } from '../../../src/experience/layout.ts';
import { TERMINATED, TRUNCATED } from '../../../src/replay/ring.ts';
import { createRowRings, type RowRings } from '../../../src/replay/row-rings.ts';
import { RowField } from '../../../src/rollout/agents/agents-layout.ts';
import { scheduleWorld } from '../../rollout/agents/schedule-world.ts';
import { createSmallRunner } from '../../rollout/agents/small-runner.ts';

const SIZES = {
  observationSize: 2,
  observationDtype: 'float32',
  actionSize: 1,
  actionDtype: 'int32',
} as const;

const ringsOf = (numRows: number) =>
  createRowRings({ ...SIZES, maskSize: 0, numRows, capacity: 1000 * numRows });

/** Every transition of a row, as a batch has it: n steps summed without a discount. */
function transitionsOf(rings: RowRings, row: number, numSteps = 1) {
  const count = rings.rings[row]?.size ?? 0;
  const indices = Int32Array.from({ length: count }, (_, k) => row * rings.plan.rowSlots + k);
  const batch = {
    observations: new Float32Array(2 * count),
    nextObservations: new Float32Array(2 * count),
    actions: new Int32Array(count),
    rewards: new Float32Array(count),
    discounts: new Float32Array(count),
  };
  rings.gather(indices, numSteps, 1, batch);
  return Array.from({ length: count }, (_, k) => ({
    observation: batch.observations[2 * k],
    next: batch.nextObservations[2 * k],
    reward: batch.rewards[k],
    discount: batch.discounts[k],
    flag: rings.rings[row]?.ring.flags[k] ?? 0,
  }));
}

test('every reward of an agent is in its transitions, in its open step, or before its first action', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer(),
      async (numEnvs, rolloutLength, numSeats, seed) => {
        const names = ['a', 'b', 'c'].slice(0, numSeats);
        const runner = await createSmallRunner(() => scheduleWorld(names), {
          ...{ numEnvs, rolloutLength, seed, columns: OFF_POLICY_COLUMNS },
        });
        const numRows = numEnvs * numSeats;
        const rings = ringsOf(numRows);
        const experience = createAgentsExperience(
          rings,
          0,
          Int32Array.from({ length: numRows }, (_, n) => n),
        );
        const given = new Float64Array(numRows);
        const lost = new Float64Array(numRows);
        const open = new Float64Array(numRows);
        let numSteps = 0;
        for (let k = 0; k < Math.ceil(60 / rolloutLength); k++) {
          const { groups, envs } = runner.collect();
          numSteps += experience.append(groups[0]);
          for (let n = 0; n < numRows; n++) {
            const e = Math.floor(n / numSeats);
            for (let t = 0; t < rolloutLength; t++)
              given[n] += envs.rewards[(e * rolloutLength + t) * numSeats + (n % numSeats)];
            lost[n] += groups[0].rowStates[n * RowField.COUNT + RowField.UNATTRIBUTED];
            open[n] = groups[0].rowStates[n * RowField.COUNT + RowField.OPEN_REWARD];
          }
        }
        expect(rings.size).toBe(numSteps);
        for (let n = 0; n < numRows; n++) {
          const steps = transitionsOf(rings, n);
          const kept = steps.reduce((sum, { reward }) => sum + reward, 0);
          expect(kept + lost[n] + open[n]).toBe(given[n]);
          for (const [k, { next, discount, flag }] of steps.entries()) {
            expect(discount).toBe(flag === TERMINATED ? 0 : 1);
            // An observation tells its tick; the last one of a truncated life tells it below 0.
            if (flag === TRUNCATED) expect(next).toBeLessThan(0);
            else if (flag === 0 && k + 1 < steps.length) expect(next).toBe(steps[k + 1].observation);
          }
        }
      },
    ),
    { numRuns: 15 },
  );
});

/** In turns: `a` acts at ticks 0, 2, 4, `b` at 1, 3, 5; whoever acted is paid 1, the other 10; `a` is truncated at tick 6, `b` terminated. */
function turns(): MultiAgentEnv {
  let tick = 0;
  const spaces = { observationSpace: new Box(-100, 100, [2]), actionSpace: new Discrete(3) };
  const look = () => ({ observations: { [tick % 2 === 0 ? 'a' : 'b']: [tick, 0] } });
  return {
    agents: { a: spaces, b: spaces },
    reset() {
      tick = 0;
      return look();
    },
    step() {
      const isFirst = tick % 2 === 0;
      tick += 1;
      const rewards = { a: isFirst ? 1 : 10, b: isFirst ? 10 : 1 };
      if (tick < 6) return { ...look(), rewards, terminated: false, truncated: false };
      const ends = { terminated: { b: true }, truncated: { a: true } };
      return { observations: { a: [99, 0] }, acting: [], rewards, ...ends };
    },
  };
}

test.each([1, 2, 3, 4, 6])(
  'turn-based credit and both ends, worked by hand, in blocks of %i',
  async (rolloutLength) => {
    const runner = await createSmallRunner(turns, { numEnvs: 1, rolloutLength, columns: OFF_POLICY_COLUMNS });
    const rings = ringsOf(2);
    const experience = createAgentsExperience(rings, 0, Int32Array.of(0, 1));
    for (let k = 0; k < 12 / rolloutLength; k++) experience.append(runner.collect().groups[0]);
    const numbers = (row: number, numSteps: number) =>
      transitionsOf(rings, row, numSteps)
        .slice(0, 3)
        .map(({ observation, next, reward, discount }) =>
          discount === 0 ? [observation, reward, 0] : [observation, reward, discount, next],
        );
    expect(numbers(0, 1)).toEqual([
      [0, 11, 1, 2],
      [2, 11, 1, 4],
      [4, 11, 1, 99],
    ]);
    // b was paid 10 before it had acted, which is nobody's.
    expect(numbers(1, 1)).toEqual([
      [1, 11, 1, 3],
      [3, 11, 1, 5],
      [5, 1, 0],
    ]);
    expect(numbers(0, 2)).toEqual([
      [0, 22, 1, 4],
      [2, 22, 1, 99],
      [4, 11, 1, 99],
    ]);
    expect(numbers(1, 3)).toEqual([
      [1, 23, 0],
      [3, 12, 0],
      [5, 1, 0],
    ]);
  },
);
