/**
 * e^x for the gradient's loops, with the bits of `Math.exp`: fdlibm's (Sun Microsystems, freely granted), which V8 calls as a C function. Written out, V8 computes several
 * at once, and no call is between them.
 *
 * x = k ln 2 + r, |r| <= ln 2 / 2; e^r by fdlibm's rational form. Its cases for small k come out of the general one, number by number,
 * so that no branch depends on how large a logit is.
 */
const LN2_HIGH = 0.6931471803691238;
const MINUS_LN2_LOW = -1.9082149292705877e-10;
const INVERSE_LN2 = Math.LOG2E;
const P1 = 0.16666666666666602;
const P2 = -0.0027777777777015593;
const P3 = 0.00006613756321437934;
const P4 = -0.0000016533902205465252;
const P5 = 4.1381367970572385e-8;
/** Below this fdlibm gives 1 + x. */
const TINY = 2 ** -28;
/** Around ln 2 / 2, where its k becomes 1 a little later than ours. */
const BORDER_START = 0.34657359;
const BORDER_END = 0.346573592;
/** Results from here on are normal numbers. */
const LOWEST = -700;

/** 2^-k at k, from 1 to 2^-1022. */
const POWERS = new Float64Array(1023);
POWERS[0] = 1;
for (let k = 1; k < POWERS.length; k++) POWERS[k] = POWERS[k - 1] / 2;

/** e^x for x <= 0, or NaN. Thread: any. Allocates nothing. */
export function exponentialOfNegative(x: number): number {
  // the products are above 0 inside of an interval alone, and 0 for x = 0: two branches that nobody takes
  if (!(x >= LOWEST) || -x * (TINY + x) > 0 || (-x - BORDER_START) * (BORDER_END + x) > 0) return Math.exp(x);
  const k = (0.5 - INVERSE_LN2 * x) | 0;
  const high = x + k * LN2_HIGH;
  const low = k * MINUS_LN2_LOW;
  const r = high - low;
  const t = r * r;
  const c = r - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
  return (1 - (low - (r * c) / (2 - c) - high)) * POWERS[k];
}

/** e^x, for x that is mostly near 0, as the logarithm of a ratio of probabilities is. Thread: any. Allocates nothing. */
export function exponential(x: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude < BORDER_START) || magnitude < TINY) return Math.exp(x);
  const t = x * x;
  const c = x - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
  return 1 - ((x * c) / (c - 2) - x);
}
