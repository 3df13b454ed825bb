/** What a file may say that a policy is: a {@link ActingSpec} that was written by somebody else. */
import * as z from 'zod/mini';
import type { JsonObject } from '../json.ts';
import type { ActingSpec, Activation } from './policy-spec.ts';

const count = z.int().check(z.positive());
const countOrNone = z.int().check(z.gte(0));
const counts = z.array(count).check(z.minLength(1));
const numbers = z.array(z.number());
/** JSON has no infinity, and unsquashed actions may be unbounded. */
const bounds = z.array(
  z.pipe(
    z.union([z.number(), z.enum({ inf: 'inf', '-inf': '-inf' })]),
    z.transform((bound) => (typeof bound === 'number' ? bound : bound === 'inf' ? Infinity : -Infinity)),
  ),
);

const ACTIVATIONS: Readonly<Record<Activation, Activation>> = {
  tanh: 'tanh',
  relu: 'relu',
  elu: 'elu',
  silu: 'silu',
  gelu: 'gelu',
  'leaky-relu': 'leaky-relu',
  sigmoid: 'sigmoid',
  identity: 'identity',
};
const activation = z.enum(ACTIVATIONS);
const hiddenSizes = z.array(count).check(z.maxLength(1000));

const network = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('mlp'),
    hiddenSizes,
    activation,
    shared: z.boolean(),
    layerNorm: z.optional(z.boolean()),
  }),
  z.looseObject({
    kind: z.literal('conv'),
    layers: z.array(z.tuple([count, count, count])),
    hiddenSizes,
    activation,
  }),
  z.looseObject({
    kind: z.literal('custom'),
    module: z.string(),
    export: z.string(),
    options: z.record(z.string(), z.unknown()),
  }),
]);

const bounded = { size: count, low: numbers, high: numbers };
const clipped = { size: count, low: bounds, high: bounds, squash: z.boolean() };
const gsde = { ...bounded, sampleFrequency: z.int() };
const distribution = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('categorical'), sizes: counts }),
  z.looseObject({ kind: z.literal('bernoulli'), size: count }),
  z.looseObject({ kind: z.literal('gaussian'), ...clipped }),
  z.looseObject({ kind: z.literal('gsde'), ...clipped, sampleFrequency: z.int() }),
  z.looseObject({
    kind: z.literal('epsilon-greedy'),
    sizes: counts,
    numAtoms: count,
    support: z.nullable(z.object({ low: z.number(), high: z.number() })),
    dueling: z.boolean(),
  }),
  z.looseObject({ kind: z.literal('squashed-gaussian'), ...bounded }),
  z.looseObject({ kind: z.literal('squashed-gsde'), ...gsde }),
  z.looseObject({
    kind: z.literal('deterministic-tanh'),
    ...bounded,
    ornsteinUhlenbeck: z.nullable(z.object({ theta: z.number(), dt: z.number() })),
  }),
]);

const policy = z
  .looseObject({
    observationSize: count,
    observationDtype: z.enum({ float32: 'float32', uint8: 'uint8' }),
    observationShape: counts,
    actionMaskSize: countOrNone,
    network,
    distribution,
    actorOnly: z.optional(z.boolean()),
    normalizeObservations: z.boolean(),
    clipObservation: z.number().check(z.positive()),
    initialization: z.looseObject({}),
  })
  .check(
    z.refine(
      ({ observationShape, observationSize }) =>
        observationShape.reduce((product, size) => product * size, 1) === observationSize,
      { path: ['observationShape'] },
    ),
    z.refine(({ distribution: given }) => !('low' in given) || isBoxOf(given.size, given.low, given.high), {
      path: ['distribution', 'low'],
    }),
    z.refine(
      ({ distribution: given }) =>
        !('squash' in given && given.squash === true) || !(isUnbounded(given.low) || isUnbounded(given.high)),
      { path: ['distribution', 'squash'] },
    ),
  );

function isUnbounded(bound: unknown): boolean {
  return Array.isArray(bound) && bound.some((x) => !Number.isFinite(x));
}

function isBoxOf(size: unknown, low: unknown, high: unknown): boolean {
  return Array.isArray(low) && Array.isArray(high) && low.length === size && high.length === size;
}

/** Plain JSON of a spec, which {@link parsePolicySpec} reads: infinite bounds become `inf` and `-inf`. */
export function policySpecToJson(spec: ActingSpec): JsonObject {
  const { distribution } = spec;
  const write = (bound: number) => (Number.isFinite(bound) ? bound : bound > 0 ? 'inf' : '-inf');
  const bounded = 'low' in distribution && {
    low: distribution.low.map(write),
    high: distribution.high.map(write),
  };
  return { ...spec, distribution: { ...distribution, ...bounded } } as unknown as JsonObject;
}

/** The spec, or where it is none: `distribution.sizes`. Fields that are not known here are kept. */
export function parsePolicySpec(
  value: unknown,
): { readonly spec: ActingSpec } | { readonly problem: string } {
  const parsed = policy.safeParse(value);
  if (parsed.success) return { spec: parsed.data as unknown as ActingSpec };
  return { problem: parsed.error.issues[0].path.join('.') || 'spec' };
}
