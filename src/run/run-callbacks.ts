/** Typed hooks into a run. */
import type {
  Algorithm,
  EvaluationResult,
  TrainResult,
  WorkerFailureSummary,
} from '../algorithm/algorithm.ts';
import type { EnvFault } from '../env/env-faults.ts';
import type { JsonValue } from '../json.ts';
import type { EpisodeSummary } from '../rollout/episode-summary.ts';
import type { BestSoFar, RunSummary } from './run-state.ts';

/** What a hook may do to the run it is called from. */
export interface RunControl {
  readonly algorithm: Algorithm;
  /** Ends the run after this iteration, with a checkpoint; `stopReason` is then `callback`. */
  stop(): void;
  /**
   * Replaces a schedule such as `learningRate` from the next iteration on; saved with the checkpoint.
   *
   * @throws ConfigError when the algorithm has no schedule of that name.
   */
  setSchedule(name: string, schedule: JsonValue): void;
  /**
   * Adds numbers of your own to the row of this iteration, as `user/<name>`: logs, TensorBoard, `--json`, curves and the summary have them. From
   * `onCheckpoint`, which comes after the row, they go into the next one. The last value of a name counts.
   *
   * @throws ConfigError `CONFIG_METRIC` for a value that is not finite.
   */
  addMetrics(metrics: Readonly<Record<string, number>>): void;
}

export interface IterationEvent extends RunControl {
  readonly result: TrainResult;
  /** Training time of the whole run so far, over all its resumes. */
  readonly seconds: number;
  /** Seconds since this process began to train. */
  readonly secondsHere: number;
  readonly best: BestSoFar | null;
}

export interface EpisodeEvent extends RunControl {
  readonly episode: EpisodeSummary;
  readonly iteration: number;
}

export interface EvaluateEvent extends RunControl {
  readonly evaluation: EvaluationResult;
  readonly iteration: number;
  readonly numEnvSteps: number;
  /** A signal had cut it when the run ended the last time: it is of the iteration from which the run goes on now. */
  readonly isLate: boolean;
}

export interface CheckpointEvent extends RunControl {
  /** Absolute path of the new checkpoint; it is whole. */
  readonly path: string;
  readonly iteration: number;
  readonly isBest: boolean;
}

export interface WorkerFailureEvent extends RunControl {
  readonly failure: WorkerFailureSummary;
  readonly iteration: number;
}

export interface EnvFaultEvent extends RunControl {
  readonly fault: EnvFault;
  readonly iteration: number;
}

/**
 * Hooks, each optional, called in the main thread between iterations and awaited in order.
 *
 * An error in one is reported as a warning and the run goes on, unless `strictCallbacks` is set: then the run stops with a
 * checkpoint and `runTraining` rejects with that error. Training's random streams cannot be reached from here, so hooks
 * that only look never change a run.
 */
export interface RunCallbacks {
  onIterationEnd?(event: IterationEvent): void | Promise<void>;
  onEpisodeEnd?(event: EpisodeEvent): void | Promise<void>;
  onEvaluate?(event: EvaluateEvent): void | Promise<void>;
  onCheckpoint?(event: CheckpointEvent): void | Promise<void>;
  onWorkerFailure?(event: WorkerFailureEvent): void | Promise<void>;
  /** A single environment failed, or gave a number that is not finite, and the run went on. */
  onEnvFault?(event: EnvFaultEvent): void | Promise<void>;
  /** Last of all, when everything is written; also after a failure (`stopReason` is then `error`). */
  onStop?(summary: RunSummary): void | Promise<void>;
}

/** Something went wrong and the run goes on. */
export interface RunWarning {
  readonly kind:
    | 'checkpoint'
    | 'metrics'
    | 'callback'
    | 'rewind'
    | 'interruption'
    | 'setup'
    | 'evaluation'
    /** Where no hook is told of it. */
    | 'worker'
    | 'environment';
  /** One sentence for people. */
  readonly message: string;
  readonly error: unknown;
}

/** What the run tells whoever started it. The console is one of the callbacks. */
export interface RunHooks {
  readonly callbacks?: readonly RunCallbacks[];
  /** Default: a line on stderr. */
  readonly onWarning?: (warning: RunWarning) => void;
}
