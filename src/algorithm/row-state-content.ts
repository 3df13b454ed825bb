/** Environment states as a checkpoint's files: numbers as tensors, what environments gave as JSON. */

import type { NamedTensor } from '../checkpoint/content.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { type ActingSpec, actionDtype, actionSize } from '../policy/policy-spec.ts';
import type { RowState } from '../rollout/row-states.ts';

export interface RowStateContent {
  readonly tensors: Readonly<Record<string, NamedTensor>>;
  readonly json: JsonObject;
}

/**
 * `episodeNumbers`, `episodeSteps`, `replaySteps` i32 [N], `episodeReturns` f64 [N], `observations` [N, obsSize], and
 * `actions` [sum of replaySteps, A]: the running episodes' actions one after the other, from their beginning or from the
 * state that the environment gave.
 */
export function rowStatesToContent(states: readonly RowState[], spec: ActingSpec): RowStateContent {
  const N = states.length;
  const A = actionSize(spec.distribution);
  const { observationSize } = spec;
  const numElements = states.reduce((sum, { actions }) => sum + actions.length, 0);
  const isDiscrete = actionDtype(spec.distribution) === 'int32';
  const actions = isDiscrete ? new Int32Array(numElements) : new Float32Array(numElements);
  const isBytes = spec.observationDtype === 'uint8';
  const observations = isBytes ? new Uint8Array(N * observationSize) : new Float32Array(N * observationSize);
  let at = 0;
  for (const [n, state] of states.entries()) {
    if (state.observation !== null) observations.set(state.observation, n * observationSize);
    actions.set(state.actions, at);
    at += state.actions.length;
  }
  const integers = (pick: (state: RowState) => number): NamedTensor => ({
    dtype: 'int32',
    shape: [N],
    data: Int32Array.from(states, pick),
  });
  return {
    tensors: {
      episodeNumbers: integers((state) => state.episodeNumber),
      episodeSteps: integers((state) => state.episodeStep),
      replaySteps: integers((state) => state.actions.length / A),
      episodeReturns: {
        dtype: 'float64',
        shape: [N],
        data: Float64Array.from(states, (state) => state.episodeReturn),
      },
      observations: { dtype: spec.observationDtype, shape: [N, observationSize], data: observations },
      actions: { dtype: actionDtype(spec.distribution), shape: [numElements / A, A], data: actions },
    },
    json: { envStates: states.map((state) => state.envState) },
  };
}

/** @throws {@link CheckpointError} `CHECKPOINT_ENVIRONMENTS` when the number of environments differs. */
export function rowStatesFromContent(
  { tensors, json }: RowStateContent,
  spec: ActingSpec,
  numEnvs: number,
): RowState[] {
  const envStates = json.envStates as readonly JsonValue[];
  if (envStates.length !== numEnvs) {
    throw new CheckpointError(
      'CHECKPOINT_ENVIRONMENTS',
      `The checkpoint holds ${envStates.length} environments and numEnvs is ${numEnvs}. Resume with the same \`numEnvs\`; \`numEnvRunners\` is free.`,
    );
  }
  const A = actionSize(spec.distribution);
  const { observationSize } = spec;
  const actions = tensors.actions.data as Float32Array | Int32Array;
  const observations = tensors.observations.data as Float32Array | Uint8Array;
  let at = 0;
  return envStates.map((envState, n) => {
    const begin = at;
    at += tensors.replaySteps.data[n] * A;
    return {
      episodeNumber: tensors.episodeNumbers.data[n],
      episodeStep: tensors.episodeSteps.data[n],
      episodeReturn: tensors.episodeReturns.data[n],
      envState,
      actions: actions.slice(begin, at),
      observation: observations.slice(n * observationSize, (n + 1) * observationSize),
    };
  });
}
