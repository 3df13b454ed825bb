/** Makes a vector environment of a user's single one, and checks on every step what it gives. */
import { ConfigError, EnvError, ShapeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Env, Info, ResetResult } from './env.ts';
import type { EnvFaultHandling } from './env-faults.ts';
import type { EnvKernel } from './env-kernel.ts';
import { actionMaskSize, flattenActionSpace, unflattenAction } from './flatten-action.ts';
import { flatBound, flatSize, flattenObservation, unflattenObservation } from './flatten-space.ts';
import { checkNumEnvs, kernelVectorEnv } from './kernel-vector-env.ts';
import { spaceToJson } from './space-json.ts';
import { describeValue } from './space-values.ts';
import { isSpace } from './spaces.ts';
import { type Clip, checkFinite, checkStep, finiteReward, reportMetrics, writeMask } from './user-results.ts';
import type { AutoresetMode, ObservationArray, VectorEnv } from './vector-env.ts';

export interface VectorizeOptions {
  /** What happens at an episode's end. @defaultValue 'same-step' */
  readonly autoreset?: AutoresetMode;
  /** Time limit; overrides the environment's own `maxEpisodeSteps`. null = none. */
  readonly maxEpisodeSteps?: number | null;
  /** Name for error messages. @defaultValue 'environment' */
  readonly envId?: string;
  /** How to go on when an environment fails; absent = its error is thrown. */
  readonly faults?: EnvFaultHandling;
}

/** What is remembered of environment n between its step and the writing of its row. */
interface Slot {
  env: Env;
  observation: unknown;
  info: Info | undefined;
}

interface UserEnvs {
  readonly slots: readonly Slot[];
  readonly first: Env;
  readonly obsSize: number;
  readonly maskParts: readonly number[];
  /** Bounds of what replaces a number that is not finite, [obsSize] each; null = it is an error. */
  readonly clip: Clip | null;
  readonly clipped: EnvError[];
}

/**
 * Steps `numEnvs` single environments as one vector environment. Observations are copied at once, so an environment may
 * reuse its arrays.
 *
 * @throws {@link ConfigError} `CONFIG_ENV_FACTORY` when the factory does not give fresh, alike environments,
 * `CONFIG_ACTION_SPACE` when no policy can act in it.
 * @throws {@link EnvError} from `reset` and `step` of the result, with the place where it happened: `ENV_RESET_THREW`,
 * `ENV_STEP_THREW`, `ENV_RESET_RESULT`, `ENV_STEP_RESULT`, `ENV_OBSERVATION_SHAPE`, `ENV_OBSERVATION_NON_FINITE`,
 * `ENV_REWARD_NON_FINITE`, `ENV_FLAGS`, `ENV_MASK_MISSING`, `ENV_MASK_SIZE`, `ENV_MASK_EMPTY`, `ENV_METRIC`.
 *
 * Cost: about 0.1-0.2 us a step and environment beyond the environment's own.
 */
export function vectorizeEnv(factory: () => Env, numEnvs: number, options: VectorizeOptions = {}): VectorEnv {
  const envId = options.envId ?? 'environment';
  const envs = createEnvs(factory, checkNumEnvs(numEnvs), envId);
  const kernel = userKernel(envs, factory, { ...options, envId });
  return kernelVectorEnv(kernel, options.autoreset, options.faults);
}

/**
 * Checks that a value is an environment at all.
 *
 * @throws {@link ConfigError} `CONFIG_ENV_FACTORY` naming what is missing.
 */
export function assertEnv(value: unknown, envId: string): asserts value is Env {
  if (value instanceof Promise) {
    throw factoryError(
      envId,
      'it is asynchronous. Do the asynchronous work at the top of the module (await)',
    );
  }
  if (typeof value !== 'object' || value === null)
    throw factoryError(envId, `it gave ${describeValue(value)}`);
  const env = value as Partial<Record<keyof Env, unknown>>;
  for (const name of ['observationSpace', 'actionSpace'] as const) {
    if (!isSpace(env[name])) {
      throw factoryError(
        envId,
        `its \`${name}\` is ${describeValue(env[name])}, not a space such as new Box(-1, 1, [4])`,
      );
    }
  }
  for (const name of ['reset', 'step'] as const) {
    if (typeof env[name] !== 'function') throw factoryError(envId, `it has no method \`${name}\``);
  }
}

function factoryError(envId: string, reason: string): ConfigError {
  return new ConfigError(
    'CONFIG_ENV_FACTORY',
    `Expected the factory of ${envId} to give an environment {observationSpace, actionSpace, reset, step}, but ${reason}.`,
  );
}

function createEnvs(factory: () => Env, numEnvs: number, envId: string): Env[] {
  const envs: Env[] = [];
  let spaces = '';
  for (let n = 0; n < numEnvs; n++) {
    const env: unknown = factory();
    assertEnv(env, envId);
    if (envs.includes(env)) {
      throw factoryError(
        envId,
        'it gave the same object twice. Create a new one, with its own state, on every call',
      );
    }
    const itsSpaces = JSON.stringify([spaceToJson(env.observationSpace), spaceToJson(env.actionSpace)]);
    if (n === 0) spaces = itsSpaces;
    else if (itsSpaces !== spaces) throw factoryError(envId, 'its spaces differ from one call to the next');
    envs.push(env);
  }
  return envs;
}

function userKernel(
  envs: readonly Env[],
  factory: () => Env,
  { envId, maxEpisodeSteps, faults }: VectorizeOptions & { readonly envId: string },
): EnvKernel {
  const first = envs[0];
  const { observationSpace } = first;
  const flatAction = flattenActionSpace(first.actionSpace);
  const user: UserEnvs = {
    slots: envs.map((env) => ({ env, observation: undefined, info: undefined })),
    first,
    obsSize: flatSize(observationSpace),
    maskParts: flatAction.kind === 'categorical' ? flatAction.sizes : [],
    clip:
      faults?.nonFinite === 'clip'
        ? { low: flatBound(observationSpace, 'low'), high: flatBound(observationSpace, 'high') }
        : null,
    clipped: [],
  };
  if (first.masksActions) actionMaskSize(first.actionSpace);
  const kernel: EnvKernel = {
    envId,
    numEnvs: envs.length,
    observationSpace,
    actionSpace: first.actionSpace,
    maxEpisodeSteps: maxEpisodeSteps === undefined ? (first.maxEpisodeSteps ?? null) : maxEpisodeSteps,
    masksActions: first.masksActions ?? false,
    ...(first.frameStack && { frameStack: first.frameStack }),
    rewards: new Float64Array(envs.length),
    terminated: new Uint8Array(envs.length),
    truncated: new Uint8Array(envs.length),
    reset: (n, seed) => keepReset(user.slots[n], user.slots[n].env.reset({ seed })),
    step(n, actions, offset) {
      const slot = user.slots[n];
      const result = slot.env.step(unflattenAction(first.actionSpace, actions, offset));
      checkStep(result);
      kernel.rewards[n] = finiteReward(result.reward, user.clip !== null, user.clipped);
      slot.observation = result.observation;
      slot.info = result.info;
      kernel.terminated[n] = result.terminated ? 1 : 0;
      kernel.truncated[n] = result.truncated ? 1 : 0;
    },
    writeObservation: (n, out, offset) => writeObservation(user, n, out, offset),
    writeMask: (n, out, offset) => writeMask(user.slots[n].info?.actionMask, user.maskParts, out, offset),
    reportMetrics: (n, onMetric) => reportMetrics(user.slots[n].info, n, onMetric),
    ...(first.getState && first.setState && stateFunctions(user)),
    ...(first.render && { render: (n, mode) => renderSlot(user.slots[n], mode) }),
    rebuild: (n) => rebuild(user, n, factory, envId),
    clipped: user.clipped,
    close: () => {
      for (const { env } of user.slots) env.close?.();
    },
  };
  return kernel;
}

/** The old instance is closed, whatever it says to that. */
function rebuild({ slots }: UserEnvs, n: number, factory: () => Env, envId: string): void {
  const env: unknown = factory();
  assertEnv(env, envId);
  if (slots.some((slot) => slot.env === env))
    throw factoryError(envId, 'it gave an object again that it had given before');
  try {
    slots[n].env.close?.();
  } catch {
    // It failed before; that is why it is replaced.
  }
  slots[n].env = env;
}

function keepReset(slot: Slot, result: ResetResult): void {
  if (typeof result !== 'object' || result === null || !('observation' in result)) {
    throw new EnvError(
      'ENV_RESET_RESULT',
      (result as unknown) instanceof Promise
        ? 'reset returned a promise; reset and step must be synchronous.'
        : `Expected reset to return { observation }, got ${describeValue(result)}.`,
    );
  }
  slot.observation = result.observation;
  slot.info = result.info;
}

function writeObservation(user: UserEnvs, n: number, out: ObservationArray, offset: number): void {
  try {
    flattenObservation(user.first.observationSpace, user.slots[n].observation, out, offset);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new EnvError('ENV_OBSERVATION_SHAPE', `The observation does not fit its space: ${error.message}`);
  }
  if (!(out instanceof Uint8Array)) checkFinite(out, offset, user.obsSize, user.clip, user.clipped);
}

function stateFunctions(user: UserEnvs): Pick<EnvKernel, 'getState' | 'setState'> {
  return {
    getState(n): JsonValue {
      const { env, observation, info } = user.slots[n];
      const row = new Float32Array(user.obsSize);
      flattenObservation(user.first.observationSpace, observation, row, 0);
      checkFinite(row, 0, user.obsSize, user.clip, []); // reported when it was given
      return {
        env: env.getState?.() ?? null,
        observation: [...row],
        actionMask: info?.actionMask ? Array.from(info.actionMask) : null,
      };
    },
    setState(n, state) {
      const { env, observation, actionMask } = state as JsonObject;
      const slot = user.slots[n];
      slot.env.setState?.(env ?? null);
      const row = Float32Array.from(observation as readonly number[]);
      slot.observation = unflattenObservation(user.first.observationSpace, row);
      slot.info = actionMask ? { actionMask: actionMask as readonly number[] } : undefined;
    },
  };
}

function renderSlot({ env }: Slot, mode?: 'rgb' | 'ansi') {
  if (env.render) return env.render(mode);
  throw new EnvError('ENV_RENDER', 'The environment has no `render` method.');
}
