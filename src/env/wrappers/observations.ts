/** Wrappers that change observations. */
import type { JsonValue } from '../../json.ts';
import type { Env } from '../env.ts';
import { flatBound, flatSize, flattenObservation } from '../flatten-space.ts';
import { Box, type Space } from '../spaces.ts';
import { checkCount } from './time.ts';
import { wrapEnv } from './wrap-env.ts';

/**
 * Passes every observation through a function.
 *
 * @param space the space of what the function returns.
 */
export function transformObservation(
  env: Env,
  space: Space,
  transform: (observation: unknown) => unknown,
): Env {
  return wrapEnv(env, {
    observationSpace: space,
    reset(options) {
      const result = env.reset(options);
      return { ...result, observation: transform(result.observation) };
    },
    step(action) {
      const result = env.step(action);
      return { ...result, observation: transform(result.observation) };
    },
  });
}

/**
 * Makes one flat float32 Box of any space, as the network would see it: one-hot where discrete, parts in a row. Bounds of
 * Boxes are kept. For wrappers that need a Box.
 */
export function flattenObservations(env: Env): Env {
  const { observationSpace: inner } = env;
  const size = flatSize(inner);
  const space = new Box(flatBound(inner, 'low'), flatBound(inner, 'high'));
  return transformObservation(env, space, (observation) => {
    const row = new Float32Array(size);
    flattenObservation(inner, observation, row, 0);
    return row;
  });
}

/**
 * The last `numFrames` observations as one. Images [height, width, channels] are stacked along their channels, the oldest
 * first; anything else is flattened and concatenated. After a reset the first observation fills the stack.
 */
export function frameStack(env: Env, numFrames: number): Env {
  checkCount('frameStack', 'numFrames', numFrames);
  const inner = env.observationSpace;
  const isImage = inner.kind === 'box' && inner.shape.length === 3;
  const size = flatSize(inner);
  const channels = isImage ? inner.shape[2] : size;
  let frames: (Float32Array | Uint8Array)[] = [];
  const make = (length: number) =>
    inner.kind === 'box' && inner.dtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
  const read = (observation: unknown) => {
    const row = make(size);
    flattenObservation(inner, observation, row, 0);
    return row;
  };
  const stacked = () => {
    const row = make(size * numFrames);
    // Channels of one pixel (or, without pixels, the whole row) lie together.
    for (let start = 0; start < size; start += channels) {
      frames.forEach((frame, k) => {
        row.set(
          frame.subarray(start, start + channels),
          (start / channels) * channels * numFrames + k * channels,
        );
      });
    }
    return row;
  };
  return wrapEnv(
    env,
    {
      observationSpace: stackedSpace(inner, numFrames, channels),
      frameStack: { numFrames, groupSize: channels },
      reset(options) {
        const result = env.reset(options);
        frames = new Array(numFrames).fill(read(result.observation));
        return { ...result, observation: stacked() };
      },
      step(action) {
        const result = env.step(action);
        frames = [...frames.slice(1), read(result.observation)];
        return { ...result, observation: stacked() };
      },
    },
    {
      getState: () => frames.map((frame) => [...frame]),
      setState: (state) => {
        frames = (state as readonly JsonValue[]).map((values) => {
          const frame = make(size);
          frame.set(values as number[]);
          return frame;
        });
      },
    },
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
