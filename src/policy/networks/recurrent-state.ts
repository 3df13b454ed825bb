/** What a recurrent policy remembers of a row's episode between two steps: the states of its cells. */
import type { ActingSpec } from '../policy-spec.ts';
import { attentionStateSize } from './attention-state.ts';

/** Of one cell's state within a row's. In elements; a GRU has no cell state. */
export interface CellStateRange {
  readonly hidden: number;
  readonly cell: number | null;
}

/** What has cells of its own: `actor` and `critic`, or a `trunk` for both; none of a policy without. */
export function recurrentTowers({
  network,
  actorOnly,
}: ActingSpec): readonly ('trunk' | 'actor' | 'critic')[] {
  if (network.kind !== 'recurrent') return [];
  if (network.shared) return ['trunk'];
  return actorOnly === true ? ['actor'] : ['actor', 'critic'];
}

/** Cells of one tower, on top of each other. */
export function numCellLayers({ network }: ActingSpec): number {
  return network.kind === 'recurrent' ? (network.numLayers ?? 1) : 0;
}

/** Cells of a policy: the actor's (or the shared ones) from below, then the critic's. */
function numCells(spec: ActingSpec): number {
  return recurrentTowers(spec).length * numCellLayers(spec);
}

/** Under which name the parameters of a tower's cell lie: `actor/cell`, the next above `actor/cell/1`. */
export function cellName(tower: string, layer: number): string {
  return layer === 0 ? `${tower}/cell` : `${tower}/cell/${layer}`;
}

/**
 * Elements of a row's state: for each cell the hidden state and, LSTM, the cell state behind it; f32, all 0 at the first step of an episode.
 * Of attention: what attention-state.ts says. 0 = the policy remembers nothing.
 */
export function recurrentStateSize(spec: ActingSpec): number {
  const { network } = spec;
  if (network.kind === 'attention') return attentionStateSize({ ...spec, network });
  return spec.network.kind === 'recurrent' ? numCells(spec) * cellStateSize(spec) : 0;
}

/** Where the states of cell `index` lie in a row's: the cell of tower k and layer l is number k * layers + l. */
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
