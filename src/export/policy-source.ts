/** What exports are made of: a checkpoint's policy, checked, with everything that an export says about it. */

import { tensorsToParameters } from '../algorithm/parameter-content.ts';
import { readPolicyFiles } from '../algorithm/read-policy.ts';
import type { NamedTensor } from '../checkpoint/content.ts';
import { loadCheckpoint } from '../checkpoint/load-checkpoint.ts';
import { startsOf } from '../env/discrete-starts.ts';
import { describeSpace, spaceToJson } from '../env/space-json.ts';
import type { Space } from '../env/spaces.ts';
import { EngineError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { operantVersion } from '../machine/operant-version.ts';
import { assertPlainSpec, plainParameterLayout } from '../policy/networks/row-forward.ts';
import { policySpecToJson } from '../policy/policy-schema.ts';
import type { GraphSource } from './policy-graph.ts';

export interface ExportSource extends GraphSource {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly weights: Readonly<Record<string, NamedTensor>>;
  /** Where it came from: environment, algorithm, counters. */
  readonly origin: JsonObject;
}

/** @throws CheckpointError as `loadPolicy`; EngineError `ENGINE_NETWORK` for networks that no export covers, `ENGINE_EXPORT` for actions of mixed kinds. */
export async function openExportSource(checkpoint: string): Promise<ExportSource> {
  const { content, manifest, path } = await loadCheckpoint(checkpoint, { withSegments: false });
  const files = readPolicyFiles(content, path);
  const { spec, weights, statistics, observationSpace, actionSpace } = files;
  assertPlainSpec(spec, 'an export');
  if (spec.distribution.kind === 'product') {
    throw new EngineError(
      'ENGINE_EXPORT',
      `Exports have actions of one kind, got ${describeSpace(actionSpace)}, which mixes them. Load the checkpoint with \`loadPolicy\` of operant/policy, in Node or a browser, or serve it.`,
    );
  }
  const { environment = null, algorithm = null } = manifest.description;
  return {
    spec,
    weights,
    statistics,
    observationSpace,
    actionSpace,
    parameters: tensorsToParameters(weights, plainParameterLayout(spec)),
    starts: startsOf(actionSpace),
    origin: { environment, algorithm, createdAt: manifest.createdAt },
  };
}

/** What every export says of itself. */
export function describeExport(source: ExportSource): JsonObject {
  return {
    operantVersion: operantVersion(),
    spec: policySpecToJson(source.spec),
    observationSpace: spaceToJson(source.observationSpace) as JsonValue,
    actionSpace: spaceToJson(source.actionSpace) as JsonValue,
    origin: source.origin,
  };
}

/** The same in lines for people. */
export function exportTitle(source: ExportSource): string[] {
  const { environment, algorithm } = source.origin;
  return [
    `A policy for ${String(environment ?? 'an environment of its own')}, trained with ${String(algorithm ?? 'Operant')}; written by Operant ${operantVersion()}.`,
    `Observation: ${describeSpace(source.observationSpace)}, flat: one-hot parts and names in order, [${source.spec.observationSize}].`,
    `Action: ${describeSpace(source.actionSpace)}.`,
  ];
}
