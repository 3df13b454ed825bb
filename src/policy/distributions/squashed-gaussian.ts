/**
 * A Gaussian squashed by tanh with a deviation that depends on the state: the actor of SAC and TQC (Haarnoja et al. 2018, arXiv:1812.05905).
 *
 *     [mean, l] = actor(s)     std = exp(clamp(l, -20, 2))     a = tanh(mean + std e), e ~ N(0, 1)
 *
 * The stored action is a in [-1, 1]; the environment gets low + (a + 1) / 2 (high - low).
 */
import type { RowSampler } from '../../weights/exploration.ts';

/** Outputs per row: [2A], the means, then the log deviations. */
export interface SquashedGaussianSpec {
  readonly kind: 'squashed-gaussian';
  readonly size: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
}

export const LOG_STD_MIN = -20;
export const LOG_STD_MAX = 2;

/** exp(clamp(l, -20, 2)). */
export const squashedStd = (l: number): number => Math.exp(Math.min(Math.max(l, LOG_STD_MIN), LOG_STD_MAX));

/** @throws nothing. Thread: any; keeps no state. */
export function createSquashedGaussian({ size }: SquashedGaussianSpec): RowSampler {
  return ({ outputs, outputOffset, noise, noiseOffset, deterministic, actions, actionOffset }) => {
    for (let a = 0; a < size; a++) {
      let u = outputs[outputOffset + a];
      if (!deterministic) {
        u += squashedStd(outputs[outputOffset + size + a]) * noise[noiseOffset + a];
      }
      actions[actionOffset + a] = Math.tanh(u);
    }
  };
}
