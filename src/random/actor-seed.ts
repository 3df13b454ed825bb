/** The seed of an actor's action noise: what `openStream(seed, 'actor').integer(2 ** 32)` draws, so that `operant/policy` samples as `loadPolicy` does. */
import { aleaState } from './alea-state.ts';

/** @param seed any integer, as an actor's `reset` takes it. @returns an unsigned 32-bit integer. Cost: a few hundred ns. */
export function actorNoiseSeed(seed: number): number {
  const { s0 } = aleaState(`${seed}/actor`);
  const t = 2091639 * s0 + 2 ** -32;
  return Math.floor((t - (t | 0)) * 2 ** 32);
}
