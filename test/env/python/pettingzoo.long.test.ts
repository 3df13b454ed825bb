/** Environments of several agents in Python: PettingZoo's and mpe2's beside the same in Python, games of our own, runs, deaths, bad input. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadCheckpoint } from '../../../src/checkpoint/load-checkpoint.ts';
import { makeAgentsEnvs, makeMultiAgentEnv } from '../../../src/env/agents/load-agents-env.ts';
import type { AgentsStep } from '../../../src/env/agents/multi-agent-env.ts';
import { resolveEnv } from '../../../src/env/env-source.ts';
import { type Algorithm, PPOConfig } from '../../../src/index.ts';
import type { JsonObject } from '../../../src/json.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { askPython, findPythonWith } from './open-python.ts';

const zooPython = findPythonWith('pettingzoo, mpe2');
const python = findPythonWith('numpy');
const GAMES = fileURLToPath(new URL('./fixtures/games.py', import.meta.url));

async function open(id: string, found: string, options: JsonObject = {}) {
  const env = await makeMultiAgentEnv(resolveEnv(id, { python: found, ...options }));
  onTestFinished(() => env.close?.());
  return env;
}

/** Every step's rewards are added up for each agent until it acts again, as PettingZoo's `last()` tells them. */
function createPurse() {
  const owed: Record<string, number> = {};
  return {
    add: ({ rewards = {} }: AgentsStep) => {
      for (const [agent, reward] of Object.entries(rewards)) owed[agent] = (owed[agent] ?? 0) + reward;
    },
    take(agent: string) {
      const reward = owed[agent] ?? 0;
      owed[agent] = 0;
      return reward;
    },
  };
}

const flatten = (value: unknown): number[] =>
  Array.isArray(value) || ArrayBuffer.isView(value)
    ? [...(value as Iterable<number>)].flatMap(flatten)
    : [Number(value)];

describe.skipIf(zooPython === null)('pettingzoo:', () => {
  const found = zooPython ?? '';

  test.each(['connect_four_v3', 'tictactoe_v3'])(
    '%s: what is seen, masked, given and ended is what `last()` says',
    async (name) => {
      const expected = askPython<number[][]>(
        found,
        `
import json, numpy
from pettingzoo.classic import ${name} as module
env, told = module.env(), []
for seed in range(12):
    env.reset(seed=seed)
    count = 0
    for agent in env.agent_iter():
        observation, reward, terminated, truncated, info = env.last()
        told.append([float(reward), int(terminated), int(truncated)])
        if terminated or truncated:
            env.step(None)
            continue
        mask = observation["action_mask"]
        told[-1] += numpy.ravel(observation["observation"]).tolist() + mask.tolist()
        allowed = numpy.flatnonzero(mask)
        env.step(int(allowed[(7 * count + seed) % len(allowed)]))
        count += 1
print(json.dumps(told))`,
      );
      const env = await open(`pettingzoo:classic/${name}`, found);
      const told: number[][] = [];
      for (let seed = 0; seed < 12; seed++) {
        const purse = createPurse();
        let result = env.reset({ seed });
        for (let count = 0; ; count++) {
          const [agent] = result.acting ?? [];
          const mask = flatten(result.actionMasks?.[agent]);
          told.push([purse.take(agent), 0, 0, ...flatten(result.observations[agent]), ...mask]);
          const allowed = mask.flatMap((isAllowed, action) => (isAllowed === 1 ? [action] : []));
          const step = env.step({ [agent]: allowed[(7 * count + seed) % allowed.length] });
          purse.add(step);
          result = step;
          if (step.terminated === true) {
            const other = Object.keys(env.agents).find((one) => one !== agent) ?? '';
            told.push([purse.take(other), 1, 0], [purse.take(agent), 1, 0]);
            break;
          }
        }
      }
      expect(told).toEqual(expected);
    },
  );

  test.each([
    ['simple_spread_v3', '{"N": 2, "max_cycles": 9}', false],
    ['simple_speaker_listener_v4', '{"continuous_actions": true}', true],
  ])(
    'mpe2/%s, all at once: observations, rewards, ends, the central state',
    async (name, kwargs, isContinuous) => {
      const expected = askPython<number[][]>(
        found,
        `
import json, numpy
from mpe2 import ${name} as module
env, told = module.parallel_env(**json.loads('${kwargs}')), []
for seed in range(3):
    observations, _ = env.reset(seed=seed)
    t = 0
    while env.agents:
        told.append([x for agent in env.possible_agents for x in observations[agent].tolist()] + env.state().tolist())
        actions = {}
        for k, agent in enumerate(env.possible_agents):
            space = env.action_space(agent)
            actions[agent] = numpy.full(space.shape, 0.25 * k + 0.125, numpy.float32) if ${isContinuous ? 'True' : 'False'} else (t + k) % int(space.n)
        observations, rewards, terminations, truncations, _ = env.step(actions)
        told.append([float(rewards[agent]) for agent in env.possible_agents] + [int(all(terminations.values())), int(all(truncations.values()))])
        t += 1
print(json.dumps(told))`,
      );
      const env = await open(`pettingzoo:mpe2/${name}`, found, { kwargs: JSON.parse(kwargs) as JsonObject });
      const names = Object.keys(env.agents);
      const told: number[][] = [];
      for (let seed = 0; seed < 3; seed++) {
        let { observations } = env.reset({ seed });
        for (let t = 0, isOver = false; !isOver; t++) {
          told.push([...names.flatMap((agent) => flatten(observations[agent])), ...flatten(env.state?.())]);
          const actions = names.map((agent, k) => {
            const space = env.agents[agent].actionSpace;
            if (space.kind === 'box')
              return [agent, Float32Array.from({ length: space.shape[0] }, () => 0.25 * k + 0.125)] as const;
            return [agent, (t + k) % (space.kind === 'discrete' ? space.n : 1)] as const;
          });
          const step = env.step(Object.fromEntries(actions));
          isOver = step.terminated === true || step.truncated === true;
          told.push([
            ...names.map((agent) => step.rewards?.[agent] ?? 0),
            Number(step.terminated === true),
            Number(step.truncated === true),
          ]);
          ({ observations } = step);
        }
      }
      expect(told).toEqual(expected);
    },
  );

  test('connect four is trained against itself: the same for any number of workers; a resume goes on exactly', async () => {
    const config = (numEnvRunners: number) =>
      configFor('pettingzoo:classic/connect_four_v3', found, numEnvRunners).selfPlay({
        selfPlay: 'uniform',
        snapshotInterval: 1,
      });
    const expected = await trainAndStop(await config(0).build(), 4);
    for (const numEnvRunners of [1, 2])
      expect((await trainAndStop(await config(numEnvRunners).build(), 4)).tensors).toEqual(expected.tensors);
    const first = await config(1).build();
    for (let k = 0; k < 2; k++) await first.train();
    const path = await first.save(join(temporaryFolder(), 'checkpoint'));
    await first.stop();
    const second = await config(2).build();
    await second.setState((await loadCheckpoint(path)).content);
    expect((await trainAndStop(second, 2)).tensors).toEqual(expected.tensors);
  }, 180_000);

  test('a Python without numpy: what to install is what brings it, and the games', async () => {
    const bare = join(temporaryFolder(), 'python');
    writeFileSync(bare, `#!/bin/sh\nexec '${found}' -S "$@"\n`, { mode: 0o755 });
    await expect(open('pettingzoo:classic/connect_four_v3', bare)).rejects.toMatchObject({
      code: 'CONFIG_PYTHON_PACKAGE',
      message: expect.stringMatching(/no package numpy.*operant python install pettingzoo$/),
    });
  });

  test('an environment that is not there is answered with those that are; a name without a family, too', async () => {
    await expect(open('pettingzoo:classic/connect_five_v1', found)).rejects.toThrow(/connect_four_v3/);
    await expect(open('pettingzoo:connect_four_v3', found)).rejects.toThrow(/family/);
    await expect(open('pettingzoo:nopack/foo_v1', found)).rejects.toMatchObject({
      code: 'CONFIG_PYTHON_PACKAGE',
    });
    await expect(open('pettingzoo:classic/connect_four_v3', found, { api: 'parallel' })).rejects.toThrow(
      /parallel_env/,
    );
    await expect(
      open('pettingzoo:classic/connect_four_v3', found, { vectorization: 'rows' }),
    ).rejects.toMatchObject({
      code: 'CONFIG_ENV_OPTION',
    });
  });
});

function configFor(
  env: string,
  found: string,
  numEnvRunners: number,
  kwargs: JsonObject = {},
  more: JsonObject = {},
) {
  return new PPOConfig()
    .environment({ env, envOptions: { kwargs, ...more }, python: found })
    .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 33 })
    .training({ numEpochs: 2, minibatchSize: 64, hiddenSizes: [16] })
    .debugging({ seed: 5 });
}

async function trainAndStop(algorithm: Pick<Algorithm, 'train' | 'getState' | 'stop'>, count: number) {
  const results = [];
  for (let k = 0; k < count; k++) results.push(await algorithm.train());
  const { tensors } = await algorithm.getState();
  await algorithm.stop();
  return { tensors, results };
}

describe.skipIf(python === null)('games in a file, without PettingZoo', () => {
  const found = python ?? '';
  const crowd = `pettingzoo:${GAMES}#crowd`;
  const dice = `pettingzoo:${GAMES}#dice`;

  test('agents come and go by themselves, one returns for another life, one is cut and keeps its last observation', async () => {
    const env = await open(crowd, found, { kwargs: { again: true } });
    expect(Object.keys(env.agents)).toEqual(['a_0', 'a_1', 'a_2']);
    expect(env.agents.a_0.masksActions).toBe(true);
    let { acting = [], actionMasks } = env.reset({ seed: 1 });
    const lines: string[] = [];
    for (let t = 1; t <= 8; t++) {
      expect(flatten(actionMasks?.[acting[0]])).toEqual([1, (t - 1) % 2, 1]);
      const step = env.step(Object.fromEntries(acting.map((agent) => [agent, 3])));
      const flags = [step.terminated, step.truncated].map((flag) => JSON.stringify(flag)).join(' ');
      lines.push(
        `${t} ${acting} ${Object.keys(step.observations)} ${flags} ${Object.values(step.rewards ?? {}).length}`,
      );
      ({ acting = [], actionMasks } = step);
      expect(flatten(env.state?.())[0]).toBe(t);
    }
    expect(lines).toEqual([
      '1 a_0 a_0,a_1 {} {} 1',
      '2 a_0,a_1 a_0,a_1,a_2 {} {} 2',
      '3 a_0,a_1,a_2 a_0,a_1,a_2 {} {} 3',
      '4 a_0,a_1,a_2 a_1,a_2 {"a_0":true} {} 3',
      '5 a_1,a_2 a_1,a_2 {} {} 2',
      '6 a_1,a_2 a_0,a_1,a_2 {} {"a_1":true} 2',
      '7 a_0,a_2 a_2 {"a_0":true} {} 2',
      '8 a_2  true {} 1',
    ]);
  });

  test("in turn: who lost is told at its own end, and a cut at the limit has everybody's last observation", async () => {
    const env = await open(dice, found);
    const ends = Array.from({ length: 30 }, (_, seed) => {
      let result = env.reset({ seed });
      for (let t = 0; ; t++) {
        const [agent] = result.acting ?? [];
        const step = env.step({ [agent]: t % 2 });
        result = step;
        if (step.terminated === true || step.truncated === true)
          return `${step.terminated === true} ${Object.keys(step.observations)} ${JSON.stringify(step.rewards)} ${agent}`;
      }
    });
    expect([...new Set(ends)].toSorted()).toEqual([
      'false x,o {"x":-0.125,"o":0.125} o',
      'true  {"x":-1,"o":1} o',
      'true  {"x":1,"o":-1} x',
    ]);
    const limited = await open(dice, found, { maxEpisodeSteps: 1 });
    limited.reset({ seed: 3 });
    const cut = limited.step({ x: 0 });
    expect([cut.truncated, Object.keys(cut.observations), flatten(cut.observations.o)]).toEqual([
      true,
      ['x', 'o'],
      [0, 1],
    ]);
  });

  test('whoever looks on leaves what an environment answered as it is, also when another one was played since', async () => {
    const envs = await makeAgentsEnvs(resolveEnv(dice, { python: found }), 2);
    onTestFinished(() => envs.close());
    const seen = (n: number, s: number) => {
      const row = new Float32Array(2);
      envs.writeObservation(n, s, row, 0);
      return [...row];
    };
    envs.reset(0, 1);
    envs.step(0, Float32Array.of(0, 0), 0);
    envs.reset(1, 2);
    for (let t = 0; t < 3; t++) envs.step(1, Float32Array.of(0, 0), 0);
    const before = seen(0, 1); // who acts
    const [points, count] = seen(0, 0); // who looks on
    expect([points > 0, count, before]).toEqual([true, 1, [0, 1]]);
    expect(seen(0, 1)).toEqual(before);
    const told: [string, number][] = [];
    envs.reportMetrics?.(0, (name, value) => told.push([name, value]));
    expect(told).toEqual([
      ['count', 1],
      ['of/x', 0.5],
    ]);
  });

  test('a mask of several choices comes as a tuple of one each', async () => {
    const envs = await makeAgentsEnvs(resolveEnv(`pettingzoo:${GAMES}#pairs`, { python: found }), 1);
    onTestFinished(() => envs.close());
    envs.reset(0, 1);
    const mask = new Uint8Array(5);
    envs.writeMask(0, 0, mask, 0);
    expect([...mask]).toEqual([1, 0, 0, 1, 1]);
  });

  test('runs are the same for any number of workers, also when the process is killed again and again', async () => {
    const expected = await trainAndStop(await configFor(crowd, found, 0).build(), 4);
    expect((await trainAndStop(await configFor(crowd, found, 2).build(), 4)).tensors).toEqual(
      expected.tensors,
    );
    const counter = join(temporaryFolder(), 'kills');
    writeFileSync(counter, '3');
    writeFileSync(`${counter}.steps`, '0');
    const config = configFor(crowd, found, 1, { counter, every: 90 });
    const killed = await trainAndStop(await config.build(), 4);
    expect([readFileSync(counter, 'utf8'), killed.tensors]).toEqual(['0', expected.tensors]);
    writeFileSync(counter, '3');
    const few = configFor(crowd, found, 1, { counter, every: 90 }, { maxRestarts: 1 }).faultTolerance({
      maxWorkerRestarts: 0,
    });
    await expect(trainAndStop(await few.build(), 4)).rejects.toMatchObject({ code: 'ENV_PYTHON_EXITED' });
  }, 180_000);

  test.each([
    ['throw', 'ENV_STEP_THREW', /no second step/],
    ['nan', 'ENV_OBSERVATION_NON_FINITE', /a_0.*element 1/],
    ['shape', 'ENV_OBSERVATION_SHAPE', /\(4,\)/],
    ['stranger', 'ENV_STEP_THREW', /nobody.*possible_agents/],
    ['empty', 'ENV_MASK_EMPTY', /a_0/],
  ])('an error of the environment has a name and a place: %s', async (fault, code, message) => {
    const envs = await makeAgentsEnvs(resolveEnv(crowd, { python: found, kwargs: { fault } }), 1);
    onTestFinished(() => envs.close());
    const play = () => {
      envs.reset(0, 7);
      for (let t = 0; t < 2; t++) {
        envs.writeMask(0, 0, new Uint8Array(3), 0);
        envs.step(0, Float32Array.of(1, 1, 1), 0);
        envs.writeObservation(0, 0, new Float32Array(3), 0);
      }
    };
    expect(play).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
    expect(play).toThrow(/episode seed 7/); // another reset after an error is a fresh environment
  });

  test('what names no agents is refused; its picture is a text', async () => {
    await expect(open(`pettingzoo:${GAMES}#nobody`, found)).rejects.toThrow(/possible_agents/);
    const env = await open(crowd, found);
    env.reset({ seed: 1 });
    expect(env.render?.()).toBe('step 0: a_0');
  });
});
