/**
 * A deterministic action with noise on top: the actor of TD3 and DDPG (Fujimoto et al. 2018, arXiv:1802.09477).
 *
 *     a = tanh(actor(s))     explored: clip(a + noiseStd e, -1, 1)
 *
 * e is standard normal, or an Ornstein-Uhlenbeck process that begins at 0 with every episode (Lillicrap et al. 2016, arXiv:1509.02971):
 * e' = e - theta e dt + sqrt(dt) N(0, 1). The stored action is what was done, in [-1, 1]; the environment gets it mapped to its bounds.
 */
import type { RowSampler } from '../../weights/exploration.ts';

/** Outputs per row: [A], before the tanh. */
export interface DeterministicTanhSpec {
  readonly kind: 'deterministic-tanh';
  readonly size: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** null = independent normals. `theta`: pull towards 0, .15; `dt`: time of one step, 1 (the paper) or .01 (Stable-Baselines3). */
  readonly ornsteinUhlenbeck: { readonly theta: number; readonly dt: number } | null;
}

/** @throws nothing. Thread: any; keeps no state (the process's is the row's noise). */
export function createDeterministicTanh({ size }: DeterministicTanhSpec): RowSampler {
  return ({ outputs, outputOffset, noise, noiseOffset, noiseStd, deterministic, actions, actionOffset }) => {
    for (let a = 0; a < size; a++) {
      const mode = Math.tanh(outputs[outputOffset + a]);
      const explored = deterministic ? mode : mode + noiseStd * noise[noiseOffset + a];
      actions[actionOffset + a] = Math.min(Math.max(explored, -1), 1);
    }
  };
}
