/**
 * Dropout in a network's hidden layers (Srivastava et al. 2014), drawn from one seed a row, so that who computes a row does not matter:
 *
 *     z' = z m / (1 - rate),   m_j = 0 with probability `rate`, else 1;   z a hidden layer's product, bias included, before it is normalised
 *
 * Rates are small (0.01 in DroQ, Hiraoka et al. 2022, arXiv:2110.02034), so what is drawn is how many units come before the next one that is
 * dropped: a geometric number, a logarithm for each dropped unit instead of a coin for each.
 */
import type { ConvTrunk, MlpTrunk } from '../policy/networks/model.ts';
import { mixBits } from '../random/mix-bits.ts';
import type { Stream } from '../random/streams.ts';
import type { BatchColumn } from './objective.ts';
import type { ObjectiveBatch } from './objective-learner.ts';

/** The batch column that passes with dropout read: an integer a row. */
export const DROPOUT_SEEDS = 'dropoutSeeds';

/** What an objective over networks with such a trunk has among its columns. */
export function dropoutColumns(trunk: MlpTrunk | ConvTrunk): readonly BatchColumn[] {
  return hasDropout(trunk) ? [{ name: DROPOUT_SEEDS, dtype: 'int32', size: 1 }] : [];
}

export function hasDropout(trunk: MlpTrunk | ConvTrunk): boolean {
  return trunk.kind === 'mlp' && trunk.dropout !== undefined;
}

/** Fills the column where the batch has it. */
export function fillDropoutSeeds(stream: Stream, { columns }: Pick<ObjectiveBatch, 'columns'>): void {
  const seeds = columns[DROPOUT_SEEDS];
  if (seeds === undefined) return;
  for (let r = 0; r < seeds.length; r++) seeds[r] = stream.integer(0x1_0000_0000) | 0;
}

const GOLDEN = 0x9e3779b9; // 2^32 over the golden ratio: Weyl's step of splitmix
const UNITS_OF_32_BITS = 1 / 0x1_0000_0000;

/**
 * The hidden units that are dropped in one row.
 *
 * @param draw of the pass, so that two passes over one row drop other units.
 * @param rate in (0, 1).
 * @param numUnits of all hidden layers together, which are counted one after another.
 * @param out i32 [numUnits]: their indices, ascending.
 * @returns how many.
 */
export function dropUnits(
  seed: number,
  draw: number,
  rate: number,
  numUnits: number,
  out: Int32Array,
): number {
  const perLog = 1 / Math.log(1 - rate);
  let state = mixBits(seed ^ Math.imul(draw + 1, GOLDEN));
  let count = 0;
  for (let unit = -1; ; ) {
    state = (state + GOLDEN) | 0;
    const uniform = ((mixBits(state) >>> 0) + 0.5) * UNITS_OF_32_BITS; // in (0, 1)
    unit += 1 + Math.floor(Math.log(uniform) * perLog);
    if (unit >= numUnits) return count;
    out[count++] = unit;
  }
}
