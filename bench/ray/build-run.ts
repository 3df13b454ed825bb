/** The runs that are measured: PPO, or IMPALA where nobody is waited for, on CartPole or something else, here or on two hosts. */
import { fileURLToPath } from 'node:url';
import type { RayCluster } from '../../test/cluster/ray-cluster.ts';

/** As an installed package is: hosts compile no TypeScript then. */
const isBuilt = process.argv.includes('--built');
const { IMPALAConfig, PPOConfig } = (await import(
  new URL(isBuilt ? '../../dist/src/index.js' : '../../src/index.ts', import.meta.url).href
)) as typeof import('../../src/index.ts');

export const NUM_HOSTS = 2;
const NUM_THREADS = 1;
/** A frozen host is given up after so long. */
const HOST_DEADLINE_SECONDS = 4;
/** Whose steps are long, so that travelling is all that happens. */
export const WIDE_ENV = fileURLToPath(new URL('./wide-env.ts', import.meta.url));

/** @param cluster null = threads of this process, as many as hosts. */
const runnersOf = (cluster: RayCluster | null, numHosts: number) =>
  cluster === null
    ? { numEnvRunners: numHosts * NUM_THREADS }
    : {
        ...{ runners: 'ray' as const, rayAddress: cluster.address, numRolloutHosts: numHosts },
        ...{ numEnvRunners: NUM_THREADS, hostDeadlineSeconds: HOST_DEADLINE_SECONDS, insecure: true },
      };

export function buildRun(
  cluster: RayCluster | null,
  numEnvs: number,
  rolloutLength: number,
  numHosts: number = NUM_HOSTS,
  hiddenSizes: readonly number[] = [64, 64],
  env = 'CartPole',
) {
  return new PPOConfig()
    .environment(env)
    .envRunners({ numEnvs, rolloutLength, ...runnersOf(cluster, numHosts) })
    .training({ numEpochs: 1, minibatchSize: Math.min(4096, numEnvs * rolloutLength), hiddenSizes })
    .learners({ engine: 'simd', numLearnerThreads: 1 })
    .faultTolerance({ maxWorkerRestarts: 100_000 })
    .debugging({ seed: 1 })
    .build();
}

/** Of an iteration of IMPALA. */
const FRAGMENTS = 16;

/** IMPALA, which learns from one fragment while others are collected. */
export function buildActorLearner(
  cluster: RayCluster | null,
  numEnvs: number,
  rolloutLength: number,
  lag: number | 'free',
) {
  return new IMPALAConfig()
    .environment('CartPole')
    .envRunners({ numEnvs, rolloutLength, ...runnersOf(cluster, NUM_HOSTS) })
    .training({ lag, fragmentsPerIteration: FRAGMENTS, hiddenSizes: [64, 64] })
    .learners({ engine: 'simd' })
    .debugging({ seed: 1 })
    .build();
}
