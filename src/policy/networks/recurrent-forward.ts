/** One row through a recurrent policy in plain float64, a step at a time: for looking at a policy, and for exports to be held against. */
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import { type ActingSpec, distributionSize, type RecurrentSpec } from '../policy-spec.ts';
import { openDense, openObservation, openRowOutputs, openTensors, openTower, sigmoid } from './dense-rows.ts';
import { mlpParameterLayout } from './mlp-parameters.ts';
import {
  cellName,
  cellStateRange,
  numCellLayers,
  recurrentStateSize,
  recurrentTowers,
} from './recurrent-state.ts';
import type { FindTensor, RowForward, RowLayer } from './row-outputs.ts';

export interface RecurrentForward {
  /** What it remembers of the episode; the caller's to clear where one begins. */
  readonly state: Float64Array; // [S] f64
  /** A step: moves the state on. */
  readonly run: RowForward;
}

/**
 * Opens the forward pass of a recurrent policy. It agrees with the kernels up to float32 rounding.
 *
 * Allocates nothing a row. Thread: any, one each.
 */
export function openRecurrentForward(
  spec: ActingSpec & { readonly network: RecurrentSpec },
  parameters: Float32Array,
  statistics: ObservationStatistics | null,
): RecurrentForward {
  const { hiddenSizes, activation, sizesBefore = [], layerNorm } = spec.network;
  const layersBefore = sizesBefore.length;
  const layout = mlpParameterLayout(spec);
  const tensor = openTensors(layout, parameters);
  const state = new Float64Array(recurrentStateSize(spec)); // [S] f64
  const observe = openObservation(spec, statistics);
  const part = (name: string, from: number, numLayers: number) =>
    openTower(tensor, { name, from, numLayers, activation, layerNorm: from === layersBefore && layerNorm });
  const towers = recurrentTowers(spec).map((name, index) => {
    const before = part(name, 0, layersBefore);
    const cells = openCells(tensor, spec, name, state, index);
    return {
      remember: (x: Float64Array) => cells(before(x)),
      behind: part(name, layersBefore, hiddenSizes.length),
    };
  });
  const [actor, critic = null] = towers;
  const valueHead = spec.actorOnly === true ? null : openDense(tensor, 'critic/head');
  const finish = openRowOutputs(
    {
      actor: openDense(tensor, 'actor/head'),
      critic: valueHead === null ? null : (x) => valueHead(critic === null ? x : critic.behind(x)),
      logStd: layout.entries.some(({ name }) => name === 'logStd') ? tensor('logStd') : null,
    },
    distributionSize(spec.distribution),
  );
  return {
    state,
    run(observation) {
      const x = observe(observation);
      const latent = actor.behind(actor.remember(x));
      return finish(latent, critic === null ? latent : critic.remember(x));
    },
  };
}

/** The cells of a tower, each on the hidden state of the one below. */
function openCells(
  tensor: FindTensor,
  spec: ActingSpec & { readonly network: RecurrentSpec },
  tower: string,
  state: Float64Array,
  index: number,
): RowLayer {
  const numLayers = numCellLayers(spec);
  const cells = Array.from({ length: numLayers }, (_, layer) =>
    openCell(tensor, spec, cellName(tower, layer), state, index * numLayers + layer),
  );
  return (x) => cells.reduce((y, cell) => cell(y), x);
}

/** A cell whose part of `state` it reads and moves on; equations in src/policy/tensor-recurrent.ts. */
function openCell(
  tensor: FindTensor,
  spec: ActingSpec & { readonly network: RecurrentSpec },
  of: string,
  state: Float64Array,
  index: number,
): RowLayer {
  const { size: H, cell } = spec.network;
  const part = (name: string) => tensor(`${of}/${name}`);
  const range = cellStateRange(spec, index);
  const h = state.subarray(range.hidden, range.hidden + H); // [H] f64
  const given = affine(part('input'), part('bias'));
  const own = affine(part('state'), cell === 'gru' ? part('stateBias') : new Float32Array(4 * H));
  if (range.cell === null) {
    return (x) => {
      const [g, o] = [given(x), own(h)];
      for (let k = 0; k < H; k++) {
        const r = sigmoid(g[k] + o[k]);
        const z = sigmoid(g[H + k] + o[H + k]);
        const n = Math.tanh(g[2 * H + k] + r * o[2 * H + k]);
        h[k] = n + z * (h[k] - n);
      }
      return h;
    };
  }
  const c = state.subarray(range.cell, range.cell + H); // [H] f64
  return (x) => {
    const [g, o] = [given(x), own(h)];
    const gate = (of: number, k: number) => g[of * H + k] + o[of * H + k];
    for (let k = 0; k < H; k++) {
      c[k] = sigmoid(gate(1, k)) * c[k] + sigmoid(gate(0, k)) * Math.tanh(gate(2, k));
      h[k] = sigmoid(gate(3, k)) * Math.tanh(c[k]);
    }
    return h;
  };
}

/** x W + b, W row-major [in, out]; what it gives is valid until its next call. */
function affine(kernel: Float32Array, bias: Float32Array): RowLayer {
  return openDense((name) => (name === '/kernel' ? kernel : bias), '');
}
