/**
 * How far the predicted atoms of taken actions are from what followed: one loss for each kind of atom, over a block's rows.
 *
 * - a value: smooth L1 (Huber with its corner at 1) or the square of delta = Q - y, y = r + discount Q'
 * - quantiles (Dabney et al. 2018, arXiv:1710.10044): sum_i mean_j |tau_i - 1(u < 0)| Huber(u), u = y_j - theta_i, tau_i = (i + 1/2) / N
 * - C51 (Bellemare et al. 2017, arXiv:1707.06887): cross-entropy of softmax(logits) against the projection of r + discount z
 *
 * Quantiles and softmax run in the engine's kernels: in TypeScript they take several times as long as the network.
 */
import { MAX_BLOCK_ROWS, type RowSpace } from '../../src/learner/objective.ts';
import type { EpsilonGreedySpec } from '../../src/policy/distributions/epsilon-greedy.ts';

/** One branch's rows at a time; arrays are [MAX_BLOCK_ROWS, numAtoms] or [MAX_BLOCK_ROWS]. */
export interface ReturnLoss {
  /** f32: atoms of the taken actions. Write all of the block's rows before `compare`. */
  readonly predicted: Float32Array;
  /** f32: what they are compared with, likewise; see `finishTarget`. */
  readonly targets: Float32Array;
  /** f32: the losses' gradient at `predicted`; after `compare`. */
  readonly gradient: Float32Array;
  readonly losses: Float64Array;
  /** Means of the predicted returns. */
  readonly means: Float64Array;
  /** What priorities are made of: |delta|, |difference of means|, or C51's cross-entropy (as in Rainbow). */
  readonly tdErrors: Float64Array;
  /**
   * Row r's target, out of the next atoms: values and quantiles as they are, C51's as probabilities. f64 [numAtoms]. Returns its mean.
   */
  finishTarget(next: Float64Array, r: number, reward: number, discount: number): number;
  compare(numRows: number): void;
}

/** Makes a thread's loss, and buffers for its rows. */
export function createReturnLoss(
  rows: RowSpace,
  { numAtoms, support }: EpsilonGreedySpec,
  loss: 'huber' | 'mse',
): ReturnLoss {
  const part: LossRows = {
    predicted: rows.buffer(numAtoms),
    targets: rows.buffer(numAtoms),
    gradient: rows.buffer(numAtoms),
    losses: new Float64Array(MAX_BLOCK_ROWS),
    means: new Float64Array(MAX_BLOCK_ROWS),
    tdErrors: new Float64Array(MAX_BLOCK_ROWS),
  };
  if (support !== null) return categoricalLoss(rows, part, numAtoms, support.low, support.high);
  return numAtoms === 1 ? valueLoss(part, loss) : quantileLoss(rows, part, numAtoms);
}

type LossRows = Omit<ReturnLoss, 'finishTarget' | 'compare'>;

/** r + discount z for each atom z. */
function shiftAtoms(targets: Float32Array): ReturnLoss['finishTarget'] {
  return (next, r, reward, discount) => {
    const numAtoms = next.length;
    let sum = 0;
    for (let j = 0; j < numAtoms; j++) {
      const atom = reward + discount * next[j];
      targets[r * numAtoms + j] = atom;
      sum += atom;
    }
    return sum / numAtoms;
  };
}

/** x^2 / 2 where |x| <= 1, else |x| - 1/2. */
const huber = (x: number): number => (Math.abs(x) <= 1 ? 0.5 * x * x : Math.abs(x) - 0.5);
const huberSlope = (x: number): number => Math.max(-1, Math.min(1, x));

function valueLoss(part: LossRows, kind: 'huber' | 'mse'): ReturnLoss {
  const { predicted, targets, gradient, losses, means, tdErrors } = part;
  return {
    ...part,
    finishTarget: shiftAtoms(targets),
    compare(numRows) {
      for (let r = 0; r < numRows; r++) {
        const delta = predicted[r] - targets[r];
        losses[r] = kind === 'huber' ? huber(delta) : delta * delta;
        gradient[r] = kind === 'huber' ? huberSlope(delta) : 2 * delta;
        means[r] = predicted[r];
        tdErrors[r] = Math.abs(delta);
      }
    },
  };
}

function meanOfRow(values: Float32Array, r: number, size: number): number {
  let sum = 0;
  for (let k = r * size; k < (r + 1) * size; k++) sum += values[k];
  return sum / size;
}

function quantileLoss(rows: RowSpace, part: LossRows, numAtoms: number): ReturnLoss {
  const { predicted, targets, losses, means, tdErrors } = part;
  const meanLoss = rows.quantileLoss({ ...part, numTargets: numAtoms });
  return {
    ...part,
    finishTarget: shiftAtoms(targets),
    compare(numRows) {
      meanLoss.compare(numRows, numAtoms); // QR-DQN's is the sum over predicted quantiles
      for (let r = 0; r < numRows; r++) {
        losses[r] = numAtoms * meanLoss.losses[r];
        means[r] = meanOfRow(predicted, r, numAtoms);
        tdErrors[r] = Math.abs(means[r] - meanOfRow(targets, r, numAtoms));
      }
    },
  };
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
  const first = (reward + discount * low - low) / step; // where atom 0 lands, in atoms
  out.fill(0);
  for (let j = 0; j < N; j++) {
    const position = Math.max(0, Math.min(N - 1, first + discount * j));
    const below = Math.floor(position);
    const share = position - below;
    out[below] += probabilities[j] * (1 - share);
    if (share > 0) out[below + 1] += probabilities[j] * share;
  }
}

function categoricalLoss(
  rows: RowSpace,
  part: LossRows,
  numAtoms: number,
  low: number,
  high: number,
): ReturnLoss {
  const { predicted, targets, gradient, losses, means, tdErrors } = part;
  const softmax = rows.softmax({ values: predicted, probabilities: gradient, size: numAtoms });
  const projected = new Float64Array(numAtoms);
  const step = (high - low) / (numAtoms - 1);
  return {
    ...part,
    finishTarget(next, r, reward, discount) {
      projectOntoSupport(next, low, high, reward, discount, projected);
      let mean = 0;
      for (let j = 0; j < numAtoms; j++) {
        targets[r * numAtoms + j] = projected[j];
        mean += projected[j] * (low + j * step);
      }
      return mean;
    },
    compare(numRows) {
      softmax.run(numRows);
      for (let r = 0; r < numRows; r++) {
        let loss = 0;
        let mean = 0;
        for (let j = 0, k = r * numAtoms; j < numAtoms; j++, k++) {
          loss += targets[k] * (softmax.logSums[r] - predicted[k]);
          mean += gradient[k] * (low + j * step);
          gradient[k] -= targets[k];
        }
        losses[r] = loss;
        means[r] = mean;
        tdErrors[r] = loss;
      }
    },
  };
}
