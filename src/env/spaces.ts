/** Spaces: the shape, dtype and bounds of observations and actions. */
import { ConfigError } from '../errors.ts';
import type { Stream } from '../random/streams.ts';

export type Space = Box | Discrete | MultiDiscrete | MultiBinary | Dict | Tuple;
export type SpaceDtype = 'float32' | 'uint8' | 'int32';
// The classes are completed by their owner; see test/env/spaces.test.ts.

/** A box in R^n, closed, each element with its own bounds (infinite ones allowed). */
export class Box {
  readonly kind = 'box';
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'uint8';
  readonly low: Float32Array; // [size] f32
  readonly high: Float32Array; // [size] f32
  readonly size: number;
  constructor(
    low: number | ArrayLike<number>,
    high: number | ArrayLike<number>,
    shape?: readonly number[],
    dtype: 'float32' | 'uint8' = 'float32',
  ) {
    const length =
      typeof low === 'number' ? (typeof high === 'number' ? undefined : high.length) : low.length;
    if (shape === undefined && length === undefined) {
      throw new ConfigError(
        'CONFIG_SPACE',
        'Expected `shape` in Box(low, high, shape) when both bounds are numbers.',
      );
    }
    this.shape = shape ?? [length as number];
    this.size = this.shape.reduce((product, dimension) => product * dimension, 1);
    this.dtype = dtype;
    this.low = Float32Array.from({ length: this.size }, (_, i) => (typeof low === 'number' ? low : low[i]));
    this.high = Float32Array.from({ length: this.size }, (_, i) =>
      typeof high === 'number' ? high : high[i],
    );
  }
}

/** One of `n` integers, `start <= action < start + n`. */
export class Discrete {
  readonly kind = 'discrete';
  readonly n: number;
  readonly start: number;
  constructor(n: number, start = 0) {
    this.n = n;
    this.start = start;
  }
}

/** Several integers, component k in [0, nvec[k]). */
export class MultiDiscrete {
  readonly kind = 'multi-discrete';
  readonly nvec: readonly number[];
  constructor(nvec: readonly number[]) {
    this.nvec = nvec;
  }
}

/** n bits. */
export class MultiBinary {
  readonly kind = 'multi-binary';
  readonly n: number;
  constructor(n: number) {
    this.n = n;
  }
}

/** Named sub-spaces, flattened in key order. */
export class Dict {
  readonly kind = 'dict';
  readonly spaces: Readonly<Record<string, Space>>;
  constructor(spaces: Readonly<Record<string, Space>>) {
    this.spaces = spaces;
  }
}

/** Ordered sub-spaces. */
export class Tuple {
  readonly kind = 'tuple';
  readonly spaces: readonly Space[];
  constructor(spaces: readonly Space[]) {
    this.spaces = spaces;
  }
}

/**
 * How a space looks to a network: one flat row. A Discrete observation becomes one-hot, MultiDiscrete one-hot per
 * component, MultiBinary 0/1, Box its elements, Dict and Tuple the concatenation of their parts.
 */
export interface FlatObservation {
  readonly size: number;
  /** uint8 only for a single uint8 Box (images); everything else is float32. */
  readonly dtype: 'float32' | 'uint8';
  /** The Box's shape for a single Box, else [size]. */
  readonly shape: readonly number[];
}

/** How an action space looks to a policy. Dict and Tuple are supported when all their parts are of one kind. */
export type FlatAction =
  | { readonly kind: 'categorical'; readonly sizes: readonly number[] } // i32 [sizes.length]
  | { readonly kind: 'bernoulli'; readonly size: number } // i32 [size]
  | {
      readonly kind: 'box';
      readonly size: number;
      readonly low: readonly number[];
      readonly high: readonly number[];
    }; // f32 [size]

export type SampleSource = Stream;
