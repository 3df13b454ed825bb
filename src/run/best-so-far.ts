/** Which iteration is the best of a run. */
import type { TrainResult } from '../algorithm/algorithm.ts';
import type { BestSoFar } from './run-state.ts';

/** The part of a run's progress that this looks at and changes. */
export interface BestProgress {
  best: BestSoFar | null;
  bestAt: number;
  readonly numEpisodes: number;
  readonly episodeReturnMean: number | null;
}

/** A training mean that creeps up would save in every iteration: it is looked at this often, and at the end. */
const BEST_INTERVAL_SECONDS = 2;

/** Whether this iteration is the best so far. From the first evaluation on, only evaluations count. */
export function updateBest(
  progress: BestProgress,
  result: TrainResult,
  metricsWindow: number,
  now: number,
): boolean {
  if (result.evaluation !== undefined) {
    return raiseBest(progress, result.iteration, result.evaluation.returnMean, 'evaluation');
  }
  if (now - progress.bestAt < BEST_INTERVAL_SECONDS) return false;
  const isBest = raiseTrainingBest(progress, result.iteration, metricsWindow);
  if (isBest) progress.bestAt = now;
  return isBest;
}

/** The same for the training mean alone, whenever it was looked at last. */
export function raiseTrainingBest(progress: BestProgress, iteration: number, metricsWindow: number): boolean {
  const { best, numEpisodes, episodeReturnMean } = progress;
  if (best?.measure === 'evaluation' || numEpisodes < metricsWindow || episodeReturnMean === null)
    return false;
  return raiseBest(progress, iteration, episodeReturnMean, 'training');
}

function raiseBest(
  progress: BestProgress,
  iteration: number,
  value: number,
  measure: BestSoFar['measure'],
): boolean {
  if (progress.best?.measure === measure && value <= progress.best.value) return false;
  progress.best = { iteration, value, measure };
  return true;
}
