/** The random numbers of an environment. */
import type { JsonValue } from '../json.ts';
import { type EpisodeStream, openEpisodeStream } from '../random/episode-stream.ts';
import type { StreamState } from '../random/streams.ts';

/** What environments draw from; one per episode, opened from the episode's seed. */
export interface EnvRandom {
  /** Uniform in [0, 1). */
  random(): number;
  /** Uniform in [low, high): low + (high - low) * random(). */
  uniform(low: number, high: number): number;
  /** Integer, uniform in [0, bound). */
  integer(bound: number): number;
  /** Standard normal. */
  normal(): number;
  getState(): JsonValue;
  setState(state: JsonValue): void;
}

/** The default generator: the stream `env` of the episode's seed. Cost: about 0.1 us to open, 10 ns a draw. */
export function openEnvRandom(seed: number): EnvRandom {
  return new StreamRandom(seed);
}

/** A class, since one is made for every episode: functions of its own for each would cost ten times as much. */
class StreamRandom implements EnvRandom {
  private readonly stream: EpisodeStream;

  constructor(seed: number) {
    this.stream = openEpisodeStream(seed, 'env');
  }

  random(): number {
    return this.stream.uniform();
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.stream.uniform();
  }

  integer(bound: number): number {
    return this.stream.integer(bound);
  }

  normal(): number {
    return this.stream.normal();
  }

  getState(): JsonValue {
    return { ...this.stream.getState() };
  }

  setState(state: JsonValue): void {
    this.stream.setState(state as unknown as StreamState);
  }
}
