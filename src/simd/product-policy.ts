/** Acting with actions of mixed kinds: the kernels run the network, the heads are sampled here from its outputs. */
import { createProductSampler } from '../policy/distributions/product.ts';
import { createProductLogProb } from '../policy/distributions/product-log-prob.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import { type ActingSpec, distributionSize, type ProductSpec } from '../policy/policy-spec.ts';
import type { ActCall, RowPolicy } from '../policy/row-policy.ts';
import type { WeightBufferLayout } from '../weights/weight-buffer.ts';
import { createRowCalls } from './row-calls.ts';

export interface ProductScratch {
  readonly blockRows: number;
  /** Byte address, [blockRows, P] f32. */
  readonly copied: number;
  /** Bytes from the first parameter. */
  readonly logStdOffset: number;
}

/**
 * @param network a policy over the same network that gives, as the mode of a Gaussian, its P outputs; and values.
 *
 * Thread: any, one policy each. Cost: the network's, and about 0.2 us a row.
 */
export function createProductPolicy(
  network: RowPolicy,
  spec: ActingSpec & { readonly distribution: ProductSpec },
  buffer: ArrayBufferLike,
  { blockRows, copied, logStdOffset }: ProductScratch,
  weightLayout: WeightBufferLayout,
): RowPolicy {
  const P = distributionSize(spec.distribution);
  const stateBytes = 4 * recurrentStateSize(spec);
  const observationBytes = spec.observationDtype === 'uint8' ? 1 : 4;
  const sample = createProductSampler(spec.distribution);
  const logProb = createProductLogProb(spec.distribution);
  const calls = createRowCalls(buffer, spec, weightLayout);
  const { row } = calls;
  const floats = row.outputs;
  const outputs: ActCall = {
    ...{
      numRows: 0,
      weightsAddress: 0,
      observationAddress: 0,
      observationStride: 0,
      maskAddress: 0,
      maskStride: 0,
    },
    ...{ noiseAddress: 0, deterministic: true, actionAddress: copied, actionStride: P, logProbAddress: 0 },
    ...{ valueAddress: 0, scalarStride: 0, stateAddress: 0 },
  };
  /** The network's outputs for `count` rows from `first` on, and their values. */
  const runNetwork = (call: ActCall, first: number, count: number): void => {
    outputs.numRows = count;
    outputs.weightsAddress = call.weightsAddress;
    outputs.observationAddress = call.observationAddress + first * call.observationStride * observationBytes;
    outputs.observationStride = call.observationStride;
    outputs.valueAddress = call.valueAddress === 0 ? 0 : call.valueAddress + 4 * first * call.scalarStride;
    outputs.scalarStride = call.scalarStride;
    outputs.stateAddress = (call.stateAddress ?? 0) + first * stateBytes;
    network.act(outputs);
  };
  return {
    act(call) {
      calls.useExploration(call);
      row.logStdOffset = (call.weightsAddress + logStdOffset) >>> 2;
      for (let first = 0; first < call.numRows; first += blockRows) {
        const count = Math.min(blockRows, call.numRows - first);
        runNetwork(call, first, count);
        for (let r = 0; r < count; r++) {
          calls.aim(call, first + r);
          row.outputOffset = (copied >>> 2) + r * P;
          sample(row);
          if (call.logProbAddress !== 0)
            floats[(call.logProbAddress >>> 2) + (first + r) * call.scalarStride] = logProb(row);
        }
      }
    },
    values: network.values,
  };
}
