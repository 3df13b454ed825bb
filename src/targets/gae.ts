/** Generalized advantage estimation over a rollout. */
import type { RolloutViews } from '../experience/layout.ts';
import type { ValuedSteps } from './valued-steps.ts';

export interface GaeOptions {
  /** Discount per environment step, unitless, [0, 1]. */
  readonly gamma: number;
  /** Unitless, [0, 1]; 0 = one-step TD error, 1 = Monte Carlo with bootstrap. */
  readonly gaeLambda: number;
  /** Rewards are multiplied by this, then clipped to +-clipReward. 1 and Infinity = as they are. */
  readonly rewardScale: number;
  readonly clipReward: number;
}

/**
 * Fills `advantages` and `returns` of a rollout, in place, from its rewards, values and ends.
 *
 *     delta[t]   = reward[t] + gamma * nextValue[t] - value[t]
 *     nextValue  = 0 where terminated; finalValue[t] where truncated; else value[t + 1], bootstrapValue after T - 1
 *     adv[t]     = delta[t] + gamma * gaeLambda * (1 - done[t]) * adv[t + 1],  adv[T] = 0
 *     returns[t] = adv[t] + value[t]
 *
 * `terminated` removes the bootstrap; `truncated` only ends the trace. Where both are set, terminated wins.
 *
 * All arrays are [N, T], environment-major, flat index n * T + t, f32; sums run in f64. Values are in units of scaled
 * rewards. Cost: O(N * T), no allocation. Thread: the caller owns the block set.
 *
 * Source: Schulman et al. 2016, arXiv:1506.02438, section 3. Differs from CleanRL's ppo.py, which drops the bootstrap
 * on truncation, and from Stable-Baselines3, which adds gamma * V(final) to the stored reward instead.
 */
export function computeGae(
  rollout: ValuedSteps & Pick<RolloutViews, 'advantages' | 'returns'>,
  options: GaeOptions,
): void {
  const { numRows, rolloutLength: T, rewards, values, terminated, truncated } = rollout;
  const { finalValues, bootstrapValues, advantages, returns } = rollout;
  const { gamma, gaeLambda, rewardScale, clipReward } = options;
  const decay = gamma * gaeLambda;
  for (let n = 0; n < numRows; n++) {
    let advantage = 0;
    let valueAfter = bootstrapValues[n];
    for (let i = n * T + T - 1; i >= n * T; i--) {
      const isTerminated = terminated[i] !== 0;
      const isTruncated = truncated[i] !== 0;
      const nextValue = isTerminated ? 0 : isTruncated ? finalValues[i] : valueAfter;
      const reward = Math.min(Math.max(rewards[i] * rewardScale, -clipReward), clipReward);
      const delta = reward + gamma * nextValue - values[i];
      advantage = isTerminated || isTruncated ? delta : delta + decay * advantage;
      advantages[i] = advantage;
      returns[i] = advantage + values[i];
      valueAfter = values[i];
    }
  }
}

/**
 * 1 - Var(returns - values) / Var(returns): 1 = the critic explains all, 0 = no better than a constant, negative = worse.
 *
 * @returns null where the returns do not vary.
 */
export function explainedVariance({
  returns,
  values,
}: Pick<RolloutViews, 'returns' | 'values'>): number | null {
  const count = returns.length;
  const shift = returns[0]; // equal returns have variance 0 exactly, whatever their digits
  let returnSum = 0;
  let errorSum = 0;
  for (let i = 0; i < count; i++) {
    returnSum += returns[i] - shift;
    errorSum += returns[i] - values[i];
  }
  const returnMean = returnSum / count;
  const errorMean = errorSum / count;
  let returnSquares = 0;
  let errorSquares = 0;
  for (let i = 0; i < count; i++) {
    returnSquares += (returns[i] - shift - returnMean) ** 2;
    errorSquares += (returns[i] - values[i] - errorMean) ** 2;
  }
  return returnSquares > 0 ? 1 - errorSquares / returnSquares : null;
}
