/** Actions: between the flat rows that a policy gives and what an environment gets. */
import { ConfigError, ShapeError } from '../errors.ts';
import { describeSpace } from './space-json.ts';
import { describeValue, isArrayLike } from './space-values.ts';
import type { FlatAction, Space } from './spaces.ts';
import type { ActionArray } from './vector-env.ts';

/**
 * How an action space looks to a policy; see {@link FlatAction}.
 *
 * @throws {@link ConfigError} `CONFIG_ACTION_SPACE` when a Dict or Tuple mixes kinds, or for a uint8 Box.
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
      return joinActions(space, Object.values(space.spaces));
    case 'tuple':
      return joinActions(space, space.spaces);
  }
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
      return sum(Object.values(space.spaces).map(flatActionSize));
    case 'tuple':
      return sum(space.spaces.map(flatActionSize));
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
      return Int32Array.from(actions.subarray(offset, offset + space.nvec.length));
    case 'multi-binary':
      return Int32Array.from(actions.subarray(offset, offset + space.n));
    case 'dict': {
      let start = offset;
      const entries = Object.entries(space.spaces).map(([name, part]) => {
        const value = unflattenAction(part, actions, start);
        start += flatActionSize(part);
        return [name, value];
      });
      return Object.fromEntries(entries);
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
  const flat = flattenActionSpace(space);
  if (flat.kind === 'categorical') return sum(flat.sizes);
  throw new ConfigError(
    'CONFIG_ACTION_MASK',
    `Action masks need a Discrete or MultiDiscrete action space, got ${describeSpace(space)}. Remove \`masksActions\`.`,
  );
}

function joinActions(whole: Space, parts: readonly Space[]): FlatAction {
  const flats = parts.map(flattenActionSpace);
  const kinds = [...new Set(flats.map((flat) => flat.kind))];
  if (kinds.length > 1) {
    throw unsupported(
      whole,
      `it mixes ${kinds.join(' and ')} parts, and all parts must be of one kind (Discrete and MultiDiscrete; or MultiBinary; ` +
        'or Box). Turn the continuous parts into MultiDiscrete ones, or the discrete ones into Box',
    );
  }
  if (kinds[0] === 'categorical') {
    return {
      kind: 'categorical',
      sizes: flats.flatMap((flat) => (flat.kind === 'categorical' ? flat.sizes : [])),
    };
  }
  const size = sum(flats.map((flat) => (flat.kind === 'categorical' ? 0 : flat.size)));
  if (kinds[0] === 'bernoulli') return { kind: 'bernoulli', size };
  return {
    kind: 'box',
    size,
    low: flats.flatMap((flat) => (flat.kind === 'box' ? flat.low : [])),
    high: flats.flatMap((flat) => (flat.kind === 'box' ? flat.high : [])),
  };
}

function unsupported(space: Space, reason: string): ConfigError {
  return new ConfigError(
    'CONFIG_ACTION_SPACE',
    `The action space ${describeSpace(space)} is not supported: ${reason}.`,
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
