/** Spaces as JSON (manifests, messages between threads) and as one line for people. */
import { ConfigError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { Box, Dict, Discrete, MultiBinary, MultiDiscrete, type Space, Tuple } from './spaces.ts';

/** Plain JSON of a space; infinite bounds become the strings `inf` and `-inf`, equal bounds one number. */
export function spaceToJson(space: Space): JsonObject {
  switch (space.kind) {
    case 'box':
      return {
        kind: space.kind,
        dtype: space.dtype,
        shape: space.shape,
        low: boundToJson(space.low),
        high: boundToJson(space.high),
      };
    case 'discrete':
      return { kind: space.kind, n: space.n, start: space.start };
    case 'multi-discrete':
      return { kind: space.kind, nvec: space.nvec };
    case 'multi-binary':
      return { kind: space.kind, n: space.n };
    case 'dict':
      return {
        kind: space.kind,
        spaces: Object.fromEntries(
          Object.entries(space.spaces).map(([name, part]) => [name, spaceToJson(part)]),
        ),
      };
    case 'tuple':
      return { kind: space.kind, spaces: space.spaces.map(spaceToJson) };
  }
}

/**
 * The space that {@link spaceToJson} wrote.
 *
 * @throws {@link ConfigError} `CONFIG_SPACE` when the JSON is not that of a space.
 */
export function spaceFromJson(json: JsonValue): Space {
  const object = (json ?? {}) as JsonObject;
  switch (object.kind) {
    case 'box':
      return new Box(
        boundFromJson(object.low),
        boundFromJson(object.high),
        object.shape as readonly number[],
        object.dtype as 'float32' | 'uint8',
      );
    case 'discrete':
      return new Discrete(object.n as number, object.start as number);
    case 'multi-discrete':
      return new MultiDiscrete(object.nvec as readonly number[]);
    case 'multi-binary':
      return new MultiBinary(object.n as number);
    case 'dict':
      return new Dict(
        Object.fromEntries(
          Object.entries(object.spaces as JsonObject).map(([name, part]) => [
            name,
            spaceFromJson(part ?? null),
          ]),
        ),
      );
    case 'tuple':
      return new Tuple((object.spaces as readonly JsonValue[]).map(spaceFromJson));
    default:
      throw new ConfigError('CONFIG_SPACE', `Expected the JSON of a space, got ${JSON.stringify(json)}.`);
  }
}

/** One line for people: `Box(4) f32 [-1, 1]`, `Discrete(2)`, `Dict(board: Box(8x8x3) u8 [0, 255], turn: Discrete(2))`. */
export function describeSpace(space: Space): string {
  switch (space.kind) {
    case 'box': {
      const dtype = space.dtype === 'uint8' ? 'u8' : 'f32';
      return `Box(${space.shape.join('x')}) ${dtype} [${describeBound(space.low)}, ${describeBound(space.high)}]`;
    }
    case 'discrete':
      return space.start === 0 ? `Discrete(${space.n})` : `Discrete(${space.n}, start ${space.start})`;
    case 'multi-discrete':
      return `MultiDiscrete(${space.nvec.join(', ')})`;
    case 'multi-binary':
      return `MultiBinary(${space.n})`;
    case 'dict':
      return `Dict(${Object.entries(space.spaces)
        .map(([name, part]) => `${name}: ${describeSpace(part)}`)
        .join(', ')})`;
    case 'tuple':
      return `Tuple(${space.spaces.map(describeSpace).join(', ')})`;
  }
}

function boundToJson(bound: Float32Array): JsonValue {
  const values = Array.from(bound, (x) => (Number.isFinite(x) ? x : x > 0 ? 'inf' : '-inf'));
  return values.every((value) => value === values[0]) ? values[0] : values;
}

function boundFromJson(json: JsonValue | undefined): number | number[] {
  const read = (value: JsonValue): number =>
    value === 'inf' ? Infinity : value === '-inf' ? -Infinity : (value as number);
  return Array.isArray(json) ? json.map(read) : read((json ?? Number.NaN) as JsonValue);
}

function describeBound(bound: Float32Array): string {
  if (bound.every((x) => x === bound[0])) return shortNumber(bound[0]);
  return bound.length <= 4
    ? `(${Array.from(bound, shortNumber).join(' ')})`
    : `${shortNumber(bound.reduce((a, b) => Math.min(a, b)))}..${shortNumber(bound.reduce((a, b) => Math.max(a, b)))}`;
}

function shortNumber(x: number): string {
  if (x === Infinity) return 'inf';
  return x === -Infinity ? '-inf' : String(Number(x.toPrecision(4)));
}
