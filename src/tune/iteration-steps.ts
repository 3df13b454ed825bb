/** Whether a trial is long enough for one iteration: it ends after whole ones, so a shorter one would run past its steps. */
import { conflict, type Problem } from '../config/problems.ts';
import type { Space } from '../config/search-space.ts';
import type { JsonObject } from '../json.ts';

/** Options that say how many steps an iteration takes. */
const OF_AN_ITERATION = [
  ...['numEnvs', 'numEnvsPerEnvRunner', 'rolloutLength'],
  ...['fragmentsPerIteration', 'stepsPerIteration', 'trainEvery'],
];

/**
 * Environment steps of an iteration, with the options that they follow from:
 *
 *   on-policy            numEnvs * rolloutLength
 *   IMPALA, APPO         numEnvs * rolloutLength * fragmentsPerIteration
 *   off-policy           stepsPerIteration, rounded up to whole rounds of numEnvs * trainEvery
 *
 * @param config resolved, by section. @returns null for an algorithm that has none of these options: nothing is known of it.
 */
function iterationOf(config: JsonObject): { readonly numSteps: number; readonly from: string } | null {
  const { envRunners, training } = config as Partial<Record<string, Partial<Record<string, number>>>>;
  const numEnvs = envRunners?.numEnvs;
  if (numEnvs === undefined) return null;
  const { rolloutLength } = envRunners ?? {};
  const { fragmentsPerIteration, stepsPerIteration, trainEvery } = training ?? {};
  if (rolloutLength !== undefined) {
    const from = `numEnvs ${numEnvs} * rolloutLength ${rolloutLength}`;
    if (fragmentsPerIteration === undefined) return { numSteps: numEnvs * rolloutLength, from };
    const numSteps = numEnvs * rolloutLength * fragmentsPerIteration;
    return { numSteps, from: `${from} * fragmentsPerIteration ${fragmentsPerIteration}` };
  }
  if (stepsPerIteration === undefined || trainEvery === undefined) return null;
  const round = numEnvs * trainEvery;
  return {
    numSteps: Math.ceil(stepsPerIteration / round) * round,
    from: `stepsPerIteration ${stepsPerIteration}, in rounds of numEnvs ${numEnvs} * trainEvery ${trainEvery}`,
  };
}

/** What is wrong where an iteration takes more steps than a trial has. */
export function iterationProblems(config: JsonObject, trialSteps: number): Problem[] {
  const iteration = iterationOf(config);
  if (iteration === null || iteration.numSteps <= trialSteps) return [];
  return [
    conflict(
      `\`trialSteps\` (${trialSteps}) is less than one iteration takes, ${iteration.numSteps} steps (${iteration.from}), and a trial ends after whole ones: raise \`trialSteps\`, or lower one of these.`,
    ),
  ];
}

/** Whether trials differ in the steps of an iteration. */
export function searchesIterations(space: Space): boolean {
  return OF_AN_ITERATION.some((name) => Object.hasOwn(space, name));
}
