/** An environment whose answers come later: a game that runs elsewhere, a service, anything that is waited for. */
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Env, EnvFactory, ResetOptions, ResetResult, StepResult } from './env.ts';
import { describeValue } from './space-values.ts';
import { isSpace } from './spaces.ts';

/**
 * As {@link Env}, but `reset` and `step` may return promises. It is one when either of them is an `async` function, or when it says `asynchronous: true`.
 *
 * Nothing waits for it but its own row: the environments of a thread think at the same time, each collects its steps of a rollout at its own pace, and the
 * event loop turns. A promise that is rejected, or not settled within `deadlineSeconds`, cuts the episode before that step, as truncated and counted
 * (`rollout/numEpisodesCut`); a fresh instance from the factory begins the next one. With `restartFailedEnvs: 'off'` it ends the run instead. A result that is
 * not valid (shape, flags) is an error as it is of every environment. Only one call of an instance is under way at a time.
 *
 * The same seed gives the same run, and a resume leads episodes back by their seeds and actions, as far as it follows from these; there is no `getState`.
 */
export type AsyncEnv<Observation = unknown, Action = unknown> = Omit<
  Env<Observation, Action>,
  'reset' | 'step' | 'getState' | 'setState' | 'close'
> & {
  /** Needed where neither method is an `async` function. */
  readonly asynchronous?: true;
  /** How long a promise may take, in seconds; null = it sees to that itself. @defaultValue 30 */
  readonly deadlineSeconds?: number | null;
  /** false = its episodes do not follow from seed and actions: a resume begins them anew. @defaultValue true */
  readonly isRepeatable?: boolean;
  reset(options?: ResetOptions): ResetResult<Observation> | Promise<ResetResult<Observation>>;
  step(action: Action): StepResult<Observation> | Promise<StepResult<Observation>>;
  /** As `Env.close`; also while a promise of it is under way. Nobody waits for what it returns. */
  close?(): void | Promise<void>;
};

/** Options in, a fresh environment out, at once or later. */
export type AsyncEnvFactory = (options?: JsonObject) => AsyncEnv | Promise<AsyncEnv>;

/** Of environments of either kind. */
export type AnyEnvFactory = EnvFactory | AsyncEnvFactory;

/** Whether a value answers by promises. */
export function isAsyncEnv(value: unknown): value is AsyncEnv {
  if (typeof value !== 'object' || value === null) return false;
  const { asynchronous, reset, step } = value as Partial<AsyncEnv>;
  return asynchronous === true || isAsyncFunction(reset) || isAsyncFunction(step);
}

function isAsyncFunction(value: unknown): boolean {
  return typeof value === 'function' && value.constructor.name === 'AsyncFunction';
}

/** @throws {@link ConfigError} `CONFIG_ENV_FACTORY` naming what is missing, or what cannot be promised. */
export function assertAsyncEnv(value: unknown, envId: string): asserts value is AsyncEnv {
  const wrong = wrongWith(value);
  if (wrong === null) return;
  throw new ConfigError(
    'CONFIG_ENV_FACTORY',
    `Expected the factory of ${envId} to give an asynchronous environment {observationSpace, actionSpace, reset, step}, but ${wrong}.`,
  );
}

function wrongWith(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return `it gave ${describeValue(value)}`;
  const env = value as Partial<Record<keyof Env | 'deadlineSeconds', unknown>>;
  for (const name of ['observationSpace', 'actionSpace'] as const)
    if (!isSpace(env[name]))
      return `its \`${name}\` is ${describeValue(env[name])}, not a space such as new Box(-1, 1, [4])`;
  for (const name of ['reset', 'step'] as const)
    if (typeof env[name] !== 'function') return `it has no method \`${name}\``;
  if (env.getState !== undefined || env.setState !== undefined)
    return 'it has getState or setState, which are not asked: its episodes are led back by seed and actions. Leave them out';
  if (!isAsyncEnv(value))
    return 'the promise of its factory gave one that is not: write `reset` and `step` as async functions, or set `asynchronous: true`';
  const { deadlineSeconds = 30 } = env;
  if (deadlineSeconds !== null && !(typeof deadlineSeconds === 'number' && deadlineSeconds > 0))
    return `its \`deadlineSeconds\` is ${describeValue(deadlineSeconds)}, not a number above 0 or null`;
  return null;
}

/** What code for environments that answer at once says to one that does not. */
export function refuseAsync(value: unknown, what: string): void {
  if (value instanceof Promise) {
    value.catch(() => undefined); // nobody waits for it
    throw new ConfigError(
      'CONFIG_ENV_ASYNC',
      `${what}: the factory gave a promise, which this does not wait for; training, evaluation and pictures do.`,
    );
  }
  if (!isAsyncEnv(value)) return;
  throw new ConfigError(
    'CONFIG_ENV_ASYNC',
    `${what} needs an environment whose \`reset\` and \`step\` answer at once, and this one is asynchronous. Training, evaluation and pictures take it as it is.`,
  );
}
