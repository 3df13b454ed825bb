/** What other weights than those that acted say of chosen steps: for rollouts with holes, of which one policy took a part. */
import type { RolloutViews } from '../../experience/layout.ts';
import type { Arena, Region } from '../../memory/arena.ts';
import { actionDtype, actionSize, type PolicySpec } from '../../policy/policy-spec.ts';
import type { ValuesCall } from '../../policy/row-policy.ts';
import { createKernelPolicy, kernelPolicyScratchBytes } from '../../simd/kernel-policy.ts';
import { instantiateKernels } from '../../simd/kernels.ts';
import { MAX_CHUNK_ROWS } from '../output-gradient.ts';
import { createScoreKernels, type RolloutScorerParts, scoreKernelsBytes } from './score-kernels.ts';

/** [rows, size], whatever they lie in. */
type Rows = Float32Array | Uint8Array;

/**
 * @param indices of steps: rows of `observations` and `actions`.
 * @param weightsAddress published weights, or a copy of a slot of them: byte address in the arena.
 * @param out f32: log-probability of each action taken, under the mask it was taken under, at the steps' indices.
 */
export type ScoreLogProbs = (
  rollout: Pick<RolloutViews, 'observations' | 'actions' | 'actionMasks'>,
  indices: Int32Array,
  weightsAddress: number,
  out: Float32Array,
) => void;

/** Values of rows `indices` of `inputs`, written to `out[at[k]]`. */
export type ScoreValues = (
  inputs: Rows,
  indices: Int32Array,
  weightsAddress: number,
  out: Float32Array,
  at: Int32Array,
) => void;

const padded = (bytes: number) => Math.ceil(bytes / 64) * 64;

const rowBytes = ({ observationSize, observationDtype }: PolicySpec) =>
  observationSize * (observationDtype === 'uint8' ? 1 : 4);

/** Bytes of scratch of {@link createLogProbScorer}. */
export function logProbScorerBytes(spec: PolicySpec): number {
  return padded(scoreKernelsBytes(spec)) + padded(MAX_CHUNK_ROWS * rowBytes(spec));
}

/** Bytes of scratch of {@link createValueScorer}. */
export function valueScorerBytes(spec: PolicySpec): number {
  const { policy, inputs, values } = valueParts(spec);
  return policy + inputs + values;
}

const valueParts = (spec: PolicySpec) => ({
  policy: padded(kernelPolicyScratchBytes(spec, MAX_CHUNK_ROWS)),
  inputs: padded(MAX_CHUNK_ROWS * rowBytes(spec)),
  values: padded(4 * MAX_CHUNK_ROWS),
});

/** The numbers of `createRolloutScorer`, to the bit. Thread: main. Cost: a copy and a forward pass, about 0.6 us a step for 2x64. */
export function createLogProbScorer(parts: RolloutScorerParts): ScoreLogProbs {
  const { spec, arena, scratch } = parts;
  const { forward, maxRows, readLogProbs } = createScoreKernels(parts);
  const address = scratch.offset + padded(scoreKernelsBytes(spec));
  const observations = openRows(arena, spec, address);
  const A = actionSize(spec.distribution);
  const isDiscrete = actionDtype(spec.distribution) === 'int32';
  const actions = new (isDiscrete ? Int32Array : Float32Array)(MAX_CHUNK_ROWS * A);
  const actionMasks = new Uint8Array(MAX_CHUNK_ROWS * spec.actionMaskSize);
  const logProbs = new Float32Array(MAX_CHUNK_ROWS);
  return (rollout, indices, weightsAddress, out) => {
    for (let first = 0; first < indices.length; first += maxRows) {
      const count = Math.min(maxRows, indices.length - first);
      const chunk = indices.subarray(first, first + count);
      gather(rollout.observations, chunk, observations, spec.observationSize);
      gather(rollout.actions, chunk, actions, A);
      gather(rollout.actionMasks, chunk, actionMasks, spec.actionMaskSize);
      forward.run(weightsAddress, address, count);
      readLogProbs({ actions, actionMasks }, weightsAddress, { first: 0, step: 1, count }, logProbs);
      for (let k = 0; k < count; k++) out[chunk[k]] = logProbs[k];
    }
  };
}

/** For a policy with a value head, and for a critic alone. Thread: main. Cost: as above. */
export function createValueScorer({
  spec,
  arena,
  kernels,
  weightLayout,
  scratch,
}: RolloutScorerParts): ScoreValues {
  const bytes = valueParts(spec);
  const region: Region = { offset: scratch.offset, byteLength: bytes.policy };
  const instance = instantiateKernels(kernels, arena.memory);
  const policy = createKernelPolicy(instance, spec, arena, region, weightLayout);
  const inputAddress = scratch.offset + bytes.policy;
  const valueAddress = inputAddress + bytes.inputs;
  const chunkInputs = openRows(arena, spec, inputAddress);
  const values = new Float32Array(arena.buffer, valueAddress, MAX_CHUNK_ROWS);
  const call: ValuesCall = {
    ...{ numRows: 0, weightsAddress: 0, maskAddress: 0, maskStride: 0 },
    ...{ observationAddress: inputAddress, observationStride: spec.observationSize },
    ...{ valueAddress, valueStride: 1 },
  };
  return (inputs, indices, weightsAddress, out, at) => {
    call.weightsAddress = weightsAddress;
    for (let first = 0; first < indices.length; first += MAX_CHUNK_ROWS) {
      const count = Math.min(MAX_CHUNK_ROWS, indices.length - first);
      gather(inputs, indices.subarray(first, first + count), chunkInputs, spec.observationSize);
      call.numRows = count;
      policy.values(call);
      for (let k = 0; k < count; k++) out[at[first + k]] = values[k];
    }
  };
}

function openRows({ buffer }: Arena, spec: PolicySpec, address: number): Rows {
  const length = MAX_CHUNK_ROWS * spec.observationSize;
  return spec.observationDtype === 'uint8'
    ? new Uint8Array(buffer, address, length)
    : new Float32Array(buffer, address, length);
}

/** Rows `indices` of `from`, one behind the other. */
function gather(from: Rows | Int32Array, indices: Int32Array, to: Rows | Int32Array, size: number): void {
  for (let k = 0; k < indices.length; k++) {
    const first = indices[k] * size;
    for (let j = 0; j < size; j++) to[k * size + j] = from[first + j];
  }
}
