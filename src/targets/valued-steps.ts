/** What targets are made of: steps of several rows with their ends, and values of what they led to. */

/**
 * All [N, T], environment-major, flat index i = n * T + t, f32 and u8. A rollout is one.
 *
 * What follows step i is worth 0 where `terminated`, `finalValues[i]` where only `truncated` (it is read nowhere else), else
 * `values[i + 1]`, and `bootstrapValues[n]` after the last step.
 */
export interface ValuedSteps {
  readonly numRows: number; // N
  readonly rolloutLength: number; // T
  readonly rewards: Float32Array;
  readonly values: Float32Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  readonly finalValues: Float32Array;
  readonly bootstrapValues: Float32Array; // [N] f32
}

/** What becomes of a reward before it counts. 1 and Infinity = as it is. */
export interface RewardTransform {
  /** Rewards are multiplied by this, then clipped to +-clipReward. */
  readonly rewardScale: number;
  readonly clipReward: number;
}

/** min(max(reward * rewardScale, -clipReward), clipReward) */
export function transformReward(reward: number, { rewardScale, clipReward }: RewardTransform): number {
  return Math.min(Math.max(reward * rewardScale, -clipReward), clipReward);
}
