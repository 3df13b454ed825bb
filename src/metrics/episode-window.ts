/** The last episodes, over which returns and lengths are averaged. */
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Metrics } from './metric-keys.ts';

export interface EpisodeWindow {
  readonly size: number;
  /** Episodes in the window, at most `size`. */
  readonly numEpisodes: number;
  readonly isFull: boolean;
  add(episodeReturn: number, episodeLength: number): void;
  /** Mean return in the window; null while it is empty. */
  returnMean(): number | null;
  /** The five `rollout/episode...` metrics; empty while the window is empty. */
  metrics(): Metrics;
  /** A copy: the window may go on while it is written. */
  getState(): JsonObject;
  setState(state: JsonObject): void;
}

/**
 * Opens an empty window of `size` episodes.
 *
 * Means are summed afresh from the oldest episode to the newest in float64, so they depend on the window's content alone and
 * a resumed run reports the same bits. A state of a larger window keeps its newest episodes.
 *
 * Cost: O(size) per reading.
 */
export function createEpisodeWindow(size: number): EpisodeWindow {
  let returns: number[] = []; // oldest first
  let lengths: number[] = [];
  const trim = () => {
    returns = returns.slice(-size);
    lengths = lengths.slice(-size);
  };
  return {
    size,
    get numEpisodes() {
      return Math.min(returns.length, size);
    },
    get isFull() {
      return returns.length >= size;
    },
    add(episodeReturn, episodeLength) {
      returns.push(episodeReturn);
      lengths.push(episodeLength);
      // In chunks: a shift per episode would move the whole window each time.
      if (returns.length >= 2 * size) trim();
    },
    returnMean() {
      trim();
      return returns.length === 0 ? null : meanOf(returns);
    },
    metrics() {
      trim();
      if (returns.length === 0) return {};
      const mean = meanOf(returns);
      return {
        'rollout/episodeReturnMean': mean,
        'rollout/episodeReturnStd': Math.sqrt(meanOf(returns.map((value) => (value - mean) ** 2))),
        'rollout/episodeReturnMin': returns.reduce((least, value) => Math.min(least, value)),
        'rollout/episodeReturnMax': returns.reduce((greatest, value) => Math.max(greatest, value)),
        'rollout/episodeLengthMean': meanOf(lengths),
      };
    },
    getState() {
      trim();
      return { returns: returns.slice(), lengths: lengths.slice() };
    },
    setState(state) {
      const [newReturns, newLengths] = [numbersOf(state, 'returns'), numbersOf(state, 'lengths')];
      if (newReturns.length !== newLengths.length) throw unusable('lengths', state.lengths);
      [returns, lengths] = [newReturns, newLengths];
      trim();
    },
  };
}

function meanOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function numbersOf(state: JsonObject, field: string): number[] {
  const value = state[field];
  if (!Array.isArray(value)) throw unusable(field, value);
  return value.map((item: JsonValue) => {
    if (typeof item !== 'number') throw unusable(field, item);
    return item;
  });
}

function unusable(field: string, value: JsonValue | undefined): CheckpointError {
  const text = JSON.stringify(value)?.slice(0, 80);
  return new CheckpointError(
    'CHECKPOINT_JSON',
    `The episode window's \`${field}\` is not as it was saved: ${text}`,
  );
}
