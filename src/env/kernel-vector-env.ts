/** What all vector environments in one thread share: autoreset, time limits, masks, errors with their place, state. */
import { ConfigError, EnvError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { EnvFaultHandling } from './env-faults.ts';
import type { EnvKernel } from './env-kernel.ts';
import {
  createRecovery,
  forgetClipped,
  recoverReset,
  recoverStep,
  reportOddNumbers,
  stepOn,
} from './env-recovery.ts';
import { actionMaskSize, flatActionSize, hasFloatActions } from './flatten-action.ts';
import { flattenObservationSpace } from './flatten-space.ts';
import type { ActionArray, AutoresetMode, StepRows, VectorEnv } from './vector-env.ts';
import {
  fail,
  forgetFailure,
  placeError,
  takeStep,
  throwFirstFailure,
  type Vector,
  writeRow,
  writeScalars,
} from './vector-state.ts';

/**
 * Makes a vector environment of a kernel.
 *
 * After an environment throws, the others of the same call are still stepped; the first error is then thrown, with its
 * place, and every failed environment throws again on the next step until {@link VectorEnv.resetRows} restarts it.
 *
 * @param faults how to restart an environment that throws, where the kernel can make a fresh instance of it; absent = not at all.
 *   Costs a copy of each action and observation, and the memory of the running episode's actions.
 * @throws {@link ConfigError} `CONFIG_MAX_EPISODE_STEPS` for a limit below 1, `CONFIG_NUM_ENVS` for no environment at all.
 */
export function kernelVectorEnv(
  kernel: EnvKernel,
  autoreset: AutoresetMode = 'same-step',
  faults?: EnvFaultHandling,
): VectorEnv {
  return vectorEnvOf(openVector(kernel, autoreset, faults));
}

/** What a vector environment of a kernel keeps. @throws {@link ConfigError} as {@link kernelVectorEnv}. */
export function openVector(
  kernel: EnvKernel,
  autoreset: AutoresetMode = 'same-step',
  faults?: EnvFaultHandling,
): Vector {
  const { numEnvs } = kernel;
  const obsSize = flattenObservationSpace(kernel.observationSpace).size;
  const actionSize = flatActionSize(kernel.actionSpace);
  const isDiscrete = !hasFloatActions(kernel.actionSpace);
  return {
    kernel,
    autoreset,
    obsSize,
    actionSize,
    maskSize: kernel.masksActions ? actionMaskSize(kernel.actionSpace) : 0,
    limit: checkLimit(kernel.maxEpisodeSteps),
    elapsed: new Float64Array(numEnvs),
    seeds: new Float64Array(numEnvs),
    hasEnded: new Uint8Array(numEnvs).fill(1),
    failures: new Array<EnvError | null>(numEnvs).fill(null),
    numFailures: 0,
    hasToldOutside: false,
    faults: faults ?? null,
    recovery: createRecovery(kernel, { obsSize, actionSize, isDiscrete }, faults),
  };
}

/** The vector environment whose memory this is. */
export function vectorEnvOf(vector: Vector): VectorEnv {
  const { kernel, autoreset } = vector;
  const { numEnvs } = kernel;
  const canReplay = kernel.isRepeatable !== false || kernel.repeat !== undefined;
  return {
    numEnvs,
    numRows: numEnvs,
    policyOf: null,
    observationSpace: kernel.observationSpace,
    actionSpace: kernel.actionSpace,
    actionMaskSize: vector.maskSize,
    maxEpisodeSteps: kernel.maxEpisodeSteps,
    ...(kernel.frameStack && { frameStack: kernel.frameStack }),
    autoreset,
    reset(seeds, out) {
      for (let n = 0; n < numEnvs; n++) restart(vector, n, seeds[n], out);
      throwFirstFailure(vector);
    },
    step(actions, nextSeeds, out) {
      for (let n = 0; n < numEnvs; n++) stepRow(vector, n, actions, nextSeeds, out);
      if (vector.numFailures > 0) throwFirstFailure(vector);
    },
    resetRows(mask, seeds, out) {
      for (let n = 0; n < numEnvs; n++) if (mask[n] === 1) restart(vector, n, seeds[n], out);
      throwFirstFailure(vector, mask);
    },
    ...stateFunctions(vector),
    lastReward: (n) => kernel.rewards[n],
    ...(canReplay && {
      replay: (n, seed, actions, numSteps, out) => replay(vector, n, seed, actions, numSteps, out),
    }),
    ...(kernel.render && { render: kernel.render.bind(kernel) }),
    ...(kernel.close && { close: kernel.close.bind(kernel) }),
  };
}

/** Checks the count of environments that a vector is asked for. */
export function checkNumEnvs(numEnvs: number): number {
  if (Number.isSafeInteger(numEnvs) && numEnvs >= 1) return numEnvs;
  throw new ConfigError('CONFIG_NUM_ENVS', `Expected \`numEnvs\` to be an integer >= 1, got ${numEnvs}.`);
}

function checkLimit(limit: number | null): number {
  if (limit === null) return Infinity;
  if (Number.isSafeInteger(limit) && limit >= 1) return limit;
  throw new ConfigError(
    'CONFIG_MAX_EPISODE_STEPS',
    `Expected \`maxEpisodeSteps\` to be an integer >= 1 (or null for no limit), got ${limit}.`,
  );
}

function restart(vector: Vector, n: number, seed: number, out: StepRows): void {
  forgetFailure(vector, n);
  vector.elapsed[n] = 0;
  vector.seeds[n] = seed;
  vector.hasEnded[n] = 0;
  try {
    vector.kernel.reset(n, seed);
    writeRow(vector, n, out);
  } catch (error) {
    if (!recoverReset(vector, n, seed, out, error)) return;
  }
  reportOddNumbers(vector, n, 'reset');
  vector.recovery?.onBegin(n, null, out);
}

/** One environment's part of `step`; a failure is kept in the vector. */
export function stepRow(
  vector: Vector,
  n: number,
  actions: ActionArray,
  nextSeeds: Uint32Array,
  out: StepRows,
): void {
  if (vector.failures[n] !== null || vector.hasEnded[n] === 1) {
    writeScalars(out, n, 0, 0, 0);
    if (vector.failures[n] !== null) return;
    if (vector.autoreset === 'next-step') restart(vector, n, nextSeeds[n], out);
    else fail(vector, n, placeError(vector, n, stepAfterEnd(vector, n), 'step'));
    return;
  }
  vector.elapsed[n] += 1;
  try {
    takeStep(vector, n, actions, out);
  } catch (error) {
    if (!recoverStep(vector, n, actions, out, error)) {
      writeScalars(out, n, 0, 0, 0);
      return;
    }
  }
  reportOddNumbers(vector, n, 'step');
  const scalar = out.scalarOffset + n * out.scalarStride;
  if ((out.terminated[scalar] | out.truncated[scalar]) === 1) endEpisode(vector, n, nextSeeds, out);
}

/** Its true last observation lies in `finalObservations`. */
function endEpisode(vector: Vector, n: number, nextSeeds: Uint32Array, out: StepRows): void {
  if (vector.autoreset === 'same-step') {
    restart(vector, n, nextSeeds[n], out);
    return;
  }
  vector.hasEnded[n] = 1;
  const row = out.observationOffset + n * out.observationStride;
  for (let k = 0; k < vector.obsSize; k++)
    out.observations[row + k] = out.finalObservations[n * vector.obsSize + k];
  // No action follows an end, so its mask only has to be valid.
  if (out.actionMasks !== null) {
    const offset = out.maskOffset + n * out.maskStride;
    out.actionMasks.fill(1, offset, offset + vector.maskSize);
  }
}

function stepAfterEnd(vector: Vector, n: number): EnvError {
  return new EnvError(
    'ENV_STEP_AFTER_END',
    vector.elapsed[n] === 0
      ? `Expected reset before the first step of environment ${n}.`
      : `The episode of environment ${n} has ended: with autoreset 'disabled' call resetRows before the next step.`,
  );
}

/** Nothing is reported and no row is written on the way. */
function replay(
  vector: Vector,
  n: number,
  seed: number | null,
  actions: ActionArray,
  numSteps: number,
  out: StepRows,
): boolean {
  const { kernel, elapsed } = vector;
  if (seed !== null) restart(vector, n, seed, out);
  let hasEnded = vector.failures[n] !== null;
  try {
    if (!hasEnded) {
      elapsed[n] += numSteps;
      hasEnded =
        !stepOn(kernel, n, actions, vector.actionSize, numSteps) ||
        (numSteps > 0 && elapsed[n] >= vector.limit);
    }
    if (!hasEnded) writeRow(vector, n, out);
  } catch (error) {
    fail(vector, n, placeError(vector, n, error, 'step'));
  }
  forgetClipped(vector);
  vector.recovery?.onReplay(n, actions, numSteps, out);
  throwFirstFailure(vector);
  return !hasEnded;
}

function stateFunctions(vector: Vector): Pick<VectorEnv, 'getState' | 'setState'> {
  const { kernel } = vector;
  if (!kernel.getState || !kernel.setState) return {};
  return {
    getState: (n) => ({
      elapsed: vector.elapsed[n],
      seed: vector.seeds[n],
      hasEnded: vector.hasEnded[n],
      env: kernel.getState?.(n) ?? null,
    }),
    setState: (n, state, out) => {
      const { elapsed, seed, hasEnded, env } = state as JsonObject;
      vector.elapsed[n] = elapsed as number;
      vector.seeds[n] = seed as number;
      vector.hasEnded[n] = hasEnded as number;
      forgetFailure(vector, n);
      kernel.setState?.(n, env as JsonValue);
      writeRow(vector, n, out);
      forgetClipped(vector);
      vector.recovery?.onBegin(n, env as JsonValue, out);
    },
  };
}
