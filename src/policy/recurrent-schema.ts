/** What a file may say of a recurrent network; apart from policy-schema.ts, since `operant/policy` has no use for it. */
import { activation, count, hiddenSizes, isBoolean, object, optional, when } from './policy-schema.ts';
import { type ActingSpec, MAX_RECURRENT_LAYERS } from './policy-spec.ts';

const cell = when((value) => value === 'lstm' || value === 'gru');
const recurrent = object({
  ...{ cell, size: count, hiddenSizes, activation, shared: isBoolean },
  numLayers: optional(when((value) => count(value) === null && (value as number) <= MAX_RECURRENT_LAYERS)),
  sizesBefore: optional(hiddenSizes),
  layerNorm: optional(isBoolean),
});

/** Where the recurrent network of a parsed spec is not as it should be: `network.size`; null = nowhere, or it is none. */
export function problemOfCells({ network }: ActingSpec): string | null {
  if (network.kind !== 'recurrent') return null;
  const problem = recurrent(network);
  return problem === null ? null : `network.${problem}`;
}
