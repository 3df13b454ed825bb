/** What learner and rollout process say to each other inside of frames: Node's structured clone, so that every bit of a number arrives. */
import { deserialize, serialize } from 'node:v8';
import type { EnvFaultPolicy } from '../env/env-faults.ts';
import type { EnvModuleSource } from '../env/env-source.ts';
import type { RolloutColumns } from '../experience/layout.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { EnvFaultReport } from '../rollout/env-fault-log.ts';
import type { ErrorMessage } from '../rollout/error-message.ts';
import type { MetricSums } from '../rollout/metric-sums.ts';
import type { PlayedEpisodes, PlayRequest } from '../rollout/play-episodes.ts';
import type { RowState } from '../rollout/row-states.ts';
import type { FileHashes } from './file-hashes.ts';

/** What a rollout process says of itself before it is told anything. JSON */
export interface Hello {
  readonly hostname: string;
  readonly pid: number;
  /** Ray's id of the node that it is on. */
  readonly rayNode: string;
  /** Ray's id of the actor that owns it: `ray logs actor --id`. */
  readonly rayActor: string;
  readonly operant: string;
  readonly node: string;
  /** With FMA or without: relaxed SIMD depends on it. */
  readonly hasFma: boolean;
}

/** All that a host's part of a run follows from. */
export interface HostPlan {
  /** Its paths are relative to the folder that was shipped. */
  readonly source: EnvModuleSource;
  /** The environment's files, as they were sent. */
  readonly files: FileHashes;
  readonly spec: ActingSpec;
  readonly seed: number;
  /** Rows [firstRow, firstRow + numRows) of the run. */
  readonly firstRow: number;
  readonly numRows: number;
  readonly numThreads: number;
  readonly rolloutLength: number;
  readonly columns: RolloutColumns;
  /** Elements, padded. */
  readonly parameterCount: number;
  readonly faultPolicy: EnvFaultPolicy;
  /** As `RunnerOptions.envOptions`. */
  readonly envOptions: JsonObject | null;
  readonly deterministic: boolean;
  readonly nativeKernels: boolean;
  readonly poison: boolean;
  readonly deadlineMs: number;
  readonly maxRestarts: number;
  readonly restartWindowMs: number;
  readonly memoryMb: number | null;
}

export type HostRequest =
  | { readonly kind: 'start'; readonly plan: HostPlan; readonly states: readonly RowState[] | null }
  /** T steps in every row with the weights that the frame names. */
  | { readonly kind: 'collect' }
  | { readonly kind: 'states' }
  /** Of the episodes that begin from now on. */
  | { readonly kind: 'options'; readonly options: JsonObject }
  | { readonly kind: 'play'; readonly request: PlayRequest }
  /** A notice: the evaluation that is being played ends at its next step. */
  | { readonly kind: 'cut' };

/** A thread of a host that was replaced. */
export interface HostFailure {
  readonly workerIndex: number;
  readonly error: ErrorMessage;
  readonly seconds: number;
  readonly numProcessesEnded: number;
}

/** What has happened to a host's threads and environments since it was told last. */
export interface HostNews {
  readonly failures: readonly HostFailure[];
  /** Rows of the host whose episode began again when a thread was replaced. */
  readonly restarted: readonly number[];
}

export type HostReply = HostNews &
  (
    | {
        readonly kind: 'started';
        /** `relaxed` or `strict`. */
        readonly kernels: string;
        /** Files of the environment that are not there as they were sent. */
        readonly differingFiles: readonly string[];
      }
    | {
        readonly kind: 'collected';
        readonly sums: MetricSums | null;
        readonly faults: EnvFaultReport | null;
      }
    | { readonly kind: 'states'; readonly states: readonly JsonValue[] }
    | { readonly kind: 'options' }
    | { readonly kind: 'played'; readonly played: PlayedEpisodes; readonly faults: EnvFaultReport | null }
    | { readonly kind: 'failed'; readonly error: ErrorMessage }
  );

const LENGTH_BYTES = 4;

/** u32 length of the message, then the message; bytes as they are may follow. */
export function encodeMessage(message: object): Buffer {
  const said = serialize(message);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(said.length);
  return Buffer.concat([length, said]);
}

export function decodeMessage<M extends object>(
  payload: Buffer,
): { readonly message: M; readonly body: Buffer } {
  const end = LENGTH_BYTES + payload.readUInt32LE(0);
  return { message: deserialize(payload.subarray(LENGTH_BYTES, end)) as M, body: payload.subarray(end) };
}
