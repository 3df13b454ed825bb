/** V-trace: value targets and advantages of one policy from steps that another one made. */
import { type RewardTransform, transformReward, type ValuedSteps } from './valued-steps.ts';

export interface VtraceOptions extends RewardTransform {
  /** Discount per environment step, unitless, [0, 1]. */
  readonly gamma: number;
  /** Trace decay, unitless, [0, 1]; 1 = the paper's. */
  readonly lambda: number;
  /** Bound of the ratio that weighs temporal differences (the paper's rho with a bar), above 0: it decides which policy is valued. */
  readonly rhoClip: number;
  /** Bound of the ratio in the trace (the paper's c with a bar), above 0: it decides the variance, not the fixed point. */
  readonly traceClip: number;
}

/** f32 [N, T] each, overwritten. Neither may be an input. */
export interface VtraceTargets {
  readonly advantages: Float32Array;
  /** The targets v of the values. */
  readonly returns: Float32Array;
}

/**
 * Fills advantages and value targets of a target policy pi from steps of a behaviour policy mu.
 *
 *     ratio[t] = exp(targetLogProb[t] - behaviourLogProb[t]);   rho = min(rhoClip, ratio),  c = lambda min(traceClip, ratio)
 *     delta[t] = rho[t] (reward[t] + gamma nextValue[t] - value[t])
 *     v[t]     = value[t] + delta[t] + gamma c[t] (v[t + 1] - value[t + 1]),   without the trace at an episode's end
 *     adv[t]   = rho[t] (reward[t] + gamma v[t + 1] - value[t]),               v[t + 1] = nextValue[t] where the trace ends
 *     returns  = v
 *
 * With ratios of 1 (pi = mu) and lambda 1, v is the n-step return to the end of the rollout; with lambda below 1 it is TD(lambda)'s.
 * The trap: `values` are those of the policy that learns, not those that were predicted when the steps were made. A truncated episode
 * bootstraps from its true last observation and ends the trace; the original takes it for a terminated one.
 *
 * @param behaviourLogProbs f32 [N, T]: log mu of the actions taken.
 * @param targetLogProbs f32 [N, T]: log pi of the same actions.
 *
 * Sums run in f64. Cost: O(N T), no allocation. Thread: the caller owns the arrays.
 *
 * Source: Espeholt et al. 2018, arXiv:1802.01561, equation 1 and section 4.2; lambda is that of its remark 2. The advantage is weighed by
 * rhoClip, too, as in the authors' code.
 */
export function computeVtrace(
  steps: ValuedSteps,
  behaviourLogProbs: Float32Array,
  targetLogProbs: Float32Array,
  options: VtraceOptions,
  { advantages, returns }: VtraceTargets,
): void {
  const { numRows, rolloutLength: T, rewards, values, terminated, truncated } = steps;
  const { finalValues, bootstrapValues } = steps;
  const { gamma, lambda, rhoClip, traceClip } = options;
  for (let n = 0; n < numRows; n++) {
    let valueAfter = bootstrapValues[n];
    let targetAfter = valueAfter;
    for (let i = n * T + T - 1; i >= n * T; i--) {
      const isTerminated = terminated[i] !== 0;
      if (isTerminated || truncated[i] !== 0) {
        valueAfter = isTerminated ? 0 : finalValues[i];
        targetAfter = valueAfter;
      }
      const value = values[i];
      const reward = transformReward(rewards[i], options);
      const ratio = Math.exp(targetLogProbs[i] - behaviourLogProbs[i]);
      const rho = Math.min(rhoClip, ratio);
      const trace = lambda * Math.min(traceClip, ratio);
      const delta = rho * (reward + gamma * valueAfter - value);
      const target = value + delta + gamma * trace * (targetAfter - valueAfter);
      advantages[i] = rho * (reward + gamma * targetAfter - value);
      returns[i] = target;
      valueAfter = value;
      targetAfter = target;
    }
  }
}
