/** Hosts that come and go with the nodes of a real Ray: a node that joins is used, one that leaves is not missed, and bits stay those of a local run. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

/** A run on the cluster and, where its bits are fixed, the same one here. */
interface Pair {
  readonly far: Algorithm;
  readonly here: Algorithm | null;
}

/** Trains until every run has so many hosts; all in step. Nodes are asked for every two seconds, an iteration may be short. @returns the metrics of each. */
async function trainUntil(numHosts: number, ...pairs: readonly Pair[]) {
  const both = async ({ far, here }: Pair) => {
    const { metrics } = await far.train();
    await here?.train();
    return metrics;
  };
  for (let k = 0; k < 10_000; k++) {
    const all = await Promise.all(pairs.map(both));
    const isThere = (name: string) => all.every((metrics) => metrics[name] === numHosts);
    if (isThere('cluster/numHosts') && isThere('cluster/numHostsUp')) return all;
  }
  throw new Error(`There never were ${numHosts} hosts.`);
}

const stopAll = (...pairs: readonly Pair[]) =>
  Promise.all(pairs.flatMap(({ far, here }) => [far.stop(), here?.stop()]));

/** As `hosts.json` has them. */
function hostsOf(algorithm: Algorithm) {
  const described = algorithm.describeHosts?.() as { hosts: { rayNode: string; environments: string }[] };
  return described.hosts;
}

async function expectSame({ far, here }: Readonly<Record<'far' | 'here', Algorithm>>): Promise<void> {
  expect(comparable(await far.getState())).toEqual(comparable(await here.getState()));
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

describe.skipIf(!isRayHere)('hosts that come and go, on a real Ray cluster', { timeout: 600_000 }, () => {
  beforeAll(async () => {
    cluster = await startRayCluster({ numNodes: 1 });
  }, 240_000);
  afterAll(() => cluster?.stop(), 60_000);

  test('PPO and IMPALA keep the bits of local runs while a node joins, one is given notice, and another is killed; with a free lag every iteration has its steps', async () => {
    const [first] = await cluster.haveNodes(1);
    const far = [buildPpo(onRay()), buildImpala(2, onRay()), buildImpala('free', onRay())] as const;
    const [farPpo, farLagging, farFree] = await Promise.all(far);
    const ppo = { far: farPpo, here: await buildPpo({}) };
    const lagging = { far: farLagging, here: await buildImpala(2, {}) };
    const free = { far: farFree, here: null };
    const all = [ppo, lagging, free];
    try {
      for (const metrics of await trainUntil(1, ...all))
        expect(metrics).toMatchObject({ 'cluster/numHostsJoined': 0, 'cluster/numHostsLeft': 0 });

      await cluster.addNode();
      for (const metrics of await trainUntil(2, ...all))
        expect(metrics).toMatchObject({ 'cluster/numHostsJoined': 1, 'cluster/numHostsLost': 0 });
      expect(hostsOf(ppo.far)).toMatchObject([{ environments: '0 to 2' }, { environments: '3 to 6' }]);
      for (const { far } of [lagging, free])
        expect(hostsOf(far)).toMatchObject([{ environments: '0 to 2' }, { environments: '3 to 5' }]);

      await cluster.drainNode(first);
      for (const metrics of await trainUntil(1, ...all))
        expect(metrics).toMatchObject({ 'cluster/numHostsLeft': 1, 'cluster/numHostsLost': 0 });

      const last = await cluster.addNode();
      await trainUntil(2, ...all);
      for (const pid of cluster.pidsOfNode(last)) kill(pid);
      for (const metrics of await trainUntil(1, ...all)) {
        expect(metrics).toMatchObject({ 'cluster/numHostsJoined': 2, 'cluster/numHostsLeft': 2 });
        expect(metrics['cluster/numHostsLost']).toBeGreaterThanOrEqual(1);
      }

      for (const run of [ppo, lagging]) await expectSame(run);
      const before = free.far.numEnvSteps;
      expect((await free.far.train()).numEnvSteps - before).toBe(6 * 6 * 32);
      await cluster.removeNode(last);
    } finally {
      await stopAll(...all);
    }
  });

  test('a bridge that is killed makes no node a suspect: every host goes on where it was', async () => {
    await cluster.haveNodes(2);
    const run = { far: await buildPpo(onRay()), here: await buildPpo({}) };
    const places = () => hostsOf(run.far).map(({ rayNode, environments }) => ({ rayNode, environments }));
    try {
      await trainUntil(2, run);
      const before = places();
      expect(new Set(before.map(({ rayNode }) => rayNode)).size).toBe(2);
      kill(bridgePids()[0]);
      for (let k = 0; k < 3; k++) {
        await run.far.train();
        await run.here.train();
        expect(places()).toEqual(before);
      }
      await expectSame(run);
    } finally {
      await stopAll(run);
    }
  });

  test('below the minimum the run waits, then ends with one error, and its state is whole', async () => {
    const [first] = await cluster.haveNodes(2);
    const runners = onRay({ minRolloutHosts: 2, hostWaitSeconds: 3 });
    const [far, here] = [await buildPpo(runners), await buildPpo({})];
    try {
      await trainUntil(2, { far, here });
      await cluster.removeNode(first);
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
      await stopAll({ far, here });
    }
  });

  // The last one: it ends the cluster.
  test('a head that is gone is noticed at once, where hosts come and go, too', async () => {
    await cluster.haveNodes(1);
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
});
