/** V-trace for rows that do not act in every column. */
import { discountOver } from './discount-over.ts';
import type { DiscountBy, RolloutWithHoles } from './gae-with-holes.ts';
import { transformReward } from './valued-steps.ts';
import type { VtraceOptions } from './vtrace.ts';

/** Log-probabilities of the actions taken, f32 [N, C] each; read where `acted`. */
export interface ActedLogProbs {
  /** By the policy that acted. */
  readonly behaviour: Float32Array;
  /** By the one that is valued. */
  readonly target: Float32Array;
}

export type VtraceWithHolesOptions = VtraceOptions & { readonly discountBy: DiscountBy };

/**
 * As `computeVtrace`, along each row's own actions: a hole is skipped, it is no step with ratio 1.
 *
 *     delta = rho (reward + gamma^d nextValue - value)
 *     v     = value + delta + gamma^d c (v of the next own action - its value)
 *     adv   = rho (reward + gamma^d v of the next own action - value)
 *
 * d = 1, or by `tick` the environment's steps from this action to the next one. `bootstrapValues[n]` is the value of what follows a row's
 * last action in the rollout, where the trace ends; `returns` are v. Entries of holes are 0. With no hole and by `own-step` the numbers are
 * those of `computeVtrace`, to the bit. The traps are those of `computeVtrace`, too: values are those of the policy that learns.
 *
 * Sums run in f64. Cost: O(N C), no allocation. Thread: the caller owns the block set.
 */
export function computeVtraceWithHoles(
  steps: RolloutWithHoles,
  logProbs: ActedLogProbs,
  options: VtraceWithHolesOptions,
): void {
  steps.advantages.fill(0);
  steps.returns.fill(0);
  for (let n = 0; n < steps.numRows; n++) walkRow(steps, logProbs, options, n);
}

function walkRow(
  steps: RolloutWithHoles,
  { behaviour, target }: ActedLogProbs,
  options: VtraceWithHolesOptions,
  n: number,
): void {
  const { rolloutLength: C, acted, rewards, values, terminated, truncated, finalValues } = steps;
  const { ticks, finalTicks, advantages, returns } = steps;
  const { gamma, lambda, rhoClip, traceClip } = options;
  const byTick = options.discountBy === 'tick';
  let valueAfter = steps.bootstrapValues[n];
  let targetAfter = valueAfter;
  let tickAfter = steps.nextTicks[n];
  for (let i = n * C + C - 1; i >= n * C; i--) {
    if (acted[i] === 0) continue;
    const isTerminated = terminated[i] !== 0;
    if (isTerminated || truncated[i] !== 0) {
      valueAfter = isTerminated ? 0 : finalValues[i];
      targetAfter = valueAfter;
      tickAfter = finalTicks[i];
    }
    const discount = byTick ? discountOver(gamma, tickAfter - ticks[i]) : gamma;
    const value = values[i];
    const reward = transformReward(rewards[i], options);
    const ratio = Math.exp(target[i] - behaviour[i]);
    const rho = Math.min(rhoClip, ratio);
    const trace = lambda * Math.min(traceClip, ratio);
    const delta = rho * (reward + discount * valueAfter - value);
    advantages[i] = rho * (reward + discount * targetAfter - value);
    targetAfter = value + delta + discount * trace * (targetAfter - valueAfter);
    returns[i] = targetAfter;
    valueAfter = value;
    tickAfter = ticks[i];
  }
}
