/** Integer hashing; apart from the streams, whose generator weighs too much for a browser. */

/** The finaliser of MurmurHash3: every bit of a 32-bit integer decides about every bit of the result, one to one. */
export function mixBits(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
