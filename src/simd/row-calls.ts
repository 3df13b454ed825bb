/** Rows in the arena as {@link RowCall}s: the kernels' calls speak of byte addresses, samplers of elements. */

import { type ActingSpec, actionDtype, noiseSize } from '../policy/policy-spec.ts';
import type { ActCall } from '../policy/row-policy.ts';
import type { RowCall, RowSampler } from '../weights/exploration.ts';
import { explorationOffset, type WeightBufferLayout } from '../weights/weight-buffer.ts';

type MaskedCall = Pick<ActCall, 'maskAddress' | 'maskStride'>;

export interface RowCalls {
  readonly row: RowCall;
  /** How the weights of a call explore, into `row`; true = at random, without the network. */
  useExploration(call: ActCall): boolean;
  /** Aims `row` at row r of a call: masks, noise, action. Outputs are the caller's. */
  aim(call: ActCall, r: number): void;
  aimMask(call: MaskedCall, r: number): void;
  /** Every row of the call by `sample`, which reads no outputs. */
  sampleAll(call: ActCall, sample: RowSampler): void;
}

/** Views over the whole arena, made once. */
export function createRowCalls(
  buffer: ArrayBufferLike,
  spec: ActingSpec,
  weightLayout: WeightBufferLayout,
): RowCalls {
  const floats = new Float32Array(buffer);
  const integers = new Int32Array(buffer);
  const bytes = new Uint8Array(buffer);
  const scalars = explorationOffset(weightLayout) >>> 2;
  const noiseStride = noiseSize(spec);
  const row: RowCall = {
    outputs: floats,
    outputOffset: 0,
    masks: null,
    maskOffset: 0,
    noise: floats,
    noiseOffset: 0,
    latent: floats,
    latentOffset: 0,
    logStd: floats,
    logStdOffset: 0,
    actions: actionDtype(spec.distribution) === 'int32' ? integers : floats,
    actionOffset: 0,
    epsilon: 0,
    noiseStd: 0,
    deterministic: false,
  };
  const aimMask = ({ maskAddress, maskStride }: MaskedCall, r: number): void => {
    row.masks = maskAddress === 0 ? null : bytes;
    row.maskOffset = maskAddress + r * maskStride;
  };
  const aim = (call: ActCall, r: number): void => {
    aimMask(call, r);
    row.noiseOffset = (call.noiseAddress >>> 2) + r * noiseStride;
    row.actionOffset = (call.actionAddress >>> 2) + r * call.actionStride;
  };
  return {
    row,
    aim,
    aimMask,
    useExploration(call) {
      const at = (call.weightsAddress >>> 2) + scalars;
      row.epsilon = floats[at];
      row.noiseStd = floats[at + 1];
      row.deterministic = call.deterministic;
      return !call.deterministic && floats[at + 2] !== 0;
    },
    sampleAll(call, sample) {
      for (let r = 0; r < call.numRows; r++) {
        aim(call, r);
        sample(row);
      }
    },
  };
}
