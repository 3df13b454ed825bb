/** When a run is over. */
import type { StopReason } from './run-state.ts';

/** The options of the `stopping` section; null = no such condition. */
export interface StopConditions {
  readonly stopReturn: number | null;
  readonly stopSteps: number | null;
  readonly stopSeconds: number | null;
  readonly stopIterations: number | null;
  readonly stopProcessSeconds: number | null;
  readonly stopEvaluationReturn: number | null;
  readonly stopEvaluationPatience: number | null;
}

export interface RunProgress {
  readonly iteration: number;
  readonly numEnvSteps: number;
  readonly numEpisodes: number;
  readonly episodeReturnMean: number | null;
  /** Over all resumes. */
  readonly seconds: number;
  /** Since this process began to train. */
  readonly secondsHere: number;
  /** Mean return of the newest evaluation; null before the first. */
  readonly evaluationReturn: number | null;
  /** Evaluations in a row that were no new best. */
  readonly numEvaluationsWithoutBest: number;
}

/**
 * The first condition that holds, or null.
 *
 * `stopReturn` needs a full window: a lucky first episode ends no run.
 */
export function stopReasonOf(
  conditions: StopConditions,
  progress: RunProgress,
  metricsWindow: number,
): StopReason | null {
  const { stopReturn, stopSteps, stopSeconds, stopIterations } = conditions;
  const { episodeReturnMean } = progress;
  const isWindowFull = progress.numEpisodes >= metricsWindow;
  if (stopReturn !== null && isWindowFull && episodeReturnMean !== null && episodeReturnMean >= stopReturn) {
    return 'stopReturn';
  }
  const { stopEvaluationReturn, stopEvaluationPatience, stopProcessSeconds } = conditions;
  const { evaluationReturn, numEvaluationsWithoutBest } = progress;
  if (stopEvaluationReturn !== null && evaluationReturn !== null && evaluationReturn >= stopEvaluationReturn)
    return 'stopEvaluationReturn';
  if (stopEvaluationPatience !== null && numEvaluationsWithoutBest >= stopEvaluationPatience)
    return 'stopEvaluationPatience';
  if (stopSteps !== null && progress.numEnvSteps >= stopSteps) return 'stopSteps';
  if (stopIterations !== null && progress.iteration >= stopIterations) return 'stopIterations';
  if (stopSeconds !== null && progress.seconds >= stopSeconds) return 'stopSeconds';
  if (stopProcessSeconds !== null && progress.secondsHere >= stopProcessSeconds) return 'stopProcessSeconds';
  return null;
}
