/** A list of stages as a function of progress. */
import type { CurriculumStage } from '../../config/curriculum.ts';
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { CurriculumProgress } from './progress.ts';

/** Whether the stage after the running one begins. */
export function beginsNow(
  { fromStep = 0, metric, atLeast, atMost, minEpisodes }: CurriculumStage,
  { numEnvSteps, numStageEpisodes, metrics }: CurriculumProgress,
  metricsWindow: number,
): boolean {
  if (numEnvSteps < fromStep) return false;
  if (metric === undefined) return true;
  if (numStageEpisodes < (minEpisodes ?? metricsWindow)) return false;
  const value = metrics[metric];
  if (value === undefined) return false;
  return value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY);
}

/**
 * A metric that is in no iteration although episodes end is misspelt, and the curriculum would never go on.
 *
 * @param isSeen whether it has been in an iteration of the running stage.
 * @throws ConfigError `CONFIG_CURRICULUM_METRIC` naming those that there are.
 */
export function requireSeen(
  { metric, minEpisodes }: CurriculumStage,
  { stage, numStageEpisodes, metrics }: CurriculumProgress,
  metricsWindow: number,
  isSeen: boolean,
): void {
  const needed = minEpisodes ?? metricsWindow;
  if (metric === undefined || isSeen || numStageEpisodes < needed) return;
  const known = Object.keys(metrics).join(', ');
  throw new ConfigError(
    'CONFIG_CURRICULUM_METRIC',
    `Stage ${stage + 1} of the curriculum waits for the metric \`${metric}\`, which no iteration has had in the ${numStageEpisodes} episodes of stage ${stage}. This one has: ${known}.`,
  );
}

/** Options of the stages that begin now, one after another. @returns the last of them and how many. */
export function nextStage(
  stages: readonly CurriculumStage[],
  progress: CurriculumProgress,
  metricsWindow: number,
): { readonly options: JsonObject; readonly stage: number } | null {
  let { stage } = progress;
  for (; stage + 1 < stages.length; stage++) {
    // Whatever looks at a metric looks at episodes of the stage before.
    const numStageEpisodes = stage === progress.stage ? progress.numStageEpisodes : 0;
    if (!beginsNow(stages[stage + 1], { ...progress, numStageEpisodes }, metricsWindow)) break;
  }
  return stage === progress.stage ? null : { options: stages[stage].options, stage };
}
