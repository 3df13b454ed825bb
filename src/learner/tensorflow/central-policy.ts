/** Acting and valuing in the learner's thread, for networks that rollout workers cannot run. */

import type { CentralPolicy } from '../../policy/central-policy.ts';
import type { ActingSpec } from '../../policy/policy-spec.ts';
import { sampleActions } from '../../policy/sample-actions.ts';
import { writeBehaviourValues } from '../../policy/sample-rows.ts';
import type { TensorNetwork } from '../../policy/tensor-network.ts';
import { type Exploration, NO_EXPLORATION } from '../../weights/exploration.ts';
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import type { LoadedTensorFlow } from './backend.ts';
import { createCapturedForward } from './capture/captured-forward.ts';
import { createEagerForward } from './policy-forward.ts';

export interface TensorFlowPolicy extends CentralPolicy {
  /** Copies weights, frozen observation statistics and how to explore; every later `act` and `values` uses them. */
  publish(
    parameters: Float32Array,
    statistics: ObservationStatistics | null,
    exploration?: Exploration,
  ): void;
  /** @see PolicyForward.prepare */
  prepare(maxRows: number): Promise<number>;
  dispose(): void;
}

export interface TensorFlowPolicyOptions {
  readonly tensorflow: LoadedTensorFlow;
  readonly spec: ActingSpec;
  readonly network: TensorNetwork;
  readonly parameters: Float32Array; // [layout.size] f32, copied
  /** Whether the forward pass is captured as a graph on the native binding; default true. */
  readonly capture?: boolean;
  /** Whether the number of rows of `act` changes from call to call; default false. */
  readonly rowsVary?: boolean;
}

/**
 * Makes a policy that acts for many rows per call: one forward pass on the backend, sampling in plain TypeScript.
 *
 * Keep the number of rows of `act` the same from call to call: the first call with another number captures another graph
 * (about 0.1 s). With `rowsVary` there is one for each power of two, as for `values`, and the rows that are too many are computed for nothing.
 */
export function createTensorFlowPolicy(options: TensorFlowPolicyOptions): TensorFlowPolicy {
  const { spec, network, tensorflow, parameters, rowsVary = false } = options;
  const captures = tensorflow.backend === 'node-gpu' && options.capture !== false;
  const create = captures ? createCapturedForward : createEagerForward;
  const { publish, forward, prepare, dispose } = create({ tf: tensorflow.tf, spec, network, parameters });
  const logStdEntry = network.layout.entries.find(({ name }) => name === 'logStd');
  const logStdOf = (flat: Float32Array) =>
    logStdEntry === undefined ? null : flat.slice(logStdEntry.offset, logStdEntry.offset + logStdEntry.size);
  let logStd = logStdOf(parameters);
  let exploration = NO_EXPLORATION;
  return {
    publish(flat, statistics, published = NO_EXPLORATION) {
      logStd = logStdOf(flat);
      exploration = published;
      publish(flat, statistics);
    },
    async act(call) {
      const { distributionParameters, values, latent } = await forward(
        call.observations,
        call.numRows,
        !rowsVary,
      );
      call.values.set(values);
      sampleActions(spec, { ...call, distributionParameters, latent, logStd, exploration });
      writeBehaviourValues(spec, distributionParameters, call.masks, call.numRows, call.values);
    },
    async values(observations, numRows, out) {
      if (numRows === 0) return;
      const { distributionParameters, values } = await forward(observations, numRows, false);
      out.set(values);
      writeBehaviourValues(spec, distributionParameters, null, numRows, out);
    },
    prepare,
    dispose,
  };
}
