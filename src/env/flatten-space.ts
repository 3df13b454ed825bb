/** Observations: between what an environment gives and the flat rows that a network sees. */
import { ShapeError } from '../errors.ts';
import { describeValue, isArrayLike, sum } from './space-values.ts';
import type { Box, FlatObservation, Space } from './spaces.ts';
import type { ObservationArray } from './vector-env.ts';

/** The flat row of an observation space; see {@link FlatObservation}. */
export function flattenObservationSpace(space: Space): FlatObservation {
  if (space.kind === 'box') return { size: space.size, dtype: space.dtype, shape: space.shape };
  const size = flatSize(space);
  return { size, dtype: 'float32', shape: [size] };
}

/** Elements of the flat row of one observation. */
export function flatSize(space: Space): number {
  switch (space.kind) {
    case 'box':
      return space.size;
    case 'discrete':
    case 'multi-binary':
      return space.n;
    case 'multi-discrete':
      return sum(space.nvec);
    case 'dict':
    case 'tuple':
      return sum(Object.values<Space>(space.spaces).map(flatSize));
  }
}

/** The bounds of the flat row: a Box's own, 0 and 1 for everything else. */
export function flatBound(space: Space, side: 'low' | 'high'): number[] {
  if (space.kind === 'box') return [...space[side]];
  if (space.kind === 'dict') return Object.values(space.spaces).flatMap((part) => flatBound(part, side));
  if (space.kind === 'tuple') return space.spaces.flatMap((part) => flatBound(part, side));
  return new Array<number>(flatSize(space)).fill(side === 'low' ? 0 : 1);
}

/**
 * Writes one observation as a flat row at `out[offset]` and returns the offset behind it. Copies; allocates nothing for
 * Box. Bounds and finiteness are not checked here.
 *
 * @throws {@link ShapeError} `SHAPE_OBSERVATION` when the value has another shape than the space says.
 */
export function flattenObservation(
  space: Space,
  observation: unknown,
  out: ObservationArray,
  offset: number,
): number {
  switch (space.kind) {
    case 'box':
      return writeBox(space, observation, out, offset);
    case 'discrete':
      return writeOneHot(observation, space.start, space.n, out, offset);
    case 'multi-discrete':
      return writeOneHots(space.nvec, observation, out, offset);
    case 'multi-binary':
      return writeBits(observation, space.n, out, offset);
    case 'dict': {
      if (typeof observation !== 'object' || observation === null) {
        throw mismatch(`an object with the keys ${Object.keys(space.spaces).join(', ')}`, observation);
      }
      const parts = observation as Record<string, unknown>;
      let end = offset;
      for (const name in space.spaces) {
        if (parts[name] === undefined) throw keyMismatch(space.spaces, parts);
        end = flattenObservation(space.spaces[name], parts[name], out, end);
      }
      for (const name in parts) if (space.spaces[name] === undefined) throw keyMismatch(space.spaces, parts);
      return end;
    }
    case 'tuple': {
      const parts = arrayOf(observation, space.spaces.length);
      return space.spaces.reduce((end, part, k) => flattenObservation(part, parts[k], out, end), offset);
    }
  }
}

/** The observation of which `row[offset ..]` is the flat form. One-hot parts become the index of their largest element. */
export function unflattenObservation(space: Space, row: ObservationArray, offset = 0): unknown {
  switch (space.kind) {
    case 'box':
      return row.slice(offset, offset + space.size);
    case 'discrete':
      return space.start + argmax(row, offset, space.n);
    case 'multi-discrete': {
      let start = offset;
      return Int32Array.from(space.nvec, (n) => {
        start += n;
        return argmax(row, start - n, n);
      });
    }
    case 'multi-binary':
      return Int32Array.from(row.subarray(offset, offset + space.n));
    case 'dict': {
      let start = offset;
      const entries = Object.entries(space.spaces).map(([name, part]) => {
        const value = unflattenObservation(part, row, start);
        start += flatSize(part);
        return [name, value];
      });
      return Object.fromEntries(entries);
    }
    case 'tuple': {
      let start = offset;
      return space.spaces.map((part) => {
        const value = unflattenObservation(part, row, start);
        start += flatSize(part);
        return value;
      });
    }
  }
}

function writeBox(box: Box, observation: unknown, out: ObservationArray, offset: number): number {
  if (observation instanceof Float32Array && observation.length === box.size) {
    for (let i = 0; i < box.size; i++) out[offset + i] = observation[i];
    return offset + box.size;
  }
  if (typeof observation === 'number' && box.shape.length === 0) {
    out[offset] = observation;
    return offset + 1;
  }
  return writeNumbers(observation, box.size, out, offset);
}

function writeNumbers(value: unknown, size: number, out: ObservationArray, offset: number): number {
  const elements = arrayOf(value, size);
  for (let i = 0; i < size; i++) {
    const x = elements[i];
    if (typeof x !== 'number')
      throw mismatch(`a flat array of ${size} numbers`, value, `; element ${i} is ${describeValue(x)}`);
    out[offset + i] = x;
    if (out instanceof Uint8Array && out[offset + i] !== x) {
      throw mismatch(`integers in [0, 255] (uint8)`, value, `; element ${i} is ${x}`);
    }
  }
  return offset + size;
}

function writeBits(value: unknown, size: number, out: ObservationArray, offset: number): number {
  const end = writeNumbers(value, size, out, offset);
  for (let i = offset; i < end; i++) {
    if (out[i] === 0 || out[i] === 1) continue;
    throw mismatch(`${size} zeros and ones`, value, `; element ${i - offset} is ${out[i]}`);
  }
  return end;
}

function writeOneHots(
  nvec: readonly number[],
  value: unknown,
  out: ObservationArray,
  offset: number,
): number {
  const elements = arrayOf(value, nvec.length);
  let end = offset;
  for (let k = 0; k < nvec.length; k++) end = writeOneHot(elements[k], 0, nvec[k], out, end);
  return end;
}

function writeOneHot(
  value: unknown,
  start: number,
  n: number,
  out: ObservationArray,
  offset: number,
): number {
  const index = typeof value === 'number' ? value - start : Number.NaN;
  if (!(Number.isInteger(index) && index >= 0 && index < n)) {
    throw mismatch(`an integer in [${start}, ${start + n - 1}]`, value);
  }
  out.fill(0, offset, offset + n);
  out[offset + index] = 1;
  return offset + n;
}

function arrayOf(value: unknown, length: number): ArrayLike<unknown> {
  if (!isArrayLike(value)) throw mismatch(`an array of ${length} elements`, value);
  if (value.length !== length) {
    const isNested = Array.isArray(value) && (value as unknown[]).flat(Infinity).length === length;
    throw mismatch(
      `an array of ${length} elements`,
      value,
      isNested ? '; flatten it: value.flat(Infinity)' : '',
    );
  }
  return value;
}

/** What is missing, or what the space does not have and nothing would read. */
function keyMismatch(
  spaces: Readonly<Record<string, Space>>,
  parts: Readonly<Record<string, unknown>>,
): ShapeError {
  const [wanted, given] = [Object.keys(spaces), Object.keys(parts)];
  const missing = wanted.find((name) => parts[name] === undefined);
  const surplus = given.find((name) => spaces[name] === undefined);
  const problem =
    missing === undefined ? `has \`${surplus}\`, which the space does not have` : `lacks \`${missing}\``;
  return new ShapeError(
    'SHAPE_OBSERVATION',
    `Expected an object with the keys ${wanted.join(', ')}, and the observation ${problem} (its keys: ${given.join(', ') || 'none'}).`,
  );
}

function mismatch(expected: string, value: unknown, hint = ''): ShapeError {
  return new ShapeError('SHAPE_OBSERVATION', `Expected ${expected}, got ${describeValue(value)}${hint}.`);
}

function argmax(row: ObservationArray, offset: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if (row[offset + i] > row[offset + best]) best = i;
  return best;
}
