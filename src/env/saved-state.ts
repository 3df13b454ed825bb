/** What `getState` may give: exactly what a message between threads and a checkpoint (which keep -0, too) give back alike. */
import { EnvError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import { describeValue } from './space-values.ts';

const MAX_DEPTH = 100;

/**
 * A deep copy of an environment's state. Fields that are undefined are left out, and no state at all is null.
 *
 * @throws {@link EnvError} `ENV_STATE` naming the first value that is no plain JSON: numbers that are not finite, typed arrays, Maps,
 * instances of classes, functions. A checkpoint could not hold it, or would give back something else.
 */
export function copyState(state: unknown): JsonValue {
  return copy(state ?? null, 'state', 0);
}

function copy(value: unknown, path: string, depth: number): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw unsavable(path, value, 'Say it with null or a string');
  }
  if (depth > MAX_DEPTH)
    throw unsavable(path, value, `It is nested deeper than ${MAX_DEPTH}, or in a circle`);
  if (Array.isArray(value)) return Array.from(value, (item, i) => copy(item, `${path}[${i}]`, depth + 1));
  if (typeof value !== 'object') throw unsavable(path, value, 'Leave it out');
  if (ArrayBuffer.isView(value))
    throw unsavable(path, value, 'Make it an array: [...array], and back in setState');
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw unsavable(path, value, 'Write out its fields as a plain object, and read them back in setState');
  }
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, copy(field, `${path}.${name}`, depth + 1)]));
}

function unsavable(path: string, value: unknown, advice: string): EnvError {
  const found = typeof value === 'object' && value !== null ? nameOf(value) : describeValue(value);
  return new EnvError(
    'ENV_STATE',
    `Expected getState to give plain JSON, got ${found} in \`${path}\`. ${advice}.`,
  );
}

function nameOf(value: object): string {
  return ArrayBuffer.isView(value) || Array.isArray(value)
    ? describeValue(value)
    : `an instance of ${value.constructor?.name ?? 'something'}`;
}
