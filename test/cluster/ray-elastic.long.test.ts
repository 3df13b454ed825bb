/** Hosts that come and go with the nodes of a real Ray: a node that joins is used, one that leaves is not missed, and bits stay those of a local run. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CheckpointContent } from '../../src/checkpoint/content.ts';
import { type Algorithm, IMPALAConfig, PPOConfig } from '../../src/index.ts';
import { comparable } from '../invariants/run-content.ts';
import { bridgePids, findRay, kill, type RayCluster, startRayCluster } from './ray-cluster.ts';

const isRayHere = findRay() !== null;
let cluster: RayCluster;

const onRay = (more: object = {}) => ({
  ...{ runners: 'ray' as const, rayAddress: cluster.address, numRolloutHosts: 'all' as const },
  ...{ numEnvRunners: 1, hostDeadlineSeconds: 30, ...more },
});

const buildPpo = (runners: object) =>
  new PPOConfig()
    .environment('CartPole')
    .envRunners({ numEnvs: 7, rolloutLength: 32, normalizeObservations: true, ...runners })
    .training({ numEpochs: 2, minibatchSize: 56, hiddenSizes: [16] })
    .learners({ engine: 'simd', numLearnerThreads: 1 })
    .debugging({ seed: 5, poison: true })
    .build();

const buildImpala = (lag: number | 'free', runners: object) =>
  new IMPALAConfig()
    .environment('CartPole')
    .envRunners({ numEnvs: 6, rolloutLength: 32, ...runners })
    .training({ lag, fragmentsPerIteration: 6, hiddenSizes: [16] })
    .debugging({ seed: 3 })
    .build();

/** Trains until the run has so many hosts; everybody else in step. Nodes are asked for every two seconds, an iteration may be short. */
async function trainUntil(numHosts: number, algorithm: Algorithm, others: readonly Algorithm[] = []) {
  for (let k = 0; k < 10_000; k++) {
    const { metrics } = await algorithm.train();
    for (const other of others) await other.train();
    if (metrics['cluster/numHosts'] === numHosts && metrics['cluster/numHostsUp'] === numHosts)
      return metrics;
  }
  throw new Error(`There never were ${numHosts} hosts.`);
}

/** As `hosts.json` has them. */
function hostsOf(algorithm: Algorithm) {
  const described = algorithm.describeHosts?.() as { hosts: { rayNode: string; environments: string }[] };
  return described.hosts;
}

/** Whether a local run that begins with this content goes on as `here` does. */
async function goesOnAs(here: Algorithm, content: CheckpointContent): Promise<void> {
  const resumed = await buildPpo({});
  try {
    await resumed.setState(content);
    for (let k = 0; k < 3; k++) {
      await here.train();
      await resumed.train();
    }
    expect(comparable(await resumed.getState())).toEqual(comparable(await here.getState()));
  } finally {
    await resumed.stop();
  }
}

describe.skipIf(!isRayHere)('hosts that come and go, on a real Ray cluster', { timeout: 900_000 }, () => {
  beforeEach(async () => {
    cluster = await startRayCluster({ numNodes: 1 });
  }, 400_000);
  afterEach(() => cluster?.stop(), 60_000);

  test.each<[string, number, (runners: object) => Promise<Algorithm>]>([
    ['PPO', 7, buildPpo],
    ['IMPALA with a lag of 2', 6, (runners) => buildImpala(2, runners)],
  ])(
    '%s keeps the bits of a local run while a node joins, one is given notice, and another is killed',
    async (_, numEnvs, build) => {
      const [far, here] = [await build(onRay()), await build({})];
      try {
        const first = await trainUntil(1, far, [here]);
        expect(first).toMatchObject({ 'cluster/numHostsJoined': 0, 'cluster/numHostsLeft': 0 });

        await cluster.addNode();
        const joined = await trainUntil(2, far, [here]);
        expect(joined).toMatchObject({ 'cluster/numHostsJoined': 1, 'cluster/numHostsLost': 0 });
        expect(far.describeHosts?.()).toMatchObject({
          hosts: [{ environments: '0 to 2' }, { environments: `3 to ${numEnvs - 1}` }],
        });

        await cluster.drainNode(0);
        const drained = await trainUntil(1, far, [here]);
        expect(drained).toMatchObject({ 'cluster/numHostsLeft': 1, 'cluster/numHostsLost': 0 });

        await cluster.addNode();
        await trainUntil(2, far, [here]);
        for (const pid of cluster.pidsOfNode(2)) kill(pid);
        const left = await trainUntil(1, far, [here]);
        expect(left).toMatchObject({ 'cluster/numHostsJoined': 2, 'cluster/numHostsLeft': 2 });
        expect(left['cluster/numHostsLost']).toBeGreaterThanOrEqual(1);

        expect(comparable(await far.getState())).toEqual(comparable(await here.getState()));
      } finally {
        await Promise.all([far.stop(), here.stop()]);
      }
    },
  );

  test('a bridge that is killed makes no node a suspect: every host goes on where it was', async () => {
    await cluster.addNode();
    const [far, here] = [await buildPpo(onRay()), await buildPpo({})];
    const places = () => hostsOf(far).map(({ rayNode, environments }) => ({ rayNode, environments }));
    try {
      await trainUntil(2, far, [here]);
      const before = places();
      expect(new Set(before.map(({ rayNode }) => rayNode)).size).toBe(2);
      kill(bridgePids()[0]);
      for (let k = 0; k < 3; k++) {
        await far.train();
        await here.train();
        expect(places()).toEqual(before);
      }
      expect(comparable(await far.getState())).toEqual(comparable(await here.getState()));
    } finally {
      await Promise.all([far.stop(), here.stop()]);
    }
  });

  test('a head that is gone is noticed at once, where hosts come and go, too', async () => {
    const far = await buildPpo(onRay({ minRolloutHosts: 1, hostDeadlineSeconds: 4 }));
    try {
      await far.train();
      await cluster.stop();
      const stopped = performance.now();
      await expect(far.train()).rejects.toMatchObject({ code: 'CLUSTER_LOST' });
      expect(performance.now() - stopped).toBeLessThan(20_000); // Ray itself takes a minute
    } finally {
      await far.stop();
    }
  });

  test('with a free lag hosts share the rows evenly, and every iteration has its steps', async () => {
    const free = await buildImpala('free', onRay());
    try {
      await trainUntil(1, free);
      await cluster.addNode();
      await trainUntil(2, free);
      await cluster.drainNode(0);
      await trainUntil(1, free);
      const before = free.numEnvSteps;
      expect((await free.train()).numEnvSteps - before).toBe(6 * 6 * 32);
    } finally {
      await free.stop();
    }
  });

  test('below the minimum the run waits, then ends with one error, and its state is whole', async () => {
    await cluster.addNode();
    const runners = onRay({ minRolloutHosts: 2, hostWaitSeconds: 3 });
    const [far, here] = [await buildPpo(runners), await buildPpo({})];
    try {
      await trainUntil(2, far, [here]);
      await cluster.removeNode(0);
      const failure = await (async () => {
        for (let k = 0; k < 10_000; k++) {
          await far.train();
          await here.train();
        }
      })().catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 'CLUSTER_TOO_FEW_HOSTS',
        message: expect.stringMatching(
          /For 3 s \(hostWaitSeconds\).*minRolloutHosts \(2\).*1 at last.*--resume/s,
        ),
      });
      await goesOnAs(here, await far.getState());
    } finally {
      await Promise.all([far.stop(), here.stop()]);
    }
  });
});
