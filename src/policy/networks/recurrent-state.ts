/** What a recurrent policy remembers of a row's episode between two steps: the states of its cells. */
import type { ActingSpec } from '../policy-spec.ts';

/** Of one cell's state within a row's. In elements; a GRU has no cell state. */
export interface CellStateRange {
  readonly hidden: number;
  readonly cell: number | null;
}

/** Cells of a policy: the actor's (or the shared one), then the critic's. */
export function numCells({ network, actorOnly }: ActingSpec): number {
  if (network.kind !== 'recurrent') return 0;
  return network.shared || actorOnly === true ? 1 : 2;
}

/**
 * Elements of a row's state: for each cell the hidden state and, LSTM, the cell state behind it; f32, all 0 at the first step of an episode.
 * 0 = the policy remembers nothing.
 */
export function recurrentStateSize(spec: ActingSpec): number {
  return spec.network.kind === 'recurrent' ? numCells(spec) * cellStateSize(spec) : 0;
}

/** Where the states of cell `index` lie in a row's. */
export function cellStateRange(spec: ActingSpec, index: number): CellStateRange {
  const { network } = spec;
  if (network.kind !== 'recurrent') throw new TypeError('Expected a recurrent network.');
  const hidden = index * cellStateSize(spec);
  return { hidden, cell: network.cell === 'lstm' ? hidden + network.size : null };
}

function cellStateSize({ network }: ActingSpec): number {
  if (network.kind !== 'recurrent') return 0;
  return (network.cell === 'lstm' ? 2 : 1) * network.size;
}
