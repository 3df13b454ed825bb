/** A whole policy with attention over one row in plain float64: transformers, hidden layers, heads. */
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import { distributionSize } from '../policy-spec.ts';
import { type AttentionMemory, openAttentionTower } from './attention-forward.ts';
import { attentionParameterLayout } from './attention-parameters.ts';
import { attentionStateSize, type SpecWithAttention } from './attention-state.ts';
import { openDense, openObservation, openRowOutputs, openTensors, openTower } from './dense-rows.ts';
import type { RecurrentForward } from './recurrent-forward.ts';
import type { RowLayer } from './row-outputs.ts';

export interface AttentionNetwork {
  /** Normalises. */
  readonly observe: (observation: ArrayLike<number>) => Float64Array;
  /** From a normalised observation to the actor's (or the shared) last hidden layer. */
  latent(x: Float64Array, memory: AttentionMemory): Float64Array;
  /** From there to distribution parameters. */
  readonly head: RowLayer;
  /** What the value head's layers read: the latent layer of a shared network, else what the critic's transformer gives. */
  criticInput(x: Float64Array, latent: Float64Array, memory: AttentionMemory): Float64Array;
  /** From there to the value; null = no value head. */
  readonly value: RowLayer | null;
  readonly logStd: Float32Array | null; // [A] f32
}

/** @param parameters, statistics are read anew at every row. Cost of a row: see {@link openAttentionTower}. Thread: any, one each. */
export function openAttentionNetwork(
  spec: SpecWithAttention,
  parameters: Float32Array,
  statistics: ObservationStatistics | null,
): AttentionNetwork {
  const { hiddenSizes, activation, shared } = spec.network;
  const layout = attentionParameterLayout(spec);
  const tensor = openTensors(layout, parameters);
  const path = (name: 'trunk' | 'actor' | 'critic') => ({
    attention: openAttentionTower(tensor, spec, name),
    layers: openTower(tensor, { name, numLayers: hiddenSizes.length, activation, layerNorm: false }),
  });
  const actor = path(shared ? 'trunk' : 'actor');
  const hasValue = spec.actorOnly !== true;
  const critic = shared || !hasValue ? null : path('critic');
  const valueHead = hasValue ? openDense(tensor, 'critic/head') : null;
  return {
    observe: openObservation(spec, statistics),
    latent: (x, memory) => actor.layers(actor.attention(x, memory)),
    head: openDense(tensor, 'actor/head'),
    criticInput: (x, latent, memory) => (critic === null ? latent : critic.attention(x, memory)),
    value: valueHead && ((input) => valueHead(critic === null ? input : critic.layers(input))),
    logStd: layout.entries.some(({ name }) => name === 'logStd') ? tensor('logStd') : null,
  };
}

/** As `openRecurrentForward`, of a policy with attention. */
export function openAttentionForward(
  spec: SpecWithAttention,
  parameters: Float32Array,
  statistics: ObservationStatistics | null,
): RecurrentForward {
  const network = openAttentionNetwork(spec, parameters, statistics);
  const state = new Float64Array(attentionStateSize(spec)); // [S] f64
  const last = state.length - 1;
  const memory: AttentionMemory = { state, offset: 0, numSteps: 0, moves: true };
  const finish = openRowOutputs(
    { actor: network.head, critic: network.value, logStd: network.logStd },
    distributionSize(spec.distribution),
  );
  return {
    state,
    run(observation) {
      const x = network.observe(observation);
      memory.numSteps = state[last];
      const latent = network.latent(x, memory);
      const input = network.criticInput(x, latent, memory);
      state[last] = Math.min(spec.network.window, memory.numSteps + 1);
      return finish(latent, input);
    },
  };
}
