/**
 * Typed errors with stable codes.
 *
 * One class per cause; every message names the option or quantity, the bound, the value that was given and what
 * to do. Codes are part of the public interface: they do not change between minor versions. The classes are flat
 * (each extends Error alone); {@link isOperantError} recognises all of them.
 *
 * A process may hold two instances of this module: tsx compiles one for `require` and leaves another to `import`, Jest makes one for each test
 * file. So `instanceof` goes by name and code.
 */

interface ErrorDetails {
  readonly cause?: unknown;
}

/** An error without a cause has no field for it. */
function causeOf({ cause }: ErrorDetails): ErrorDetails | undefined {
  return cause === undefined ? undefined : { cause };
}

function isNamed(value: unknown, name: string, prefix: string): boolean {
  const { name: found, code } = Object(value) as { readonly name?: unknown; readonly code?: unknown };
  return found === name && typeof code === 'string' && code.startsWith(prefix);
}

/** Raised when an option, a flag or a combination of options is not usable. Exit code 2 on the command line. */
export class ConfigError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, 'ConfigError', 'CONFIG_');
  }
  override readonly name = 'ConfigError';
  readonly code: string;
  constructor(code: `CONFIG_${string}`, message: string, details: ErrorDetails = {}) {
    super(message, causeOf(details));
    this.code = code;
  }
}

/** Raised when an array's length, dtype or shape is not what a function was promised. */
export class ShapeError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, 'ShapeError', 'SHAPE_');
  }
  override readonly name = 'ShapeError';
  readonly code: string;
  constructor(code: `SHAPE_${string}`, message: string, details: ErrorDetails = {}) {
    super(message, causeOf(details));
    this.code = code;
  }
}

/** Where in a run an environment failed. */
export interface EnvErrorPlace {
  readonly envId?: string;
  /** Index of the environment in the whole run, 0 <= n < numEnvs. */
  readonly envIndex?: number;
  /** Seed of the episode in which it happened. */
  readonly episodeSeed?: number;
  /** Step within the episode; 0 = reset. */
  readonly episodeStep?: number;
}

/** Raised when an environment throws, or returns what its spaces do not allow. */
export class EnvError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, 'EnvError', 'ENV_');
  }
  override readonly name = 'EnvError';
  readonly code: string;
  readonly place: EnvErrorPlace;
  constructor(code: `ENV_${string}`, message: string, place: EnvErrorPlace = {}, details: ErrorDetails = {}) {
    super(message, causeOf(details));
    this.code = code;
    this.place = place;
  }
}

/** Raised when a rollout worker thread dies, hangs past its deadline or cannot start. */
export class WorkerError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, 'WorkerError', 'WORKER_');
  }
  override readonly name = 'WorkerError';
  readonly code: string;
  readonly workerIndex: number;
  constructor(code: `WORKER_${string}`, message: string, workerIndex: number, details: ErrorDetails = {}) {
    super(message, causeOf(details));
    this.code = code;
    this.workerIndex = workerIndex;
  }
}

/** Raised when a checkpoint or a run folder cannot be written, found, read, or does not fit. */
export class CheckpointError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, 'CheckpointError', 'CHECKPOINT_');
  }
  override readonly name = 'CheckpointError';
  readonly code: string;
  constructor(code: `CHECKPOINT_${string}`, message: string, details: ErrorDetails = {}) {
    super(message, causeOf(details));
    this.code = code;
  }
}

/** Raised when a learner engine cannot be loaded, does not cover a network, or meets non-finite numbers. */
export class EngineError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, 'EngineError', 'ENGINE_');
  }
  override readonly name = 'EngineError';
  readonly code: string;
  constructor(code: `ENGINE_${string}`, message: string, details: ErrorDetails = {}) {
    super(message, causeOf(details));
    this.code = code;
  }
}

/** Raised by a call of something that `stop()` has ended, before the call or while it went on. */
export class StoppedError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, 'StoppedError', 'STOPPED_');
  }
  override readonly name = 'StoppedError';
  readonly code: string;
  constructor(code: `STOPPED_${string}`, message: string, details: ErrorDetails = {}) {
    super(message, causeOf(details));
    this.code = code;
  }
}

/** Raised when a Ray cluster cannot be reached, refuses us, lacks what a run needs, or is lost. */
export class ClusterError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, 'ClusterError', 'CLUSTER_');
  }
  override readonly name = 'ClusterError';
  readonly code: string;
  constructor(code: `CLUSTER_${string}`, message: string, details: ErrorDetails = {}) {
    super(message, causeOf(details));
    this.code = code;
  }
}

/** Raised when a request to a policy server cannot be answered. */
export class ServeError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, 'ServeError', 'SERVE_');
  }
  override readonly name = 'ServeError';
  readonly code: string;
  /** Of the answer, HTTP. */
  readonly status: number;
  constructor(code: `SERVE_${string}`, status: number, message: string, details: ErrorDetails = {}) {
    super(message, causeOf(details));
    this.code = code;
    this.status = status;
  }
}

export type OperantError =
  | ConfigError
  | ShapeError
  | EnvError
  | WorkerError
  | CheckpointError
  | EngineError
  | StoppedError
  | ClusterError
  | ServeError;

const CLASSES = [
  ConfigError,
  ShapeError,
  EnvError,
  WorkerError,
  CheckpointError,
  EngineError,
  StoppedError,
  ClusterError,
  ServeError,
];

/** True for every error that Operant raises on purpose; anything else is a bug, ours or the user's. */
export function isOperantError(error: unknown): error is OperantError {
  return CLASSES.some((errorClass) => error instanceof errorClass);
}
