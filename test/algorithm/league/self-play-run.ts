/** Short runs of self-play, and what came of them. */
import type { Algorithm as RunningAlgorithm } from '../../../src/algorithm/algorithm.ts';
import { type JsonObject, PPOConfig } from '../../../src/index.ts';
import { comparable } from '../../invariants/run-content.ts';

const SELF_PLAY = {
  selfPlay: 'prioritized',
  snapshotInterval: 1,
  maxSnapshots: 3,
  numOpponents: 2,
  anchorFraction: 0.2,
};

export function build(
  env: string,
  { selfPlay = SELF_PLAY, ...layers }: JsonObject = {},
): Promise<RunningAlgorithm> {
  return new PPOConfig({
    environment: { env },
    envRunners: { numEnvRunners: 0, numEnvs: 6, rolloutLength: 33, normalizeObservations: true },
    training: { hiddenSizes: [16], minibatchSize: 60, numEpochs: 2, gamma: 1 },
    debugging: { seed: 7, deterministic: true },
    selfPlay,
    ...layers,
  } as never).build();
}

export const threads = (numEnvRunners: number) => ({
  envRunners: { numEnvRunners, numEnvs: 6, rolloutLength: 33, normalizeObservations: true },
});

/** Matches of all episodes, and the state at the end. */
export async function play(algorithm: RunningAlgorithm, numIterations: number) {
  const matches: string[] = [];
  for (let k = 0; k < numIterations; k++) {
    const { episodes } = await algorithm.train();
    for (const { envIndex, agents = [] } of episodes)
      matches.push(`${envIndex} ${agents.map(({ policy, outcome }) => `${policy} ${outcome}`).join(', ')}`);
  }
  const content = comparable(await algorithm.getState());
  await algorithm.stop();
  return { matches, content };
}
