/**
 * State-dependent exploration under a tanh, for SAC and TQC (Raffin et al. 2021, arXiv:2005.05719).
 *
 *     u = clip(mean, -2, 2) + sum_h latent_h exp(logStd_ha) e_ha     a = tanh(u)
 *
 * e [H, A] ~ N(0, 1) is drawn anew every `sampleFrequency` steps of an episode (-1: once an episode); latent is the actor's last hidden
 * layer. The means are clipped as in the authors' implementation, else tanh saturates and the noise no longer shows.
 */
import type { RowSampler } from '../../weights/exploration.ts';
import { addGsdeNoise } from './gsde.ts';

/** Outputs per row: [A] means; `logStd` [H, A] are free parameters that stand after the actor's. */
export interface SquashedGsdeSpec {
  readonly kind: 'squashed-gsde';
  readonly size: number;
  readonly sampleFrequency: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
}

export const GSDE_MEAN_CLIP = 2;

export const clipGsdeMean = (mean: number): number =>
  Math.min(Math.max(mean, -GSDE_MEAN_CLIP), GSDE_MEAN_CLIP);

/** @param latentSize H. Thread: any; keeps no state. */
export function createSquashedGsde({ size }: SquashedGsdeSpec, latentSize: number): RowSampler {
  return (call) => {
    for (let a = 0; a < size; a++) {
      let u = clipGsdeMean(call.outputs[call.outputOffset + a]);
      if (!call.deterministic) u = addGsdeNoise(u, call, a, size, latentSize);
      call.actions[call.actionOffset + a] = Math.tanh(u);
    }
  };
}
