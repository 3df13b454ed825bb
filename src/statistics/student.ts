/** Student's interval of a mean. */
import { mean, sampleDeviation } from './sample.ts';

/** 97.5% quantiles of Student's t for 1 to 8 degrees of freedom. */
const FEW = [12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.306];
/** The normal distribution's 97.5% quantile. */
const Z = 1.959964;

/**
 * The 97.5% quantile of Student's t: tabulated up to 8 degrees of freedom, from there by its expansion at the normal quantile
 * (Abramowitz and Stegun 1964, 26.7.5, three terms), which is right to 1e-3.
 */
export function studentQuantile(freedom: number): number {
  if (freedom <= FEW.length) return FEW[freedom - 1];
  const first = (Z ** 3 + Z) / 4;
  const second = (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96;
  const third = (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / 384;
  return Z + first / freedom + second / freedom ** 2 + third / freedom ** 3;
}

/**
 * The 95% confidence interval of the mean of what the values were drawn from:
 *
 *     mean +- t(0.975, n - 1) * s / sqrt(n),  s^2 = sum of squared deviations / (n - 1)
 *
 * Trap: it assumes that the mean of so many values is about normal. A handful of returns that are either 0 or 1 is narrower than it should be.
 *
 * @returns null for fewer than two values, which tell no spread.
 */
export function meanInterval(values: readonly number[]): readonly [low: number, high: number] | null {
  const n = values.length;
  if (n < 2) return null;
  const center = mean(values);
  const half = (studentQuantile(n - 1) * sampleDeviation(values)) / Math.sqrt(n);
  return [center - half, center + half];
}
