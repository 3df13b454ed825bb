/** How a text seeds an alea generator: the state that `seedrandom.alea(text)` begins with, without that package in pages and policies. */
import type { StreamState } from './alea.ts';

const MASH_START = 0xefc8249d;

/** Mixes a text into a running hash n; what counts is that every step rounds as Baagoe's mash does. */
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

/** Cost: a few hundred ns. */
export function aleaState(text: string): StreamState {
  const unit = (n: number) => (n >>> 0) * 2 ** -32;
  let n = MASH_START;
  const blank = [0, 0, 0].map(() => {
    n = mash(n, ' ');
    return unit(n);
  });
  const [s0, s1, s2] = blank.map((state) => {
    n = mash(n, text);
    const mixed = state - unit(n);
    return mixed < 0 ? mixed + 1 : mixed;
  });
  return { c: 1, s0, s1, s2 };
}
