/** What a file may say of a network with attention; apart from policy-schema.ts, as recurrent-schema.ts is. */
import { activation, count, hiddenSizes, isBoolean, object, when } from './policy-schema.ts';
import { type ActingSpec, MAX_RECURRENT_LAYERS } from './policy-spec.ts';

const attention = object({
  ...{ size: count, numHeads: count, window: count, hiddenSizes, activation, shared: isBoolean },
  numBlocks: when((value) => count(value) === null && (value as number) <= MAX_RECURRENT_LAYERS),
});

/** Where the attention of a parsed spec is not as it should be: `network.size`; null = nowhere, or it has none. */
export function problemOfAttention({ network }: ActingSpec): string | null {
  if (network.kind !== 'attention') return null;
  const problem = attention(network) ?? (network.size % network.numHeads === 0 ? null : 'numHeads');
  return problem === null ? null : `network.${problem}`;
}
