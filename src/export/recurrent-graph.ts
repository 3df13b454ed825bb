/** Recurrent cells as operations; their equations are in src/policy/tensor-recurrent.ts. */
import {
  cellName,
  cellStateRange,
  numCellLayers,
  recurrentStateSize,
  recurrentTowers,
} from '../policy/networks/recurrent-state.ts';
import type { FindTensor } from '../policy/networks/row-outputs.ts';
import type { ActingSpec, RecurrentSpec } from '../policy/policy-spec.ts';
import type { GraphBuilder } from './graph-builder.ts';

export interface CellsGraph {
  /** Hidden states of the topmost cells: the actor's (or the shared one), then the critic's. */
  readonly hidden: readonly number[];
  /** All states, as they go in again. */
  readonly nextState: number;
}

/** One step of all cells of a policy. @param inputOf what a tower's lowest cell reads. */
export function addCells(
  graph: GraphBuilder,
  spec: ActingSpec & { readonly network: RecurrentSpec },
  tensor: FindTensor,
  inputOf: (tower: string) => number,
): CellsGraph {
  const { size } = spec.network;
  const state = graph.input('state', recurrentStateSize(spec), 'float32');
  const numLayers = numCellLayers(spec);
  const step = (of: string, index: number, x: number) => {
    const range = cellStateRange(spec, index);
    const part = (name: string) => tensor(`${of}/${name}`);
    const h = graph.slice(state, range.hidden, size);
    const given = graph.dense(x, part('input'), part('bias'));
    if (range.cell === null)
      return [addGru(graph, given, graph.dense(h, part('state'), part('stateBias')), h)];
    const own = graph.dense(h, part('state'), new Float32Array(4 * size));
    return addLstm(graph, graph.combine('add', given, own), graph.slice(state, range.cell, size));
  };
  const states: number[] = [];
  const hidden = recurrentTowers(spec).map((tower, k) => {
    let x = inputOf(tower);
    for (let layer = 0; layer < numLayers; layer++) {
      const next = step(cellName(tower, layer), k * numLayers + layer, x);
      states.push(...next);
      x = next[0];
    }
    return x;
  });
  return { hidden, nextState: graph.concat(states) };
}

/** @returns hidden and cell state. */
function addLstm(graph: GraphBuilder, gates: number, c: number): number[] {
  const size = graph.sizeOf(c);
  const gate = (name: 'sigmoid' | 'tanh', k: number) => graph.unary(name, graph.slice(gates, k * size, size));
  const kept = graph.combine('mul', gate('sigmoid', 1), c);
  const next = graph.combine('add', kept, graph.combine('mul', gate('sigmoid', 0), gate('tanh', 2)));
  return [graph.combine('mul', gate('sigmoid', 3), graph.unary('tanh', next)), next];
}

function addGru(graph: GraphBuilder, given: number, own: number, h: number): number {
  const size = graph.sizeOf(h);
  const part = (of: number, k: number) => graph.slice(of, k * size, size);
  const gate = (k: number) => graph.unary('sigmoid', graph.combine('add', part(given, k), part(own, k)));
  const candidate = graph.unary(
    'tanh',
    graph.combine('add', part(given, 2), graph.combine('mul', gate(0), part(own, 2))),
  );
  return graph.combine('add', candidate, graph.combine('mul', gate(1), graph.combine('sub', h, candidate)));
}
