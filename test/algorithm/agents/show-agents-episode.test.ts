/** Episodes of several agents that are shown: who acts for whom, what is told of it, and what cannot be shown. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { connectFour } from '../../../envs/connect-four.ts';
import { leducPoker } from '../../../envs/leduc-poker.ts';
import { type CastOptions, castOptions, openCast } from '../../../src/algorithm/agents/open-cast.ts';
import { showAgentsEpisode } from '../../../src/algorithm/agents/show-agents-episode.ts';
import type { AgentsStep, MultiAgentEnv } from '../../../src/env/agents/multi-agent-env.ts';
import { Box, Discrete, MultiDiscrete, Tuple } from '../../../src/env/spaces.ts';
import { PPOConfig } from '../../../src/index.ts';

const SCRIPT = fileURLToPath(new URL('./fixtures/bots.ts', import.meta.url));
const NO_CONTENT = {} as CastOptions['content'];

const options = (
  policies: Record<string, unknown>,
  policyFor: Record<string, unknown>,
  more: Partial<CastOptions> = {},
) =>
  ({
    content: NO_CONTENT,
    path: 'nowhere',
    config: { policies, policyFor, policiesToTrain: [], critic: 'own', normalizeValues: false },
    isSelfPlay: false,
    turn: 0,
    ...more,
  }) as CastOptions;

async function shown(env: MultiAgentEnv, cast: CastOptions, seed = 3) {
  const seen: string[] = [];
  const { returns, length } = await showAgentsEpisode({
    ...{ env, cast: await openCast(env, 'Game', cast), seed, deterministic: true, maxSteps: 100 },
    onStep: (step, told) => void seen.push(`${step} ${JSON.stringify(told)}`),
  });
  return { returns, length, seen };
}

describe('openCast', () => {
  // Who drops into the leftmost free column wins a column of four with their fourth stone when the other plays elsewhere.
  const policies = { left: `${SCRIPT}#first`, right: `${SCRIPT}#last` };

  test('scripts act for the agents that are said, and every step is told', async () => {
    const { returns, length, seen } = await shown(
      connectFour(),
      options(policies, { red: 'left', yellow: 'right' }),
    );
    expect([returns, length]).toEqual([{ red: 1, yellow: -1 }, 7]);
    expect(seen).toHaveLength(8);
    expect(seen[0]).toBe('0 {"red":0,"yellow":0}');
    expect(seen[7]).toBe('7 {"red":1,"yellow":-1}');
  });

  test('lists take turns, and `policyFor` says otherwise', async () => {
    const lists = { red: ['left', 'right'], yellow: ['right', 'left'] };
    const third = await openCast(connectFour(), 'Game', options(policies, lists, { turn: 3 }));
    const observation = new Float32Array(6 * 7 * 2);
    const mask = new Uint8Array(7).fill(1);
    expect(third.get('red')?.act(observation, mask, true)).toBe(6);
    expect(third.get('yellow')?.act(observation, mask, true)).toBe(0);
    const other = options(policies, lists, { turn: 3, policyFor: { red: 'left' } });
    expect((await openCast(connectFour(), 'Game', other)).get('red')?.act(observation, mask, true)).toBe(0);
  });

  test('chance plays what its mask allows, and the same game with the same seed', async () => {
    const chance = options({ chance: 'random' }, {});
    const games = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const one = await shown(leducPoker(), chance, seed);
      expect(await shown(leducPoker(), chance, seed)).toEqual(one);
      expect(one.returns.player_0 + one.returns.player_1).toBe(0);
      games.add(one.seen.join());
    }
    expect(games.size).toBeGreaterThan(5);
  });

  test('chance heeds the mask of each choice, within a Tuple, too', async () => {
    const actionSpace = new Tuple([new MultiDiscrete([4, 3]), new Box(-1, 1, [2]), new Discrete(5, 10)]);
    const spaces = { observationSpace: new Box(0, 1, [1]), actionSpace, masksActions: true };
    const env = { agents: { a: spaces } } as unknown as MultiAgentEnv;
    const cast = await openCast(env, 'Game', options({ chance: 'random' }, {}));
    const mask = Uint8Array.of(0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0);
    const first = new Set<number>();
    for (let k = 0; k < 40; k++) {
      const action = cast.get('a')?.act([0], mask, false);
      const [choices, box, last] = action as [Int32Array, Float32Array, number];
      first.add(choices[0]);
      expect([choices[1], box.length, last]).toEqual([2, 2, 13]);
    }
    expect([...first].sort()).toEqual([1, 3]);
  });

  test.each([
    [{ zed: 'left' }, /there is no agent `zed`, but red, yellow/],
    [{ red: 'nobody' }, /there is no policy `nobody` to be shown, but left, right/],
  ])('%o is refused', async (policyFor, message) => {
    const cast = options(policies, { red: 'left', yellow: 'right' }, { policyFor });
    await expect(openCast(connectFour(), 'Game', cast)).rejects.toThrow(message);
  });

  test('in self-play the learner has all seats, and its anchors can be named', async () => {
    const algorithm = await new PPOConfig()
      .environment('ConnectFour-v0')
      .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 8 })
      .training({ hiddenSizes: [8], minibatchSize: 8 })
      .multiAgent({ policies: { main: {}, left: `${SCRIPT}#first` }, policiesToTrain: ['main'] })
      .selfPlay({ selfPlay: 'uniform' })
      .build();
    const content = await algorithm.getState();
    const cast = { ...castOptions(algorithm.config as never), content, path: 'here', turn: 0 };
    await algorithm.stop();
    expect(cast.isSelfPlay).toBe(true);
    const observation = new Float32Array(6 * 7 * 2);
    const mask = Uint8Array.of(0, 0, 0, 0, 1, 0, 0);
    const own = await openCast(connectFour(), 'Game', cast);
    for (const player of own.values()) expect(await player.act(observation, mask, true)).toBe(4);
    const against = await openCast(connectFour(), 'Game', { ...cast, policyFor: { yellow: 'left' } });
    const free = new Uint8Array(7).fill(1);
    expect(against.get('yellow')?.act(observation, free, true)).toBe(0);
  });
});

test('agents that come and go: who has ended acts no more, and the episode ends with the last', async () => {
  const spaces = { observationSpace: new Box(0, 9, [1]), actionSpace: new Discrete(2) };
  const acted: string[] = [];
  const steps: AgentsStep[] = [
    { observations: { a: [1], b: [1] }, rewards: { a: 1 }, terminated: { a: true }, truncated: false },
    { observations: { b: [2] }, rewards: { a: 5, b: 2 }, terminated: false, truncated: false },
    { observations: {}, rewards: { b: 3 }, terminated: { b: true }, truncated: false },
  ];
  const env: MultiAgentEnv = {
    agents: { a: spaces, b: spaces },
    reset: () => ({ observations: { a: [0], b: [0] } }),
    step(actions) {
      acted.push(Object.keys(actions).join());
      return steps[acted.length - 1];
    },
  };
  const { returns, length } = await shown(env, options({ chance: 'random' }, {}));
  expect([acted, returns, length]).toEqual([['a,b', 'b', 'b'], { a: 6, b: 5 }, 3]);
});
