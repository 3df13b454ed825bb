/**
 * How the closed form of an actor-critic algorithm reads its batch, so that its losses stand there once:
 *
 *     transitions   a row each; what it led to is its column `nextObservations`
 *     sequences     a row for each step; what it led to is a later row of the same sequence, some rows are not learnt (`recurrent-windows.ts`)
 */
import type { ConvTrunk, MlpTrunk } from '../policy/networks/model.ts';
import { type BatchColumn, type RowSpace, type SequenceRows, sequenceColumns } from './objective.ts';

export interface LearntRows {
  /** Columns with what steps led to: networks over these have it in row {@link LearntRows.nextOf}. */
  readonly next: {
    readonly observations: 'nextObservations' | 'observations';
    readonly masks: 'nextMasks' | 'masks';
  };
  /** The row of the block that stands for what the step of row r led to. */
  nextOf(r: number): number;
  /** Of row r in means over the batch: 1 for transitions; of a sequence 0 where it is not learnt. All rows together have a mean of 1. */
  weightOf(r: number): number;
  /** Multiplies gradients [R, size] of the block's rows by their weights. */
  weigh(gradients: Float32Array, size: number, numRows: number): void;
}

/** Once in a thread, as the closed form is opened. */
export function openLearntRows(rows: RowSpace): LearntRows {
  const { sequences } = rows;
  if (sequences === null) {
    return {
      next: { observations: 'nextObservations', masks: 'nextMasks' },
      nextOf: (r) => r,
      weightOf: () => 1,
      weigh: () => undefined,
    };
  }
  const { perBlock } = sequences;
  const weights = rows.column('weights');
  const bootstraps = rows.integers('bootstraps'); // 0 where nothing follows
  return {
    next: { observations: 'observations', masks: 'masks' },
    nextOf: (r) => r + bootstraps[r] * perBlock,
    weightOf: (r) => weights[r],
    weigh(gradients, size, numRows) {
      for (let r = 0; r < numRows; r++)
        for (let k = r * size; k < (r + 1) * size; k++) gradients[k] *= weights[r];
    },
  };
}

/** What {@link openLearntRows} reads, and cells, besides `observations`, `rewards` and `discounts`. @param actor whose states are stored. */
export function nextColumns(
  observation: Pick<BatchColumn, 'dtype' | 'size'>,
  actor: MlpTrunk | ConvTrunk,
  sequences: SequenceRows | null,
): readonly BatchColumn[] {
  const { dtype, size } = observation;
  const cell = actor.kind === 'mlp' ? actor.cell : undefined;
  if (sequences === null || cell === undefined) return [{ name: 'nextObservations', dtype, size }];
  return [
    { name: 'bootstraps', dtype: 'int32', size: 1 },
    { name: 'weights', dtype: 'float32', size: 1 },
    ...sequenceColumns((cell.kind === 'lstm' ? 2 : 1) * cell.size),
  ];
}
