/** Errors across threads: structured clone drops their class and code, so they travel as plain data. */
import { ConfigError, EngineError, EnvError, type EnvErrorPlace, ShapeError } from '../errors.ts';

export interface ErrorMessage {
  readonly className: string;
  readonly code: string;
  readonly message: string;
  readonly place: EnvErrorPlace;
  readonly stack: string;
}

export function toErrorMessage(error: unknown): ErrorMessage {
  const fallback = error instanceof Error ? error : new Error(String(error));
  const { code, place } = fallback as { code?: unknown; place?: EnvErrorPlace };
  const cause = fallback.cause instanceof Error ? `\nCaused by: ${fallback.cause.stack}` : '';
  return {
    className: fallback.name,
    code: typeof code === 'string' ? code : '',
    message: fallback.message,
    place: place ?? {},
    stack: `${fallback.stack ?? fallback.message}${cause}`,
  };
}

/** Rebuilds the typed error; its `stack` is the worker's. Unknown classes become an EnvError: only environments run foreign code there. */
export function fromErrorMessage(message: ErrorMessage): Error {
  const error = build(message);
  error.stack = message.stack;
  return error;
}

function build({ className, code, message, place }: ErrorMessage): Error {
  if (className === 'ConfigError') return new ConfigError(code as 'CONFIG_WORKER', message);
  if (className === 'ShapeError') return new ShapeError(code as 'SHAPE_WORKER', message);
  if (className === 'EngineError') return new EngineError(code as 'ENGINE_WORKER', message);
  const envCode = code.startsWith('ENV_') ? code : 'ENV_THREW';
  return new EnvError(envCode as 'ENV_THREW', message, place);
}
