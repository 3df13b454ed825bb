/** Values of a space: is this one of them, and draw one. */
import type { Stream } from '../random/streams.ts';
import type { Box, Space } from './spaces.ts';

/** Whether `value` belongs to the space: right kind of value, length, integers where due, within bounds. */
export function contains(space: Space, value: unknown): boolean {
  return explainMismatch(space, value) === null;
}

/**
 * Why `value` does not belong to the space, in words; null when it does.
 *
 * @param path what to call the value in the answer, e.g. `observation`.
 */
export function explainMismatch(space: Space, value: unknown, path = 'value'): string | null {
  switch (space.kind) {
    case 'box':
      return explainBox(space, value, path);
    case 'discrete':
      return explainInteger(value, space.start, space.start + space.n, path);
    case 'multi-discrete':
      return explainIntegers(space.nvec, value, path);
    case 'multi-binary':
      return explainIntegers(new Array<number>(space.n).fill(2), value, path);
    case 'dict':
      return explainDict(space.spaces, value, path);
    case 'tuple':
      return explainTuple(space.spaces, value, path);
  }
}

/**
 * A random value of the space: uniform where bounded; a shifted exponential (scale 1) where bounded on one side; a
 * standard normal where unbounded (as Gymnasium's `Box.sample`). Allocates.
 */
export function sampleSpace(space: Space, stream: Stream): unknown {
  switch (space.kind) {
    case 'box':
      return sampleBox(space, stream);
    case 'discrete':
      return space.start + stream.integer(space.n);
    case 'multi-discrete':
      return Int32Array.from(space.nvec, (n) => stream.integer(n));
    case 'multi-binary':
      return Int32Array.from({ length: space.n }, () => stream.integer(2));
    case 'dict':
      return Object.fromEntries(
        Object.entries(space.spaces).map(([name, part]) => [name, sampleSpace(part, stream)]),
      );
    case 'tuple':
      return space.spaces.map((part) => sampleSpace(part, stream));
  }
}

/** True for arrays and typed arrays. */
export function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function sampleBox(box: Box, stream: Stream): Float32Array | Uint8Array {
  if (box.dtype === 'uint8') {
    return Uint8Array.from(box.low, (low, i) => low + stream.integer(box.high[i] - low + 1));
  }
  return Float32Array.from(box.low, (low, i) => {
    const high = box.high[i];
    const isBelow = low > -Infinity;
    const isAbove = high < Infinity;
    if (isBelow && isAbove) return low + (high - low) * stream.uniform();
    if (isBelow) return low - Math.log(1 - stream.uniform());
    if (isAbove) return high + Math.log(1 - stream.uniform());
    return stream.normal();
  });
}

function explainBox(box: Box, value: unknown, path: string): string | null {
  const elements = box.shape.length === 0 && typeof value === 'number' ? [value] : value;
  const lengthProblem = explainLength(elements, box.size, path);
  if (lengthProblem !== null) return lengthProblem;
  const numbers = elements as ArrayLike<unknown>;
  for (let i = 0; i < box.size; i++) {
    const x = numbers[i];
    if (typeof x !== 'number') return `${path}[${i}] is ${describeValue(x)}, not a number`;
    if (!Number.isFinite(x)) return `${path}[${i}] is ${x}`;
    const rounded = Math.fround(x);
    if (!Number.isFinite(rounded)) return `${path}[${i}] is ${rounded} as float32 (${x})`;
    if (rounded < box.low[i] || rounded > box.high[i]) {
      return `${path}[${i}] = ${x} lies outside [${box.low[i]}, ${box.high[i]}]`;
    }
    if (box.dtype === 'uint8' && !Number.isInteger(x))
      return `${path}[${i}] = ${x} is not an integer (uint8)`;
  }
  return null;
}

function explainInteger(value: unknown, low: number, end: number, path: string): string | null {
  if (typeof value !== 'number') return `${path} is ${describeValue(value)}, not a number`;
  if (!Number.isInteger(value)) return `${path} = ${value} is not an integer`;
  return value < low || value >= end ? `${path} = ${value} lies outside [${low}, ${end - 1}]` : null;
}

function explainIntegers(sizes: readonly number[], value: unknown, path: string): string | null {
  const lengthProblem = explainLength(value, sizes.length, path);
  if (lengthProblem !== null) return lengthProblem;
  for (let k = 0; k < sizes.length; k++) {
    const problem = explainInteger((value as ArrayLike<unknown>)[k], 0, sizes[k], `${path}[${k}]`);
    if (problem !== null) return problem;
  }
  return null;
}

function explainDict(spaces: Readonly<Record<string, Space>>, value: unknown, path: string): string | null {
  if (typeof value !== 'object' || value === null || isArrayLike(value)) {
    return `${path} is ${describeValue(value)}, not an object with the keys ${Object.keys(spaces).join(', ')}`;
  }
  const record = value as Record<string, unknown>;
  for (const [name, space] of Object.entries(spaces)) {
    if (!(name in record)) return `${path} lacks the key \`${name}\``;
    const problem = explainMismatch(space, record[name], `${path}.${name}`);
    if (problem !== null) return problem;
  }
  const surplus = Object.keys(record).find((name) => !(name in spaces));
  return surplus === undefined ? null : `${path} has the key \`${surplus}\`, which the space does not have`;
}

function explainTuple(spaces: readonly Space[], value: unknown, path: string): string | null {
  if (!isArrayLike(value))
    return `${path} is ${describeValue(value)}, not an array of ${spaces.length} parts`;
  if (value.length !== spaces.length) return `${path} has ${value.length} parts instead of ${spaces.length}`;
  for (let k = 0; k < spaces.length; k++) {
    const problem = explainMismatch(spaces[k], value[k], `${path}[${k}]`);
    if (problem !== null) return problem;
  }
  return null;
}

function explainLength(value: unknown, length: number, path: string): string | null {
  if (!isArrayLike(value)) return `${path} is ${describeValue(value)}, not an array of ${length} elements`;
  if (value.length === length) {
    return length > 0 && Array.isArray(value[0])
      ? `${path} is nested; give it flat, row by row (value.flat(Infinity))`
      : null;
  }
  if (Array.isArray(value) && (value as unknown[]).flat(Infinity).length === length) {
    return `${path} is nested; give it flat, row by row (value.flat(Infinity))`;
  }
  return `${path} has ${value.length} elements instead of ${length}`;
}

/** What a value is, for an error message. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (isArrayLike(value)) return `${value.constructor.name}(${value.length})`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return `${value}n (a bigint)`;
  if (typeof value === 'string')
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
