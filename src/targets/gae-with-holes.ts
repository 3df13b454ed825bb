/** Generalized advantage estimation for rows that do not act in every column. */
import { discountOver } from './discount-over.ts';
import type { GaeOptions } from './gae.ts';

/** Columns of a group of seats; [N, C] environment-major, flat index n * C + t. */
export interface RolloutWithHoles {
  readonly numRows: number; // N
  readonly rolloutLength: number; // C
  readonly acted: Uint8Array; // [N, C] u8; 0 = a hole
  readonly rewards: Float32Array; // [N, C] f32, all that came until the row's next action
  readonly values: Float32Array; // [N, C] f32
  readonly terminated: Uint8Array; // [N, C] u8
  readonly truncated: Uint8Array; // [N, C] u8
  readonly finalValues: Float32Array; // [N, C] f32
  readonly bootstrapValues: Float32Array; // [N] f32
  /** Step of the environment at which each action was taken, at which a truncated row ended, and at which it acts next. */
  readonly ticks: Int32Array; // [N, C] i32
  readonly finalTicks: Int32Array; // [N, C] i32
  readonly nextTicks: Int32Array; // [N] i32
  readonly advantages: Float32Array; // [N, C] f32, out
  readonly returns: Float32Array; // [N, C] f32, out
}

/** What gamma is a discount of: a row's own actions, or the environment's steps between them. */
export type DiscountBy = 'own-step' | 'tick';

/**
 * As `computeGae`, along each row's own actions: a hole is skipped, it is no step with value 0.
 *
 *     delta = reward + gamma^d * nextValue - value,  adv = delta + (gamma * gaeLambda)^d * adv of the next own action
 *
 * d = 1, or by `tick` the environment's steps from this action to the next one. `bootstrapValues[n]` is the value of what follows a row's
 * last action in the rollout. Entries of holes are 0. With no hole and by `own-step` the numbers are those of `computeGae`, to the bit.
 *
 * Sums run in f64. Cost: O(N * C), no allocation. Thread: the caller owns the block set.
 */
export function computeGaeWithHoles(rollout: RolloutWithHoles, options: GaeWithHolesOptions): void {
  rollout.advantages.fill(0);
  rollout.returns.fill(0);
  for (let n = 0; n < rollout.numRows; n++) walkRow(rollout, options, n);
}

type GaeWithHolesOptions = GaeOptions & { readonly discountBy: DiscountBy };

function walkRow(rollout: RolloutWithHoles, options: GaeWithHolesOptions, n: number): void {
  const { rolloutLength: C, acted, rewards, values, terminated, truncated, finalValues } = rollout;
  const { ticks, finalTicks, advantages, returns } = rollout;
  const { gamma, rewardScale, clipReward } = options;
  const decay = gamma * options.gaeLambda;
  const byTick = options.discountBy === 'tick';
  let advantage = 0;
  let valueAfter = rollout.bootstrapValues[n];
  let tickAfter = rollout.nextTicks[n];
  for (let i = n * C + C - 1; i >= n * C; i--) {
    if (acted[i] === 0) continue;
    const isTerminated = terminated[i] !== 0;
    const isDone = isTerminated || truncated[i] !== 0;
    const nextValue = isTerminated ? 0 : isDone ? finalValues[i] : valueAfter;
    const gap = byTick ? (isDone ? finalTicks[i] : tickAfter) - ticks[i] : 1;
    const reward = Math.min(Math.max(rewards[i] * rewardScale, -clipReward), clipReward);
    const delta = reward + discountOver(gamma, gap) * nextValue - values[i];
    advantage = isDone ? delta : delta + discountOver(decay, gap) * advantage;
    advantages[i] = advantage;
    returns[i] = advantage + values[i];
    valueAfter = values[i];
    tickAfter = ticks[i];
  }
}
