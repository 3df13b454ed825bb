/**
 * Normalisation of whole vector environments, for loops of your own. In training use the options `normalizeObservations`
 * and `normalizeRewards`: their statistics are merged over all runners and saved with checkpoints.
 */

import { ConfigError, EnvError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { createRunningMoments, type MomentsState } from '../../statistics/running-moments.ts';
import { flattenObservationSpace } from '../flatten-space.ts';
import { describeSpace } from '../space-json.ts';
import { describeValue } from '../space-values.ts';
import { Box } from '../spaces.ts';
import type { StepRows, VectorEnv } from '../vector-env.ts';
import { wrapVectorEnv } from './wrap-vector-env.ts';

/** A vector environment with running statistics. */
export interface NormalizedVectorEnv extends VectorEnv {
  /** False freezes the statistics, for evaluation. */
  isUpdating: boolean;
  getStatistics(): MomentsState;
  setStatistics(state: MomentsState): void;
}

const EPSILON = 1e-8;

/**
 * Shifts and scales every element of the observations by its running mean and standard deviation,
 * x' = clip((x - mean) / sqrt(variance + 1e-8), +-clip).
 *
 * Statistics are taken from every observation of a reset and a step, and from final ones where these are no rows of their
 * own (same-step), each once.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` for uint8 observations.
 */
export function normalizeObservation(env: VectorEnv, clip = 10): NormalizedVectorEnv {
  const { size, dtype } = flattenObservationSpace(env.observationSpace);
  if (dtype === 'uint8') {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `normalizeObservation needs float32 observations, got ${describeSpace(env.observationSpace)}.`,
    );
  }
  const moments = createRunningMoments(size);
  const batch = new Float32Array(2 * env.numRows * size); // rows of one call, then final ones
  const normalizeRow = (array: Float32Array | Uint8Array, offset: number) => {
    for (let k = 0; k < size; k++) {
      const scaled = (array[offset + k] - moments.mean[k]) / Math.sqrt(moments.variance(k) + EPSILON);
      array[offset + k] = Math.min(Math.max(scaled, -clip), clip);
    }
  };
  const normalizeRows = (
    out: StepRows,
    isWanted: (n: number) => boolean,
    hasFinal: (n: number) => boolean,
  ) => {
    const rows = Array.from({ length: env.numRows }, (_, n) => n).filter(isWanted);
    const finals = rows.filter(hasFinal);
    const rowAt = (n: number) => out.observationOffset + n * out.observationStride;
    if (normalized.isUpdating) {
      let count = 0;
      const add = (array: Float32Array | Uint8Array, offset: number) => {
        batch.set(array.subarray(offset, offset + size), count * size);
        count += 1;
      };
      for (const n of rows) add(out.observations, rowAt(n));
      if (env.autoreset === 'same-step') for (const n of finals) add(out.finalObservations, n * size);
      moments.add(batch, count);
    }
    for (const n of rows) normalizeRow(out.observations, rowAt(n));
    for (const n of finals) normalizeRow(out.finalObservations, n * size);
  };
  const normalizeRowAt = (n: number, out: StepRows) =>
    normalizeRow(out.observations, out.observationOffset + n * out.observationStride);
  const normalized = wrapVectorEnv<NormalizedVectorEnv>(env, {
    observationSpace: new Box(-clip, clip, [size]),
    isUpdating: true,
    getStatistics: () => moments.getState(),
    setStatistics: (state) => moments.setState(state),
    reset(seeds, out) {
      env.reset(seeds, out);
      normalizeRows(out, all, none);
    },
    step(actions, nextSeeds, out) {
      env.step(actions, nextSeeds, out);
      normalizeRows(out, all, (n) => hasEnded(out, n));
    },
    resetRows(mask, seeds, out) {
      env.resetRows(mask, seeds, out);
      normalizeRows(out, (n) => mask[n] === 1, none);
    },
    ...(env.getState && { getState: (n) => env.getState?.(n) ?? null }),
    ...(env.setState && {
      setState(n, state, out) {
        env.setState?.(n, state, out);
        normalizeRowAt(n, out);
      },
    }),
    ...(env.replay && {
      replay(n, seed, actions, numSteps, out) {
        const isSameEpisode = env.replay?.(n, seed, actions, numSteps, out) ?? false;
        if (isSameEpisode) normalizeRowAt(n, out);
        return isSameEpisode;
      },
    }),
  });
  return normalized;
}

/**
 * Divides rewards by the running standard deviation of the discounted return, r' = clip(r / sqrt(variance(R) + 1e-8),
 * +-clip) with R = gamma R + r, and R = 0 after an end. A step that only resets (autoreset `next-step`) is no reward and
 * stays out of the statistics.
 */
export function normalizeReward(env: VectorEnv, gamma = 0.99, clip = 10): NormalizedVectorEnv {
  const moments = createRunningMoments(1);
  const returns = new Float64Array(env.numRows);
  const batch = new Float64Array(env.numRows);
  const isReset = new Uint8Array(env.numRows);
  const restart = (n: number) => {
    returns[n] = 0;
    isReset[n] = 0;
  };
  const normalized = wrapVectorEnv<NormalizedVectorEnv>(env, {
    isUpdating: true,
    getStatistics: () => moments.getState(),
    setStatistics: (state) => moments.setState(state),
    reset(seeds, out) {
      env.reset(seeds, out);
      for (let n = 0; n < env.numRows; n++) restart(n);
    },
    step(actions, nextSeeds, out) {
      env.step(actions, nextSeeds, out);
      let count = 0;
      for (let n = 0; n < env.numRows; n++) {
        if (isReset[n] === 1) continue;
        returns[n] = gamma * returns[n] + out.rewards[out.scalarOffset + n * out.scalarStride];
        batch[count++] = returns[n];
      }
      if (normalized.isUpdating) moments.add(batch, count);
      const scale = 1 / Math.sqrt(moments.variance(0) + EPSILON);
      for (let n = 0; n < env.numRows; n++) {
        const i = out.scalarOffset + n * out.scalarStride;
        if (isReset[n] === 0) out.rewards[i] = Math.min(Math.max(out.rewards[i] * scale, -clip), clip);
        const isEnd = hasEnded(out, n);
        if (isEnd || isReset[n] === 1) returns[n] = 0;
        isReset[n] = isEnd && env.autoreset === 'next-step' ? 1 : 0;
      }
    },
    resetRows(mask, seeds, out) {
      env.resetRows(mask, seeds, out);
      for (let n = 0; n < env.numRows; n++) if (mask[n] === 1) restart(n);
    },
    // Without `replay`: it tells of no rewards, from which the running return would follow.
    ...(env.getState && {
      getState: (n) => ({
        inner: env.getState?.(n) ?? null,
        discountedReturn: returns[n],
        isReset: isReset[n],
      }),
    }),
    ...(env.setState && {
      setState(n, state, out) {
        const { inner, discountedReturn, isReset: wasReset } = checkRewardState(state);
        env.setState?.(n, inner, out);
        returns[n] = discountedReturn;
        isReset[n] = wasReset;
      },
    }),
  });
  return normalized;
}

/** @throws {@link EnvError} `ENV_STATE` for a state that `getState` of this wrapper did not give. */
function checkRewardState(state: JsonValue): {
  readonly inner: JsonValue;
  readonly discountedReturn: number;
  readonly isReset: number;
} {
  const { inner = null, discountedReturn, isReset } = (state ?? {}) as JsonObject;
  if (typeof discountedReturn === 'number' && (isReset === 0 || isReset === 1)) {
    return { inner, discountedReturn, isReset };
  }
  throw new EnvError(
    'ENV_STATE',
    'Expected the state that getState of normalizeReward gave, { inner, discountedReturn, isReset }, ' +
      `got ${describeValue(state)}.`,
  );
}

function hasEnded(out: StepRows, n: number): boolean {
  const i = out.scalarOffset + n * out.scalarStride;
  return (out.terminated[i] | out.truncated[i]) === 1;
}

function all(): boolean {
  return true;
}

function none(): boolean {
  return false;
}
