/**
 * Rollout hosts on a real Ray of this machine (a head, two nodes, two hosts): what a rollout costs beside local threads, and what becomes
 * of a run whose parts are killed.
 *
 *     npm run bench:ray -- [--only throughput,drill] [--kinds rollout,frozen,actor,bridge] [--kills 20] [--rollouts 20]
 *
 * Needs OPERANT_RAY_PYTHON, a Python with ray and numpy. Throughput: milliseconds of a rollout by the size of a host's fragment, local threads and hosts taken in
 * turns; the medians. Drill: every kind of loss, once every other iteration of one run; the exit status is 1 when the run's bits are not those of an undisturbed
 * local one, when a loss was not counted once, or when a process is left.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { PPOConfig } from '../src/index.ts';
import { bridgePids, kill, type RayCluster, startRayCluster } from '../test/cluster/ray-cluster.ts';
import { comparable } from '../test/invariants/run-content.ts';
import { describeMachine, load, machineLine } from './machine.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'throughput,drill' },
    kinds: { type: 'string', default: 'rollout,frozen,actor,bridge' },
    kills: { type: 'string', default: '20' },
    rollouts: { type: 'string', default: '20' },
  },
});
const NUM_HOSTS = 2;
const NUM_THREADS = 1;
/** Environments and steps: fragments of 13, 420 and 3400 kB from each host. */
const SIZES = [
  [8, 64],
  [16, 1024],
  [128, 1024],
] as const;
/** A frozen host is given up after so long. */
const HOST_DEADLINE_SECONDS = 4;

function buildRun(cluster: RayCluster | null, numEnvs: number, rolloutLength: number) {
  const runners =
    cluster === null
      ? { numEnvRunners: NUM_HOSTS * NUM_THREADS }
      : {
          ...{ runners: 'ray' as const, rayAddress: cluster.address, numRolloutHosts: NUM_HOSTS },
          ...{ numEnvRunners: NUM_THREADS, hostDeadlineSeconds: HOST_DEADLINE_SECONDS },
        };
  return new PPOConfig()
    .environment('CartPole')
    .envRunners({ numEnvs, rolloutLength, ...runners })
    .training({ numEpochs: 1, minibatchSize: Math.min(4096, numEnvs * rolloutLength) })
    .learners({ engine: 'simd', numLearnerThreads: 1 })
    .faultTolerance({ maxWorkerRestarts: 100_000 })
    .debugging({ seed: 1 })
    .build();
}

async function measureThroughput(cluster: RayCluster): Promise<void> {
  for (const [numEnvs, rolloutLength] of SIZES) {
    const runs = [
      await buildRun(null, numEnvs, rolloutLength),
      await buildRun(cluster, numEnvs, rolloutLength),
    ];
    const times: number[][] = [[], []];
    for (let k = 0; k < Number(values.rollouts); k++) {
      for (const [which, run] of runs.entries()) {
        const { metrics } = await run.train();
        if (k > 0) times[which].push(metrics['time/rolloutMs']);
      }
    }
    await Promise.all(runs.map((run) => run.stop()));
    const [local, ray] = times.map(median);
    const kilobytes = (numEnvs * rolloutLength * 51) / NUM_HOSTS / 1000; // of CartPole: a step is 51 bytes
    console.log(
      `${numEnvs} x ${rolloutLength}: fragments of ${kilobytes.toFixed(0)} kB, local ${local.toFixed(2)} ms, on Ray ${ray.toFixed(2)} ms a rollout: ` +
        `${((100 * local) / ray).toFixed(0)} % of local, ${((NUM_HOSTS * kilobytes) / ray).toFixed(1)} MB/s`,
    );
  }
}

/** By kind: what is done to whom, and how many hosts are replaced. */
const LOSSES: Readonly<Record<string, { readonly numHosts: number; inflict(cluster: RayCluster): void }>> = {
  rollout: { numHosts: 1, inflict: (cluster) => kill(cluster.pids('rollout')[0]) },
  frozen: { numHosts: 1, inflict: (cluster) => kill(cluster.pids('rollout')[0], 'SIGSTOP') },
  actor: { numHosts: 1, inflict: (cluster) => kill(cluster.pids('actor')[0]) },
  bridge: { numHosts: NUM_HOSTS, inflict: () => kill(bridgePids()[0]) },
};

async function drill(cluster: RayCluster, kind: string): Promise<boolean> {
  const numIterations = 2 * Number(values.kills);
  const { numHosts, inflict } = LOSSES[kind];
  const [local, onRay] = [await buildRun(null, 8, 64), await buildRun(cluster, 8, 64)];
  const seconds: number[] = [];
  let numReplaced = 0;
  try {
    for (let k = 0; k < numIterations; k++) {
      await local.train();
      if (k % 2 === 1) inflict(cluster);
      const begin = performance.now();
      const { metrics } = await onRay.train();
      numReplaced += metrics['rollout/numWorkerRestarts'];
      if (k % 2 === 1) seconds.push((performance.now() - begin) / 1000);
    }
    const isEqual = isDeepStrictEqual(comparable(await onRay.getState()), comparable(await local.getState()));
    await onRay.stop();
    const numLeft = cluster.pids('rollout').length + bridgePids().length;
    const expected = Number(values.kills) * numHosts;
    console.log(
      `${kind}: ${values.kills} losses, iteration with one ${median(seconds).toFixed(1)} s (median), ${Math.max(...seconds).toFixed(1)} s (longest); ` +
        `${numReplaced} of ${expected} hosts replaced; bits ${isEqual ? 'those of a local run' : 'DIFFER'}; ${numLeft} processes left`,
    );
    return isEqual && numReplaced === expected && numLeft === 0;
  } finally {
    await Promise.all([local.stop(), onRay.stop()]);
  }
}

const parts = values.only.split(',');
console.log(`${machineLine(describeMachine())}; load ${load()}`);
const cluster = await startRayCluster();
try {
  if (parts.includes('throughput')) await measureThroughput(cluster);
  if (parts.includes('drill'))
    for (const kind of values.kinds.split(',')) if (!(await drill(cluster, kind))) process.exitCode = 1;
} finally {
  await cluster.stop();
}
