/** A user's functions, called between iterations. */
import type { Algorithm, EpisodeSummary, EvaluationResult, TrainResult } from '../algorithm/algorithm.ts';

/**
 * All optional; each is awaited before training goes on, and an error thrown in one ends `train()` with that error.
 *
 * Thread: main. They see results and cannot change what is learnt.
 */
export interface Callbacks {
  /** Once for every episode that ended in an iteration, in the order (t, environment); before `onIteration`. */
  onEpisode?(episode: EpisodeSummary, algorithm: Algorithm): void | Promise<void>;
  /** After every iteration that evaluated; before `onIteration`. */
  onEvaluation?(evaluation: EvaluationResult, algorithm: Algorithm): void | Promise<void>;
  /** After every iteration. */
  onIteration?(result: TrainResult, algorithm: Algorithm): void | Promise<void>;
}

/** Makes `algorithm.train` call the callbacks, in the order they were added. Changes and returns the algorithm. */
export function attachCallbacks<A extends Algorithm>(algorithm: A, callbacks: readonly Callbacks[]): A {
  if (callbacks.length === 0) return algorithm;
  const train = algorithm.train.bind(algorithm);
  algorithm.train = async () => {
    const result = await train();
    for (const callback of callbacks) await report(callback, result, algorithm);
    return result;
  };
  return algorithm;
}

async function report(callback: Callbacks, result: TrainResult, algorithm: Algorithm): Promise<void> {
  if (callback.onEpisode !== undefined) {
    for (const episode of result.episodes) await callback.onEpisode(episode, algorithm);
  }
  if (result.evaluation !== undefined) await callback.onEvaluation?.(result.evaluation, algorithm);
  await callback.onIteration?.(result, algorithm);
}
