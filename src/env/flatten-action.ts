/** Actions: between the flat rows that a policy gives and what an environment gets. */
import { ConfigError, ShapeError } from '../errors.ts';
import { describeSpace } from './space-json.ts';
import { describeValue, isArrayLike, sum } from './space-values.ts';
import type { FlatAction, FlatActionPart, Space } from './spaces.ts';
import type { ActionArray } from './vector-env.ts';

/**
 * How an action space looks to a policy; see {@link FlatAction}.
 *
 * @throws {@link ConfigError} `CONFIG_ACTION_SPACE` for a uint8 Box.
 */
export function flattenActionSpace(space: Space): FlatAction {
  switch (space.kind) {
    case 'box':
      if (space.dtype === 'uint8') throw unsupported(space, 'a uint8 Box holds integers: use MultiDiscrete');
      return { kind: 'box', size: space.size, low: [...space.low], high: [...space.high] };
    case 'discrete':
      return { kind: 'categorical', sizes: [space.n] };
    case 'multi-discrete':
      return { kind: 'categorical', sizes: space.nvec };
    case 'multi-binary':
      return { kind: 'bernoulli', size: space.n };
    case 'dict':
    case 'tuple':
      return joinActions(Object.values<Space>(space.spaces));
  }
}

/** Whether flat actions are float32: a product holds its whole numbers as floats, too. Else they are int32. */
export function hasFloatActions(space: Space): boolean {
  const { kind } = flattenActionSpace(space);
  return kind === 'box' || kind === 'product';
}

/** Elements of one flat action, A. */
export function flatActionSize(space: Space): number {
  switch (space.kind) {
    case 'box':
      return space.size;
    case 'discrete':
      return 1;
    case 'multi-discrete':
      return space.nvec.length;
    case 'multi-binary':
      return space.n;
    case 'dict':
    case 'tuple':
      return sum(Object.values<Space>(space.spaces).map(flatActionSize));
  }
}

/**
 * What a user's environment gets for the flat action at `actions[offset ..]`: Discrete a number (with `start` added),
 * Box a `Float32Array`, MultiDiscrete and MultiBinary an `Int32Array`, Dict and Tuple whole. Always fresh arrays, which
 * the environment may keep.
 */
export function unflattenAction(space: Space, actions: ActionArray, offset: number): unknown {
  switch (space.kind) {
    case 'box':
      return Float32Array.from(actions.subarray(offset, offset + space.size));
    case 'discrete':
      return actions[offset] + space.start;
    case 'multi-discrete':
    case 'multi-binary':
      return Int32Array.from(actions.subarray(offset, offset + flatActionSize(space)));
    case 'dict': {
      const spaces = Object.values(space.spaces);
      const parts = unflattenAction({ kind: 'tuple', spaces }, actions, offset) as readonly unknown[];
      return Object.fromEntries(Object.keys(space.spaces).map((name, k) => [name, parts[k]]));
    }
    case 'tuple': {
      let start = offset;
      return space.spaces.map((part) => {
        const value = unflattenAction(part, actions, start);
        start += flatActionSize(part);
        return value;
      });
    }
  }
}

/**
 * Writes an action, as a user's environment would get it, as the flat action at `out[offset ..]`: the inverse of
 * {@link unflattenAction}.
 */
export function flattenAction(space: Space, action: unknown, out: ActionArray, offset: number): number {
  switch (space.kind) {
    case 'discrete':
      out[offset] = (action as number) - space.start;
      return offset + 1;
    case 'dict':
      return Object.entries(space.spaces).reduce(
        (end, [name, part]) => flattenAction(part, (action as Record<string, unknown>)[name], out, end),
        offset,
      );
    case 'tuple':
      return space.spaces.reduce(
        (end, part, k) => flattenAction(part, (action as readonly unknown[])[k], out, end),
        offset,
      );
    default: {
      const size = flatActionSize(space);
      const elements = size === 1 && typeof action === 'number' ? [action] : action;
      if (!isArrayLike(elements) || elements.length !== size) {
        throw new ShapeError(
          'SHAPE_ACTION',
          `Expected an action of ${size} elements for ${describeSpace(space)}, got ${describeValue(action)}.`,
        );
      }
      for (let i = 0; i < size; i++) out[offset + i] = elements[i] as number;
      return offset + size;
    }
  }
}

/** Elements of an action mask over this space: one per logit of a categorical policy. */
export function actionMaskSize(space: Space): number {
  const sizes = choiceSizes(flattenActionSpace(space));
  if (sizes.length > 0) return sum(sizes);
  throw new ConfigError(
    'CONFIG_ACTION_MASK',
    `Action masks need a Discrete or MultiDiscrete in the action space, got ${describeSpace(space)}. Remove \`masksActions\`.`,
  );
}

/** Neighbours of one kind become one part; where one part is left, it is the action. */
function joinActions(parts: readonly Space[]): FlatAction {
  const joined: FlatActionPart[] = [];
  for (const flat of parts.map(flattenActionSpace)) {
    for (const part of flat.kind === 'product' ? flat.parts : [flat]) {
      const last = joined.at(-1);
      const both = last === undefined ? null : joinParts(last, part);
      if (both === null) joined.push(part);
      else joined[joined.length - 1] = both;
    }
  }
  return joined.length === 1 ? joined[0] : { kind: 'product', parts: joined };
}

/** null where they are of different kinds. */
function joinParts(first: FlatActionPart, second: FlatActionPart): FlatActionPart | null {
  if (first.kind === 'categorical' && second.kind === 'categorical')
    return { kind: 'categorical', sizes: [...first.sizes, ...second.sizes] };
  if (first.kind === 'bernoulli' && second.kind === 'bernoulli')
    return { kind: 'bernoulli', size: first.size + second.size };
  if (first.kind === 'box' && second.kind === 'box') {
    const { low, high } = second;
    return {
      kind: 'box',
      size: first.size + second.size,
      low: [...first.low, ...low],
      high: [...first.high, ...high],
    };
  }
  return null;
}

/** Alternatives of each choice in an action: what a mask lies over, one after the other. Bits and numbers have none. */
export function choiceSizes(flat: FlatAction): readonly number[] {
  if (flat.kind === 'categorical') return flat.sizes;
  return flat.kind === 'product' ? flat.parts.flatMap(choiceSizes) : [];
}

function unsupported(space: Space, reason: string): ConfigError {
  return new ConfigError(
    'CONFIG_ACTION_SPACE',
    `The action space ${describeSpace(space)} is not supported: ${reason}.`,
  );
}
