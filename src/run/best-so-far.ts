/** Which iteration is the best of a run. No clock has a say. */
import type { EvaluationResult, TrainResult } from '../algorithm/algorithm.ts';
import type { BestSoFar, RunState } from './run-state.ts';

/** The part of a run's progress that this looks at and changes. */
export type BestProgress = Pick<RunState, 'numEpisodes' | 'episodeReturnMean'> & {
  -readonly [K in 'best' | 'lastEvaluation' | 'numEvaluationsWithoutBest']: RunState[K];
};

/**
 * Books an iteration; true when it is the best so far: the highest evaluation return, or, before the first evaluation, the highest
 * training mean over a full window. Of equals the first counts.
 */
export function updateBest(progress: BestProgress, result: TrainResult, metricsWindow: number): boolean {
  const { iteration, evaluation } = result;
  if (evaluation !== undefined) return bookEvaluation(progress, iteration, evaluation);
  const { best, numEpisodes, episodeReturnMean } = progress;
  if (best?.measure === 'evaluation' || numEpisodes < metricsWindow || episodeReturnMean === null)
    return false;
  return raiseBest(progress, iteration, episodeReturnMean, 'training');
}

/** Books the evaluation of an iteration; true when that is the best so far. */
export function bookEvaluation(
  progress: BestProgress,
  iteration: number,
  { returnMean, returnStd, returnInterval, returns }: EvaluationResult,
): boolean {
  const numEpisodes = returns.length;
  progress.lastEvaluation = { iteration, returnMean, returnStd, returnInterval, numEpisodes };
  const isBest = raiseBest(progress, iteration, returnMean, 'evaluation');
  progress.numEvaluationsWithoutBest = isBest ? 0 : progress.numEvaluationsWithoutBest + 1;
  return isBest;
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
