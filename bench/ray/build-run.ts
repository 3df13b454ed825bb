/** The run that is measured: PPO on CartPole or something else, here or on two hosts. */
import { PPOConfig } from '../../src/index.ts';
import type { RayCluster } from '../../test/cluster/ray-cluster.ts';

export const NUM_HOSTS = 2;
const NUM_THREADS = 1;
/** A frozen host is given up after so long. */
const HOST_DEADLINE_SECONDS = 4;

/** @param cluster null = threads of this process, as many as hosts. */
export function buildRun(
  cluster: RayCluster | null,
  numEnvs: number,
  rolloutLength: number,
  numHosts: number = NUM_HOSTS,
  hiddenSizes: readonly number[] = [64, 64],
  env = 'CartPole',
) {
  const runners =
    cluster === null
      ? { numEnvRunners: numHosts * NUM_THREADS }
      : {
          ...{ runners: 'ray' as const, rayAddress: cluster.address, numRolloutHosts: numHosts },
          ...{ numEnvRunners: NUM_THREADS, hostDeadlineSeconds: HOST_DEADLINE_SECONDS, insecure: true },
        };
  return new PPOConfig()
    .environment(env)
    .envRunners({ numEnvs, rolloutLength, ...runners })
    .training({ numEpochs: 1, minibatchSize: Math.min(4096, numEnvs * rolloutLength), hiddenSizes })
    .learners({ engine: 'simd', numLearnerThreads: 1 })
    .faultTolerance({ maxWorkerRestarts: 100_000 })
    .debugging({ seed: 1 })
    .build();
}
