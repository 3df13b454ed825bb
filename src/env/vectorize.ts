/** Makes a vector environment of a user's single one, and checks on every step what it gives. */
import { ConfigError, EnvError, ShapeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { isMultiAgentEnv } from './agents/multi-agent-env.ts';
import { refuseAsync } from './async-env.ts';
import type { Env, Info, ResetResult } from './env.ts';
import type { EnvFaultHandling } from './env-faults.ts';
import type { EnvKernel } from './env-kernel.ts';
import { actionMaskSize, choiceSizes, flattenActionSpace, unflattenAction } from './flatten-action.ts';
import {
  flatBound,
  flatSize,
  flattenObservation,
  flattenObservationSpace,
  unflattenObservation,
} from './flatten-space.ts';
import { checkNumEnvs, kernelVectorEnv } from './kernel-vector-env.ts';
import { copyState } from './saved-state.ts';
import { spaceToJson } from './space-json.ts';
import { describeValue } from './space-values.ts';
import { isSpace, type Space } from './spaces.ts';
import {
  type Bounds,
  checkReset,
  checkRow,
  checkStep,
  finiteReward,
  type Outside,
  reportMetrics,
  writeMask,
} from './user-results.ts';
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

/** From so many elements on, making a view to copy with costs less than a loop. */
const MANY = 64;

/** Copies for saved states: environments may share one array among all that they return. */
interface LastRows {
  readonly observations: ObservationArray; // [numEnvs, obsSize], dtype of the space
  readonly masks: (readonly number[] | null)[]; // [numEnvs]
}

interface UserEnvs {
  readonly slots: readonly Slot[];
  readonly first: Env;
  readonly obsSize: number;
  readonly maskParts: readonly number[];
  /** null = every value that a row can hold is within them: bytes in [0, 255], which need no look. */
  readonly bounds: Bounds | null;
  /** Whether a number that is not finite is replaced; else it is an error. */
  readonly isClipped: boolean;
  readonly clipped: EnvError[];
  readonly outside: Outside;
  readonly last: LastRows | null;
}

/**
 * Steps `numEnvs` single environments as one vector environment. Observations are copied at once, so an environment may
 * reuse its arrays.
 *
 * @throws {@link ConfigError} `CONFIG_ENV_FACTORY` when the factory does not give fresh, alike environments,
 * `CONFIG_ACTION_SPACE` when no policy can act in it.
 * @throws {@link EnvError} from `reset` and `step` of the result, with the place where it happened: `ENV_RESET_THREW`,
 * `ENV_STEP_THREW`, `ENV_RESET_RESULT`, `ENV_STEP_RESULT`, `ENV_OBSERVATION_SHAPE`, `ENV_OBSERVATION_NON_FINITE`,
 * `ENV_REWARD_NON_FINITE`, `ENV_FLAGS`, `ENV_MASK_UNDECLARED`, `ENV_MASK_MISSING`, `ENV_MASK_SIZE`, `ENV_MASK_VALUE`,
 * `ENV_MASK_EMPTY`, `ENV_METRIC`.
 *
 * Cost: about 0.1-0.2 us a step and environment beyond the environment's own.
 */
export function vectorizeEnv(factory: () => Env, numEnvs: number, options: VectorizeOptions = {}): VectorEnv {
  return kernelVectorEnv(userEnvKernel(factory, numEnvs, options), options.autoreset, options.faults);
}

/** The kernel of `numEnvs` single environments. @throws {@link ConfigError} as {@link vectorizeEnv}. */
export function userEnvKernel(factory: () => Env, numEnvs: number, options: VectorizeOptions): EnvKernel {
  const envId = options.envId ?? 'environment';
  const envs = createEnvs(factory, checkNumEnvs(numEnvs), envId);
  return userKernel(envs, factory, { ...options, envId });
}

/**
 * Checks that a value is an environment at all.
 *
 * @throws {@link ConfigError} `CONFIG_ENV_FACTORY` naming what is missing.
 */
export function assertEnv(value: unknown, envId: string): asserts value is Env {
  refuseAsync(value, envId);
  if (isMultiAgentEnv(value)) throw severalAgentsError(envId);
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

/** What a loop for one agent says to an environment of several; one for several begins where it is caught. */
export function severalAgentsError(envId: string): ConfigError {
  return new ConfigError(
    'CONFIG_SEVERAL_AGENTS',
    `${envId} has several agents, and this is for environments of one: train it with \`--algo ppo\`, \`--algo a2c\`, \`--algo impala\`, \`--algo appo\`, \`--algo pqn\` or \`--algo dqn\`.`,
  );
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
  const { observationSpace, masksActions = false } = first;
  const flatAction = flattenActionSpace(first.actionSpace);
  const user: UserEnvs = {
    slots: envs.map((env) => ({ env, observation: undefined, info: undefined })),
    first,
    obsSize: flatSize(observationSpace),
    maskParts: choiceSizes(flatAction),
    bounds: boundsToCheck(observationSpace),
    isClipped: faults?.nonFinite === 'clip',
    clipped: [],
    outside: { element: -1, value: 0 },
    last: first.getState && first.setState ? createLastRows(envs.length, observationSpace) : null,
  };
  if (masksActions) actionMaskSize(first.actionSpace);
  const kernel: EnvKernel = {
    envId,
    numEnvs: envs.length,
    observationSpace,
    actionSpace: first.actionSpace,
    maxEpisodeSteps: maxEpisodeSteps === undefined ? (first.maxEpisodeSteps ?? null) : maxEpisodeSteps,
    masksActions,
    ...(first.frameStack && { frameStack: first.frameStack }),
    rewards: new Float64Array(envs.length),
    terminated: new Uint8Array(envs.length),
    truncated: new Uint8Array(envs.length),
    reset(n, seed) {
      const result = user.slots[n].env.reset({ seed });
      checkReset(result, masksActions);
      keep(user, n, result);
    },
    step(n, actions, offset) {
      const result = user.slots[n].env.step(unflattenAction(first.actionSpace, actions, offset));
      checkStep(result, masksActions);
      kernel.rewards[n] = finiteReward(result.reward, user.isClipped, user.clipped);
      keep(user, n, result);
      kernel.terminated[n] = result.terminated ? 1 : 0;
      kernel.truncated[n] = result.truncated ? 1 : 0;
    },
    writeObservation: (n, out, offset) => writeObservation(user, n, out, offset),
    writeMask: (n, out, offset) => writeMask(user.slots[n].info?.actionMask, user.maskParts, out, offset),
    reportMetrics: (n, onMetric) => reportMetrics(user.slots[n].info, n, onMetric),
    ...(user.last !== null && stateFunctions(user, user.last)),
    ...(first.render && { render: (n, mode) => renderSlot(user.slots[n], mode) }),
    rebuild: (n) => rebuild(user, n, factory, envId),
    clipped: user.clipped,
    outside: user.outside,
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

function createLastRows(numEnvs: number, space: Space): LastRows {
  const { size, dtype } = flattenObservationSpace(space);
  const observations = dtype === 'uint8' ? new Uint8Array(numEnvs * size) : new Float32Array(numEnvs * size);
  return { observations, masks: new Array(numEnvs).fill(null) };
}

function keep({ slots, last }: UserEnvs, n: number, { observation, info }: ResetResult): void {
  slots[n].observation = observation;
  slots[n].info = info;
  if (last !== null) last.masks[n] = info?.actionMask ? Array.from(info.actionMask, Number) : null;
}

function writeObservation(user: UserEnvs, n: number, out: ObservationArray, offset: number): void {
  try {
    flattenObservation(user.first.observationSpace, user.slots[n].observation, out, offset);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new EnvError('ENV_OBSERVATION_SHAPE', `The observation does not fit its space: ${error.message}`);
  }
  if (user.bounds !== null) checkRow(user.bounds, out, offset, user.isClipped, user.clipped, user.outside);
  if (user.last === null) return;
  const { observations } = user.last;
  const { obsSize } = user;
  if (obsSize > MANY) observations.set(out.subarray(offset, offset + obsSize), n * obsSize);
  else for (let k = 0; k < obsSize; k++) observations[n * obsSize + k] = out[offset + k];
}

function boundsToCheck(space: Space): Bounds | null {
  const low = Float32Array.from(flatBound(space, 'low'));
  const high = Float32Array.from(flatBound(space, 'high'));
  const isBytes = flattenObservationSpace(space).dtype === 'uint8';
  return isBytes && low.every((x) => x === 0) && high.every((x) => x === 255) ? null : { low, high };
}

/** States are copied both ways: an environment may hand out, or keep, an object that it goes on changing. */
function stateFunctions(
  { slots, first, obsSize }: UserEnvs,
  { observations, masks }: LastRows,
): Pick<EnvKernel, 'getState' | 'setState'> {
  return {
    getState: (n): JsonValue => ({
      env: copyState(slots[n].env.getState?.()),
      observation: [...observations.subarray(n * obsSize, (n + 1) * obsSize)],
      actionMask: masks[n],
    }),
    setState(n, state) {
      const { env, observation, actionMask } = state as JsonObject;
      const slot = slots[n];
      slot.env.setState?.(copyState(env));
      const row = Float32Array.from(observation as readonly number[]);
      slot.observation = unflattenObservation(first.observationSpace, row);
      slot.info = actionMask ? { actionMask: actionMask as readonly number[] } : undefined;
      masks[n] = (actionMask as readonly number[] | null) ?? null;
    },
  };
}

function renderSlot({ env }: Slot, mode?: 'rgb' | 'ansi') {
  if (env.render) return env.render(mode);
  throw new EnvError('ENV_RENDER', 'The environment has no `render` method.');
}
