/**
 * Actions of mixed kinds, such as a choice with its parameters: heads of known kinds side by side, independent given the observation.
 *
 *     log pi(a | s) = sum over heads of log pi_h(a_h | s),   H = sum over heads of H_h
 *
 * The stored action holds one f32 element for each of the heads' elements, in their order: indices and bits as they are, continuous elements as a
 * Gaussian stores them. The network gives the heads' parameters side by side; log deviations of the continuous ones are one free vector; a mask lies
 * over the logits of the choices alone, head after head; noise has one number an element, uniform or normal as the element's kind says.
 *
 * Source: Fan et al. 2019, arXiv:1903.01344, section 4 (H-PPO): a parameter whose choice was not taken counts in the probability, too.
 */
import type { RowCall, RowSampler } from '../../weights/exploration.ts';
import {
  actionSize,
  distributionSize,
  freeLogStdSize,
  type ProductHead,
  type ProductSpec,
} from '../policy-spec.ts';

/** Logit of an action that the mask forbids. */
export const MASKED_LOGIT = -1e8;

/** Where a head's numbers begin in a row. */
export interface HeadPlace {
  readonly head: ProductHead;
  /** Among the network's outputs. */
  readonly output: number;
  /** Among the stored action's elements, and the noise's. */
  readonly action: number;
  /** Among the mask's elements; meaningful for choices. */
  readonly mask: number;
  /** Among the free log deviations; meaningful for continuous heads. */
  readonly logStd: number;
}

export function placeHeads({ heads }: ProductSpec): HeadPlace[] {
  const end = { output: 0, action: 0, mask: 0, logStd: 0 };
  return heads.map((head) => {
    const place = { head, ...end };
    const numOutputs = distributionSize(head);
    end.output += numOutputs;
    end.action += actionSize(head);
    if (head.kind === 'categorical') end.mask += numOutputs;
    end.logStd += freeLogStdSize(head);
    return place;
  });
}

/** Writes the row's stored action: a sample, or the mode of each head. Allocates nothing per row. Float64 inside. Thread: any. */
export function createProductSampler(distribution: ProductSpec): RowSampler {
  const elements = placeHeads(distribution).flatMap(elementSamplers); // one for each element of a stored action
  return (row) => {
    for (let k = 0; k < elements.length; k++)
      row.actions[row.actionOffset + k] = elements[k](row, row.noise[row.noiseOffset + k]);
  };
}

/** @param noise the element's; not read where the row is deterministic. */
type ElementSampler = (row: RowCall, noise: number) => number;

function elementSamplers({ head, output, mask, logStd: firstLogStd }: HeadPlace): ElementSampler[] {
  if (head.kind === 'categorical') return placeChoices(head.sizes, output, mask).map(choiceSampler);
  return Array.from({ length: head.size }, (_, a) => {
    const at = output + a;
    return head.kind === 'bernoulli' ? bitSampler(at) : numberSampler(at, firstLogStd + a);
  });
}

/** Where one choice's logits begin in a row. */
export interface ChoicePlace {
  readonly size: number;
  /** Among the network's outputs. */
  readonly output: number;
  /** Among the mask's elements. */
  readonly mask: number;
}

/** The choices of a head whose outputs and mask begin there. */
export function placeChoices(sizes: readonly number[], output: number, mask: number): ChoicePlace[] {
  let end = 0;
  return sizes.map((size) => {
    end += size;
    return { size, output: output + end - size, mask: mask + end - size };
  });
}

/** Logit k of a choice as it counts: of forbidden ones nothing is left. */
export function maskedLogit(
  { outputs, outputOffset, masks, maskOffset }: RowCall,
  { output, mask }: ChoicePlace,
  k: number,
): number {
  return masks !== null && masks[maskOffset + mask + k] === 0
    ? MASKED_LOGIT
    : outputs[outputOffset + output + k];
}

/** Index of the first largest logit. */
export function bestChoice(row: RowCall, place: ChoicePlace): number {
  let best = 0;
  for (let k = 1; k < place.size; k++)
    if (maskedLogit(row, place, k) > maskedLogit(row, place, best)) best = k;
  return best;
}

/** Sum over k of exp(logit_k - largest). */
export function choiceTotal(row: RowCall, place: ChoicePlace, largest: number): number {
  let total = 0;
  for (let k = 0; k < place.size; k++) total += Math.exp(maskedLogit(row, place, k) - largest);
  return total;
}

function choiceSampler(place: ChoicePlace): ElementSampler {
  return (row, uniform) => {
    let chosen = bestChoice(row, place);
    if (row.deterministic) return chosen;
    const largest = maskedLogit(row, place, chosen);
    let remaining = uniform * choiceTotal(row, place, largest);
    for (let k = 0; k < place.size; k++) {
      const weight = Math.exp(maskedLogit(row, place, k) - largest);
      if (weight === 0) continue; // rounding must not end on a forbidden action
      chosen = k;
      remaining -= weight;
      if (remaining < 0) break;
    }
    return chosen;
  };
}

function bitSampler(output: number): ElementSampler {
  return ({ outputs, outputOffset, deterministic }, uniform) => {
    const logit = outputs[outputOffset + output];
    return (deterministic ? logit > 0 : uniform < 1 / (1 + Math.exp(-logit))) ? 1 : 0;
  };
}

function numberSampler(output: number, logStd: number): ElementSampler {
  return (row, normal) => {
    const mean = row.outputs[row.outputOffset + output];
    return row.deterministic ? mean : mean + Math.exp(row.logStd[row.logStdOffset + logStd]) * normal;
  };
}
