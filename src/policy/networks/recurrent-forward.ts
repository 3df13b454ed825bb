/** One row through a recurrent policy in plain float64, a step at a time: for looking at a policy, and for exports to be held against. */
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import { type ActingSpec, distributionSize, type RecurrentSpec } from '../policy-spec.ts';
import { openDense, openObservation, openRowOutputs, openTensors, openTower } from './dense-rows.ts';
import { mlpParameterLayout } from './mlp-parameters.ts';
import { cellStateRange, recurrentStateSize } from './recurrent-state.ts';
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
  const { hiddenSizes, activation, shared } = spec.network;
  const layout = mlpParameterLayout(spec);
  const tensor = openTensors(layout, parameters);
  const state = new Float64Array(recurrentStateSize(spec)); // [S] f64
  const observe = openObservation(spec, statistics);
  const path = (name: string, index: number) => ({
    cell: openCell(tensor, spec, name, state, index),
    tower: openTower(tensor, { name, numLayers: hiddenSizes.length, activation, layerNorm: false }),
  });
  const actor = path(shared ? 'trunk' : 'actor', 0);
  const hasValue = spec.actorOnly !== true;
  const critic = shared || !hasValue ? null : path('critic', 1);
  const valueHead = hasValue ? openDense(tensor, 'critic/head') : null;
  const finish = openRowOutputs(
    {
      actor: openDense(tensor, 'actor/head'),
      critic: valueHead === null ? null : (x) => valueHead(critic === null ? x : critic.tower(x)),
      logStd: layout.entries.some(({ name }) => name === 'logStd') ? tensor('logStd') : null,
    },
    distributionSize(spec.distribution),
  );
  return {
    state,
    run(observation) {
      const x = observe(observation);
      const latent = actor.tower(actor.cell(x));
      return finish(latent, critic === null ? latent : critic.cell(x));
    },
  };
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** A cell whose part of `state` it reads and moves on; equations in src/policy/tensor-recurrent.ts. */
function openCell(
  tensor: FindTensor,
  spec: ActingSpec & { readonly network: RecurrentSpec },
  tower: string,
  state: Float64Array,
  index: number,
): RowLayer {
  const { size: H, cell } = spec.network;
  const part = (name: string) => tensor(`${tower}/cell/${name}`);
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
