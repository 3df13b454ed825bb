/** Acting with attention over past steps, in plain TypeScript over rows in the arena. */
import { createProductSampler } from '../policy/distributions/product.ts';
import { createProductLogProb } from '../policy/distributions/product-log-prob.ts';
import type { AttentionMemory } from '../policy/networks/attention-forward.ts';
import { type AttentionNetwork, openAttentionNetwork } from '../policy/networks/attention-network.ts';
import { attentionParameterLayout } from '../policy/networks/attention-parameters.ts';
import { attentionStateSize, type SpecWithAttention } from '../policy/networks/attention-state.ts';
import { asProduct, distributionSize, type ProductHead, type ProductSpec } from '../policy/policy-spec.ts';
import type { ActCall, RowPolicy, ValuesCall } from '../policy/row-policy.ts';
import { createRowCalls } from '../simd/row-calls.ts';
import { statisticsOffset, type WeightBufferLayout } from '../weights/weight-buffer.ts';

type AttentionActingSpec = SpecWithAttention & { readonly distribution: ProductHead | ProductSpec };

/**
 * What `createKernelPolicy` is for networks that the kernels cover. Sums are float64 over float32 weights; what is remembered is rounded to float32, where it lies.
 * Outputs are those of the learner up to float32 rounding.
 *
 * Thread: any, one policy each. Cost of a row: see `openAttentionTower`; some 0.17 ms a tower for a block of 64.
 */
export function createAttentionPolicy(
  spec: AttentionActingSpec,
  buffer: ArrayBufferLike,
  weightLayout: WeightBufferLayout,
): RowPolicy {
  const networkOf = openSlots(spec, buffer, weightLayout);
  const distribution = asProduct(spec.distribution);
  const sample = createProductSampler(distribution);
  const logProb = createProductLogProb(distribution);
  const calls = createRowCalls(buffer, spec, weightLayout);
  const { row } = calls;
  const floats = new Float32Array(buffer);
  const outputs = new Float32Array(distributionSize(spec.distribution)); // [P] f32
  const aimRow = openRows(spec, buffer);
  const last = attentionStateSize(spec) - 1;
  return {
    act(call) {
      const network = networkOf(call.weightsAddress);
      calls.useExploration(call);
      row.outputs = outputs;
      row.logStdOffset = (call.weightsAddress >>> 2) + logStdOffset(spec);
      for (let r = 0; r < call.numRows; r++) {
        const { observation, memory } = aimRow(call, r, true);
        const x = network.observe(observation);
        const latent = network.latent(x, memory);
        outputs.set(network.head(latent));
        calls.aim(call, r);
        sample(row);
        const scalar = r * call.scalarStride;
        if (call.logProbAddress !== 0) floats[(call.logProbAddress >>> 2) + scalar] = logProb(row);
        if (call.valueAddress !== 0)
          floats[(call.valueAddress >>> 2) + scalar] = estimateValue(network, x, latent, memory);
        memory.state[memory.offset + last] = Math.min(spec.network.window, memory.numSteps + 1);
      }
    },
    values(call) {
      if (call.movesState === true) throw new TypeError('Attention does not move a critic by itself.');
      const network = networkOf(call.weightsAddress);
      for (let r = 0; r < call.numRows; r++) {
        const { observation, memory } = aimRow(call, r, false);
        const x = network.observe(observation);
        const latent = spec.network.shared ? network.latent(x, memory) : x;
        floats[(call.valueAddress >>> 2) + r * call.valueStride] = estimateValue(network, x, latent, memory);
      }
    },
  };
}

function estimateValue(
  { value, criticInput }: AttentionNetwork,
  x: Float64Array,
  latent: Float64Array,
  memory: AttentionMemory,
): number {
  if (value === null) throw new TypeError('This policy has no value head.');
  return value(criticInput(x, latent, memory))[0];
}

function logStdOffset(spec: SpecWithAttention): number {
  return attentionParameterLayout(spec).entries.find(({ name }) => name === 'logStd')?.offset ?? 0;
}

/** The network over each slot of published weights, which it reads where they lie. */
function openSlots(
  spec: SpecWithAttention,
  buffer: ArrayBufferLike,
  layout: WeightBufferLayout,
): (weightsAddress: number) => AttentionNetwork {
  const slots = new Map<number, AttentionNetwork>();
  const { mean, inverseStd } = statisticsOffset(layout);
  return (address) => {
    const opened = slots.get(address);
    if (opened !== undefined) return opened;
    const parameters = new Float32Array(buffer, address, layout.parameterCount);
    const statistics = {
      mean: new Float32Array(buffer, address + mean, spec.observationSize),
      inverseStd: new Float32Array(buffer, address + inverseStd, spec.observationSize),
    };
    const network = openAttentionNetwork(spec, parameters, statistics);
    slots.set(address, network);
    return network;
  };
}

interface AimedRow {
  readonly observation: Float64Array; // [obsSize] f64, raw
  readonly memory: AttentionMemory;
}

/** One record for all rows of all calls. */
function openRows(
  spec: SpecWithAttention,
  buffer: ArrayBufferLike,
): (call: ActCall | ValuesCall, r: number, moves: boolean) => AimedRow {
  const { observationSize, observationDtype } = spec;
  const [raw, shift] =
    observationDtype === 'uint8' ? [new Uint8Array(buffer), 0] : [new Float32Array(buffer), 2];
  const state = new Float32Array(buffer);
  const S = attentionStateSize(spec);
  const observation = new Float64Array(observationSize);
  const memory: AttentionMemory = { state, offset: 0, numSteps: 0, moves: true };
  const row: AimedRow = { observation, memory };
  return ({ observationAddress, observationStride, stateAddress = 0 }, r, moves) => {
    const first = (observationAddress >>> shift) + r * observationStride;
    for (let k = 0; k < observationSize; k++) observation[k] = raw[first + k];
    memory.offset = (stateAddress >>> 2) + r * S;
    memory.numSteps = state[memory.offset + S - 1];
    memory.moves = moves;
    return row;
  };
}
