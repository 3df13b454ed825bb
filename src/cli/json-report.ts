/** `--json`: one object per iteration on stdout, and a summary as the last one. */
import type { JsonObject } from '../json.ts';
import type { RunCallbacks } from '../run/run-callbacks.ts';
import type { RunSummary } from '../run/run-state.ts';
import type { Output } from './output.ts';

/** The hooks that write the iterations. */
export function createJsonReport(output: Output): RunCallbacks {
  return {
    onEvaluate: ({ evaluation, iteration, numEnvSteps, isLate }) => {
      // others are in the row of their iteration
      if (isLate) output.emit({ type: 'evaluation', iteration, numEnvSteps, evaluation: { ...evaluation } });
    },
    onIterationEnd: ({ result, seconds }) => {
      const { iteration, numEnvSteps, numEpisodes, episodeReturnMean, metrics, evaluation } = result;
      const { envOptions } = result;
      output.emit({
        type: 'iteration',
        iteration,
        numEnvSteps,
        numEpisodes,
        seconds,
        episodeReturnMean,
        metrics,
        ...(envOptions === undefined ? {} : { envOptions }),
        ...(evaluation === undefined ? {} : { evaluation: { ...evaluation } }),
      });
    },
  };
}

export function summaryJson(summary: RunSummary): JsonObject {
  const { stopReason, iterations, numEnvSteps, numEpisodes, seconds, episodeReturnMean } = summary;
  const { metrics, best, lastEvaluation, checkpoint, runDir } = summary;
  return {
    type: 'summary',
    stopReason,
    iterations,
    numEnvSteps,
    numEpisodes,
    seconds,
    episodeReturnMean,
    metrics: { ...metrics },
    best: best === null ? null : { ...best },
    lastEvaluation: lastEvaluation === null ? null : ({ ...lastEvaluation } as unknown as JsonObject),
    checkpoint,
    runDir,
  };
}
