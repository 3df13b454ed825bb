/** Spaces: the shape, dtype and bounds of observations and actions. */
import { ConfigError } from '../errors.ts';

export type Space = Box | Discrete | MultiDiscrete | MultiBinary | Dict | Tuple;

/**
 * A box in R^n, closed, each element with its own bounds (infinite ones allowed).
 *
 *     new Box(-1, 1, [4])                  four numbers in [-1, 1]
 *     new Box([-2, 0], [2, 10])            bounds for each element
 *     new Box(0, 255, [64, 64, 3], 'uint8')  an image, row by row, channels last
 *
 * Values are flat, in row-major order. Bounds are rounded to float32, as observations are.
 *
 * @throws {@link ConfigError} `CONFIG_SPACE` when a bound is NaN, `low > high`, the shape is empty or a length does not fit.
 */
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
    this.shape = shape === undefined ? [boundLength(low, high)] : [...shape];
    for (const [k, dimension] of this.shape.entries()) checkCount(`Box shape[${k}]`, dimension);
    if (dtype !== 'float32' && dtype !== 'uint8') {
      throw spaceError(`Expected the dtype of a Box to be 'float32' or 'uint8', got ${show(dtype)}.`);
    }
    this.size = this.shape.reduce((product, dimension) => product * dimension, 1);
    this.dtype = dtype;
    this.low = fillBound('low', low, this.size);
    this.high = fillBound('high', high, this.size);
    checkBounds(this);
  }
}

/** One of `n` integers, `start <= action < start + n`. */
export class Discrete {
  readonly kind = 'discrete';
  readonly n: number;
  readonly start: number;
  constructor(n: number, start = 0) {
    checkCount('Discrete n', n);
    if (!Number.isSafeInteger(start)) {
      throw spaceError(`Expected Discrete \`start\` to be an integer, got ${show(start)}.`);
    }
    this.n = n;
    this.start = start;
  }
}

/** Several integers, component k in [0, nvec[k]). Values are `Int32Array`s (or plain arrays). */
export class MultiDiscrete {
  readonly kind = 'multi-discrete';
  readonly nvec: readonly number[];
  constructor(nvec: readonly number[]) {
    if (nvec.length === 0) throw spaceError('Expected at least one component in MultiDiscrete, got none.');
    for (const [k, n] of nvec.entries()) checkCount(`MultiDiscrete nvec[${k}]`, n);
    this.nvec = [...nvec];
  }
}

/** n bits. */
export class MultiBinary {
  readonly kind = 'multi-binary';
  readonly n: number;
  constructor(n: number) {
    checkCount('MultiBinary n', n);
    this.n = n;
  }
}

/** Named sub-spaces, flattened in the alphabetical (code unit) order of their names. */
export class Dict {
  readonly kind = 'dict';
  readonly spaces: Readonly<Record<string, Space>>;
  constructor(spaces: Readonly<Record<string, Space>>) {
    const names = Object.keys(spaces).sort();
    if (names.length === 0) throw spaceError('Expected at least one sub-space in Dict, got none.');
    for (const name of names) checkSpace(`Dict sub-space \`${name}\``, spaces[name]);
    this.spaces = Object.fromEntries(names.map((name) => [name, spaces[name] as Space]));
  }
}

/** Ordered sub-spaces. */
export class Tuple {
  readonly kind = 'tuple';
  readonly spaces: readonly Space[];
  constructor(spaces: readonly Space[]) {
    if (spaces.length === 0) throw spaceError('Expected at least one sub-space in Tuple, got none.');
    for (const [k, space] of spaces.entries()) checkSpace(`Tuple sub-space ${k}`, space);
    this.spaces = [...spaces];
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

/** How an action space looks to a policy. A Dict or Tuple whose parts are of several kinds is a product of them, f32. */
export type FlatAction =
  | FlatActionPart
  | { readonly kind: 'product'; readonly parts: readonly FlatActionPart[] };

export type FlatActionPart =
  | { readonly kind: 'categorical'; readonly sizes: readonly number[] } // i32 [sizes.length]
  | { readonly kind: 'bernoulli'; readonly size: number } // i32 [size]
  | {
      readonly kind: 'box';
      readonly size: number;
      readonly low: readonly number[];
      readonly high: readonly number[];
    }; // f32 [size]

const KINDS = ['box', 'discrete', 'multi-discrete', 'multi-binary', 'dict', 'tuple'];

/** True for the six spaces, also those of another copy of this package. */
export function isSpace(value: unknown): value is Space {
  return (
    typeof value === 'object' &&
    value !== null &&
    KINDS.includes((value as { kind?: unknown }).kind as string)
  );
}

function spaceError(message: string): ConfigError {
  return new ConfigError('CONFIG_SPACE', message);
}

/** A value for an error message; never throws. */
function show(value: unknown): string {
  return `\`${String(value)}\` (${typeof value})`;
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw spaceError(`Expected ${name} to be an integer >= 1, got ${show(value)}.`);
  }
}

function checkSpace(name: string, value: unknown): void {
  if (!isSpace(value)) {
    throw spaceError(
      `Expected ${name} to be a space (Box, Discrete, MultiDiscrete, MultiBinary, Dict, Tuple), got ${show(value)}.`,
    );
  }
}

function boundLength(low: number | ArrayLike<number>, high: number | ArrayLike<number>): number {
  if (typeof low !== 'number') return low.length;
  if (typeof high !== 'number') return high.length;
  throw spaceError('Expected `shape` in Box(low, high, shape) when both bounds are numbers.');
}

function fillBound(name: string, bound: number | ArrayLike<number>, size: number): Float32Array {
  if (typeof bound !== 'number' && bound.length !== size) {
    throw spaceError(
      `Expected Box \`${name}\` to have ${size} elements as the shape says, got ${bound.length}.`,
    );
  }
  return Float32Array.from({ length: size }, (_, i) => (typeof bound === 'number' ? bound : bound[i]));
}

function checkBounds({ low, high, dtype }: Box): void {
  for (let i = 0; i < low.length; i++) {
    if (!(low[i] <= high[i]) || low[i] === Infinity || high[i] === -Infinity) {
      throw spaceError(
        `Expected Box \`low\` <= \`high\` and no NaN in every element, got low ${low[i]}, high ${high[i]} at index ${i}.`,
      );
    }
    if (dtype === 'uint8' && !(isByte(low[i]) && isByte(high[i]))) {
      throw spaceError(
        `Expected the bounds of a uint8 Box to be integers in [0, 255], got [${low[i]}, ${high[i]}] at index ${i}.`,
      );
    }
  }
}

function isByte(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255;
}
