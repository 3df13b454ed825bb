/** JSON that gives back exactly what was put in. */
import { createHash } from 'node:crypto';
import { CheckpointError } from '../errors.ts';
import type { JsonValue } from '../json.ts';

/**
 * As JSON.stringify, with three differences: NaN and infinities throw instead of becoming null, -0 stays -0, and with
 * `sortKeys` equal values give equal text.
 *
 * @param source what to call the value in an error.
 * @throws CheckpointError `CHECKPOINT_VALUE` naming the path of a value that JSON cannot hold.
 */
export function stringifyExact(value: JsonValue, source: string, sortKeys = false): string {
  return stringify(value, source, sortKeys) ?? 'null';
}

function stringify(value: JsonValue | undefined, path: string, sortKeys: boolean): string | undefined {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) {
      throw new CheckpointError('CHECKPOINT_VALUE', `Expected a finite number in \`${path}\`, got ${value}`);
    }
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) {
    return `[${value.map((item, i) => stringify(item, `${path}[${i}]`, sortKeys) ?? 'null').join(',')}]`;
  }
  if (typeof value !== 'object') {
    if (value === undefined) return undefined;
    throw new CheckpointError(
      'CHECKPOINT_VALUE',
      `Expected a JSON value in \`${path}\`, got a ${typeof value}`,
    );
  }
  const keys = sortKeys ? Object.keys(value).sort() : Object.keys(value);
  const fields: string[] = [];
  for (const key of keys) {
    const field = stringify(
      (value as Record<string, JsonValue | undefined>)[key],
      `${path}.${key}`,
      sortKeys,
    );
    if (field !== undefined) fields.push(`${JSON.stringify(key)}:${field}`);
  }
  return `{${fields.join(',')}}`;
}

/** sha256 of a value's text with sorted keys, in lower-case hexadecimal: the same for equal values. */
export function hashJson(value: JsonValue): string {
  return createHash('sha256')
    .update(stringifyExact(value, 'value', true))
    .digest('hex');
}

export interface JsonDifference {
  /** Such as `policy.hiddenSizes[1]`. */
  readonly path: string;
  /** Text of each side; `nothing` where the field is missing. */
  readonly first: string;
  readonly second: string;
}

/** The leaves in which two JSON values differ, for messages that name the field. */
export function jsonDifferences(
  first: JsonValue | undefined,
  second: JsonValue | undefined,
  path = '',
): JsonDifference[] {
  if (isContainer(first) && isContainer(second) && Array.isArray(first) === Array.isArray(second)) {
    const keys = new Set([...Object.keys(first), ...Object.keys(second)]);
    return [...keys].flatMap((key) => {
      const separator = path === '' ? '' : '.';
      const childPath = Array.isArray(first) ? `${path}[${key}]` : `${path}${separator}${key}`;
      return jsonDifferences(ownValue(first, key), ownValue(second, key), childPath);
    });
  }
  const [firstText, secondText] = [textOf(first), textOf(second)];
  return firstText === secondText ? [] : [{ path, first: firstText, second: secondText }];
}

/** A key such as `toString` must not find what every object inherits. */
function ownValue(container: Record<string, JsonValue | undefined>, key: string): JsonValue | undefined {
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function isContainer(
  value: JsonValue | undefined,
): value is Record<string, JsonValue | undefined> & JsonValue {
  return typeof value === 'object' && value !== null;
}

function textOf(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : stringifyExact(value, 'value', true);
}
