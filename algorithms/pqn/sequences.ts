/** What a recurrent network learns of a rollout: its sequences, each from the state that it was collected with. */
import type { RolloutViews } from '../../src/experience/layout.ts';
import type { SequenceRows } from '../../src/learner/objective.ts';
import type { ActingSpec } from '../../src/policy/policy-spec.ts';
import type { ResolvedPQNConfig } from './config.ts';
import { gatherMinibatch, type Minibatches, minibatchesOfSteps } from './minibatch.ts';

/** Eight sequences go through the cell side by side where that leaves blocks for two threads, in every minibatch. */
export function sequenceRowsOf(
  { sequenceLength: length, minibatchSize }: ResolvedPQNConfig['training'],
  { numEnvs, rolloutLength }: Pick<ResolvedPQNConfig['envRunners'], 'numEnvs' | 'rolloutLength'>,
): SequenceRows {
  const perBatch = minibatchSize / length;
  const rest = ((numEnvs * rolloutLength) / length) % perBatch;
  return { length, burnIn: 0, perBlock: perBatch % 16 === 0 && rest % 16 === 0 ? 8 : 4 };
}

/**
 * Minibatches of whole sequences. Sequence s is steps [s L, (s + 1) L) of the rollout's flat order; the state is cleared where an episode begins in it.
 *
 * @param spec of what acts; without a cell minibatches are of single steps.
 */
export function createMinibatches(config: ResolvedPQNConfig, spec: ActingSpec): Minibatches {
  const { training, envRunners } = config;
  const numSamples = envRunners.numEnvs * envRunners.rolloutLength;
  if (training.recurrent === null) return minibatchesOfSteps(spec, numSamples, training.minibatchSize);
  const rows = sequenceRowsOf(training, envRunners);
  const { length } = rows;
  return {
    numItems: numSamples / length,
    perBatch: training.minibatchSize / length,
    stepsPerItem: length,
    fill(rollout, sequences, columns) {
      const order = orderOf(sequences, rows);
      gatherMinibatch(rollout, spec, order, columns);
      fillMemory(rollout, order, rows, columns);
    },
  };
}

/** Flat indices of the steps of these sequences, as rows of a batch of sequences lie: i32 [sequences * L]. */
function orderOf(sequences: Int32Array, { length, perBlock }: SequenceRows): Int32Array {
  const order = new Int32Array(sequences.length * length);
  for (let s = 0; s < sequences.length; s++) {
    const first = Math.floor(s / perBlock) * perBlock * length + (s % perBlock);
    for (let u = 0; u < length; u++) order[first + u * perBlock] = sequences[s] * length + u;
  }
  return order;
}

/** States that sequences begin with, and where episodes begin. */
function fillMemory(
  { recurrentStates, terminated, truncated }: RolloutViews,
  order: Int32Array,
  { length, perBlock }: SequenceRows,
  columns: Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>,
): void {
  const { states, continues } = columns;
  const size = states.length / order.length; // S
  for (let r = 0; r < order.length; r++) {
    const isFirst = r % (perBlock * length) < perBlock;
    const i = order[r];
    continues[r] = isFirst || (terminated[i - 1] === 0 && truncated[i - 1] === 0) ? 1 : 0;
    if (!isFirst) continue;
    const from = (i / length) * size;
    for (let k = 0; k < size; k++) states[r * size + k] = recurrentStates[from + k];
  }
}
