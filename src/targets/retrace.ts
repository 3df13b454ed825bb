/** Retrace(lambda): action-value targets of one policy from steps that another one made. */
import { type RewardTransform, transformReward, type ValuedSteps } from './valued-steps.ts';

export interface RetraceOptions extends RewardTransform {
  /** Discount per environment step, unitless, [0, 1]. */
  readonly gamma: number;
  /** Trace decay, unitless, [0, 1]. */
  readonly lambda: number;
}

/**
 * Fills the targets of Q(s[t], a[t]) for a target policy pi from steps of a behaviour policy mu.
 *
 *     nextValue[t] = E_pi Q(s[t + 1], .);   0 where terminated
 *     c[t]         = lambda min(1, exp(targetLogProb[t] - behaviourLogProb[t]))
 *     target[t]    = reward[t] + gamma (nextValue[t] + c[t + 1] (target[t + 1] - Q(s[t + 1], a[t + 1]))),
 *                    without the trace at an episode's end and after the last step
 *
 * With lambda 0 it is one-step expected SARSA; with pi = mu and lambda 1 it is the return minus what the actions taken were better than
 * expected, step by step.
 * The trap: `steps.values` are expectations over pi of the action values, not those of the actions taken.
 *
 * @param steps `values`, `finalValues` and `bootstrapValues` are E_pi Q of their observations.
 * @param actionValues f32 [N, T]: Q(s[t], a[t]).
 * @param behaviourLogProbs f32 [N, T]: log mu of the actions taken.
 * @param targetLogProbs f32 [N, T]: log pi of the same actions.
 * @param targets f32 [N, T]; overwritten, may not be an input.
 *
 * Sums run in f64. Cost: O(N T), no allocation. Thread: the caller owns the arrays.
 *
 * Source: Munos et al. 2016, arXiv:1606.02647, equations 3 and 4 with c of section 3. Truncation, which the paper does not have,
 * bootstraps from the true last observation.
 */
export function computeRetrace(
  steps: ValuedSteps,
  actionValues: Float32Array,
  behaviourLogProbs: Float32Array,
  targetLogProbs: Float32Array,
  options: RetraceOptions,
  targets: Float32Array,
): void {
  const { numRows, rolloutLength: T, rewards, values, terminated, truncated } = steps;
  const { finalValues, bootstrapValues } = steps;
  const { gamma, lambda } = options;
  for (let n = 0; n < numRows; n++) {
    let valueAfter = bootstrapValues[n];
    let correction = 0; // c[t + 1] (target[t + 1] - Q(s[t + 1], a[t + 1]))
    for (let i = n * T + T - 1; i >= n * T; i--) {
      const isTerminated = terminated[i] !== 0;
      if (isTerminated || truncated[i] !== 0) {
        valueAfter = isTerminated ? 0 : finalValues[i];
        correction = 0;
      }
      const target = transformReward(rewards[i], options) + gamma * (valueAfter + correction);
      targets[i] = target;
      const trace = lambda * Math.min(1, Math.exp(targetLogProbs[i] - behaviourLogProbs[i]));
      correction = trace * (target - actionValues[i]);
      valueAfter = values[i];
    }
  }
}
