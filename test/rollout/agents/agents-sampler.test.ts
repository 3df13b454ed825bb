import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ticTacToe } from '../../../envs/tic-tac-toe.ts';
import type { MultiAgentEnv } from '../../../src/env/agents/multi-agent-env.ts';
import { RowField } from '../../../src/rollout/agents/agents-layout.ts';
import { scheduleWorld } from './schedule-world.ts';
import { createSmallRunner, type SmallRunner } from './small-runner.ts';

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

/** What the learner gets of a rollout, by row: observation, action, reward, flags, and the value of what a truncated step led to. */
function learned(runner: SmallRunner, numRollouts: number): string[][] {
  const rows: string[][] = [];
  for (let k = 0; k < numRollouts; k++) {
    for (const [g, { rollout, acted }] of runner.collect().groups.entries()) {
      const { numRows, rolloutLength: C, observations, actions, rewards, terminated, truncated } = rollout;
      const { finalValues } = rollout;
      for (let n = 0; n < numRows; n++) {
        rows[g * 1000 + n] ??= [];
        for (let i = n * C; i < (n + 1) * C; i++) {
          if (acted[i] === 0) continue;
          const seen = [...observations.subarray(2 * i, 2 * i + 2)];
          const next = truncated[i] === 1 ? finalValues[i] : 0;
          rows[g * 1000 + n].push([seen, actions[i], rewards[i], terminated[i], truncated[i], next].join());
        }
      }
    }
  }
  return rows;
}

test('no reward is lost, whatever the schedule and the length of a block', async () => {
  const cases = fc.record({
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
    rolloutLength: fc.integer({ min: 1, max: 9 }),
    numSeats: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ seed, rolloutLength, numSeats }) => {
      const seats = Array.from({ length: numSeats }, (_, s) => `agent_${s}`);
      const runner = await createSmallRunner(() => scheduleWorld(seats), { numEnvs: 2, rolloutLength, seed });
      let given = 0;
      let counted = 0;
      let open = 0;
      for (let k = 0; k < 12; k++) {
        const { groups, envs } = runner.collect();
        given += sum(envs.rewards);
        const [{ rollout, acted, rowStates }] = groups;
        for (let i = 0; i < acted.length; i++) if (acted[i] === 1) counted += rollout.rewards[i];
        const field = (f: number) =>
          sum(Array.from({ length: rollout.numRows }, (_, n) => rowStates[n * RowField.COUNT + f]));
        counted += field(RowField.UNATTRIBUTED);
        open = field(RowField.OPEN_REWARD);
      }
      expect(counted + open).toBe(given);
    }),
    { numRuns: 25 },
  );
});

test('the same episodes cut into blocks of other lengths give the same steps', async () => {
  const collect = async (rolloutLength: number) => {
    const options = { numEnvs: 3, rolloutLength, seed: 11 };
    return learned(
      await createSmallRunner(() => scheduleWorld(['a', 'b', 'c']), options),
      126 / rolloutLength,
    );
  };
  const whole = await collect(126);
  expect(sum(whole.map(({ length }) => length))).toBeGreaterThan(300);
  for (const rolloutLength of [1, 3, 7, 42]) expect(await collect(rolloutLength)).toEqual(whole);
});

test('agents that never act, and the order of names, change nothing for the others', async () => {
  const steps = async (names: readonly string[], factory = () => scheduleWorld(names)) => {
    const runner = await createSmallRunner(factory, { numEnvs: 2, rolloutLength: 30, seed: 4 });
    const rows = learned(runner, 3);
    const ofAgent = (s: number) => [0, 1].map((n) => rows[n * names.length + s].map(withoutAction));
    return names.map((_, s) => ofAgent(s));
  };
  const alone = await steps(['a', 'b']);
  expect(alone.flat().every((row) => row.length > 5)).toBe(true);
  expect(await steps(['z', 'y'])).toEqual(alone);
  const crowd = (): MultiAgentEnv => {
    const world = scheduleWorld(['a', 'b']);
    return { ...world, agents: { ...world.agents, idle: Object.values(world.agents)[0] } };
  };
  expect((await steps(['a', 'b', 'idle'], crowd)).slice(0, 2)).toEqual(alone);
});

/** A seat's random numbers are its place's among all seats. */
const withoutAction = (step: string) => step.split(',').toSpliced(2, 1).join();

test("the loser's reward belongs to the loser's own last move", async () => {
  const runner = await createSmallRunner(ticTacToe, { numEnvs: 4, rolloutLength: 30 });
  const { groups, envs } = runner.collect();
  const [{ rollout, acted }] = groups;
  const { rolloutLength: C, rewards, terminated } = rollout;
  const ends = rewardsAtEnds(rollout.numRows, C, acted, rewards, terminated);
  expect(ends.x.length).toBeGreaterThan(8);
  for (const [k, reward] of ends.x.entries()) expect(ends.o[k]).toBe(reward === 0 ? 0 : -reward);
  expect(sum(envs.rewards)).toBe(0);
});

/** Rewards of the last moves of whole episodes, in the order of environments and time; rows alternate x, o. */
function rewardsAtEnds(
  numRows: number,
  C: number,
  acted: Uint8Array,
  rewards: Float32Array,
  terminated: Uint8Array,
) {
  const ends: { x: number[]; o: number[] } = { x: [], o: [] };
  for (let n = 0; n < numRows; n++) {
    for (let i = n * C; i < (n + 1) * C; i++) {
      if (acted[i] === 1 && terminated[i] === 1) ends[n % 2 === 0 ? 'x' : 'o'].push(rewards[i]);
    }
  }
  return ends;
}
