/** What recurrent DQN learns: one step over sequences of its network. */
import type { JsonObject } from '../../src/json.ts';
import { type ObjectiveSpec, type SequenceRows, sequenceColumns } from '../../src/learner/objective.ts';
import type { EpsilonGreedySpec } from '../../src/policy/distributions/epsilon-greedy.ts';
import type { ModelCell } from '../../src/policy/networks/model.ts';
import { type DqnShape, dqnObjective } from './objective.ts';

/** What the loss needs to know; plain JSON. */
export interface SequenceLossOptions {
  /** Values alone: one atom. */
  readonly distribution: EpsilonGreedySpec;
  readonly double: boolean;
  readonly loss: 'huber' | 'mse';
  /** Whether sequences have importance weights. */
  readonly isWeighted: boolean;
  /** Whether actions are masked. */
  readonly hasMasks: boolean;
  /** As in the objective's sequences. */
  readonly perBlock: number;
}

/** As without recurrence, but for the columns: a row is a step of a sequence, what follows it another. */
export function dqnSequenceObjective(
  shape: DqnShape,
  cell: ModelCell,
  sequences: SequenceRows,
): ObjectiveSpec {
  const { sizes } = shape.options.distribution;
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const { dtype, size } = shape.observation;
  const number = (name: string) => ({ name, dtype: 'float32' as const, size: 1 });
  return {
    ...dqnObjective(shape),
    sequences,
    columns: [
      { name: 'observations', dtype, size },
      { name: 'actions', dtype: 'int32', size: sizes.length },
      number('rewards'),
      number('discounts'),
      { name: 'bootstraps', dtype: 'int32', size: 1 },
      number('weights'),
      ...(shape.options.isWeighted ? [number('importance')] : []),
      ...(shape.options.hasMasks ? [{ name: 'masks', dtype: 'uint8' as const, size: numActions }] : []),
      ...sequenceColumns((cell.kind === 'lstm' ? 2 : 1) * cell.size),
    ],
  };
}

/** The options as the closed form's module is given them. */
export function sequenceLossOptions({ options }: DqnShape, { perBlock }: SequenceRows): JsonObject {
  const { distribution, double, loss, hasMasks, isWeighted } = options;
  const chosen: SequenceLossOptions = { distribution, double, loss, hasMasks, isWeighted, perBlock };
  return JSON.parse(JSON.stringify(chosen)) as JsonObject;
}
