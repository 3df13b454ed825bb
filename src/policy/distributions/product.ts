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
import type { RowCall } from '../../weights/exploration.ts';
import { actionSize, distributionSize, type ProductHead, type ProductSpec } from '../policy-spec.ts';
import { MASKED_LOGIT } from '../tensor-distributions.ts';

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
    if (head.kind === 'gaussian') end.logStd += head.size;
    return place;
  });
}

export interface ProductRows {
  /** Writes the row's stored action: a sample, or with `deterministic` the mode of each head. */
  sample(row: RowCall): void;
  /** Of the row's stored action, with the tanh correction where a head is squashed. */
  logProb(row: RowCall): number;
}

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Allocates nothing per row. Float64 inside. Thread: any. */
export function createProductRows(distribution: ProductSpec): ProductRows {
  const rows = placeHeads(distribution).map(headRows);
  return {
    sample(row) {
      for (const head of rows) head.sample(row);
    },
    logProb(row) {
      let sum = 0;
      for (const head of rows) sum += head.logProb(row);
      return sum;
    },
  };
}

function headRows(place: HeadPlace): ProductRows {
  const { head } = place;
  if (head.kind === 'categorical') return choiceRows(head.sizes, place);
  return head.kind === 'bernoulli' ? bitRows(head.size, place) : numberRows(head.size, head.squash, place);
}

function choiceRows(sizes: readonly number[], { output, action, mask }: HeadPlace): ProductRows {
  const logit = ({ outputs, outputOffset, masks, maskOffset }: RowCall, k: number): number =>
    masks !== null && masks[maskOffset + mask + k] === 0 ? MASKED_LOGIT : outputs[outputOffset + output + k];
  const bestOf = (row: RowCall, first: number, size: number): number => {
    let best = first;
    for (let k = first + 1; k < first + size; k++) if (logit(row, k) > logit(row, best)) best = k;
    return best;
  };
  const totalOf = (row: RowCall, first: number, size: number, largest: number): number => {
    let total = 0;
    for (let k = first; k < first + size; k++) total += Math.exp(logit(row, k) - largest);
    return total;
  };
  const choose = (row: RowCall, first: number, size: number, uniform: number): number => {
    const best = bestOf(row, first, size);
    if (row.deterministic) return best;
    const largest = logit(row, best);
    let remaining = uniform * totalOf(row, first, size, largest);
    let chosen = best;
    for (let k = first; k < first + size; k++) {
      const weight = Math.exp(logit(row, k) - largest);
      if (weight === 0) continue; // rounding must not end on a forbidden action
      chosen = k;
      remaining -= weight;
      if (remaining < 0) break;
    }
    return chosen;
  };
  return {
    sample(row) {
      let first = 0;
      for (let a = 0; a < sizes.length; a++) {
        const uniform = row.noise[row.noiseOffset + action + a];
        row.actions[row.actionOffset + action + a] = choose(row, first, sizes[a], uniform) - first;
        first += sizes[a];
      }
    },
    logProb(row) {
      let sum = 0;
      let first = 0;
      for (let a = 0; a < sizes.length; a++) {
        const largest = logit(row, bestOf(row, first, sizes[a]));
        const chosen = first + row.actions[row.actionOffset + action + a];
        sum += logit(row, chosen) - largest - Math.log(totalOf(row, first, sizes[a], largest));
        first += sizes[a];
      }
      return sum;
    },
  };
}

function bitRows(size: number, { output, action }: HeadPlace): ProductRows {
  return {
    sample({ outputs, outputOffset, noise, noiseOffset, actions, actionOffset, deterministic }) {
      for (let a = 0; a < size; a++) {
        const logit = outputs[outputOffset + output + a];
        const isOne = deterministic
          ? logit > 0
          : noise[noiseOffset + action + a] < 1 / (1 + Math.exp(-logit));
        actions[actionOffset + action + a] = isOne ? 1 : 0;
      }
    },
    logProb({ outputs, outputOffset, actions, actionOffset }) {
      let sum = 0;
      for (let a = 0; a < size; a++) {
        const logit = outputs[outputOffset + output + a];
        sum += actions[actionOffset + action + a] * logit - softplus(logit);
      }
      return sum;
    },
  };
}

function numberRows(
  size: number,
  isSquashed: boolean,
  { output, action, logStd: first }: HeadPlace,
): ProductRows {
  return {
    sample({
      outputs,
      outputOffset,
      noise,
      noiseOffset,
      logStd,
      logStdOffset,
      actions,
      actionOffset,
      deterministic,
    }) {
      for (let a = 0; a < size; a++) {
        const mean = outputs[outputOffset + output + a];
        const std = Math.exp(logStd[logStdOffset + first + a]);
        actions[actionOffset + action + a] = deterministic
          ? mean
          : mean + std * noise[noiseOffset + action + a];
      }
    },
    logProb({ outputs, outputOffset, logStd, logStdOffset, actions, actionOffset }) {
      let sum = 0;
      for (let a = 0; a < size; a++) {
        const log = logStd[logStdOffset + first + a];
        const u = actions[actionOffset + action + a];
        const z = (u - outputs[outputOffset + output + a]) * Math.exp(-log);
        sum -= 0.5 * z * z + log + HALF_LOG_2PI;
        if (isSquashed) sum -= 2 * (Math.LN2 - u - softplus(-2 * u));
      }
      return sum;
    },
  };
}
