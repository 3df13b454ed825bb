/** Wrappers that change observations one at a time. */
import { ConfigError } from '../../errors.ts';
import type { Env } from '../env.ts';
import {
  flatBound,
  flatSize,
  flattenObservationSpace,
  flattenObservation as writeFlat,
} from '../flatten-space.ts';
import { describeSpace } from '../space-json.ts';
import { Box, Dict, Discrete, MultiDiscrete, type Space, Tuple } from '../spaces.ts';
import { checkBins, createBins, type NumBins } from './bins.ts';
import type { ObservationRows, ObservationTransform, TransformedEnv } from './row-transforms.ts';
import { checkCount } from './time.ts';
import { transformObservations } from './transform-env.ts';
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
export function flattenObservation(env: Env): Env {
  return transformObservations(env, flattenTransform(env));
}

export function flattenTransform({ observationSpace }: TransformedEnv): ObservationTransform {
  const space = new Box(flatBound(observationSpace, 'low'), flatBound(observationSpace, 'high'));
  return { space, open: () => copyOf(space.size) };
}

/**
 * Observations of a bounded Box, mapped linearly to [low, high]: y = low + (x - l) / (h - l) (high - low); `low` where l = h. uint8 becomes float32.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when observations are not a Box with finite bounds (Gymnasium also passes unbounded elements on), or low >= high.
 */
export function rescaleObservation(env: Env, low = -1, high = 1): Env {
  return transformObservations(env, rescaleObservationTransform(env, low, high));
}

export function rescaleObservationTransform(env: TransformedEnv, low = -1, high = 1): ObservationTransform {
  const inner = observationBox(env, 'rescaleObservation');
  if (![...inner.low, ...inner.high].every(Number.isFinite) || !(low < high)) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `rescaleObservation needs \`low\` < \`high\` and observations with finite bounds, got [${low}, ${high}] for ${describeSpace(inner)}.`,
    );
  }
  const slope = Float64Array.from(inner.high, (h, k) =>
    h === inner.low[k] ? 0 : (high - low) / (h - inner.low[k]),
  );
  return {
    space: new Box(low, high, inner.shape),
    open: () => ({
      write(_, from, at, out, outAt) {
        for (let k = 0; k < inner.size; k++) out[outAt + k] = low + (from[at + k] - inner.low[k]) * slope[k];
      },
    }),
  };
}

/**
 * Another shape for the same numbers: `[4, 21]` for a Box of 84.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when observations are not a Box, or the shape has another size.
 */
export function reshapeObservation(env: Env, shape: readonly number[]): Env {
  return transformObservations(env, reshapeTransform(env, shape));
}

export function reshapeTransform(env: TransformedEnv, shape: readonly number[]): ObservationTransform {
  const inner = observationBox(env, 'reshapeObservation');
  for (const side of shape) checkCount('reshapeObservation', 'shape', side);
  const size = shape.reduce((product, side) => product * side, 1);
  if (size !== inner.size) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `Expected \`shape\` of reshapeObservation to hold the ${inner.size} numbers of ${describeSpace(inner)}, got [${shape.join(', ')}], which holds ${size}.`,
    );
  }
  return {
    space: new Box(inner.low, inner.high, shape, inner.dtype),
    open: () => copyOf(inner.size),
  };
}

/**
 * Numbers of another type. `uint8` drops fractions; `float32` leaves pixels in 0 to 255, and training no longer takes them for an image.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when observations are not a Box, or no bytes by their bounds.
 */
export function dtypeObservation(env: Env, dtype: 'float32' | 'uint8'): Env {
  return transformObservations(env, dtypeTransform(env, dtype));
}

export function dtypeTransform(env: TransformedEnv, dtype: 'float32' | 'uint8'): ObservationTransform {
  const inner = observationBox(env, 'dtypeObservation');
  if (dtype !== 'float32' && dtype !== 'uint8') {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `Expected \`dtype\` of dtypeObservation to be 'float32' or 'uint8', got \`${dtype}\`.`,
    );
  }
  if (dtype === 'uint8' && !(inner.low.every((x) => x >= 0) && inner.high.every((x) => x <= 255))) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `dtypeObservation makes bytes of observations in [0, 255], got ${describeSpace(inner)}.`,
    );
  }
  const bound = (side: Float32Array) => (dtype === 'uint8' ? side.map(Math.trunc) : side);
  return {
    space: new Box(bound(inner.low), bound(inner.high), inner.shape, dtype),
    open: () => copyOf(inner.size),
  };
}

/**
 * Some parts of a Dict (by name) or a Tuple (by index, in this order).
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` for other spaces, parts that are not there, none at all, or one twice.
 */
export function filterObservation(env: Env, keys: readonly (string | number)[]): Env {
  return transformObservations(env, filterTransform(env, keys));
}

export function filterTransform(
  { observationSpace: inner }: TransformedEnv,
  keys: readonly (string | number)[],
): ObservationTransform {
  const parts = new Map<string, { readonly space: Space; readonly at: number; readonly size: number }>();
  let at = 0;
  if (inner.kind === 'dict' || inner.kind === 'tuple') {
    for (const [name, space] of Object.entries<Space>(inner.spaces)) {
      parts.set(name, { space, at, size: flatSize(space) });
      at += flatSize(space);
    }
  }
  const isThere = keys.length > 0 && keys.every((key) => parts.has(String(key)));
  if (!isThere || new Set(keys).size !== keys.length) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `Expected \`keys\` of filterObservation to name parts of a Dict or Tuple (${[...parts.keys()].join(', ') || 'none here'}), each once, got [${keys.join(', ')}] for ${describeSpace(inner)}.`,
    );
  }
  // A Dict is flat in the order of its names, whatever order they were given in.
  const names = keys.map(String);
  if (inner.kind === 'dict') names.sort();
  const kept = names.map((name) => parts.get(name) as NonNullable<ReturnType<typeof parts.get>>);
  const space =
    inner.kind === 'dict'
      ? new Dict(Object.fromEntries(names.map((name, k) => [name, kept[k].space])))
      : new Tuple(kept.map((part) => part.space));
  return {
    space,
    open: () => ({
      write(_, from, fromAt, out, outAt) {
        let end = outAt;
        for (const part of kept) {
          for (let k = 0; k < part.size; k++) out[end + k] = from[fromAt + part.at + k];
          end += part.size;
        }
      },
    }),
  };
}

/**
 * The bin that an observation of a bounded Box lies in: each element's range in equal bins, the upper bound in the last one. One number
 * among their product, the last element's bin changing fastest, or with `multiDiscrete` a bin an element.
 *
 * @param bins how many an element, or for each element.
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when observations are not a Box with finite bounds, or there are more than 2^16 bins in one number.
 */
export function discretizeObservation(env: Env, bins: NumBins, multiDiscrete = false): Env {
  return transformObservations(env, discretizeObservationTransform(env, bins, multiDiscrete));
}

export function discretizeObservationTransform(
  env: TransformedEnv,
  bins: NumBins,
  multiDiscrete = false,
): ObservationTransform {
  const inner = observationBox(env, 'discretizeObservation');
  const counts = checkBins('discretizeObservation', inner, bins);
  const { binOf, total } = createBins(inner, counts);
  if (multiDiscrete) {
    return { space: new MultiDiscrete(counts), open: () => oneHots(counts, binOf) };
  }
  return {
    space: new Discrete(total('discretizeObservation')),
    open: () => ({
      write(_, from, at, out, outAt) {
        let index = 0;
        for (let k = 0; k < counts.length; k++) index = index * counts[k] + binOf(k, from[at + k]);
        out.fill(0, outAt, outAt + total('discretizeObservation'));
        out[outAt + index] = 1;
      },
    }),
  };
}

function oneHots(counts: readonly number[], binOf: (k: number, x: number) => number): ObservationRows {
  return {
    write(_, from, at, out, outAt) {
      let end = outAt;
      for (let k = 0; k < counts.length; k++) {
        out.fill(0, end, end + counts[k]);
        out[end + binOf(k, from[at + k])] = 1;
        end += counts[k];
      }
    },
  };
}

/** The same numbers, in the type of where they go. */
function copyOf(size: number): ObservationRows {
  return {
    write(_, from, at, out, outAt) {
      for (let k = 0; k < size; k++) out[outAt + k] = from[at + k];
    },
  };
}

/** @throws {@link ConfigError} `CONFIG_WRAPPER` for another space. */
function observationBox({ observationSpace: space }: TransformedEnv, wrapper: string): Box {
  if (space.kind === 'box') return space;
  throw new ConfigError(
    'CONFIG_WRAPPER',
    `${wrapper} needs Box observations, got ${describeSpace(space)}: put flattenObservation inside.`,
  );
}

/** What {@link flattenObservationSpace} and the writer of flat rows call an observation of nothing: 0 within bounds, the first choice. */
export function zeroRow(space: Space): Float32Array {
  const row = new Float32Array(flattenObservationSpace(space).size);
  writeFlat(space, zeroOf(space), row, 0);
  return row;
}

function zeroOf(space: Space): unknown {
  switch (space.kind) {
    case 'box':
      return Array.from(space.low, (low, k) => Math.min(Math.max(0, low), space.high[k]));
    case 'discrete':
      return space.start;
    case 'multi-discrete':
      return space.nvec.map(() => 0);
    case 'multi-binary':
      return new Array<number>(space.n).fill(0);
    case 'dict':
      return Object.fromEntries(Object.entries(space.spaces).map(([name, part]) => [name, zeroOf(part)]));
    case 'tuple':
      return space.spaces.map(zeroOf);
  }
}
