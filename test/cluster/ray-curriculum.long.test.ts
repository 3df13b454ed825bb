/** Options that change in mid-run on a real Ray cluster: the episodes of a local run, whoever is killed right behind a change. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PPOConfig } from '../../src/index.ts';
import { comparable } from '../invariants/run-content.ts';
import { findRay, kill, type RayCluster, startRayCluster } from './ray-cluster.ts';

const NUM_ITERATIONS = 8;
/** By steps, then by a metric that rises with the second stage. */
const STAGES = [
  { options: { length: 1 } },
  { options: { length: 2 }, fromStep: 100 },
  { options: { length: 4 }, metric: 'rollout/episodeReturnMean', atLeast: -50, minEpisodes: 10 },
];
let cluster: RayCluster;

const isRayHere = findRay() !== null;

describe.skipIf(!isRayHere)('on a real Ray cluster', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    cluster = await startRayCluster();
  }, 240_000);
  afterAll(() => cluster?.stop(), 60_000);

  const build = (runners: object, curriculum: typeof STAGES | null) =>
    new PPOConfig()
      .environment({ env: 'TMaze-v0', envOptions: { length: 8 }, curriculum: curriculum as never })
      .envRunners({ numEnvs: 5, rolloutLength: 16, ...runners })
      .training({ hiddenSizes: [8], minibatchSize: 40, numEpochs: 2 })
      .reporting({ metricsWindow: 10 })
      .debugging({ seed: 5, poison: true })
      .build();
  const onRay = (numRolloutHosts: number) => ({
    ...{ runners: 'ray', rayAddress: cluster.address, numRolloutHosts },
    ...{ numEnvRunners: 1, hostDeadlineSeconds: 60 }, // that a loaded machine does not miss: restarts are counted
  });

  async function grow(runners: object, disturb: () => void = () => undefined) {
    const algorithm = await build(runners, STAGES);
    try {
      const changes: object[] = [];
      let numRestarts = 0;
      for (let k = 0; k < NUM_ITERATIONS; k++) {
        const { envOptions, metrics } = await algorithm.train();
        numRestarts += metrics['rollout/numWorkerRestarts'];
        if (envOptions === undefined) continue;
        changes.push(envOptions);
        if (changes.length === 1) disturb();
      }
      return { content: comparable(await algorithm.getState()), changes, numRestarts };
    } finally {
      await algorithm.stop();
    }
  }

  test('a curriculum, with 1 and 3 hosts, and with one that is killed right behind a change', async () => {
    const local = await grow({ numEnvRunners: 2 });
    expect(local.changes).toEqual([{ length: 2 }, { length: 4 }]);
    const far = await Promise.all([1, 3].map((numHosts) => grow(onRay(numHosts))));
    for (const result of far) expect(result).toEqual(local);
    const killed = await grow(onRay(2), () => kill(cluster.pids('rollout')[0]));
    expect(killed).toEqual({ ...local, numRestarts: 1 });
  });

  test('setEnvOptions, the first call and the next, in mid-episode', async () => {
    const results: object[] = [];
    for (const runners of [{ numEnvRunners: 1 }, onRay(2)]) {
      const algorithm = await build(runners, null);
      for (const length of [3, 2]) {
        await algorithm.train();
        await algorithm.setEnvOptions?.({ length });
      }
      await algorithm.train();
      results.push(comparable(await algorithm.getState()));
      await algorithm.stop();
    }
    expect(results[1]).toEqual(results[0]);
  });
});
