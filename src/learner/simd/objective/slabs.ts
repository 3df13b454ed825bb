/** Where the gradients of a batch's blocks lie until they are summed: a slab for each group of them, or one for all. */
import type { ObjectiveSpec } from '../../objective.ts';
import type { BlockPlan } from './layout.ts';
import type { ThreadRows } from './row-space.ts';
import { ObjectiveWord as Word } from './words.ts';

/**
 * Whether a block's gradient can be added to that of the blocks before it, with the bits of a slab for each and a reduction: each number is then summed
 * over its block's rows and added once. Not where passes share a network's gradient, or where a group's gradient is turned into another.
 */
export function canAddInPlace(
  { sequences }: Pick<ObjectiveSpec, 'sequences'>,
  { noisyGradients, sharedGradients }: Pick<ThreadRows, 'noisyGradients' | 'sharedGradients'>,
): boolean {
  return sequences === undefined && noisyGradients.length === 0 && sharedGradients.length === 0;
}

/** Slabs that an update fills. A thread that is alone computes items in their order, which is the reduction's, and one slab stays nearer than several. */
export function numSlabs(
  { numBlocks, numGroups }: BlockPlan,
  words: Int32Array,
  addsInPlace: boolean,
): number {
  return addsInPlace && words[Word.NUM_THREADS] === 1 && numBlocks === numGroups ? 1 : numGroups;
}
