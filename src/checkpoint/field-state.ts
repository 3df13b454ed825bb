/** State parts that are a few numbers: fields of `state.json`. */
import * as z from 'zod/mini';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { CheckpointContent } from './content.ts';
import type { StatePart } from './state-part.ts';

const STATE = 'state.json';

/** Something with a small state of type T, which is plain JSON. */
export interface FieldParts<T> {
  /** Where in `state.json`: `['algorithm', 'shuffle']`. */
  readonly field: readonly string[];
  /** What a checkpoint has to hold there. */
  readonly schema: z.ZodMiniType<T>;
  getState(): T;
  setState(state: T): void;
}

/**
 * A part that is one field of `state.json`.
 *
 * @throws CheckpointError (reading it) `CHECKPOINT_STATE` when what is there does not pass the schema.
 */
export function fieldState<T>({ field, schema, getState, setState }: FieldParts<T>): StatePart {
  return {
    name: field.join('.'),
    files: [STATE],
    getState() {
      const value = getState() as JsonValue;
      return {
        json: {
          [STATE]: atField(field, value),
        },
      };
    },
    readState(content) {
      const value = readField(content, field, schema);
      return () => setState(value);
    },
  };
}

/** A value as the field of an object: `{ a: { b: value } }`. */
export function atField(field: readonly string[], value: JsonValue): JsonObject {
  return field.reduceRight<JsonValue>((inner, key) => ({ [key]: inner }), value) as JsonObject;
}

/** A field of a checkpoint's `state.json`. @throws CheckpointError `CHECKPOINT_STATE` when it does not pass the schema. */
export function readField<T>(
  { json }: Pick<CheckpointContent, 'json'>,
  field: readonly string[],
  schema: z.ZodMiniType<T>,
): T {
  const value = valueAt(json, field);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const shown = JSON.stringify(value)?.slice(0, 80) ?? 'nothing';
  throw new CheckpointError(
    'CHECKPOINT_STATE',
    `\`${field.join('.')}\` of the checkpoint's ${STATE} is not as it was saved: ${shown}. Use an older checkpoint.`,
  );
}

/** Whether there is one, be it null. */
export function hasField({ json }: Pick<CheckpointContent, 'json'>, field: readonly string[]): boolean {
  return valueAt(json, field) !== undefined;
}

function valueAt(json: CheckpointContent['json'], field: readonly string[]): JsonValue | undefined {
  return field.reduce<JsonValue | undefined>(
    (outer, key) => (isObject(outer) && Object.hasOwn(outer, key) ? outer[key] : undefined),
    json[STATE],
  );
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A whole number from 0. */
export const countSchema: z.ZodMiniType<number> = z
  .number()
  .check(z.refine((value) => Number.isSafeInteger(value) && value >= 0));

const word = z.number().check(z.gte(0), z.lt(1));

/** The words of a random stream: an alea generator's fractions and its carry, which its multiplier bounds. */
export const streamSchema = z.object({
  c: z.int().check(z.gte(0), z.lte(2_091_639)),
  s0: word,
  s1: word,
  s2: word,
});

/** `size` finite numbers. */
export function numbersSchema(size: number): z.ZodMiniType<number[]> {
  return z.array(z.number()).check(z.length(size));
}

/** Running moments of `size` dimensions. */
export function momentsSchema(size: number) {
  const squares = z.array(z.number().check(z.gte(0))).check(z.length(size));
  return z.object({ count: countSchema, mean: numbersSchema(size), squares });
}
