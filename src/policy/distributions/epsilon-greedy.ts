/**
 * Epsilon-greedy over action values: the acting side of DQN and its kin.
 *
 * With probability epsilon a uniformly random allowed action, else argmax_a Q(s, a) over the allowed ones, the first of equals. A row's
 * coin and its random action come from the row's own noise, one of each for every branch, so a row's actions do not depend on the rows
 * beside it (Stable-Baselines3 tosses one coin for all environments).
 */
import type { RowCall, RowSampler, RowValue } from '../../weights/exploration.ts';

/**
 * Outputs per row, with S = sum(sizes): `[S, numAtoms]`; with `dueling` `[1 + S, numAtoms]`, the state's atoms first, and
 * Q = V + A - mean of A over the branch's actions, atom by atom (Wang et al. 2016, arXiv:1511.06581; branches: Tavakoli et al. 2018,
 * arXiv:1711.08946).
 */
export interface EpsilonGreedySpec {
  readonly kind: 'epsilon-greedy';
  /** Actions of each branch: one = Discrete, several = MultiDiscrete. */
  readonly sizes: readonly number[];
  /** Numbers per action: 1 = Q itself; quantiles of the return (Q = their mean) without a support; with one, C51's logits. */
  readonly numAtoms: number;
  /** C51: Q = sum_j z_j softmax(logits)_j with z_j = low + j (high - low) / (numAtoms - 1); null = no softmax. */
  readonly support: { readonly low: number; readonly high: number } | null;
  readonly dueling: boolean;
}

/** S. */
export const numActionValues = ({ sizes }: EpsilonGreedySpec): number =>
  sizes.reduce((sum, size) => sum + size, 0);

export function epsilonGreedyOutputSize(distribution: EpsilonGreedySpec): number {
  return (numActionValues(distribution) + (distribution.dueling ? 1 : 0)) * distribution.numAtoms;
}

/** Two uniforms a branch: the coin, and which action. */
export function epsilonGreedyNoiseSize({ sizes }: EpsilonGreedySpec): number {
  return 2 * sizes.length;
}

/** Action values of one row: `values[k]` for action k, branches one after the other. f64 [S]. */
export type ReadActionValues = (outputs: Float32Array, offset: number, values: Float64Array) => void;

/** Cost: linear in the outputs; the softmax of C51 costs an exponential an atom. */
export function createActionValues(distribution: EpsilonGreedySpec): ReadActionValues {
  const { sizes, numAtoms, support, dueling } = distribution;
  const S = numActionValues(distribution);
  const logits = new Float64Array(numAtoms);
  const baseline = new Float64Array(numAtoms); // [numAtoms] what is added to each of a branch's atoms: V - mean A
  const setBaseline = (outputs: Float32Array, value: number, first: number, size: number): void => {
    for (let j = 0; j < numAtoms; j++) {
      let sum = 0;
      for (let a = 0; a < size; a++) sum += outputs[first + a * numAtoms + j];
      baseline[j] = outputs[value + j] - sum / size;
    }
  };
  const mean = (outputs: Float32Array, at: number): number => {
    let sum = 0;
    for (let j = 0; j < numAtoms; j++) sum += outputs[at + j] + baseline[j];
    return sum / numAtoms;
  };
  const expectation = (outputs: Float32Array, at: number): number => {
    const { low, high } = support as { low: number; high: number };
    let top = -Infinity;
    for (let j = 0; j < numAtoms; j++) {
      logits[j] = outputs[at + j] + baseline[j];
      top = Math.max(top, logits[j]);
    }
    let total = 0;
    let sum = 0;
    for (let j = 0; j < numAtoms; j++) {
      const weight = Math.exp(logits[j] - top);
      total += weight;
      sum += weight * (low + (j * (high - low)) / (numAtoms - 1));
    }
    return sum / total;
  };
  const actionValue = support === null ? mean : expectation;
  return (outputs, offset, values) => {
    if (numAtoms === 1 && !dueling) {
      for (let k = 0; k < S; k++) values[k] = outputs[offset + k];
      return;
    }
    let first = offset + (dueling ? numAtoms : 0);
    let k = 0;
    for (const size of sizes) {
      if (dueling) setBaseline(outputs, offset, first, size);
      for (let a = 0; a < size; a++, k++) values[k] = actionValue(outputs, first + a * numAtoms);
      first += size * numAtoms;
    }
  };
}

export interface EpsilonGreedy {
  readonly sample: RowSampler;
  /** max_a Q(s, a) over the allowed actions; with several branches the mean of theirs. */
  readonly value: RowValue;
}

/** One a thread. @throws nothing: where all actions of a branch are forbidden, its first is taken. */
export function createEpsilonGreedy(distribution: EpsilonGreedySpec): EpsilonGreedy {
  const { sizes } = distribution;
  const readValues = createActionValues(distribution);
  const values = new Float64Array(numActionValues(distribution)); // [S] f64
  const greedy = ({ masks, maskOffset }: RowCall, first: number, size: number): number => {
    let best = -1;
    for (let a = 0; a < size; a++) {
      if (masks !== null && masks[maskOffset + first + a] === 0) continue;
      if (best < 0 || values[first + a] > values[first + best]) best = a;
    }
    return Math.max(best, 0);
  };
  return {
    sample(call) {
      const { noise, noiseOffset, deterministic, epsilon } = call;
      readValues(call.outputs, call.outputOffset, values);
      let first = 0;
      for (let branch = 0; branch < sizes.length; branch++) {
        const at = noiseOffset + 2 * branch;
        const isRandom = !deterministic && noise[at] < epsilon;
        call.actions[call.actionOffset + branch] = isRandom
          ? uniformChoice(call, first, sizes[branch], noise[at + 1])
          : greedy(call, first, sizes[branch]);
        first += sizes[branch];
      }
    },
    value(call) {
      readValues(call.outputs, call.outputOffset, values);
      let first = 0;
      let sum = 0;
      for (const size of sizes) {
        sum += values[first + greedy(call, first, size)];
        first += size;
      }
      return sum / sizes.length;
    },
  };
}

/** The floor(uniform * allowed)-th allowed action of a branch whose mask begins at `first`; 0 where none is allowed. */
export function uniformChoice(
  { masks, maskOffset }: Pick<RowCall, 'masks' | 'maskOffset'>,
  first: number,
  size: number,
  uniform: number,
): number {
  if (masks === null) return Math.min(Math.floor(uniform * size), size - 1);
  let numAllowed = 0;
  for (let a = 0; a < size; a++) if (masks[maskOffset + first + a] !== 0) numAllowed += 1;
  let left = Math.min(Math.floor(uniform * numAllowed), numAllowed - 1);
  for (let a = 0; a < size; a++) {
    if (masks[maskOffset + first + a] === 0) continue;
    if (left === 0) return a;
    left -= 1;
  }
  return 0;
}
