/** The standard normal distribution, to the precision of a double. */

const SQRT_HALF = Math.SQRT1_2;
const LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI);
const TINY = 1e-300;

/** log of the density at z. */
export function logNormalDensity(z: number): number {
  return -0.5 * z * z - LOG_SQRT_2PI;
}

/** P(low < Z < high), low <= high; exact in the tails, where a difference of distribution functions would be 0. */
export function normalMass(low: number, high: number): number {
  if (low > 0) return upperTail(low) - upperTail(high);
  if (high < 0) return upperTail(-high) - upperTail(-low);
  return 1 - upperTail(-low) - upperTail(high);
}

/** P(Z > z), z >= 0. */
function upperTail(z: number): number {
  const x = z * SQRT_HALF;
  return 0.5 * (x < 2 ? 1 - erfSeries(x) : erfcFraction(x));
}

/** erf x = 2 / sqrt(pi) * exp(-x^2) * sum over k of 2^k x^(2k+1) / (1 * 3 * ... * (2k+1)): all terms are positive. Abramowitz and Stegun 7.1.6. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; k < 200 && term > sum * 1e-17; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc x = exp(-x^2) / sqrt(pi) * 1 / (x + (1/2) / (x + 1 / (x + (3/2) / (x + ...)))), by Lentz's method. Abramowitz and Stegun 7.1.14. */
function erfcFraction(x: number): number {
  if (x > 27) return 0;
  let fraction = x;
  let c = x;
  let d = 0;
  for (let k = 1; k < 200; k++) {
    d = 1 / (x + (k / 2) * d || TINY);
    c = x + k / 2 / c;
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < 1e-16) break;
  }
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}
