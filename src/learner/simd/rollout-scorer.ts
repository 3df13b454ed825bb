/** What other weights than those that collected a rollout say of it: log-probabilities of its actions, values of its observations. */
import type { PolicySpec } from '../../policy/policy-spec.ts';
import {
  createScoreKernels,
  type RolloutScorer,
  type RolloutScorerParts,
  scoreKernelsBytes,
} from './score-kernels.ts';
import { createRowScorer } from './score-rows.ts';
import { createSequenceScorer, sequenceStatesBytes } from './score-sequences.ts';

/**
 * Bytes of scratch.
 *
 * @param numSequences of a rollout, of a recurrent policy; else it matters not.
 */
export function scorerScratchBytes(spec: PolicySpec, numSequences = 0): number {
  return scoreKernelsBytes(spec) + (isRecurrent(spec) ? sequenceStatesBytes(spec, numSequences) : 0);
}

const isRecurrent = ({ network }: PolicySpec) => network.kind === 'recurrent';

/**
 * For networks that the kernels cover, whatever engine learns. Log-probabilities are computed in float64 from the float32 outputs of the
 * network; they differ from those that acting stores by its float32 rounding.
 *
 * Thread: main. Cost: a forward pass, about 0.5 us a row for two 2x64 towers.
 */
export function createRolloutScorer(parts: RolloutScorerParts): RolloutScorer {
  const { spec, arena, scratch } = parts;
  const kernels = createScoreKernels(parts);
  return isRecurrent(spec)
    ? createSequenceScorer(spec, kernels, arena, scratch.offset + scoreKernelsBytes(spec))
    : createRowScorer(spec, kernels);
}
