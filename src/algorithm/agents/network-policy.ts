/** The networks among the policies of a run with several agents: those that learn, and those that do not. */
import type { NamedTensor } from '../../checkpoint/content.ts';
import { loadCheckpoint } from '../../checkpoint/load-checkpoint.ts';
import type { StatePart } from '../../checkpoint/state-part.ts';
import type { SeatGroup } from '../../env/agents/seat-layout.ts';
import type { EnvSource } from '../../env/env-source.ts';
import { spaceToJson } from '../../env/space-json.ts';
import { ConfigError } from '../../errors.ts';
import { initializeParameters } from '../../policy/initialize.ts';
import { mlpParameterLayout } from '../../policy/networks/mlp-parameters.ts';
import type { ActingSpec, PolicySpec } from '../../policy/policy-spec.ts';
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import { openWeightBuffer, type WeightBufferLayout } from '../../weights/weight-buffer.ts';
import { parametersToTensors, tensorsToParameters } from '../parameter-content.ts';
import { policyStream } from '../policy-names.ts';
import { policyState } from '../policy-state.ts';
import { readPolicyFiles } from '../read-policy.ts';

/** A network that keeps its weights. */
export interface FrozenNetwork {
  readonly spec: ActingSpec;
  /** f32 [parameters]; always the same array. */
  readonly parameters: Float32Array;
  readonly statistics: ObservationStatistics | null;
}

/** One that could learn and does not. */
export function freshNetwork(spec: PolicySpec, seed: number, policy: string): FrozenNetwork {
  const parameters = initializeParameters(
    spec,
    mlpParameterLayout(spec),
    policyStream(seed, 'initialize', policy),
  );
  return { spec, parameters, statistics: null };
}

/** It is published with each version, as all others are. */
export function publisherOfFrozen(
  buffer: ArrayBufferLike,
  layout: WeightBufferLayout,
  { parameters, statistics }: FrozenNetwork,
): () => void {
  const weights = openWeightBuffer(buffer, layout);
  return () => weights.publish(parameters, statistics?.mean ?? null, statistics?.inverseStd ?? null);
}

/**
 * The network of a checkpoint, whatever it was learned by: it acts as in that run, without exploring.
 *
 * @throws ConfigError `CONFIG_POLICY` when it was made for other spaces or is no MLP; CheckpointError as `loadPolicy`.
 */
export async function networkFromCheckpoint(
  name: string,
  { path, policy }: { readonly path: string; readonly policy: string },
  group: SeatGroup,
): Promise<FrozenNetwork> {
  const { content } = await loadCheckpoint(path, { withSegments: false });
  const { spec, weights, statistics, observationSpace, actionSpace } = readPolicyFiles(content, path, policy);
  const isSame =
    JSON.stringify([spaceToJson(observationSpace), spaceToJson(actionSpace), spec.actionMaskSize]) ===
    JSON.stringify([
      spaceToJson(group.spaces.observationSpace),
      spaceToJson(group.spaces.actionSpace),
      group.maskSize,
    ]);
  const reason = isSame ? `is no MLP but '${spec.network.kind}'` : 'was made for other spaces';
  if (!isSame || spec.network.kind !== 'mlp') {
    throw new ConfigError(
      'CONFIG_POLICY',
      `The policy \`${name}\` cannot be used: \`${policy}\` of ${path} ${reason}.`,
    );
  }
  return { spec, parameters: tensorsToParameters(weights, mlpParameterLayout(spec)), statistics };
}

/** Its part of a checkpoint: as that of one that learns, without an optimizer. A resume goes on with what was saved. */
export function frozenState(
  name: string,
  { spec, parameters, statistics }: FrozenNetwork,
  group: SeatGroup,
  source: EnvSource,
): readonly StatePart[] {
  const layout = mlpParameterLayout(spec);
  const file = `policies/${name}/weights.safetensors`;
  const vector = (data: Float32Array): NamedTensor => ({
    dtype: 'float32',
    shape: [data.length],
    data: data.slice(),
  });
  const observation: Record<string, NamedTensor> =
    statistics === null
      ? {}
      : {
          'observation/mean': vector(statistics.mean),
          'observation/inverseStd': vector(statistics.inverseStd),
        };
  return [
    policyState({ source, spec, ...group.spaces }, layout, name),
    {
      name: `weights ${name}`,
      files: [file],
      getState: () => ({
        tensors: { [file]: { ...parametersToTensors(parameters, layout), ...observation } },
      }),
      readState({ tensors }) {
        const saved = tensorsToParameters(tensors[file], layout);
        return () => parameters.set(saved);
      },
    },
  ];
}
