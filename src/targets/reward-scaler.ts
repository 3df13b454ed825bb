/** Return-based reward scaling: rewards divided by the standard deviation of the discounted return. */
import type { RolloutViews } from '../experience/layout.ts';
import { createRunningMoments, type MomentsState } from '../statistics/running-moments.ts';

export interface RewardScalerState {
  readonly moments: MomentsState;
  /** Discounted return so far of each environment's running episode. */
  readonly returns: readonly number[];
}

export interface RewardScaler {
  /** 1 / sqrt(Var(G) + 1e-8) over everything absorbed so far. */
  readonly scale: number;
  /**
   * Follows the discounted returns through a rollout. Call before `scale` is used for it.
   *
   * @param counted 0 = no step of the row's, which is passed over. [N, T] u8. @defaultValue all are
   */
  absorb(rollout: Pick<RolloutViews, 'rewards' | 'terminated' | 'truncated'>, counted?: Uint8Array): void;
  readonly numRows: number;
  getState(): RewardScalerState;
  setState(state: RewardScalerState): void;
}

/**
 * Detail 30 of the 37 (Huang et al. 2022), as baselines' VecNormalize:
 *
 *     G[t] = gamma * G[t - 1] + reward[t], 0 at the beginning of an episode;  reward' = reward / sqrt(Var(G) + 1e-8)
 *
 * The mean is not subtracted: that would change the task. Departure: the variance is frozen over a rollout and includes
 * that rollout, instead of moving with every vector step, so that it does not depend on who sampled what first.
 *
 * Cost: O(N * T), no allocation after construction. Thread: main.
 */
export function createRewardScaler(numRows: number, rolloutLength: number, gamma: number): RewardScaler {
  const moments = createRunningMoments(1);
  const running = new Float64Array(numRows);
  const discounted = new Float64Array(numRows * rolloutLength); // [N, T] f64
  return {
    numRows,
    get scale() {
      return 1 / Math.sqrt(moments.variance(0) + 1e-8);
    },
    absorb({ rewards, terminated, truncated }, counted) {
      let count = 0;
      for (let n = 0; n < numRows; n++) {
        for (let i = n * rolloutLength; i < (n + 1) * rolloutLength; i++) {
          if (counted?.[i] === 0) continue;
          running[n] = gamma * running[n] + rewards[i];
          discounted[count++] = running[n];
          if (terminated[i] !== 0 || truncated[i] !== 0) running[n] = 0;
        }
      }
      moments.add(discounted, count);
    },
    getState: () => ({ moments: moments.getState(), returns: [...running] }),
    setState(state) {
      moments.setState(state.moments);
      running.set(state.returns);
    },
  };
}
