/**
 * How far the predicted atoms of a taken action are from what followed: one loss for each kind of atom. One row at a time, float64.
 *
 * - a value: smooth L1 (Huber with its corner at 1) or the square of delta = Q - y, y = r + discount Q'
 * - quantiles (Dabney et al. 2018, arXiv:1710.10044): sum_i mean_j |tau_i - 1(u < 0)| Huber(u), u = y_j - theta_i, tau_i = (i + 1/2) / N
 * - C51 (Bellemare et al. 2017, arXiv:1707.06887): cross-entropy of softmax(logits) against the projection of r + discount z
 */
import type { EpsilonGreedySpec } from '../../src/policy/distributions/epsilon-greedy.ts';

export interface ReturnLoss {
  /**
   * What the next atoms become: values and quantiles as they are, logits as probabilities; added to `sum` with a weight, so that
   * several branches give their mean. f64 [numAtoms] each.
   */
  accumulate(atoms: Float64Array, weight: number, sum: Float64Array): void;
  /** The target's atoms (C51: its projected probabilities), in place, from what was accumulated. Returns the target's mean. */
  finishTarget(sum: Float64Array, reward: number, discount: number): number;
  /** The loss; writes its gradient at the predicted atoms. `mean` and `tdError` of the row are left in the result. */
  compare(predicted: Float64Array, target: Float64Array, gradient: Float64Array): ReturnComparison;
}

export interface ReturnComparison {
  loss: number;
  /** Mean of the predicted return. */
  mean: number;
  /** What a priority is made of: |delta|, |difference of means|, or C51's cross-entropy (as in Rainbow). */
  tdError: number;
}

export function createReturnLoss(
  { numAtoms, support }: EpsilonGreedySpec,
  loss: 'huber' | 'mse',
): ReturnLoss {
  if (support !== null) return categoricalLoss(numAtoms, support.low, support.high);
  return numAtoms === 1 ? valueLoss(loss) : quantileLoss(numAtoms);
}

function accumulate(atoms: Float64Array, weight: number, sum: Float64Array): void {
  for (let j = 0; j < atoms.length; j++) sum[j] += weight * atoms[j];
}

/** x^2 / 2 where |x| <= 1, else |x| - 1/2. */
const huber = (x: number): number => (Math.abs(x) <= 1 ? 0.5 * x * x : Math.abs(x) - 0.5);
const huberSlope = (x: number): number => Math.max(-1, Math.min(1, x));

function valueLoss(kind: 'huber' | 'mse'): ReturnLoss {
  const result: ReturnComparison = { loss: 0, mean: 0, tdError: 0 };
  return {
    accumulate,
    finishTarget(sum, reward, discount) {
      sum[0] = reward + discount * sum[0];
      return sum[0];
    },
    compare(predicted, target, gradient) {
      const delta = predicted[0] - target[0];
      result.loss = kind === 'huber' ? huber(delta) : delta * delta;
      gradient[0] = kind === 'huber' ? huberSlope(delta) : 2 * delta;
      result.mean = predicted[0];
      result.tdError = Math.abs(delta);
      return result;
    },
  };
}

const meanOf = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function quantileLoss(numAtoms: number): ReturnLoss {
  const result: ReturnComparison = { loss: 0, mean: 0, tdError: 0 };
  return {
    accumulate,
    finishTarget(sum, reward, discount) {
      for (let j = 0; j < numAtoms; j++) sum[j] = reward + discount * sum[j];
      return meanOf(sum);
    },
    compare(predicted, target, gradient) {
      result.loss = quantileHuber(predicted, target, target.length, gradient) * numAtoms;
      for (let i = 0; i < numAtoms; i++) gradient[i] *= numAtoms;
      result.mean = meanOf(predicted);
      result.tdError = Math.abs(result.mean - meanOf(target));
      return result;
    },
  };
}

/**
 * mean_i mean_j |tau_i - 1(u < 0)| Huber(u) over N predicted quantiles and the first `numTargets` targets, u = y_j - theta_i; writes its
 * gradient [N]. QR-DQN's sum over predicted quantiles is N times that; TQC's mean is that.
 */
export function quantileHuber(
  predicted: Float64Array,
  targets: Float64Array,
  numTargets: number,
  gradient: Float64Array,
): number {
  const N = predicted.length;
  let loss = 0;
  for (let i = 0; i < N; i++) {
    const tau = (i + 0.5) / N;
    let slope = 0;
    for (let j = 0; j < numTargets; j++) {
      const u = targets[j] - predicted[i];
      const weight = u < 0 ? 1 - tau : tau;
      loss += weight * huber(u);
      slope -= weight * huberSlope(u);
    }
    gradient[i] = slope / (N * numTargets);
  }
  return loss / (N * numTargets);
}

/** softmax in place. */
function softmax(values: Float64Array): void {
  let top = values[0];
  for (let j = 1; j < values.length; j++) top = Math.max(top, values[j]);
  let sum = 0;
  for (let j = 0; j < values.length; j++) {
    values[j] = Math.exp(values[j] - top);
    sum += values[j];
  }
  for (let j = 0; j < values.length; j++) values[j] /= sum;
}

/**
 * The distribution of clip(reward + discount z, low, high) on the atoms z_j = low + j step: each atom's mass goes to its two
 * neighbours by nearness, all of it to one where it lands on it. `probabilities` f64 [N] in, out.
 */
export function projectOntoSupport(
  probabilities: Float64Array,
  low: number,
  high: number,
  reward: number,
  discount: number,
  out: Float64Array,
): void {
  const N = probabilities.length;
  const step = (high - low) / (N - 1);
  out.fill(0);
  for (let j = 0; j < N; j++) {
    const value = Math.max(low, Math.min(high, reward + discount * (low + j * step)));
    const position = Math.max(0, Math.min(N - 1, (value - low) / step));
    const below = Math.floor(position);
    const share = position - below;
    out[below] += probabilities[j] * (1 - share);
    if (share > 0) out[below + 1] += probabilities[j] * share;
  }
}

function categoricalLoss(numAtoms: number, low: number, high: number): ReturnLoss {
  const result: ReturnComparison = { loss: 0, mean: 0, tdError: 0 };
  const scratch = new Float64Array(numAtoms);
  const step = (high - low) / (numAtoms - 1);
  const expectation = (probabilities: Float64Array) =>
    probabilities.reduce((sum, p, j) => sum + p * (low + j * step), 0);
  return {
    accumulate(atoms, weight, sum) {
      scratch.set(atoms);
      softmax(scratch);
      accumulate(scratch, weight, sum);
    },
    finishTarget(sum, reward, discount) {
      scratch.set(sum);
      projectOntoSupport(scratch, low, high, reward, discount, sum);
      return expectation(sum);
    },
    compare(predicted, target, gradient) {
      let top = predicted[0];
      for (let j = 1; j < numAtoms; j++) top = Math.max(top, predicted[j]);
      let total = 0;
      for (let j = 0; j < numAtoms; j++) total += Math.exp(predicted[j] - top);
      const logTotal = top + Math.log(total);
      result.loss = 0;
      result.mean = 0;
      for (let j = 0; j < numAtoms; j++) {
        const logProbability = predicted[j] - logTotal;
        const probability = Math.exp(logProbability);
        result.loss -= target[j] * logProbability;
        result.mean += probability * (low + j * step);
        gradient[j] = probability - target[j];
      }
      result.tdError = result.loss;
      return result;
    },
  };
}
