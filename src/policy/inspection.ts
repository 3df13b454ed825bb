/** What a policy thinks of an observation: probabilities, means and deviations, action values, the value of the state. */
import { createActionValues, numActionValues } from './distributions/epsilon-greedy.ts';
import { GSDE_VARIANCE_EPSILON } from './distributions/gsde.ts';
import { placeHeads } from './distributions/product.ts';
import { squashedStd } from './distributions/squashed-gaussian.ts';
import { clipGsdeMean } from './distributions/squashed-gsde.ts';
import type { RowOutputs } from './networks/row-outputs.ts';
import { type ActingDistribution, distributionSize, freeLogStdSize } from './policy-spec.ts';

/** How likely actions are, in the distribution's own terms. */
export type ActionDistribution =
  /** Probabilities of each component's choices (Discrete: one component); forbidden ones are 0. */
  | { readonly kind: 'categorical'; readonly probabilities: readonly (readonly number[])[] }
  /** Probability of 1, element by element. */
  | { readonly kind: 'bernoulli'; readonly probabilities: readonly number[] }
  /**
   * Mean and standard deviation, element by element; with `isSquashed` those before tanh, which is then stretched over the bounds.
   */
  | {
      readonly kind: 'gaussian';
      readonly mean: readonly number[];
      readonly std: readonly number[];
      readonly isSquashed: boolean;
    }
  /** What each choice of each branch is worth, Q(s, a): expected discounted return. Forbidden ones are included. */
  | { readonly kind: 'action-values'; readonly values: readonly (readonly number[])[] }
  /** Actions of mixed kinds: part by part, in the order of the action's elements. */
  | { readonly kind: 'product'; readonly parts: readonly ActionDistribution[] }
  /** There is but one action: it, element by element, in [-1, 1], before it is stretched over the bounds. */
  | { readonly kind: 'deterministic'; readonly mode: readonly number[] };

export interface PolicyInspection {
  readonly distribution: ActionDistribution;
  /** The value head's estimate V(s) of the discounted return (of normalised rewards, where the run normalised them); null without such a head. */
  readonly value: number | null;
}

/** @param mask [maskSize] 1 = allowed; null without masks. */
export function inspectRow(
  distribution: ActingDistribution,
  row: RowOutputs,
  mask: ArrayLike<number> | null,
): PolicyInspection {
  return { distribution: describeDistribution(distribution, row, mask), value: row.value };
}

/** As {@link inspectRow}, without the value, for which a critic may have to be run. */
export function describeDistribution(
  distribution: ActingDistribution,
  row: RowOutputs,
  mask: ArrayLike<number> | null,
): ActionDistribution {
  const { outputs } = row;
  switch (distribution.kind) {
    case 'categorical': {
      const logits = Array.from(outputs, (logit, k) => (mask !== null && mask[k] === 0 ? -Infinity : logit));
      return { kind: 'categorical', probabilities: split(logits, distribution.sizes).map(softmax) };
    }
    case 'bernoulli':
      return {
        kind: 'bernoulli',
        probabilities: Array.from(outputs, (logit) => 1 / (1 + Math.exp(-logit))),
      };
    case 'gaussian':
    case 'gsde':
      return {
        kind: 'gaussian',
        mean: [...outputs],
        std: deviations(distribution.kind, row),
        isSquashed: distribution.squash,
      };
    case 'product':
      return {
        kind: 'product',
        parts: placeHeads(distribution).map(({ head, output, mask: first, logStd }) => {
          const end = output + distributionSize(head);
          const ofHead = {
            ...row,
            outputs: outputs.subarray(output, end),
            logStd: row.logStd?.subarray(logStd, logStd + freeLogStdSize(head)) ?? null,
          };
          const ofMask = mask === null ? null : Array.from(mask).slice(first, first + end - output);
          return describeDistribution(head, ofHead, ofMask);
        }),
      };
    case 'squashed-gaussian': {
      const { size } = distribution;
      const std = Array.from(outputs.subarray(size), squashedStd);
      return { kind: 'gaussian', mean: [...outputs.subarray(0, size)], std, isSquashed: true };
    }
    case 'epsilon-greedy': {
      const values = new Float64Array(numActionValues(distribution)); // [S] f64
      createActionValues(distribution)(outputs, 0, values);
      return { kind: 'action-values', values: split([...values], distribution.sizes) };
    }
    case 'squashed-gsde':
      return {
        kind: 'gaussian',
        mean: Array.from(outputs, clipGsdeMean),
        std: deviations(distribution.kind, row),
        isSquashed: true,
      };
    case 'deterministic-tanh':
      return { kind: 'deterministic', mode: Array.from(outputs, Math.tanh) };
  }
}

/** exp(logStd); with gSDE sqrt(sum_h latent_h^2 exp(logStd_ha)^2 + 1e-6), squashed-gsde's noise without the 1e-6. */
function deviations(
  kind: 'gaussian' | 'gsde' | 'squashed-gsde',
  { outputs, latent, logStd }: RowOutputs,
): number[] {
  const free = logStd ?? new Float32Array();
  if (kind === 'gaussian') return Array.from(free, Math.exp);
  return Array.from(outputs, (_, a) => {
    let variance = kind === 'gsde' ? GSDE_VARIANCE_EPSILON : 0;
    for (let h = 0; h < latent.length; h++) {
      variance += (latent[h] * Math.exp(free[h * outputs.length + a])) ** 2;
    }
    return Math.sqrt(variance);
  });
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function split(numbers: readonly number[], sizes: readonly number[]): number[][] {
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return numbers.slice(start - size, start);
  });
}
