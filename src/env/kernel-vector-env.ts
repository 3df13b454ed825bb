/** What all vector environments in one thread share: autoreset, time limits, masks, errors with their place, state. */
import { ConfigError, EnvError, type EnvErrorPlace } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { EnvKernel } from './env-kernel.ts';
import { actionMaskSize, flatActionSize } from './flatten-action.ts';
import { flattenObservationSpace } from './flatten-space.ts';
import type { ActionArray, AutoresetMode, StepRows, VectorEnv } from './vector-env.ts';

interface Vector {
  readonly kernel: EnvKernel;
  readonly autoreset: AutoresetMode;
  readonly obsSize: number;
  readonly actionSize: number;
  readonly maskSize: number;
  readonly limit: number;
  readonly elapsed: Float64Array; // [numEnvs] f64, steps of the episode that goes on
  readonly seeds: Float64Array; // [numEnvs] f64, seed of the episode that goes on
  readonly hasEnded: Uint8Array; // [numEnvs] u8, ended and not yet reset (next-step, disabled)
  readonly failures: (EnvError | null)[]; // [numEnvs]
  numFailures: number;
}

/**
 * Makes a vector environment of a kernel.
 *
 * After an environment throws, the others of the same call are still stepped; the first error is then thrown, with its
 * place, and every failed environment throws again on the next step until {@link VectorEnv.resetRows} restarts it.
 *
 * @throws {@link ConfigError} `CONFIG_MAX_EPISODE_STEPS` for a limit below 1, `CONFIG_NUM_ENVS` for no environment at all.
 */
export function kernelVectorEnv(kernel: EnvKernel, autoreset: AutoresetMode = 'same-step'): VectorEnv {
  const { numEnvs } = kernel;
  const vector: Vector = {
    kernel,
    autoreset,
    obsSize: flattenObservationSpace(kernel.observationSpace).size,
    actionSize: flatActionSize(kernel.actionSpace),
    maskSize: kernel.masksActions ? actionMaskSize(kernel.actionSpace) : 0,
    limit: checkLimit(kernel.maxEpisodeSteps),
    elapsed: new Float64Array(numEnvs),
    seeds: new Float64Array(numEnvs),
    hasEnded: new Uint8Array(numEnvs).fill(1),
    failures: new Array<EnvError | null>(numEnvs).fill(null),
    numFailures: 0,
  };
  return {
    numEnvs,
    numRows: numEnvs,
    policyOf: null,
    observationSpace: kernel.observationSpace,
    actionSpace: kernel.actionSpace,
    actionMaskSize: vector.maskSize,
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
    replay: (n, seed, actions, numSteps, out) => replay(vector, n, seed, actions, numSteps, out),
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
  if (vector.failures[n] !== null) {
    vector.failures[n] = null;
    vector.numFailures -= 1;
  }
  vector.elapsed[n] = 0;
  vector.seeds[n] = seed;
  vector.hasEnded[n] = 0;
  try {
    vector.kernel.reset(n, seed);
    writeRow(vector, n, out);
  } catch (error) {
    fail(vector, n, error, 'reset');
  }
}

function stepRow(
  vector: Vector,
  n: number,
  actions: ActionArray,
  nextSeeds: Uint32Array,
  out: StepRows,
): void {
  const { kernel, elapsed } = vector;
  const scalar = out.scalarOffset + n * out.scalarStride;
  if (vector.failures[n] !== null || vector.hasEnded[n] === 1) {
    writeScalars(out, scalar, 0, 0, 0);
    if (vector.failures[n] !== null) return;
    if (vector.autoreset === 'next-step') restart(vector, n, nextSeeds[n], out);
    else fail(vector, n, stepAfterEnd(vector, n), 'step');
    return;
  }
  elapsed[n] += 1;
  try {
    kernel.step(n, actions, n * vector.actionSize);
    const terminated = kernel.terminated[n];
    const truncated = elapsed[n] >= vector.limit ? 1 : kernel.truncated[n];
    writeScalars(out, scalar, kernel.rewards[n], terminated, truncated);
    if (out.onMetric !== null) kernel.reportMetrics?.(n, out.onMetric);
    if ((terminated | truncated) === 1) endEpisode(vector, n, nextSeeds, out);
    else writeRow(vector, n, out);
  } catch (error) {
    writeScalars(out, scalar, 0, 0, 0);
    fail(vector, n, error, 'step');
  }
}

function endEpisode(vector: Vector, n: number, nextSeeds: Uint32Array, out: StepRows): void {
  vector.kernel.writeObservation(n, out.finalObservations, n * vector.obsSize);
  if (vector.autoreset === 'same-step') {
    restart(vector, n, nextSeeds[n], out);
    return;
  }
  vector.hasEnded[n] = 1;
  vector.kernel.writeObservation(n, out.observations, out.observationOffset + n * out.observationStride);
  // No action follows an end, so its mask only has to be valid.
  if (out.actionMasks !== null) {
    const offset = out.maskOffset + n * out.maskStride;
    out.actionMasks.fill(1, offset, offset + vector.maskSize);
  }
}

function writeRow(vector: Vector, n: number, out: StepRows): void {
  vector.kernel.writeObservation(n, out.observations, out.observationOffset + n * out.observationStride);
  if (vector.maskSize > 0 && out.actionMasks !== null) {
    vector.kernel.writeMask?.(n, out.actionMasks, out.maskOffset + n * out.maskStride);
  }
}

function writeScalars(
  out: StepRows,
  offset: number,
  reward: number,
  terminated: number,
  truncated: number,
): void {
  out.rewards[offset] = reward;
  out.terminated[offset] = terminated;
  out.truncated[offset] = truncated;
}

function fail(vector: Vector, n: number, error: unknown, phase: 'reset' | 'step'): void {
  vector.failures[n] = placeError(vector, n, error, phase);
  vector.numFailures += 1;
}

function placeError(vector: Vector, n: number, error: unknown, phase: 'reset' | 'step'): EnvError {
  const { envId } = vector.kernel;
  const place: EnvErrorPlace = {
    envId,
    envIndex: n,
    episodeSeed: vector.seeds[n],
    episodeStep: vector.elapsed[n],
  };
  const where = `${envId}, episode seed ${place.episodeSeed}, ${phase === 'reset' ? 'reset' : `step ${place.episodeStep}`}`;
  if (error instanceof EnvError) {
    const code = error.code as `ENV_${string}`;
    return new EnvError(code, `${where}: ${error.message}`, place, { cause: error.cause });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new EnvError(
    phase === 'reset' ? 'ENV_RESET_THREW' : 'ENV_STEP_THREW',
    `${where}: the environment threw: ${reason}`,
    place,
    { cause: error },
  );
}

function stepAfterEnd(vector: Vector, n: number): EnvError {
  return new EnvError(
    'ENV_STEP_AFTER_END',
    vector.elapsed[n] === 0
      ? `Expected reset before the first step of environment ${n}.`
      : `The episode of environment ${n} has ended: with autoreset 'disabled' call resetRows before the next step.`,
  );
}

function throwFirstFailure(vector: Vector, mask?: Uint8Array): void {
  const failure = vector.failures.find((error, n) => error !== null && (mask === undefined || mask[n] === 1));
  if (failure) throw failure;
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
    for (let k = 0; k < numSteps && !hasEnded; k++) {
      elapsed[n] += 1;
      kernel.step(n, actions, k * vector.actionSize);
      hasEnded = (kernel.terminated[n] | kernel.truncated[n]) === 1 || elapsed[n] >= vector.limit;
    }
    if (!hasEnded) writeRow(vector, n, out);
  } catch (error) {
    fail(vector, n, error, 'step');
  }
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
      if (vector.failures[n] !== null) vector.numFailures -= 1;
      vector.failures[n] = null;
      kernel.setState?.(n, env as JsonValue);
      writeRow(vector, n, out);
    },
  };
}
