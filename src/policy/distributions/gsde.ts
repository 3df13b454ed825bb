/**
 * Sampling with state-dependent exploration (Raffin et al. 2021, arXiv:2005.05719), as on-policy learners have it.
 *
 *     u = mean + sum_h latent_h exp(logStd_ha) e_ha
 *
 * e [H, A] ~ N(0, 1) is this row's noise; latent is the actor's last hidden layer.
 */
import type { RowCall, RowSampler } from '../../weights/exploration.ts';

/** Added to the variance by which actions are judged (the authors' implementation). */
export const GSDE_VARIANCE_EPSILON = 1e-6;

/** @param latentSize H. The mode is the mean. Thread: any; keeps no state. */
export function createGsde({ size }: { readonly size: number }, latentSize: number): RowSampler {
  return (row) => {
    for (let a = 0; a < size; a++) {
      const mean = row.outputs[row.outputOffset + a];
      const noise = row.deterministic ? 0 : addGsdeNoise(0, row, a, size, latentSize);
      row.actions[row.actionOffset + a] = mean + noise;
    }
  };
}

/** u + sum_h latent_h exp(logStd_ha) e_ha, in this order. */
export function addGsdeNoise(u: number, row: RowCall, a: number, size: number, latentSize: number): number {
  let sum = u;
  for (let h = 0; h < latentSize; h++) {
    const std = Math.exp(row.logStd[row.logStdOffset + h * size + a]);
    sum += row.latent[row.latentOffset + h] * std * row.noise[row.noiseOffset + h * size + a];
  }
  return sum;
}
