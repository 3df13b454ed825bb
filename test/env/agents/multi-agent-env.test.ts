/** What an environment of several agents may give, and what it is told when it may not. */
import { describe, expect, test } from 'vitest';
import { createAgentsEnvs } from '../../../src/env/agents/agents-envs.ts';
import type { AgentsReset, AgentsStep, MultiAgentEnv } from '../../../src/env/agents/multi-agent-env.ts';
import { userAgentsKernel } from '../../../src/env/agents/user-agents-kernel.ts';
import { checkEnv } from '../../../src/env/check-env.ts';
import { Box, Discrete } from '../../../src/env/spaces.ts';
import { vectorizeEnv } from '../../../src/env/vectorize.ts';
import { EnvError } from '../../../src/errors.ts';

const SPACES = { observationSpace: new Box(-9, 9, [2]), actionSpace: new Discrete(3) };
const STEP: AgentsStep = { observations: { b: [1, 2] }, terminated: false, truncated: false };

/** a, then b, with what is given laid over that. */
function duel(step: Partial<AgentsStep> = {}, reset: Partial<AgentsReset> = {}): MultiAgentEnv {
  return {
    agents: { a: SPACES, b: { ...SPACES, masksActions: true } },
    reset: () => ({ observations: { a: [0, 0] }, ...reset }),
    step: () => ({ ...STEP, actionMasks: { b: [1, 0, 1] }, ...step }),
  };
}

/** With a central state of three numbers: the first one after reset, the other after the step. */
function withState(afterStep: readonly number[]): MultiAgentEnv {
  const env = duel();
  let numSteps = 0;
  return {
    ...env,
    stateSpace: new Box(-9, 9, [3]),
    step: (actions) => {
      numSteps += 1;
      return env.step(actions);
    },
    state: () => (numSteps === 0 ? [0, 0, 0] : afterStep),
  };
}

/** Resets and steps once with seed 77, and reads what everybody who acts next sees. */
function run(env: MultiAgentEnv) {
  const envs = createAgentsEnvs(userAgentsKernel(() => env, 1, 'Duel'));
  const look = () => {
    envs.writeState(0, new Float32Array(envs.stateSize), 0);
    for (const [s, isActing] of envs.results.acting.entries()) {
      if (isActing === 0) continue;
      envs.writeObservation(0, s, new Float32Array(2), 0);
      if (envs.seats[s].masksActions) envs.writeMask(0, s, new Uint8Array(3), 0);
    }
  };
  envs.reset(0, 77);
  look();
  envs.step(0, Float32Array.of(1, 0), 0);
  look();
  return envs;
}

function errorOf(env: MultiAgentEnv): EnvError {
  try {
    run(env);
  } catch (error) {
    if (error instanceof EnvError) return error;
    throw error;
  }
  throw new Error('No error.');
}

test('who acts next is who has an observation', () => {
  expect([...run(duel()).results.acting]).toEqual([0, 1]);
  const both = { a: [0, 1], b: [1, 0] };
  expect([...run(duel({ observations: both })).results.acting]).toEqual([1, 1]);
  expect([...run(duel({ observations: both, acting: ['a'] })).results.acting]).toEqual([1, 0]);
});

test('only those who act are asked for actions', () => {
  const asked: unknown[] = [];
  const env = duel();
  run({ ...env, step: (actions) => env.step(asked[asked.push(actions) - 1] as never) });
  expect(asked).toEqual([{ a: 1 }]);
});

test('ends: of one, of all, of the last', () => {
  const only = (step: Partial<AgentsStep>) => {
    const { ended, episodeEnd, acting } = run(duel(step)).results;
    return [[...ended], episodeEnd, [...acting]];
  };
  expect(only({ terminated: { a: true } })).toEqual([[1, 0], 0, [0, 1]]);
  expect(only({ terminated: true })).toEqual([[0, 0], 1, [0, 0]]);
  expect(only({ truncated: true })).toEqual([[0, 0], 2, [0, 0]]);
  expect(only({ truncated: { a: true }, terminated: { b: true }, observations: {} })).toEqual([
    [2, 1],
    1,
    [0, 0],
  ]);
  expect(only({ truncated: { a: true, b: true } })).toEqual([[2, 2], 2, [0, 0]]);
});

describe('bad input names environment, agent, step and seed', () => {
  test.each<[string, MultiAgentEnv, RegExp]>([
    ['ENV_AGENT_UNKNOWN', duel({ rewards: { c: 1 } }), /`rewards` names the agent `c`/],
    [
      'ENV_AGENT_UNKNOWN',
      duel({ observations: { b: [0, 0], z: [0, 0] } }),
      /`observations` names the agent `z`/,
    ],
    ['ENV_AGENT_UNKNOWN', duel({ terminated: { z: true } }), /`terminated` names the agent `z`/],
    ['ENV_AGENT_OBSERVATION', duel({ acting: ['a'] }), /Agent `a` acts next and has no observation/],
    ['ENV_NOBODY_ACTS', duel({ observations: {} }), /Nobody acts next/],
    [
      'ENV_OBSERVATION_SHAPE',
      duel({ observations: { b: [1, 2, 3] } }),
      /agent `b`: the observation does not fit/,
    ],
    ['ENV_OBSERVATION_NON_FINITE', duel({ observations: { b: [1, Number.NaN] } }), /agent `b`: .*NaN/],
    ['ENV_REWARD_NON_FINITE', duel({ rewards: { a: Number.NaN } }), /agent `a`: .*NaN/],
    ['ENV_MASK_EMPTY', duel({ actionMasks: { b: [0, 0, 0] } }), /agent `b`: .*`actionMasks.b`.*forbids all/],
    ['ENV_MASK_SIZE', duel({ actionMasks: { b: [1] } }), /agent `b`: .*`actionMasks.b` of 3 elements, got 1/],
    [
      'ENV_MASK_UNDECLARED',
      duel({ actionMasks: { a: [1, 1, 1], b: [1, 1, 1] } }),
      /`agents.a` does not declare that it masks/,
    ],
    ['ENV_MASK_MISSING', duel({ actionMasks: {} }), /agent `b`: .*no `actionMasks.b`/],
    ['ENV_FLAGS', duel({ terminated: undefined as never }), /`terminated`/],
    ['ENV_OBSERVATION_SHAPE', withState([1, 2, 3, 4]), /the state does not fit its space/],
    ['ENV_OBSERVATION_NON_FINITE', withState([1, Number.NaN, 2]), /NaN as element 1 of the flat state/],
  ])('%s', (code, env, message) => {
    const error = errorOf(env);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/Duel, episode seed 77, step 1/);
  });

  test('and in reset', () => {
    const error = errorOf(duel({}, { observations: { a: [1] } }));
    expect(error.message).toMatch(/Duel, episode seed 77, reset: agent `a`/);
    expect(errorOf(duel({}, { observations: {} })).code).toBe('ENV_NOBODY_ACTS');
  });

  test('a truncated agent without a last observation', () => {
    const envs = run({ ...duel(), maxEpisodeSteps: 1 });
    expect(envs.results.episodeEnd).toBe(2);
    const read = () => envs.writeFinalObservation(0, 0, new Float32Array(2), 0);
    expect(read).toThrow(/Agent `a` is truncated and has no last observation/);
    const asked = run({ ...duel(), maxEpisodeSteps: 1, observe: () => [3, 4] });
    const last = new Float32Array(2);
    asked.writeFinalObservation(0, 0, last, 0);
    expect([...last]).toEqual([3, 4]);
  });
});

test('the central state is what the last reset or step led to; one half of it is refused', () => {
  const envs = run(withState([4, 5, 6]));
  const state = new Float32Array(3);
  envs.writeState(0, state, 0);
  expect([envs.stateSize, ...state]).toEqual([3, 4, 5, 6]);
  expect(run(duel()).stateSize).toBe(0);
  for (const half of [{ state: () => [0] }, { stateSpace: new Box(0, 1, [1]) }])
    expect(() => run({ ...duel(), ...half })).toThrow(/needs both a space `stateSpace` and a method `state`/);
});

test('a loop for a single agent says what it was given', () => {
  expect(() => vectorizeEnv(() => duel() as never, 1)).toThrow(
    /has several agents.*`--algo impala`, `--algo appo`/,
  );
});

test('checkEnv plays it, and finds what is wrong', () => {
  const codes = (create: () => MultiAgentEnv) =>
    checkEnv(create, { numSteps: 60 }).findings.map(({ code }) => code);
  const counter = (next: (count: number) => number): MultiAgentEnv => {
    let count = 0;
    const observations = () => ({ a: [count % 8, 0] });
    return {
      agents: { a: SPACES },
      maxEpisodeSteps: 9,
      reset: () => {
        count = 0;
        return { observations: observations() };
      },
      step: () => {
        count = next(count);
        return { observations: observations(), rewards: { a: 1 }, terminated: false, truncated: false };
      },
    };
  };
  expect(codes(() => counter((count) => count + 1))).toEqual([]);
  let shared = 0;
  expect(codes(() => counter(() => shared++))).toContain('ENV_NOT_DETERMINISTIC');
  expect(codes(() => counter(() => Math.random()))).toContain('ENV_MATH_RANDOM');
  expect(codes(() => duel({ rewards: { c: 1 } }))).toEqual(['ENV_AGENT_UNKNOWN']);
  const forgetful = () => ({
    ...counter((count) => count + 1),
    getState: () => null,
    setState: () => undefined,
  });
  expect(codes(forgetful)).toContain('ENV_STATE');
});
