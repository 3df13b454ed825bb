/** n-step returns over a rollout. */
import { type RewardTransform, transformReward, type ValuedSteps } from './valued-steps.ts';

export interface NStepOptions extends RewardTransform {
  /** Discount per environment step, unitless, [0, 1]. */
  readonly gamma: number;
  /** Steps of a return at most, from 1. */
  readonly nStep: number;
}

/**
 * Fills the returns of `nStep` steps, or of as many as there are until the episode or the rollout ends.
 *
 *     G[t] = sum over k < m of gamma^k reward[t + k]  +  gamma^m nextValue[t + m - 1]
 *     m    = min(nStep, steps until the first end, T - t)
 *
 * `nextValue` is 0 after a termination and the value of the true last observation after a truncation.
 *
 * @param returns f32 [N, T]; overwritten, may not be an input.
 *
 * Sums run in f64. Cost: O(N T nStep), no allocation. Thread: the caller owns the arrays.
 *
 * Source: Sutton and Barto 2018, equation 7.1; the truncated ends as in Mnih et al. 2016, arXiv:1602.01783, algorithm S3.
 */
export function computeNStepReturns(steps: ValuedSteps, options: NStepOptions, returns: Float32Array): void {
  const { numRows, rolloutLength: T } = steps;
  for (let n = 0; n < numRows; n++) {
    for (let t = 0; t < T; t++) returns[n * T + t] = nStepReturn(steps, options, n, t);
  }
}

function nStepReturn(steps: ValuedSteps, options: NStepOptions, n: number, t: number): number {
  const { rolloutLength: T, rewards, values, terminated, truncated, finalValues, bootstrapValues } = steps;
  const { gamma, nStep } = options;
  const end = n * T + Math.min(T, t + nStep);
  let sum = 0;
  let discount = 1;
  for (let i = n * T + t; i < end; i++) {
    sum += discount * transformReward(rewards[i], options);
    discount *= gamma;
    if (terminated[i] !== 0) return sum;
    if (truncated[i] !== 0) return sum + discount * finalValues[i];
  }
  return sum + discount * (end === n * T + T ? bootstrapValues[n] : values[end]);
}
