/** What acts, described: enough, with the weights beside it, to act without the program that trained it (`loadPolicy`). */
import type { StatePart } from '../checkpoint/state-part.ts';
import type { EnvSource } from '../env/env-source.ts';
import { spaceToJson } from '../env/space-json.ts';
import type { Space } from '../env/spaces.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { ParameterLayout } from '../weights/parameter-layout.ts';

const POLICY = 'policies/default/policy.json';

export interface PolicyDescription {
  readonly source: EnvSource;
  readonly spec: ActingSpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
}

/** A run goes on in the same environment with the same network only. */
export function policyState(
  { source, spec, observationSpace, actionSpace }: PolicyDescription,
  layout: ParameterLayout,
): StatePart {
  return {
    name: 'policy',
    files: [],
    identity: {
      here: { environment: source.id, policy: JSON.parse(JSON.stringify(spec)) as JsonValue },
      there: ({ description, json }) => ({
        environment: description.environment ?? null,
        policy: json[POLICY]?.spec ?? null,
      }),
    },
    getState: () => ({
      description: { environment: source.id },
      json: {
        [POLICY]: {
          spec: spec as unknown as JsonObject,
          observationSpace: spaceToJson(observationSpace),
          actionSpace: spaceToJson(actionSpace),
          parameters: layout.entries as unknown as JsonValue,
        },
      },
    }),
    readState: () => () => undefined,
  };
}
