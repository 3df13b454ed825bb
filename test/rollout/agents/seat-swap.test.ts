/** In a game that is the same from every seat, who sits where makes no difference: everybody in another's place have each other's trajectories and credits. */
import { expect, test } from 'vitest';
import { computeAdvantages } from '../../../src/algorithm/agents/agents-samples.ts';
import type { AgentsKernelFactory } from '../../../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../../../src/env/agents/kernel-multi-agent-env.ts';
import { type JsonObject, PPOConfig } from '../../../src/index.ts';
import { MIRRORED_GAMES } from '../../envs/fixtures/agents/mirrored-games.ts';
import { createSmallRunner } from './small-runner.ts';

/** Everything that is learned from, by the name of the agent, and how many episodes ended. Whoever sees the same does the same: chance belongs to a seat. */
async function collected(game: AgentsKernelFactory) {
  const options = { numEnvs: 3, rolloutLength: 40, seed: 9, policyGain: 1e7 };
  const runner = await createSmallRunner(multiAgentFactory(game), options);
  const { names } = runner.seats;
  const steps: unknown[][] = names.map(() => []);
  let numEnds = 0;
  for (let k = 0; k < 3; k++) {
    const { groups, envs } = runner.collect();
    expect(groups).toHaveLength(1);
    const [group] = groups;
    computeAdvantages(group, { gamma: 0.9, gaeLambda: 0.8, discountBy: 'own-step' });
    const { rollout, acted } = group;
    const { rolloutLength: C, observations, actions, rewards, terminated, truncated } = rollout;
    const size = observations.length / acted.length;
    for (const i of acted.keys()) {
      if (acted[i] === 0) continue;
      steps[Math.floor(i / C) % names.length].push([
        [...observations.subarray(i * size, (i + 1) * size)],
        ...[actions[i], rewards[i], terminated[i], truncated[i], rollout.values[i]],
        ...[rollout.advantages[i], rollout.returns[i]],
      ]);
    }
    numEnds += envs.ends.filter((end) => end !== 0).length;
  }
  return { steps, numEnds };
}

test.each(MIRRORED_GAMES)('$name: everybody in another seat', async ({ game, mirror }) => {
  const here = await collected(game);
  const there = await collected(mirror);
  expect(here.numEnds).toBeGreaterThan(3);
  expect(there.steps).toEqual(here.steps.toReversed());
  expect(there.steps).not.toEqual(here.steps);
  for (const ofSeat of here.steps) expect(ofSeat.length).toBeGreaterThan(20);
});

const [{ game: PONG, turned: TURNED_PONG }] = MIRRORED_GAMES;

/** Weights, and what is told by agent, of some iterations. */
async function trained(game: AgentsKernelFactory, layers: JsonObject) {
  const algorithm = await new PPOConfig({
    environment: { env: multiAgentFactory(game) },
    envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 48 },
    training: { hiddenSizes: [16], minibatchSize: 60, numEpochs: 2 },
    debugging: { seed: 3, deterministic: true },
    ...layers,
  } as never).build();
  const told: { matches: object[][]; metrics: Record<string, number> } = { matches: [], metrics: {} };
  for (let k = 0; k < 4; k++) {
    const { metrics, episodes } = await algorithm.train();
    told.matches.push(
      ...episodes.map(({ agents = [] }) => agents.toSorted((a, b) => (a.agent < b.agent ? -1 : 1))),
    );
    for (const side of ['left', 'right'])
      for (const what of ['returnMean', 'outcomeMean'])
        told.metrics[`${k} ${side} ${what}`] = metrics[`agent/${side}/${what}`];
  }
  const { tensors } = await algorithm.getState();
  await algorithm.stop();
  return { tensors, told };
}

const otherSide = (text: string) =>
  text.replace(/left|right/g, (side) => (side === 'left' ? 'right' : 'left'));

const exchanged = ({ matches, metrics }: Awaited<ReturnType<typeof trained>>['told']) => ({
  matches: matches.map((agents) =>
    agents.map((agent) => ({ ...agent, agent: otherSide((agent as { agent: string }).agent) })).toReversed(),
  ),
  metrics: Object.fromEntries(Object.entries(metrics).map(([key, value]) => [otherSide(key), value])),
});

const seated = (left: JsonObject[string], right: JsonObject[string]) => ({
  multiAgent: { policies: { main: {}, still: {} }, policiesToTrain: ['main'], policyFor: { left, right } },
});
const LEAGUE = {
  selfPlay: { selfPlay: 'uniform', snapshotInterval: 1, maxSnapshots: 3, anchorFraction: 0.2 },
};

test.each([
  ['policies that change places', seated('main', 'still'), seated('still', 'main')],
  [
    'lists that do',
    seated(['main', 'still'], ['still', 'main']),
    seated(['still', 'main'], ['main', 'still']),
  ],
  ['self-play against the past', LEAGUE, LEAGUE],
])(
  'a run with seats exchanged learns the same weights, and tells of each side what it told of the other: %s',
  async (_what, layers, swapped) => {
    const here = await trained(PONG, layers as JsonObject);
    const there = await trained(TURNED_PONG, swapped as JsonObject);
    expect(there.tensors).toEqual(here.tensors);
    expect(exchanged(there.told)).toEqual(here.told);
    expect(here.told.matches.length).toBeGreaterThan(8);
    expect(exchanged(here.told)).not.toEqual(here.told);
  },
);
