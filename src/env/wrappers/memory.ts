/** Wrappers whose observations tell of earlier ones, or of the time. */
import { EnvError } from '../../errors.ts';
import type { JsonValue } from '../../json.ts';
import type { Env } from '../env.ts';
import { flatBound, flatSize, flattenObservationSpace } from '../flatten-space.ts';
import { describeValue } from '../space-values.ts';
import { Box, type Space } from '../spaces.ts';
import type { ObservationArray } from '../vector-env.ts';
import { zeroRow } from './observations.ts';
import type { ObservationRows, ObservationTransform, TransformedEnv } from './row-transforms.ts';
import { checkCount } from './time.ts';
import { transformObservations } from './transform-env.ts';

/**
 * The last `numFrames` observations as one. Images [height, width, channels] are stacked along their channels, the oldest
 * first; anything else is flattened and concatenated. After a reset the first observation fills the stack.
 */
export function frameStackObservation(env: Env, numFrames: number): Env {
  return transformObservations(env, frameStackTransform(env, numFrames));
}

export function frameStackTransform(
  { observationSpace: inner }: TransformedEnv,
  numFrames: number,
): ObservationTransform {
  checkCount('frameStackObservation', 'numFrames', numFrames);
  const isImage = inner.kind === 'box' && inner.shape.length === 3;
  const size = flatSize(inner);
  const channels = isImage ? inner.shape[2] : size;
  return {
    space: stackedSpace(inner, numFrames, channels),
    frameStack: { numFrames, groupSize: channels },
    open(numRows) {
      const frames = createFrames(inner, numRows, numFrames, 'frameStackObservation');
      return {
        ...frames.state,
        begin: (n, from, at) => {
          for (let k = 0; k < numFrames; k++) frames.push(n, from, at);
        },
        advance: frames.push,
        write(n, _from, _at, out, outAt) {
          for (let k = 0; k < numFrames; k++) {
            const frame = frames.offsetOf(n, k);
            // Channels of one pixel (or, without pixels, the whole row) lie together.
            for (let start = 0, to = outAt + k * channels; start < size; start += channels) {
              for (let c = 0; c < channels; c++) out[to + c] = frames.memory[frame + start + c];
              to += channels * numFrames;
            }
          }
        },
      };
    },
  };
}

/**
 * Observations come `delay` steps late; until then all are 0 (as far as bounds allow, and the first choice where there are choices).
 */
export function delayObservation(env: Env, delay: number): Env {
  return transformObservations(env, delayTransform(env, delay));
}

export function delayTransform(
  { observationSpace: space }: TransformedEnv,
  delay: number,
): ObservationTransform {
  checkCount('delayObservation', 'delay', delay);
  const zero = zeroRow(space);
  return {
    space,
    open(numRows) {
      const frames = createFrames(space, numRows, delay + 1, 'delayObservation');
      return {
        ...frames.state,
        begin(n, from, at) {
          for (let k = 0; k < delay; k++) frames.push(n, zero, 0);
          frames.push(n, from, at);
        },
        advance: frames.push,
        write(n, _from, _at, out, outAt) {
          const oldest = frames.offsetOf(n, 0);
          for (let k = 0; k < zero.length; k++) out[outAt + k] = frames.memory[oldest + k];
        },
      };
    },
  };
}

/**
 * Appends the share of the time that has passed, steps / limit in [0, 1], to the (flattened) observation. Without it a
 * value function cannot know that a time limit is near.
 *
 * @param limit default: the environment's `maxEpisodeSteps`.
 * @throws ConfigError `CONFIG_WRAPPER` when there is no limit.
 */
export function timeAwareObservation(env: Env, limit?: number | null): Env {
  return transformObservations(env, timeAwareTransform(env, limit));
}

export function timeAwareTransform(
  { observationSpace: inner, maxEpisodeSteps }: TransformedEnv,
  given?: number | null,
): ObservationTransform {
  const limit = given ?? maxEpisodeSteps ?? Number.NaN;
  checkCount('timeAwareObservation', 'limit', limit);
  const size = flatSize(inner);
  return {
    space: new Box([...flatBound(inner, 'low'), 0], [...flatBound(inner, 'high'), 1]),
    open(numRows) {
      const elapsed = new Float64Array(numRows); // [numRows] f64
      return {
        begin: (n) => {
          elapsed[n] = 0;
        },
        advance: (n) => {
          elapsed[n] += 1;
        },
        write(n, from, at, out, outAt) {
          for (let k = 0; k < size; k++) out[outAt + k] = from[at + k];
          out[outAt + size] = Math.min(1, elapsed[n] / limit);
        },
        getState: (n) => elapsed[n],
        setState: (n, state) => {
          elapsed[n] = state as number;
        },
      };
    },
  };
}

/** The last observations of each row, in a ring. */
function createFrames(space: Space, numRows: number, numFrames: number, wrapper: string) {
  const { size, dtype } = flattenObservationSpace(space);
  const length = numRows * numFrames * size;
  const memory: ObservationArray = dtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length); // [numRows, numFrames, size]
  const heads = new Int32Array(numRows); // where the oldest lies
  const offsetOf = (n: number, k: number) => (n * numFrames + ((heads[n] + k) % numFrames)) * size;
  const push = (n: number, from: ObservationArray, at: number) => {
    const to = offsetOf(n, 0);
    for (let k = 0; k < size; k++) memory[to + k] = from[at + k];
    heads[n] = (heads[n] + 1) % numFrames;
  };
  const state: Pick<ObservationRows, 'getState' | 'setState'> = {
    getState: (n) =>
      Array.from({ length: numFrames }, (_, k) => [
        ...memory.subarray(offsetOf(n, k), offsetOf(n, k) + size),
      ]),
    setState(n, saved) {
      for (const frame of checkFrames(wrapper, saved, numFrames, size)) push(n, Float32Array.from(frame), 0);
    },
  };
  return { memory, offsetOf, push, state };
}

/** @throws {@link EnvError} `ENV_STATE` for what is no state of this wrapper. */
function checkFrames(
  wrapper: string,
  saved: JsonValue,
  numFrames: number,
  size: number,
): readonly (readonly number[])[] {
  const isFrame = (frame: unknown) => Array.isArray(frame) && frame.length === size;
  if (Array.isArray(saved) && saved.length === numFrames && saved.every(isFrame))
    return saved as readonly (readonly number[])[];
  throw new EnvError(
    'ENV_STATE',
    `Expected the state that getState of ${wrapper} gave, ${numFrames} observations of ${size} numbers, got ${describeValue(saved)}.`,
  );
}

/** The Box of `numFrames` stacked observations. */
function stackedSpace(inner: Space, numFrames: number, channels: number): Box {
  const low = repeatBound(flatBound(inner, 'low'), numFrames, channels);
  const high = repeatBound(flatBound(inner, 'high'), numFrames, channels);
  if (inner.kind !== 'box') return new Box(low, high);
  const shape = inner.shape.length === 3 ? [...inner.shape.slice(0, 2), channels * numFrames] : [low.length];
  return new Box(low, high, shape, inner.dtype);
}

function repeatBound(bound: readonly number[], numFrames: number, channels: number): number[] {
  const repeated: number[] = [];
  for (let start = 0; start < bound.length; start += channels) {
    for (let k = 0; k < numFrames; k++) repeated.push(...bound.slice(start, start + channels));
  }
  return repeated;
}
