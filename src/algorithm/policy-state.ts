/** What acts, described: enough, with the weights beside it, to act without the program that trained it (`loadPolicy`). */
import { stringifyExact } from '../checkpoint/exact-json.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { EnvSource } from '../env/env-source.ts';
import { spaceToJson } from '../env/space-json.ts';
import type { Space } from '../env/spaces.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { isModuleReference } from '../modules/module-text.ts';
import { policySpecToJson } from '../policy/policy-schema.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { ParameterLayout } from '../weights/parameter-layout.ts';

export interface PolicyDescription {
  readonly source: EnvSource;
  readonly spec: ActingSpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
}

/**
 * A run goes on in the same environment with the same network only.
 *
 * @throws CheckpointError `CHECKPOINT_VALUE` for a description that could not be saved.
 */
export function policyState(
  { source, spec, observationSpace, actionSpace }: PolicyDescription,
  layout: ParameterLayout,
  policy = 'default',
): StatePart {
  const POLICY = `policies/${policy}/policy.json`;
  const json: JsonObject = {
    spec: policySpecToJson(spec),
    observationSpace: spaceToJson(observationSpace),
    actionSpace: spaceToJson(actionSpace),
    parameters: layout.entries as unknown as JsonValue,
  };
  stringifyExact(json, POLICY); // what cannot be saved is found before anything is learned
  return {
    name: policy === 'default' ? 'policy' : `policy ${policy}`,
    files: [],
    identity: {
      here: {
        environment: moduleName(source.id),
        policy: JSON.parse(JSON.stringify(json.spec)) as JsonValue,
      },
      there: ({ description, json }) => ({
        environment: moduleName(description.environment ?? null),
        policy: json[POLICY]?.spec ?? null,
      }),
    },
    getState: () => ({
      ...(policy === 'default' ? { description: { environment: source.id } } : {}),
      json: { [POLICY]: json },
    }),
    readState: () => () => undefined,
  };
}

/** A module may have moved, or be named from elsewhere: its file's name and export tell whether it is the same. */
function moduleName(id: JsonValue): JsonValue {
  if (typeof id !== 'string' || !isModuleReference(id)) return id;
  return id.slice(Math.max(id.lastIndexOf('/'), id.lastIndexOf('\\')) + 1);
}
