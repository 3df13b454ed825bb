/** PQN's network and the one step over it. */
import {
  type ObjectiveSpec,
  type OptimizerGroup,
  type SequenceRows,
  sequenceColumns,
} from '../../src/learner/objective.ts';
import type { ConvTrunk, MlpTrunk, ModelInput, ModelSpec } from '../../src/policy/networks/model.ts';

export interface PqnShape {
  readonly observation: ModelInput;
  readonly clipObservation: number;
  readonly trunk: MlpTrunk | ConvTrunk;
  /** Actions of each branch. */
  readonly sizes: readonly number[];
  readonly maxGradNorm: number | null;
  readonly adam: Pick<OptimizerGroup, 'adamBeta1' | 'adamBeta2' | 'adamEpsilon' | 'weightDecay'>;
}

/** q(observation) -> a value for each action, branch by branch. There is no target network: layer normalisation is what keeps it stable. */
export function pqnModel({ observation, clipObservation, trunk, sizes }: PqnShape): ModelSpec {
  const outputs = sizes.reduce((sum, size) => sum + size, 0);
  return {
    inputs: { observation },
    networks: { q: { inputs: ['observation'], trunk, outputs } },
    free: {},
    targets: {},
    clipObservation,
  };
}

/** @param sequences how rows lie where the network has a cell, which stands in the trunk. */
export function pqnObjective(
  { observation, sizes, trunk, maxGradNorm, adam }: PqnShape,
  sequences: SequenceRows | null = null,
): ObjectiveSpec {
  const { dtype, size } = observation;
  const cell = trunk.kind === 'mlp' ? trunk.cell : undefined;
  const memory = cell === undefined ? [] : sequenceColumns((cell.kind === 'lstm' ? 2 : 1) * cell.size);
  return {
    ...(sequences !== null && { sequences }),
    columns: [
      { name: 'observations', dtype, size },
      { name: 'actions', dtype: 'int32', size: sizes.length },
      { name: 'returns', dtype: 'float32', size: 1 },
      ...memory,
    ],
    rowOutputs: [],
    groups: [{ name: 'q', networks: ['q'], learningRate: 'learningRate', maxGradNorm, ...adam }],
    steps: [{ name: 'q', groups: ['q'], every: 1, blends: [], stats: ['loss', 'qMean', 'tdErrorMean'] }],
    scalars: ['learningRate'],
  };
}
