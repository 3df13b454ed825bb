/** What the hosts of a run are made from. */
import type { EnvFaultPolicy } from '../env/env-faults.ts';
import type { EnvModuleSource } from '../env/env-source.ts';
import type { RolloutColumns } from '../experience/layout.ts';
import type { JsonObject } from '../json.ts';
import type { Arena } from '../memory/arena.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { SamplingLayout } from '../rollout/sampling-layout.ts';
import type { WorkerTeamOptions } from '../rollout/worker-team.ts';
import type { WeightBufferLayout } from '../weights/weight-buffer.ts';
import type { Expected } from './handshake.ts';

/** What a user says of the cluster. */
export interface ClusterOptions {
  readonly rayAddress: string;
  /** all = one on each node that can be one. */
  readonly numRolloutHosts: number | 'all';
  /** Hosts come and go with the nodes, as long as there are so many; null = as many as numRolloutHosts says, or 1 for all. */
  readonly minRolloutHosts: number | null;
  readonly hostWaitSeconds: number;
  /** Whether the autoscaler is asked for numRolloutHosts hosts. */
  readonly requestHosts: boolean;
  readonly insecure: boolean;
  readonly rayWorkingDir: string | null;
  readonly rayPackageMb: number;
  readonly hostResources: Readonly<Record<string, number>>;
  readonly hostLabels: Readonly<Record<string, string>>;
  readonly hostDeadlineSeconds: number;
}

/** Of a team of worker threads and of one of hosts alike. */
type TeamLimits = Pick<
  WorkerTeamOptions,
  'deadlineMs' | 'maxRestarts' | 'restartWindowMs' | 'memoryMb' | 'rowStates' | 'onRestarted'
>;

export interface HostTeamOptions extends TeamLimits {
  readonly cluster: ClusterOptions;
  readonly arena: Arena;
  readonly spec: ActingSpec;
  readonly source: EnvModuleSource;
  readonly seed: number;
  readonly numEnvs: number;
  /** Of a host; its actor reserves as many CPUs. auto = min(4, its rows, the CPUs of the largest node). */
  readonly numThreads: number | 'auto';
  /** Whether every host has to have as many rows as every other. */
  readonly isEven: boolean;
  readonly columns: RolloutColumns;
  readonly sampling: SamplingLayout;
  readonly weights: WeightBufferLayout;
  readonly kernelBuild: Expected['kernels'];
  readonly nativeKernels: boolean;
  readonly faultPolicy: EnvFaultPolicy;
  /** Of the first episodes, laid over the source's; null = options never change. */
  readonly envOptions: JsonObject | null;
  readonly poison: boolean;
}
