/** The forward pass of a policy whose weights are published to it: eagerly, on every backend. */
import type { ActingSpec } from '../../policy/policy-spec.ts';
import type { TensorNetwork } from '../../policy/tensor-network.ts';
import type { NetworkOutputs, Tensor, TensorFlow } from '../../policy/tensor-types.ts';
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import { unpackParameters } from './flat-parameters.ts';
import { prepareObservations, type StatisticsTensors } from './gradient-step.ts';

export interface ForwardOutputs {
  readonly distributionParameters: Float32Array; // [B, P] f32
  readonly values: Float32Array; // [B] f32
  readonly latent: Float32Array | null; // [B, H] f32, gsde only
}

export interface PolicyForward {
  /** Copies weights and statistics. */
  publish(parameters: Float32Array, statistics: ObservationStatistics | null): void;
  /**
   * @param observations [numRows or more, obsSize], raw.
   * @param exact false: the number of rows changes from call to call, so no graph is worth making for just this one.
   */
  forward(observations: Float32Array | Uint8Array, numRows: number, exact: boolean): Promise<ForwardOutputs>;
  /**
   * Does what the first call with some number of rows would do, for all of 1 to `maxRows` that are not `exact`.
   *
   * @returns bytes of the copies of weights that it holds.
   */
  prepare(maxRows: number): Promise<number>;
  dispose(): void;
}

export interface PolicyForwardOptions {
  readonly tf: TensorFlow;
  readonly spec: ActingSpec;
  readonly network: TensorNetwork;
  readonly parameters: Float32Array; // [layout.size] f32, copied
}

/** What acting needs of the network's outputs: distribution parameters, values and, for gsde, the latent. */
export function fetchedOutputs({ distribution }: ActingSpec, outputs: NetworkOutputs): Tensor[] {
  const { distributionParameters, values, latent } = outputs;
  const isGsde = distribution.kind === 'gsde' || distribution.kind === 'squashed-gsde';
  if (!isGsde || latent === null) return [distributionParameters, values];
  return [distributionParameters, values, latent];
}

export function createEagerForward({
  tf,
  spec,
  network,
  parameters: initial,
}: PolicyForwardOptions): PolicyForward {
  const parameters = tf.tidy(() => tf.variable(tf.tensor1d(initial.slice()), false));
  let statistics: StatisticsTensors | null = null;
  const disposeStatistics = () => {
    if (statistics !== null) tf.dispose([statistics.mean, statistics.inverseStd]);
    statistics = null;
  };
  return {
    publish(flat, published) {
      tf.tidy(() => parameters.assign(tf.tensor1d(flat.slice(), 'float32')));
      disposeStatistics();
      if (published === null) return;
      const keep = (values: Float32Array) => tf.keep(tf.tensor1d(values.slice(), 'float32'));
      statistics = { mean: keep(published.mean), inverseStd: keep(published.inverseStd) };
    },
    async forward(observations, numRows) {
      const tensors: Tensor[] = tf.tidy(() => {
        const rows = observations.slice(0, numRows * spec.observationSize);
        const pixels = rows instanceof Uint8Array;
        const shape: [number, number] = [numRows, spec.observationSize];
        const raw = tf.tensor2d(pixels ? Int32Array.from(rows) : rows, shape, pixels ? 'int32' : 'float32');
        const entries = unpackParameters(tf, network.layout, parameters);
        return fetchedOutputs(spec, network.apply(entries, prepareObservations(tf, spec, raw, statistics)));
      });
      const arrays = await Promise.all(tensors.map(async (tensor) => (await tensor.data()) as Float32Array));
      tf.dispose(tensors);
      const [distributionParameters, values, latent = null] = arrays;
      return { distributionParameters, values, latent };
    },
    prepare: async () => initial.byteLength, // no call is the first one
    dispose() {
      disposeStatistics();
      parameters.dispose();
    },
  };
}
