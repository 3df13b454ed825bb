/** Actions of behaviours from plain arrays: for central inference, where the network ran elsewhere. */

import { type Exploration, NO_EXPLORATION, type RowCall, type RowSampler } from '../weights/exploration.ts';
import { createBehaviour } from './distributions/behaviour.ts';
import {
  type ActingSpec,
  actionSize,
  type BehaviourSpec,
  distributionSize,
  isBehaviour,
  latentSize,
  noiseSize,
} from './policy-spec.ts';

/** Dense arrays of B rows; see `SampleCall` of choose-actions.ts. */
export interface RowArrays {
  readonly distributionParameters: Float32Array; // [B, P] f32
  readonly latent: Float32Array | null; // [B, H] f32, squashed-gsde only
  readonly logStd: Float32Array | null; // [H, A] f32
  readonly masks: Uint8Array | null; // [B, maskSize] u8
  readonly noise: Float32Array; // [B, noiseSize] f32
  readonly deterministic: boolean;
  readonly actions: Float32Array | Int32Array; // [B, A], out
}

/** Thread: any. Allocates a few numbers a call. */
export function sampleBehaviour(
  spec: ActingSpec & { readonly distribution: BehaviourSpec },
  call: RowArrays & { readonly numRows: number },
  exploration: Exploration,
): void {
  sampleRows(spec, call, exploration, createBehaviour(spec.distribution, latentSize(spec)).sample);
}

/** Every row by `sample`. */
export function sampleRows(
  spec: ActingSpec,
  call: RowArrays & { readonly numRows: number },
  exploration: Exploration,
  sample: RowSampler,
): void {
  const row = openRow(call, exploration);
  for (let r = 0; r < call.numRows; r++) {
    aimRow(spec, row, r);
    sample(row);
  }
}

/**
 * What the greedy action of each row is worth, under epsilon-greedy; `values` stays as it is under all others.
 *
 * @param values [B], out.
 */
export function writeBehaviourValues(
  spec: ActingSpec,
  distributionParameters: Float32Array,
  masks: Uint8Array | null,
  numRows: number,
  values: Float32Array | Float64Array,
): void {
  const { distribution } = spec;
  const value = isBehaviour(distribution) ? createBehaviour(distribution, latentSize(spec)).value : null;
  if (value === null) return;
  const none = new Float32Array(0);
  const call = { distributionParameters, masks, noise: none, latent: null, logStd: null, actions: none };
  const row = openRow({ ...call, deterministic: true }, NO_EXPLORATION);
  for (let r = 0; r < numRows; r++) {
    aimRow(spec, row, r);
    values[r] = value(row);
  }
}

function openRow(call: RowArrays, { epsilon, noiseStd }: Exploration): RowCall {
  return {
    outputs: call.distributionParameters,
    outputOffset: 0,
    masks: call.masks,
    maskOffset: 0,
    noise: call.noise,
    noiseOffset: 0,
    latent: call.latent ?? new Float32Array(0),
    latentOffset: 0,
    logStd: call.logStd ?? new Float32Array(0),
    logStdOffset: 0,
    actions: call.actions,
    actionOffset: 0,
    epsilon,
    noiseStd,
    deterministic: call.deterministic,
  };
}

function aimRow(spec: ActingSpec, row: RowCall, r: number): void {
  row.outputOffset = r * distributionSize(spec.distribution);
  row.maskOffset = r * spec.actionMaskSize;
  row.noiseOffset = r * noiseSize(spec);
  row.latentOffset = r * latentSize(spec);
  row.actionOffset = r * actionSize(spec.distribution);
}
