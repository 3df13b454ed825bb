/** Acting with behaviours: the kernels run the network, the distribution's own file samples from its outputs. */

import { createBehaviour } from '../policy/distributions/behaviour.ts';
import { createRandomActions } from '../policy/distributions/random-action.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import {
  type ActingSpec,
  type BehaviourSpec,
  distributionSize,
  latentSize,
  noiseSize,
} from '../policy/policy-spec.ts';
import type { ActCall, RowPolicy, ValuesCall } from '../policy/row-policy.ts';
import type { RowSampler } from '../weights/exploration.ts';
import type { WeightBufferLayout } from '../weights/weight-buffer.ts';
import type { Kernels } from './kernel-exports.ts';
import type { Block } from './layer-program.ts';
import type { CellSteps } from './recurrent-policy.ts';
import { createRowCalls } from './row-calls.ts';

/** Where the policy of one thread works; addresses and strides in bytes. */
export interface BehaviourScratch {
  /** The policy's descriptor: packing reads it. */
  readonly descriptor: number;
  readonly blockRows: number;
  readonly program: number;
  readonly numLayers: number;
  readonly outputs: Block; // [blockRows, P] f32, dense
  readonly latent: Block; // [blockRows, H] f32
  /** Bytes from the first parameter. */
  readonly logStdOffset: number;
}

/** Words of a call that packing reads. */
const Word = { NUM_ROWS: 0, WEIGHTS: 1, OBSERVATIONS: 2, OBSERVATION_STRIDE: 3 } as const;

/**
 * A row's action depends on its observation, its mask, its noise and the published weights alone. `valueAddress` gets
 * max_a Q(s, a), for epsilon-greedy; the others give no values, nor log-probabilities.
 *
 * With a recurrent cell the state of every row is moved on where the caller keeps it, by a random action, too.
 *
 * @param cells null = the network remembers nothing.
 * Thread: any, one policy each. Cost: the forward pass and about 0.1 us a row for plain action values.
 */
export function createBehaviourPolicy(
  kernels: Kernels,
  spec: ActingSpec & { readonly distribution: BehaviourSpec },
  buffer: ArrayBufferLike,
  scratch: BehaviourScratch,
  weightLayout: WeightBufferLayout,
  cells: CellSteps | null = null,
): RowPolicy {
  const { descriptor, blockRows, program, numLayers } = scratch;
  const P = distributionSize(spec.distribution);
  const { sample, value } = createBehaviour(spec.distribution, latentSize(spec));
  const sampleRandom = createRandomActions(spec.distribution, noiseSize(spec)) as RowSampler;
  const calls = createRowCalls(buffer, spec, weightLayout);
  const { row } = calls;
  const words = new Int32Array(buffer, descriptor, 4);
  const floats = row.outputs;
  const stateBytes = 4 * recurrentStateSize(spec);
  const latentFirst = scratch.latent.address >>> 2;
  const latentStride = scratch.latent.stride >>> 2;
  const outputFirst = scratch.outputs.address >>> 2;

  /** Outputs of rows [first, first + rows) of the call whose words are set. */
  const runNetwork = (call: ActCall | ValuesCall, first: number, rows: number, moves: boolean): void => {
    kernels.packObservations(descriptor, first, rows);
    cells?.run(0, (call.stateAddress ?? 0) + first * stateBytes, call.weightsAddress, rows, moves);
    kernels.forward(program, numLayers, call.weightsAddress, rows);
  };
  const writeValue = (address: number, stride: number, r: number): void => {
    if (value === null) throw new TypeError(`A ${spec.distribution.kind} policy gives no values.`);
    floats[(address >>> 2) + r * stride] = value(row);
  };
  return {
    act(call) {
      const sampleRow = calls.useExploration(call) ? sampleRandom : sample;
      if (sampleRow === sampleRandom && call.valueAddress === 0 && cells === null) {
        calls.sampleAll(call, sampleRandom);
        return;
      }
      words[Word.NUM_ROWS] = call.numRows;
      words[Word.WEIGHTS] = call.weightsAddress;
      words[Word.OBSERVATIONS] = call.observationAddress;
      words[Word.OBSERVATION_STRIDE] = call.observationStride;
      row.logStdOffset = (call.weightsAddress + scratch.logStdOffset) >>> 2;
      for (let first = 0; first < call.numRows; first += blockRows) {
        const rows = Math.min(blockRows, call.numRows - first);
        runNetwork(call, first, rows, true);
        for (let r = 0; r < rows; r++) {
          calls.aim(call, first + r);
          row.outputOffset = outputFirst + r * P;
          row.latentOffset = latentFirst + r * latentStride;
          sampleRow(row);
          if (call.valueAddress !== 0) writeValue(call.valueAddress, call.scalarStride, first + r);
        }
      }
    },
    values(call) {
      words[Word.NUM_ROWS] = call.numRows;
      words[Word.WEIGHTS] = call.weightsAddress;
      words[Word.OBSERVATIONS] = call.observationAddress;
      words[Word.OBSERVATION_STRIDE] = call.observationStride;
      for (let first = 0; first < call.numRows; first += blockRows) {
        const rows = Math.min(blockRows, call.numRows - first);
        runNetwork(call, first, rows, call.movesState === true);
        for (let r = 0; r < rows; r++) {
          calls.aimMask(call, first + r);
          row.outputOffset = outputFirst + r * P;
          writeValue(call.valueAddress, call.valueStride, first + r);
        }
      }
    },
  };
}
