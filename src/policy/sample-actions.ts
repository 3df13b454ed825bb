/**
 * Actions from distribution parameters in plain TypeScript: for central inference, where the network ran elsewhere.
 * The kernels do the same for rollout workers; meanings of noise and modes are those of `policy-spec.ts`.
 */
import { NO_EXPLORATION } from '../weights/exploration.ts';
import { createActionChoice, type SampleCall } from './choose-actions.ts';
import { createRandomActions } from './distributions/random-action.ts';
import { writeLogProbs } from './log-probs.ts';
import { type ActingSpec, isBehaviour, noiseSize } from './policy-spec.ts';
import { forEachRow } from './sample-rows.ts';

/**
 * Samples one action per row and its log-probability.
 *
 * - categorical: inverse of the cumulative distribution at one uniform per component; mode = first largest logit.
 * - bernoulli: noise < sigmoid(logit); mode = logit > 0.
 * - gaussian: mean + exp(logStd) * normal; gsde: mean + sum_h latent_h exp(logStd_ha) normal_ha; mode = mean. With `squash`
 *   the action is u, before tanh, and logProb has the correction.
 *
 * Behaviours as their files in distributions/ say; they have no log-probability, and `logProbs` stays as it is.
 *
 * Thread: any. Allocates a few numbers per call, nothing per row.
 */
export function sampleActions(spec: ActingSpec, call: SampleCall): void {
  const { distribution } = spec;
  const { exploration = NO_EXPLORATION } = call;
  const isRandom = exploration.isRandom && !call.deterministic;
  const sampleRandom = isRandom ? createRandomActions(distribution, noiseSize(spec)) : null;
  if (sampleRandom !== null) forEachRow(spec, call, exploration, sampleRandom);
  else {
    createActionChoice(spec)(call);
    if (!isBehaviour(distribution)) writeLogProbs({ ...spec, distribution }, call);
  }
}
