/** Acting and valuing in the learner's thread, for networks that rollout workers cannot run. */
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { sampleActions } from '../../policy/sample-actions.ts';
import type { TensorNetwork } from '../../policy/tensor-network.ts';
import type { Tensor, Variable } from '../../policy/tensor-types.ts';
import type { CentralPolicy, ObservationStatistics } from '../learner.ts';
import type { LoadedTensorFlow } from './backend.ts';
import { unpackParameters } from './flat-parameters.ts';
import { prepareObservations, type StatisticsTensors } from './gradient-step.ts';

export interface TensorFlowPolicy extends CentralPolicy {
  /** Copies weights and frozen observation statistics; every later `act` and `values` uses them. */
  publish(parameters: Float32Array, statistics: ObservationStatistics | null): void;
  dispose(): void;
}

export interface TensorFlowPolicyOptions {
  readonly tensorflow: LoadedTensorFlow;
  readonly spec: PolicySpec;
  readonly network: TensorNetwork;
  readonly parameters: Float32Array; // [layout.size] f32, copied
}

/** Makes a policy that acts for many rows per call: one forward pass on the backend, sampling in plain TypeScript. */
export function createTensorFlowPolicy(options: TensorFlowPolicyOptions): TensorFlowPolicy {
  const { spec, network, tensorflow } = options;
  const { tf } = tensorflow;
  const { layout } = network;
  const parameters: Variable = tf.tidy(() => tf.variable(tf.tensor1d(options.parameters.slice()), false));
  let statistics: StatisticsTensors | null = null;
  const logStdEntry = layout.entries.find(({ name }) => name === 'logStd');
  const logStdOf = (flat: Float32Array) =>
    logStdEntry === undefined ? null : flat.slice(logStdEntry.offset, logStdEntry.offset + logStdEntry.size);
  let logStd = logStdOf(options.parameters);
  const needsLatent = spec.distribution.kind === 'gsde';

  /** Distribution parameters, values and (gsde) latent of B rows. */
  const forward = async (observations: Float32Array | Uint8Array, numRows: number) => {
    const tensors: Tensor[] = tf.tidy(() => {
      const rows = observations.slice(0, numRows * spec.observationSize);
      const raw =
        rows instanceof Uint8Array
          ? tf.tensor2d(Int32Array.from(rows), [numRows, spec.observationSize], 'int32')
          : tf.tensor2d(rows, [numRows, spec.observationSize], 'float32');
      const entries = unpackParameters(tf, layout, parameters);
      const outputs = network.apply(entries, prepareObservations(tf, spec, raw, statistics));
      const fetched = [outputs.distributionParameters, outputs.values];
      if (needsLatent && outputs.latent !== null) fetched.push(outputs.latent);
      return fetched;
    });
    const [distributionParameters, values, latent] = await Promise.all(
      tensors.map(async (tensor) => (await tensor.data()) as Float32Array),
    );
    tf.dispose(tensors);
    return { distributionParameters, values, latent: latent ?? null };
  };

  const disposeStatistics = () => {
    if (statistics !== null) tf.dispose([statistics.mean, statistics.inverseStd]);
    statistics = null;
  };

  return {
    publish(flat, published) {
      tf.tidy(() => parameters.assign(tf.tensor1d(flat.slice(), 'float32')));
      logStd = logStdOf(flat);
      disposeStatistics();
      if (published === null) return;
      const keep = (values: Float32Array) => tf.keep(tf.tensor1d(values.slice(), 'float32'));
      statistics = { mean: keep(published.mean), inverseStd: keep(published.inverseStd) };
    },
    async act(call) {
      const { distributionParameters, values, latent } = await forward(call.observations, call.numRows);
      call.values.set(values);
      sampleActions(spec, { ...call, distributionParameters, latent, logStd });
    },
    async values(observations, numRows, out) {
      out.set((await forward(observations, numRows)).values);
    },
    dispose() {
      disposeStatistics();
      parameters.dispose();
    },
  };
}
