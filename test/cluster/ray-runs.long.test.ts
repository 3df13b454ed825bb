/** Runs on a real Ray cluster give the bits of local ones, whatever the number of hosts and whoever is killed in between. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Algorithm, APPOConfig, DQNConfig, PPOConfig } from '../../src/index.ts';
import { WORLDS } from '../env/python/open-python.ts';
import { comparable } from '../invariants/run-content.ts';
import { bridgePids, findRay, kill, type RayCluster, startRayCluster } from './ray-cluster.ts';

const NUM_ITERATIONS = 10;
let cluster: RayCluster;

/** Whom to kill before which iteration. */
type Disturbances = Readonly<Record<number, () => void>>;

interface Result {
  readonly content: object;
  /** Hosts that were replaced, by iteration. */
  readonly numReplaced: readonly number[];
}

async function run(
  env: string,
  numRolloutHosts: number,
  disturbances: Disturbances = {},
  hostDeadlineSeconds = 60, // that a loaded machine does not miss: restarts are counted
): Promise<Result> {
  const runners =
    numRolloutHosts === 0
      ? { numEnvRunners: 2 }
      : {
          ...{ runners: 'ray' as const, rayAddress: cluster.address, numRolloutHosts },
          ...{ numEnvRunners: 2, hostDeadlineSeconds },
        };
  const algorithm = await new PPOConfig()
    .environment(env)
    .envRunners({ numEnvs: 7, rolloutLength: 32, normalizeObservations: true, ...runners })
    .training({ numEpochs: 2, minibatchSize: 56, hiddenSizes: [16] })
    .learners({ engine: 'simd', numLearnerThreads: 1 })
    .debugging({ seed: 5, poison: true })
    .build();
  try {
    const numReplaced: number[] = [];
    for (let k = 0; k < NUM_ITERATIONS; k++) {
      disturbances[k]?.();
      const { metrics } = await algorithm.train();
      numReplaced.push(metrics['rollout/numWorkerRestarts']);
    }
    return { content: comparable(await algorithm.getState()), numReplaced };
  } finally {
    await algorithm.stop();
  }
}

const isRayHere = findRay() !== null;

describe.skipIf(!isRayHere)('on a real Ray cluster', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    cluster = await startRayCluster({ numCpus: 6 });
  }, 240_000);
  afterAll(() => cluster?.stop(), 60_000);

  test.each(['CartPole', 'Pendulum'])(
    'PPO on %s: 1, 2 and 3 hosts give the weights of a local run',
    async (env) => {
      const local = await run(env, 0);
      const far = await Promise.all([1, 2, 3].map((numHosts) => run(env, numHosts)));
      for (const result of far) expect(result).toEqual(local);
      expect(Math.max(...local.numReplaced)).toBe(0);
    },
  );

  const rolloutPids = () => cluster.pids('rollout');
  /** A run of two hosts that loses some: how many were replaced, by iteration. Its weights are a local run's, and nobody is left. */
  async function replacedWhen(disturbances: Disturbances, deadline?: number): Promise<readonly number[]> {
    const local = await run('CartPole', 0);
    const { content, numReplaced } = await run('CartPole', 2, disturbances, deadline);
    expect(content).toEqual(local.content);
    // Of a bridge that was killed Ray ends the actors.
    await vi.waitFor(() => expect([...rolloutPids(), ...bridgePids()]).toEqual([]), {
      timeout: 30_000,
      interval: 200,
    });
    return numReplaced;
  }

  test('a host is replaced, with the same weights in the end, when its Node process, its actor, and the bridge are killed', async () => {
    const numReplaced = await replacedWhen({
      2: () => kill(rolloutPids()[0]),
      4: () => kill(cluster.pids('actor')[0]),
      6: () => kill(bridgePids()[0]),
    });
    expect(numReplaced).toEqual([0, 0, 1, 0, 1, 0, 2, 0, 0, 0]);
  });

  test('a host is replaced, with the same weights in the end, when its Node process is frozen', async () => {
    const numReplaced = await replacedWhen({ 4: () => kill(rolloutPids()[0], 'SIGSTOP') }, 4);
    expect(numReplaced).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
  });

  test('APPO with a fixed lag, and DQN with replay, of transitions and of sequences, give the bits of local runs', async () => {
    const onRay = {
      runners: 'ray',
      rayAddress: cluster.address,
      numRolloutHosts: 2,
      numEnvRunners: 1,
    } as const;
    const results = [];
    for (const runners of [{ numEnvRunners: 2 }, onRay]) {
      const appo = new APPOConfig()
        .environment('CartPole')
        .envRunners({ numEnvs: 4, rolloutLength: 32, ...runners })
        .training({ lag: 2, fragmentsPerIteration: 6, hiddenSizes: [16] })
        .debugging({ seed: 3 })
        .build();
      const dqn = new DQNConfig()
        .environment('CartPole')
        .envRunners({ numEnvs: 4, ...runners })
        .training({ trainEvery: 16, learningStarts: 128, stepsPerIteration: 512, hiddenSizes: [16] })
        .debugging({ seed: 3 })
        .build();
      const remembering = new DQNConfig()
        .environment('RepeatFirst-v0')
        .envRunners({ numEnvs: 4, ...runners })
        .training({ recurrent: 'lstm', recurrentSize: 8, hiddenSizes: [8], sequenceLength: 8, burnIn: 4 })
        .training({ trainEvery: 16, batchSize: 64, learningStarts: 192, stepsPerIteration: 512 })
        .debugging({ seed: 3 })
        .build();
      const algorithms = await Promise.all([appo, dqn, remembering]);
      try {
        for (let k = 0; k < 2; k++) for (const algorithm of algorithms) await algorithm.train();
        const states = await Promise.all(algorithms.map((algorithm) => algorithm.getState()));
        results.push(states.map(comparable));
      } finally {
        await Promise.all(algorithms.map((algorithm) => algorithm.stop()));
      }
    }
    expect(results[1]).toEqual(results[0]);
  });

  test('an environment in a file of Python is sent along, and gives the bits of a local run', async () => {
    const results = [];
    for (const runners of [
      { numEnvRunners: 1 },
      { runners: 'ray' as const, rayAddress: cluster.address, numRolloutHosts: 2 },
    ]) {
      const algorithm = await new PPOConfig()
        .environment({
          env: `python:${WORLDS}#walk`,
          envOptions: { kwargs: { limit: 9 }, infoMetrics: false },
          python: process.env.OPERANT_PYTHON ?? '',
        })
        .envRunners({ numEnvs: 4, rolloutLength: 32, ...runners })
        .training({ hiddenSizes: [16] })
        .build();
      try {
        for (let k = 0; k < 2; k++) await algorithm.train();
        results.push(comparable(await algorithm.getState()));
      } finally {
        await algorithm.stop();
      }
    }
    expect(results[1]).toEqual(results[0]);
  });

  // Ray hands what is short on with calls and answers; what is too long for that goes other ways.
  test.each([
    ['fragments that travel as arrays', 12_288, [16]],
    ['fragments that come in two answers', 49_152, [16]],
    ['weights that go through an object store', 64, [560, 560]],
  ])('%s: the bits of a local run', async (_, rolloutLength, hiddenSizes) => {
    const results = [];
    for (const runners of [
      { numEnvRunners: 2 },
      { runners: 'ray' as const, rayAddress: cluster.address, numRolloutHosts: 2, numEnvRunners: 1 },
    ]) {
      const algorithm = await new PPOConfig()
        .environment('CartPole')
        .envRunners({ numEnvs: 8, rolloutLength, ...runners })
        .training({ numEpochs: 1, minibatchSize: 512, hiddenSizes })
        .learners({ engine: 'simd' })
        .build();
      try {
        for (let k = 0; k < 3; k++) await algorithm.train();
        results.push(comparable(await algorithm.getState()));
      } finally {
        await algorithm.stop();
      }
    }
    expect(results[1]).toEqual(results[0]);
  });

  test('by ray:// a run that has lost an actor goes on here as if nothing had happened', () =>
    goesOnHere({ rayAddress: cluster.clientAddress, numRolloutHosts: 2 }, async () =>
      kill(cluster.pids('actor')[0]),
    ));

  test('a checkpoint of a run on Ray goes on here as if nothing had happened', () =>
    goesOnHere({ rayAddress: cluster.address, numRolloutHosts: 2 }));

  // The last one: it ends the cluster.
  test('the head is gone: a clear error, and the state of the last iteration is whole', () =>
    goesOnHere({ rayAddress: cluster.address, hostDeadlineSeconds: 4 }, async (onRay) => {
      await cluster.stop();
      await expect(onRay.train()).rejects.toMatchObject({
        code: 'CLUSTER_LOST',
        message: expect.stringMatching(/The cluster is gone: .*--resume/s),
      });
    }));
});

/** An iteration on Ray and one here give what two here do. */
async function goesOnHere(
  cluster: object,
  disturb: (onRay: Algorithm) => Promise<void> = async () => undefined,
): Promise<void> {
  const build = (runners: object) =>
    new PPOConfig()
      .environment('CartPole')
      .envRunners({ numEnvs: 4, rolloutLength: 32, numEnvRunners: 1, ...runners })
      .debugging({ seed: 9 })
      .build();
  const onRay = await build({ runners: 'ray', ...cluster });
  const here = await build({});
  const whole = await build({});
  try {
    await onRay.train();
    await disturb(onRay);
    await here.setState(await onRay.getState());
    await here.train();
    await whole.train();
    await whole.train();
    expect(comparable(await here.getState())).toEqual(comparable(await whole.getState()));
  } finally {
    await Promise.all([onRay.stop(), here.stop(), whole.stop()]);
  }
}
