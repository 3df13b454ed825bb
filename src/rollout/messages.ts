/** Every message that crosses a thread boundary, besides the control words. */

import type { MessagePort } from 'node:worker_threads';
import type { EnvFaultPolicy } from '../env/env-faults.ts';
import type { EnvModuleSource } from '../env/env-source.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { SimdHelperStart } from '../learner/simd/participate.ts';
import type { ProcessChanges } from '../machine/child-processes.ts';
import type { Region } from '../memory/arena.ts';
import type { WasmMemory } from '../memory/web-assembly.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { KernelModule } from '../simd/kernels.ts';
import type { WeightBufferLayout } from '../weights/weight-buffer.ts';
import type { AgentsPlan } from './agents/agents-plan.ts';
import type { ControlRegion } from './control-words.ts';
import type { EnvFaultReport } from './env-fault-log.ts';
import type { ErrorMessage } from './error-message.ts';
import type { MetricSums } from './metric-sums.ts';
import type { PlayedEpisodes } from './play-episodes.ts';
import type { RowState } from './row-states.ts';
import type { SamplingLayout } from './sampling-layout.ts';

/** What the threads of every group are told. */
export interface ThreadPlan {
  readonly memory: WasmMemory;
  readonly kernels: KernelModule;
  readonly source: EnvModuleSource;
  readonly seed: number;
  readonly control: ControlRegion;
  /** The learner's part, when rollout workers lend their threads to it. */
  readonly helper: SimdHelperStart | null;
}

/** What every rollout worker of a group is told. */
export type WorkerPlan = ThreadPlan & {
  readonly spec: ActingSpec;
  readonly faultPolicy: EnvFaultPolicy;
  readonly sampling: SamplingLayout;
  readonly weights: WeightBufferLayout;
  /** false under central inference: the worker only steps. */
  readonly acts: boolean;
  /** As `RunnerOptions.envOptions`. */
  readonly envOptions?: JsonObject | null;
};

/** The same where environments have several agents. */
export type AgentsWorkerPlan = ThreadPlan & {
  readonly agents: AgentsPlan;
  /** As `RunnerOptions.envOptions`. */
  readonly envOptions: JsonObject | null;
};

export type AnyWorkerPlan = WorkerPlan | AgentsWorkerPlan;

/** The rows that a worker is responsible for, and where they stand. */
export interface WorkerAssignment {
  readonly workerIndex: number;
  readonly firstRow: number;
  readonly numRows: number;
  readonly scratch: Region;
  /** null = fresh environments. */
  readonly states: readonly RowState[] | null;
}

/** The task that Piscina hands to a worker thread: it runs until STOP. */
export interface WorkerTask {
  readonly plan: AnyWorkerPlan;
  /** null = stand by: load everything, then wait until an assignment is posted (ASSIGN). */
  readonly assignment: WorkerAssignment | null;
  readonly port: MessagePort;
}

/** From a worker to the main thread, over its port. The other way an assignment (before ASSIGN), a `PlayRequest` (before PLAY) or options (before SET_OPTIONS) are posted. */
export type WorkerMessage =
  | { readonly kind: 'ready'; readonly restarted: readonly number[] }
  | { readonly kind: 'failed'; readonly error: ErrorMessage }
  /** After a rollout that had metrics or failures. */
  | { readonly kind: 'collected'; readonly sums: MetricSums; readonly faults: EnvFaultReport | null }
  | { readonly kind: 'states'; readonly states: readonly JsonValue[] }
  | { readonly kind: 'played'; readonly played: PlayedEpisodes };

/** Also from a worker, but no answer to anything: the programs that its environments started, and those of them that have ended. */
export type ProcessMessage = { readonly kind: 'processes' } & ProcessChanges;
