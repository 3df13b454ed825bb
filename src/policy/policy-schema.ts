/** What a file may say that a policy is: a {@link ActingSpec} that was written by somebody else. */
import * as z from 'zod/mini';
import type { ActingSpec, Activation } from './policy-spec.ts';

const count = z.int().check(z.positive());
const countOrNone = z.int().check(z.gte(0));
const counts = z.array(count).check(z.minLength(1));
const numbers = z.array(z.number());

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
const gsde = { ...bounded, sampleFrequency: z.int() };
const distribution = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('categorical'), sizes: counts }),
  z.looseObject({ kind: z.literal('bernoulli'), size: count }),
  z.looseObject({ kind: z.literal('gaussian'), ...bounded, squash: z.boolean() }),
  z.looseObject({ kind: z.literal('gsde'), ...gsde, squash: z.boolean() }),
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
  );

function isBoxOf(size: unknown, low: unknown, high: unknown): boolean {
  return Array.isArray(low) && Array.isArray(high) && low.length === size && high.length === size;
}

/** The spec, or where it is none: `distribution.sizes`. Fields that are not known here are kept. */
export function parsePolicySpec(
  value: unknown,
): { readonly spec: ActingSpec } | { readonly problem: string } {
  const parsed = policy.safeParse(value);
  if (parsed.success) return { spec: parsed.data as unknown as ActingSpec };
  return { problem: parsed.error.issues[0].path.join('.') || 'spec' };
}
