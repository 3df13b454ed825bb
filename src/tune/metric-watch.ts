/** Tells a metric that one run lacks from a name that no run has, which would cost every trial its steps. */
import { nearestName } from '../config/nearest.ts';
import { ConfigError } from '../errors.ts';
import { type MissingMetric, metricKey } from './run-metric.ts';
import type { Job } from './trial.ts';

/** Runs that came to their end without the metric, before any had it, after which nobody waits for another. */
const MAX_WITHOUT = 3;

/**
 * Until a run has the metric, those that ended without it are neither failed nor done: where the name is wrong they are what a study with the
 * right one begins with.
 *
 * @param isKnown a score is in the journal. @param fail ends the trial of a run without the metric. @param giveUp called once, when no run has it.
 */
export function createMetricWatch(
  {
    folder,
    metric,
    isKnown,
  }: { readonly folder: string; readonly metric: string; readonly isKnown: boolean },
  fail: (job: Job, reason: string) => void,
  giveUp: (error: ConfigError) => void,
) {
  let hasScore = isKnown;
  let held: { readonly job: Job; readonly why: MissingMetric }[] = [];
  return {
    /** A run has it, so those without are at fault themselves. */
    found: () => {
      hasScore = true;
      for (const { job, why } of held) fail(job, why.missing);
      held = [];
    },
    lacks: (job: Job, why: MissingMetric) => {
      if (hasScore) return fail(job, why.missing);
      held.push({ job, why });
      if (held.length === MAX_WITHOUT) giveUp(unknownMetric(folder, metric, held.length, why.keys));
    },
    /** Nothing runs, and nothing more can begin before those that are held are decided. */
    idle: () => {
      const [first] = held;
      if (first !== undefined) giveUp(unknownMetric(folder, metric, held.length, first.why.keys));
    },
  };
}

function unknownMetric(
  folder: string,
  metric: string,
  numRuns: number,
  keys: readonly string[],
): ConfigError {
  const key = metricKey(metric);
  const runs = numRuns === 1 ? 'the first run has' : `the first ${numRuns} runs have`;
  const message =
    `Expected \`metric\` to be a metric of the runs' logs, got '${metric}': at their end ${runs} no \`${key}\`. ${adviceOn(key, keys)}` +
    `There are: ${keys.join(', ') || 'none'}. What was trained is kept, and counts under the right name: \`operant tune --resume ${folder} --metric NAME\` (\`metric\` of \`resumeStudy\`).`;
  return new ConfigError('CONFIG_METRIC', message);
}

function adviceOn(key: string, keys: readonly string[]): string {
  if (key.startsWith('evaluation/') && !keys.some((other) => other.startsWith('evaluation/')))
    return 'Runs are evaluated where `evaluationInterval` is set, every so many iterations, and a run shorter than that is not: begin a study with it. ';
  if (key.startsWith('rollout/episode') && !keys.includes('rollout/episodeReturnMean'))
    return 'No episode ended: trials (`trialSteps`), or what they run until they are first judged (`gracePeriod`, `perturbationInterval`), are too short. ';
  const near = nearestName(key, keys);
  return near === undefined ? '' : `Did you mean \`${near}\`? `;
}
