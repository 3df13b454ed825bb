/** `normalizeRewards` and `clipReward`: what a rollout's rewards are multiplied by and bounded to before they are learnt from. */

import type { StatePart } from '../checkpoint/state-part.ts';
import type { RolloutViews } from '../experience/layout.ts';
import { createRewardScaler } from '../targets/reward-scaler.ts';
import { rewardScalerState } from './own-state.ts';

export interface RewardScaling {
  /** Follows the discounted returns through a rollout. Call before {@link now} is used for it. */
  absorb(rollout: RolloutViews): void;
  /** 1 and Infinity without scaling. */
  readonly now: { readonly rewardScale: number; readonly clipReward: number };
  readonly state: StatePart;
}

/** @param gamma discount per environment step. */
export function createRewardScaling(
  {
    numEnvs,
    rolloutLength,
    normalizeRewards,
    clipReward,
  }: {
    readonly numEnvs: number;
    readonly rolloutLength: number;
    readonly normalizeRewards: boolean;
    readonly clipReward: number | null;
  },
  gamma: number,
): RewardScaling {
  const scaler = normalizeRewards ? createRewardScaler(numEnvs, rolloutLength, gamma) : null;
  const bound = (scaler === null ? null : clipReward) ?? Number.POSITIVE_INFINITY;
  return {
    absorb: (rollout) => scaler?.absorb(rollout),
    get now() {
      return { rewardScale: scaler?.scale ?? 1, clipReward: bound };
    },
    state: rewardScalerState(scaler),
  };
}
