/** Errors across threads: structured clone drops their class and code, so they travel as plain data. */
import {
  ConfigError,
  EngineError,
  EnvError,
  type EnvErrorPlace,
  ShapeError,
  WorkerError,
} from '../errors.ts';

export interface ErrorMessage {
  readonly className: string;
  readonly code: string;
  readonly message: string;
  readonly place: EnvErrorPlace;
  /** Of a WorkerError. */
  readonly workerIndex?: number;
  readonly stack: string;
}

export function toErrorMessage(error: unknown): ErrorMessage {
  const fallback = error instanceof Error ? error : new Error(String(error));
  const { code, place, workerIndex } = fallback as {
    code?: unknown;
    place?: EnvErrorPlace;
    workerIndex?: number;
  };
  const cause = fallback.cause instanceof Error ? `\nCaused by: ${fallback.cause.stack}` : '';
  return {
    className: fallback.name,
    code: typeof code === 'string' ? code : '',
    message: fallback.message,
    place: place ?? {},
    ...(workerIndex !== undefined && { workerIndex }),
    stack: `${fallback.stack ?? fallback.message}${cause}`,
  };
}

/** Rebuilds the typed error; its `stack` is the worker's. Unknown classes become an EnvError: only environments run foreign code there. */
export function fromErrorMessage(message: ErrorMessage): Error {
  const error = build(message);
  error.stack = message.stack;
  return error;
}

function build({ className, code, message, place, workerIndex = 0 }: ErrorMessage): Error {
  if (className === 'ConfigError') return new ConfigError(code as 'CONFIG_WORKER', message);
  if (className === 'ShapeError') return new ShapeError(code as 'SHAPE_WORKER', message);
  if (className === 'EngineError') return new EngineError(code as 'ENGINE_WORKER', message);
  if (className === 'WorkerError') return new WorkerError(code as 'WORKER_EXITED', message, workerIndex);
  const envCode = code.startsWith('ENV_') ? code : 'ENV_THREW';
  return new EnvError(envCode as 'ENV_THREW', message, place);
}
