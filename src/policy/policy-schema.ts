/** What a file may say that a policy is: a {@link ActingSpec} that was written by somebody else. Without a library, since it goes into browsers. */
import type { JsonObject } from '../json.ts';
import { ACTIVATIONS } from './networks/dense-rows.ts';
import type { ActingDistribution, ActingSpec, ProductHead } from './policy-spec.ts';

/** Where a value is not as it should be: '' = the value itself, `distribution.sizes`; null = nowhere. */
type Check = (value: unknown) => string | null;
type Fields = Readonly<Record<string, Check>>;

export const when =
  (holds: (value: unknown) => boolean): Check =>
  (value) =>
    holds(value) ? null : '';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const integerFrom = (least: number) =>
  when((value) => Number.isSafeInteger(value) && (value as number) >= least);
export const count = integerFrom(1);
const integer = integerFrom(Number.MIN_SAFE_INTEGER);
export const isBoolean = when((value) => typeof value === 'boolean');
const isText = when((value) => typeof value === 'string');
const number = when(isNumber);
const positive = when((value) => isNumber(value) && value > 0);
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? null : check(value);
const nullable =
  (check: Check): Check =>
  (value) =>
    value === null ? null : check(value);
const listOf = (check: Check, minLength = 0, maxLength = 2 ** 24) =>
  when(
    (value) =>
      Array.isArray(value) &&
      value.length >= minLength &&
      value.length <= maxLength &&
      value.every((item) => check(item) === null),
  );
const counts = listOf(count, 1);
const numbers = listOf(number);
/** JSON has no infinity, and unsquashed actions may be unbounded. */
const bounds = listOf(when((value) => isNumber(value) || value === 'inf' || value === '-inf'));

/** Fields that are not named are let through. */
export const object =
  (fields: Fields): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
    for (const [name, check] of Object.entries(fields)) {
      const found = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
      const problem = check(found);
      if (problem !== null) return problem === '' ? name : `${name}.${problem}`;
    }
    return null;
  };

/** An object whose `kind` says which fields it has. */
const oneOf =
  (kinds: Readonly<Record<string, Fields>>): Check =>
  (value) => {
    const { kind } = Object(value) as { readonly kind?: unknown };
    if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) return 'kind';
    return object(kinds[kind])(value);
  };

export const activation = when((value) => typeof value === 'string' && Object.hasOwn(ACTIVATIONS, value));
export const hiddenSizes = listOf(count, 0, 1000);

const network = oneOf({
  mlp: { hiddenSizes, activation, shared: isBoolean, layerNorm: optional(isBoolean) },
  recurrent: {}, // recurrent-schema.ts
  attention: {}, // attention-schema.ts
  conv: { layers: listOf(listOf(count, 3, 3)), hiddenSizes, activation },
  custom: { module: isText, export: isText, options: object({}) },
});

const bounded: Fields = { size: count, low: numbers, high: numbers };
const clipped: Fields = { size: count, low: bounds, high: bounds, squash: isBoolean };
const head: Readonly<Record<ProductHead['kind'], Fields>> = {
  categorical: { sizes: counts },
  bernoulli: { size: count },
  gaussian: clipped,
};
const distribution = oneOf({
  ...head,
  product: { heads: listOf(oneOf(head), 1, 1000) },
  gsde: { ...clipped, sampleFrequency: integer },
  'epsilon-greedy': {
    sizes: counts,
    numAtoms: count,
    support: nullable(object({ low: number, high: number })),
    dueling: isBoolean,
  },
  'squashed-gaussian': bounded,
  'squashed-gsde': { ...bounded, sampleFrequency: integer },
  'deterministic-tanh': { ...bounded, ornsteinUhlenbeck: nullable(object({ theta: number, dt: number })) },
});

const policy = object({
  observationSize: count,
  observationDtype: when((value) => value === 'float32' || value === 'uint8'),
  observationShape: counts,
  actionMaskSize: integerFrom(0),
  network,
  distribution,
  actorOnly: optional(isBoolean),
  normalizeObservations: isBoolean,
  clipObservation: positive,
  initialization: object({}),
});

/** A distribution with other bounds, where it has some; a product's heads likewise. */
function mapBounds(given: ActingDistribution, map: (bound: unknown) => unknown): ActingDistribution {
  if (given.kind === 'product')
    return { ...given, heads: given.heads.map((part) => mapBounds(part, map) as ProductHead) };
  if (!('low' in given)) return given;
  return { ...given, low: given.low.map(map), high: given.high.map(map) } as ActingDistribution;
}

/** A bound from JSON, where infinite ones are text; anything else stays as it is. */
export const readBound = (bound: unknown): unknown =>
  bound === 'inf' ? Infinity : bound === '-inf' ? -Infinity : bound;

/** Plain JSON of a spec, which {@link parsePolicySpec} reads: infinite bounds become `inf` and `-inf`. */
export function policySpecToJson(spec: ActingSpec): JsonObject {
  const write = (bound: unknown) => (Number.isFinite(bound) ? bound : (bound as number) > 0 ? 'inf' : '-inf');
  return { ...spec, distribution: mapBounds(spec.distribution, write) } as unknown as JsonObject;
}

/** The spec, or where it is none: `distribution.sizes`. Fields that are not known here are kept. */
export function parsePolicySpec(
  value: unknown,
): { readonly spec: ActingSpec } | { readonly problem: string } {
  const problem = policy(value);
  if (problem !== null) return { problem: problem || 'spec' };
  const given = value as ActingSpec;
  const spec = { ...given, distribution: mapBounds(given.distribution, readBound) };
  const oddSize = problemOfSizes(spec);
  return oddSize === null ? { spec } : { problem: oddSize };
}

function problemOfSizes({
  observationShape,
  observationSize,
  distribution: given,
}: ActingSpec): string | null {
  if (observationShape.reduce((product, size) => product * size, 1) !== observationSize)
    return 'observationShape';
  return problemOfBounds(given, 'distribution');
}

function problemOfBounds(given: ActingDistribution, place: string): string | null {
  if (given.kind === 'product') {
    const problems = given.heads.map((part, k) => problemOfBounds(part, `${place}.heads.${k}`));
    return problems.find((problem) => problem !== null) ?? null;
  }
  if (!('low' in given)) return null;
  const { low, high, size } = given;
  if (low.length !== size || high.length !== size) return `${place}.low`;
  const isUnbounded = ![...low, ...high].every(Number.isFinite);
  return 'squash' in given && given.squash && isUnbounded ? `${place}.squash` : null;
}
