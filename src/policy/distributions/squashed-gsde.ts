/**
 * State-dependent exploration under a tanh, for SAC and TQC (Raffin et al. 2021, arXiv:2005.05719).
 *
 *     u = clip(mean, -2, 2) + sum_h latent_h exp(logStd_ha) e_ha     a = tanh(u)
 *
 * e [H, A] ~ N(0, 1) is drawn anew every `sampleFrequency` steps of an episode (-1: once an episode); latent is the actor's last hidden
 * layer. The means are clipped as in the authors' implementation, else tanh saturates and the noise no longer shows.
 */
import type { RowSampler } from '../../weights/exploration.ts';

/** Outputs per row: [A] means; `logStd` [H, A] are free parameters that stand after the actor's. */
export interface SquashedGsdeSpec {
  readonly kind: 'squashed-gsde';
  readonly size: number;
  readonly sampleFrequency: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
}

export const GSDE_MEAN_CLIP = 2;

/** @param latentSize H. Thread: any; keeps no state. */
export function createSquashedGsde({ size }: SquashedGsdeSpec, latentSize: number): RowSampler {
  return (call) => {
    for (let a = 0; a < size; a++) {
      let u = Math.min(Math.max(call.outputs[call.outputOffset + a], -GSDE_MEAN_CLIP), GSDE_MEAN_CLIP);
      if (!call.deterministic) {
        for (let h = 0; h < latentSize; h++) {
          const std = Math.exp(call.logStd[call.logStdOffset + h * size + a]);
          u += call.latent[call.latentOffset + h] * std * call.noise[call.noiseOffset + h * size + a];
        }
      }
      call.actions[call.actionOffset + a] = Math.tanh(u);
    }
  };
}
