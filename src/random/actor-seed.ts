/**
 * The seed of an actor's action noise, without seedrandom: what `openStream(seed, 'actor').integer(2 ** 32)` draws, so that `operant/policy` samples as
 * `loadPolicy` of 'operant' does and weighs two kilobytes less. Baagoe's alea: its state is hashed from the text by mash, then one number is drawn.
 */
const MASH_START = 0xefc8249d;

/** Mixes a text into a running hash n; what counts is that every step rounds as seedrandom's does. */
function mash(n: number, text: string): number {
  let hash = n;
  for (let i = 0; i < text.length; i++) {
    hash += text.charCodeAt(i);
    let h = 0.02519603282416938 * hash;
    hash = h >>> 0;
    h -= hash;
    h *= hash;
    hash = h >>> 0;
    h -= hash;
    hash += h * 0x1_0000_0000;
  }
  return hash;
}

/** @param seed any integer, as an actor's `reset` takes it. @returns an unsigned 32-bit integer. Cost: a few hundred ns. */
export function actorNoiseSeed(seed: number): number {
  const key = `${seed}/actor`;
  const unit = (n: number) => (n >>> 0) * 2 ** -32;
  let n = MASH_START;
  const states = [0, 0, 0].map(() => {
    n = mash(n, ' ');
    return unit(n);
  });
  const [s0] = states.map((state) => {
    n = mash(n, key);
    const mixed = state - unit(n);
    return mixed < 0 ? mixed + 1 : mixed;
  });
  const t = 2091639 * s0 + 2 ** -32;
  return Math.floor((t - (t | 0)) * 2 ** 32);
}
