/** What a policy with attention remembers of a row's episode between two steps. */
import type { ActingSpec, AttentionSpec } from '../policy-spec.ts';

export type SpecWithAttention = ActingSpec & { readonly network: AttentionSpec };

/** Transformers of a policy: the actor's (or the shared one), then the critic's. */
export function attentionTowers({
  network,
  actorOnly,
}: SpecWithAttention): readonly ('trunk' | 'actor' | 'critic')[] {
  if (network.shared) return ['trunk'];
  return actorOnly === true ? ['actor'] : ['actor', 'critic'];
}

/**
 * Elements of a row's state. For each tower and block its inputs at the last W steps, [towers, blocks, W, D], the latest last; then how many of them there are.
 * All 0 at the first step of an episode.
 */
export function attentionStateSize(spec: SpecWithAttention): number {
  const { numBlocks, window, size } = spec.network;
  return attentionTowers(spec).length * numBlocks * window * size + 1;
}

/** Where the memory of a tower begins in a row's state; block k's is k W D further on. */
export function towerMemoryOffset(spec: SpecWithAttention, tower: number): number {
  const { numBlocks, window, size } = spec.network;
  return tower * numBlocks * window * size;
}
