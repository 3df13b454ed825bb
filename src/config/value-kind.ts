/**
 * Kinds of option values: a zod schema together with the words for its bounds and the form its flag takes.
 *
 * Built here once, so that an error message, `--help` and the options table cannot disagree with what is checked.
 */
import * as z from 'zod/mini';
import type { JsonObject } from '../json.ts';
import { isModuleReference } from '../modules/module-text.ts';
import { numberFrom, parseSchedule, type Schedule, scheduleCorners } from './schedule.ts';
import { parseStrictJson } from './strict-json.ts';

export interface ValueKind<T> {
  readonly schema: z.ZodMiniType<T>;
  /** Type and bounds in words, after "Expected `x` to be": `a number in [0, 1]`. */
  readonly expects: string;
  /** What stands behind the flag in `--help`: `<number>`. Empty for a switch. */
  readonly flagForm: string;
  /**
   * A flag's text as a candidate for `schema`; text of no use is returned as it is, and the schema refuses it.
   *
   * @throws SyntaxError for JSON that has a key of one object twice: one of the two would be dropped without a word.
   */
  readonly parse: (text: string) => unknown;
  /** True when a value may name a module, whose code training then runs (`Option.namesModule`). */
  readonly namesModule?: true;
}

export type ValueOf<Kind> = Kind extends ValueKind<infer T> ? T : never;

/** Inclusive unless named otherwise; absent = unbounded. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
}

function isWithin(value: number, { min, max, above, below }: Bounds): boolean {
  if (min !== undefined && value < min) return false;
  if (max !== undefined && value > max) return false;
  if (above !== undefined && value <= above) return false;
  return below === undefined || value < below;
}

/** ` in [0, 1)`, ` > 0`, ` >= 1` or nothing. */
function boundsText(bounds: Bounds): string {
  const { min, max, above, below } = bounds;
  const low = min ?? above;
  const high = max ?? below;
  if (low !== undefined && high !== undefined) {
    return ` in ${above === undefined ? '[' : '('}${low}, ${high}${below === undefined ? ']' : ')'}`;
  }
  if (low !== undefined) return above === undefined ? ` >= ${low}` : ` > ${low}`;
  if (high !== undefined) return below === undefined ? ` <= ${high}` : ` < ${high}`;
  return '';
}

export function number(bounds: Bounds = {}): ValueKind<number> {
  return {
    schema: z.number().check(z.refine((value) => isWithin(value, bounds))),
    expects: `a number${boundsText(bounds)}`,
    flagForm: '<number>',
    parse: numberOrText,
  };
}

export function integer(bounds: Bounds = {}): ValueKind<number> {
  return {
    schema: z.number().check(z.refine((value) => Number.isSafeInteger(value) && isWithin(value, bounds))),
    expects: `an integer${boundsText(bounds)}`,
    flagForm: '<integer>',
    parse: numberOrText,
  };
}

export function boolean(): ValueKind<boolean> {
  return {
    schema: z.boolean(),
    expects: 'true or false',
    flagForm: '',
    parse: (text) => (text === 'true' ? true : text === 'false' ? false : text),
  };
}

export function choice<const T extends readonly string[]>(values: T): ValueKind<T[number]> {
  return {
    schema: z.enum(Object.fromEntries(values.map((value) => [value, value])) as Record<T[number], T[number]>),
    expects: `one of ${values.map((value) => `'${value}'`).join(', ')}`,
    flagForm: `<${values.join('|')}>`,
    parse: (text) => text,
  };
}

export function text(expects = 'a non-empty string', flagForm = '<text>'): ValueKind<string> {
  return { schema: z.string().check(z.minLength(1)), expects, flagForm, parse: (given) => given };
}

/** Allows null, written `none` on the command line. */
export function nullable<T>(kind: ValueKind<T>): ValueKind<T | null> {
  return {
    schema: z.nullable(kind.schema) as z.ZodMiniType<T | null>,
    expects: `${kind.expects}, or null`,
    flagForm: kind.flagForm.replace(/>$/, '|none>'),
    parse: (given) => (given === 'none' || given === 'null' ? null : kind.parse(given)),
    ...(kind.namesModule && { namesModule: true }),
  };
}

/** Allows 'auto'. */
export function orAuto<T>(kind: ValueKind<T>): ValueKind<T | 'auto'> {
  return orWord('auto', kind);
}

/** Allows a word besides. */
export function orWord<const W extends string, T>(word: W, kind: ValueKind<T>): ValueKind<T | W> {
  return {
    schema: z.union([z.literal(word), kind.schema]) as z.ZodMiniType<T | W>,
    expects: `'${word}' or ${kind.expects}`,
    flagForm: kind.flagForm.replace(/>$/, `|${word}>`),
    parse: (given) => (given === word ? given : kind.parse(given)),
    ...(kind.namesModule && { namesModule: true }),
  };
}

/** A {@link Schedule} all of whose values lie within the bounds; steps of `piecewise` ascend from 0 or more. */
export function schedule(bounds: Bounds): ValueKind<Schedule> {
  const step = z.number().check(z.refine((value) => Number.isSafeInteger(value) && value >= 0));
  const shape = z.union([
    z.number(),
    z.strictObject({ schedule: z.enum(['linear', 'cosine']), from: z.number(), to: z.number() }),
    z.strictObject({
      schedule: z.literal('piecewise'),
      points: z.array(z.tuple([step, z.number()])).check(z.minLength(1)),
    }),
    z.strictObject({
      schedule: z.literal('function'),
      module: z.string().check(z.refine((text) => isModuleReference(text))),
    }),
  ]);
  return {
    schema: shape.check(
      z.refine((value) => scheduleCorners(value).every((corner) => isWithin(corner, bounds))),
      z.refine((value) => stepsAscend(value)),
    ) as z.ZodMiniType<Schedule>,
    expects:
      `a number${boundsText(bounds)}, or a schedule of such numbers: { schedule: 'linear' or 'cosine', from, to } or ` +
      `{ schedule: 'piecewise', points: [[step, value], ...] } with ascending steps, or ` +
      `{ schedule: 'function', module: './schedule.ts#name' }`,
    flagForm: '<number|linear:A:B|cosine:A:B|piecewise:S=A,S=B|path#name>',
    parse: (given) => parseSchedule(given) ?? given,
    namesModule: true,
  };
}

function stepsAscend(value: Schedule): boolean {
  if (typeof value === 'number' || value.schedule !== 'piecewise') return true;
  return value.points.every(([step], k) => k === 0 || step > value.points[k - 1][0]);
}

/** A list of integers; flag form `64,64`, or `none` for the empty list. */
export function integerList(bounds: Bounds): ValueKind<readonly number[]> {
  const element = integer(bounds);
  return {
    schema: z.array(element.schema) as z.ZodMiniType<readonly number[]>,
    expects: `a list of integers${boundsText(bounds)}`,
    flagForm: '<integer,...>',
    parse: (given) => (given === 'none' || given === '' ? [] : given.split(',').map(numberOrText)),
  };
}

/** A list of names; flag form `actor,critic`. */
export function nameList({ allowEmpty = false } = {}): ValueKind<readonly string[]> {
  return {
    schema: z
      .array(z.string().check(z.minLength(1)))
      .check(z.refine(({ length }) => allowEmpty || length > 0)) as z.ZodMiniType<readonly string[]>,
    expects: 'a list of names',
    flagForm: '<name,...>',
    parse: (given) => (given === '' ? [] : given.split(',')),
  };
}

/** Convolution layers [filters, kernelSize, stride]; flag form `32x8x4,64x4x2`. */
export function convolutionLayers(): ValueKind<readonly (readonly [number, number, number])[]> {
  const { schema: size } = integer({ min: 1 });
  return {
    schema: z.array(z.tuple([size, size, size])).check(z.minLength(1)) as z.ZodMiniType<
      readonly (readonly [number, number, number])[]
    >,
    expects: 'a list of [filters, kernelSize, stride], each an integer >= 1',
    flagForm: '<FxKxS,...>',
    parse: (given) => given.split(',').map((layer) => layer.split('x').map(numberOrText)),
  };
}

/** A plain JSON object; flag form is JSON. */
export function jsonObject(): ValueKind<JsonObject> {
  return {
    schema: z.custom<JsonObject>((value) => isPlainObject(value) && isJson(value, 0)),
    expects: 'an object of JSON values',
    flagForm: '<JSON>',
    parse: (given) => {
      try {
        JSON.parse(given);
      } catch {
        return given;
      }
      return parseStrictJson(given);
    },
  };
}

/** A list of JSON objects; flag form is JSON, or `none` for the empty list. */
export function jsonList(): ValueKind<readonly JsonObject[]> {
  const { parse, flagForm } = jsonObject();
  return {
    flagForm,
    parse: (given) => (given === 'none' ? [] : parse(given)),
    schema: z.custom<readonly JsonObject[]>(
      (value) => Array.isArray(value) && value.every((entry) => isPlainObject(entry) && isJson(entry, 1)),
    ),
    expects: 'a list of objects of JSON values',
  };
}

/** Text, or a function (which no flag, file or checkpoint can hold). */
export function textOrFunction<F>(expects: string, flagForm: string): ValueKind<string | F> {
  return {
    schema: z.custom<string | F>(
      (value) => (typeof value === 'string' && value.trim() !== '') || typeof value === 'function',
    ),
    expects,
    flagForm,
    parse: (given) => given,
  };
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Deeper than any honest configuration, and the guard against an object that contains itself. */
const MAX_JSON_DEPTH = 64;

function isJson(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (depth > MAX_JSON_DEPTH) return false;
  if (Array.isArray(value)) return value.every((element) => isJson(element, depth + 1));
  return isPlainObject(value) && Object.values(value).every((element) => isJson(element, depth + 1));
}

function numberOrText(given: string): number | string {
  const value = numberFrom(given);
  return Number.isNaN(value) ? given : value;
}
