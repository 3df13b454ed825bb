/** What is wrong with a configuration: one line per problem, thrown together as one ConfigError. */
import { ConfigError } from '../errors.ts';

export interface Problem {
  /** `CONFIG_UNKNOWN`: no such name. `CONFIG_TYPE`, `CONFIG_RANGE`: one value. `CONFIG_CONFLICT`: values that do not go together. */
  readonly code: 'CONFIG_UNKNOWN' | 'CONFIG_TYPE' | 'CONFIG_RANGE' | 'CONFIG_CONFLICT';
  readonly message: string;
}

/** @throws ConfigError with the first problem's code and every problem's message, if there is any. */
export function throwProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new ConfigError(problems[0].code, problems.map(({ message }) => message).join('\n'));
}

export function conflict(message: string): Problem {
  return { code: 'CONFIG_CONFLICT', message };
}

const MAX_SHOWN = 60;

/** JSON, and beside it what JSON would turn into null, or leave out, without a word: `{"a":Infinity,"b":undefined}`. */
function showJson(value: unknown): string {
  const mark = '\u0001';
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, part: unknown) {
    const raw = this[key]; // a Date is text already in `part`
    if (typeof raw === 'bigint') return `${mark}${raw}n${mark}`;
    if (raw instanceof Date || raw instanceof Map || raw instanceof Set || raw instanceof RegExp)
      return `${mark}a ${raw.constructor.name}${mark}`;
    const isLost =
      part === undefined ||
      (typeof part === 'number' && !Number.isFinite(part)) ||
      ['function', 'symbol'].includes(typeof part);
    return isLost ? mark + (typeof part === 'function' ? 'function' : String(part)) + mark : part;
  });
  return text.replaceAll(`"\\u0001`, '').replaceAll(`\\u0001"`, '');
}

/** A value for a message: short, on one line, with its type: `` `1.5` (number) ``. Never throws, whatever it is given. */
export function showValue(value: unknown): string {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  let shown: string;
  try {
    shown = typeof value === 'object' ? showJson(value) : String(value);
  } catch {
    shown = Object.prototype.toString.call(value);
  }
  if (typeof value === 'function') shown = value.name || 'anonymous';
  const oneLine = shown.replace(/\s+/g, ' ');
  const short = oneLine.length > MAX_SHOWN ? `${oneLine.slice(0, MAX_SHOWN)}...` : oneLine;
  return type === 'null' || type === 'undefined' ? `\`${type}\`` : `\`${short}\` (${type})`;
}
