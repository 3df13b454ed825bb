/** The random numbers of an environment: our own streams. */
import type { JsonValue } from '../json.ts';
import { openStream, type StreamState } from '../random/streams.ts';

/** What environments draw from; one per episode, opened from the episode's seed. */
export interface EnvRandom {
  /** Uniform in [0, 1). */
  random(): number;
  /** Uniform in [low, high): low + (high - low) * random(). */
  uniform(low: number, high: number): number;
  /** Integer, uniform in [0, bound). */
  integer(bound: number): number;
  getState(): JsonValue;
  setState(state: JsonValue): void;
}

/** The default generator: the stream `env` of the episode's seed. Cost: about 6 us to open, 20 ns a draw. */
export function openEnvRandom(seed: number): EnvRandom {
  const stream = openStream(seed, 'env');
  return {
    random: () => stream.uniform(),
    uniform: (low, high) => low + (high - low) * stream.uniform(),
    integer: (bound) => stream.integer(bound),
    getState: () => ({ ...stream.getState() }),
    setState: (state) => stream.setState(state as unknown as StreamState),
  };
}
