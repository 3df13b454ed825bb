/** From DQN's options to a recurrent network and what it learns of sequences. */
import { numSequenceRows, sequenceRowsOf } from '../../src/algorithm/sequence-rows.ts';
import type { JsonObject } from '../../src/json.ts';
import type { ObjectiveSpec } from '../../src/learner/objective.ts';
import type { ModelCell, ModelSpec } from '../../src/policy/networks/model.ts';
import type { ResolvedDQNConfig } from './config.ts';
import { type DqnShape, dqnModel } from './objective.ts';
import { dqnSequenceObjective, sequenceLossOptions } from './sequence-objective.ts';

export interface RecurrentLearning {
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  /** Of the closed form. */
  readonly options: JsonObject;
  /** Rows of a batch. */
  readonly batchSize: number;
}

/** A cell before the hidden layers, and batches of sequences. */
export function recurrentLearning(
  shape: DqnShape,
  kind: ModelCell['kind'],
  training: ResolvedDQNConfig['training'],
): RecurrentLearning {
  if (shape.trunk.kind !== 'mlp') throw new TypeError(`Expected an MLP, got ${shape.trunk.kind}.`);
  const cell = { kind, size: training.recurrentSize };
  const sequences = sequenceRowsOf(training);
  return {
    model: dqnModel({ ...shape, trunk: { ...shape.trunk, cell } }),
    objective: dqnSequenceObjective(shape, cell, sequences),
    options: sequenceLossOptions(shape, sequences),
    batchSize: numSequenceRows(training),
  };
}
