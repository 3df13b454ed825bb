/** Environment states as a checkpoint's files: numbers as tensors, what environments gave as JSON. */

import * as z from 'zod/mini';
import type { NamedTensor } from '../checkpoint/content.ts';
import { countSchema } from '../checkpoint/field-state.ts';
import { readTensor, type TensorRule } from '../checkpoint/tensor-rules.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import { type ActingSpec, actionDtype, actionSize } from '../policy/policy-spec.ts';
import type { EpisodeOptions, RowState } from '../rollout/row-states.ts';

const FILE = 'environments.safetensors';

export interface RowStateContent {
  readonly tensors: Readonly<Record<string, NamedTensor>>;
  readonly json: JsonObject;
}

/**
 * `episodeNumbers`, `episodeSteps`, `replaySteps` i32 [N], `episodeReturns` f64 [N], `observations` [N, obsSize], and
 * `actions` [sum of replaySteps, A]: the running episodes' actions one after the other, from their beginning or from the
 * state that the environment gave. Of a recurrent policy `recurrentStates` f32 [N, S], what it remembers of them.
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
      ...recurrentContent(states, recurrentStateSize(spec)),
    },
    json: { envStates: states.map((state) => state.envState), ...optionsContent(states) },
  };
}

/**
 * @throws {@link CheckpointError} `CHECKPOINT_ENVIRONMENTS` when the number of environments differs, `CHECKPOINT_STATE` naming what is
 * not as it was saved.
 */
export function rowStatesFromContent(
  { tensors, json }: RowStateContent,
  spec: ActingSpec,
  numEnvs: number,
): RowState[] {
  const { envStates } = json;
  if (!Array.isArray(envStates)) throw unusable('`envStates` is no list');
  if (envStates.length !== numEnvs) throw otherNumEnvs(envStates.length, numEnvs);
  const A = actionSize(spec.distribution);
  const { observationSize } = spec;
  const read = (name: string, rule: TensorRule) => readTensor(tensors, FILE, name, rule).data;
  const counts = (name: string) =>
    read(name, { dtype: 'int32', shape: [numEnvs], values: 'nonNegative' }) as Int32Array;
  const [episodeNumbers, episodeSteps, replaySteps] = [
    counts('episodeNumbers'),
    counts('episodeSteps'),
    counts('replaySteps'),
  ];
  const episodeReturns = read('episodeReturns', { dtype: 'float64', shape: [numEnvs], values: 'finite' });
  const observations = read('observations', {
    dtype: spec.observationDtype,
    shape: [numEnvs, observationSize],
    values: 'finite',
  }) as Float32Array | Uint8Array;
  const numActions = replaySteps.reduce((sum, steps) => sum + steps, 0);
  const actions = read('actions', {
    dtype: actionDtype(spec.distribution),
    shape: [numActions, A],
    values: 'finite',
  }) as Float32Array | Int32Array;
  const S = recurrentStateSize(spec);
  const recurrent =
    S === 0
      ? null
      : (read('recurrentStates', {
          dtype: 'float32',
          shape: [numEnvs, S],
          values: 'finite',
        }) as Float32Array);
  let at = 0;
  const envOptions = readOptions(json.envOptions, numEnvs);
  return envStates.map((envState: JsonValue, n) => {
    // An episode is replayed from its beginning, or from a state in it: never with more actions than it has had.
    const isWhole =
      envState === null ? replaySteps[n] === episodeSteps[n] : replaySteps[n] <= episodeSteps[n];
    if (!isWhole)
      throw unusable(`environment ${n} has ${episodeSteps[n]} steps and ${replaySteps[n]} actions`);
    const begin = at;
    at += replaySteps[n] * A;
    return {
      episodeNumber: episodeNumbers[n],
      episodeStep: episodeSteps[n],
      episodeReturn: episodeReturns[n],
      envState,
      actions: actions.slice(begin, at),
      observation: observations.slice(n * observationSize, (n + 1) * observationSize),
      recurrentState: recurrent?.slice(n * S, (n + 1) * S) ?? null,
      ...(envOptions !== null && { envOptions: envOptions[n] }),
    };
  });
}

/** Where options may change: those that episodes have, each once, by row those of the running one, and those of the next. */
function optionsContent(states: readonly RowState[]): JsonObject {
  const [first] = states;
  if (first?.envOptions === undefined) return {};
  const next = first.envOptions.next;
  const distinct = new Map([[JSON.stringify(next), next]]);
  const running = states.map(({ envOptions }) => {
    const options = envOptions?.running ?? {};
    const key = JSON.stringify(options);
    if (!distinct.has(key)) distinct.set(key, options);
    return [...distinct.keys()].indexOf(key);
  });
  return { envOptions: { options: [...distinct.values()], running, next: 0 } };
}

/** null = they never change. */
function readOptions(saved: JsonValue | undefined, numEnvs: number): readonly EpisodeOptions[] | null {
  if (saved === undefined) return null;
  const parsed = OPTIONS.safeParse(saved);
  const isWhole =
    parsed.success &&
    parsed.data.running.length === numEnvs &&
    [...parsed.data.running, parsed.data.next].every((k) => k < parsed.data.options.length);
  if (!isWhole) throw unusable('`envOptions` does not say what each environment has');
  const { options, running, next } = parsed.data;
  return running.map((k) => ({ running: options[k], next: options[next] }));
}

const OPTIONS = z.object({
  options: z.array(z.custom<JsonObject>((value) => typeof value === 'object' && value !== null)),
  running: z.array(countSchema),
  next: countSchema,
});

function recurrentContent(states: readonly RowState[], size: number): Record<string, NamedTensor> {
  if (size === 0) return {};
  const data = new Float32Array(states.length * size); // [N, S] f32
  for (const [n, { recurrentState }] of states.entries())
    if (recurrentState) data.set(recurrentState, n * size);
  return { recurrentStates: { dtype: 'float32', shape: [states.length, size], data } };
}

function unusable(why: string): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_STATE',
    `The checkpoint's environments are not as they were saved: ${why}. Use an older checkpoint.`,
  );
}

export function otherNumEnvs(found: number, numEnvs: number): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_ENVIRONMENTS',
    `The checkpoint holds ${found} environments and numEnvs is ${numEnvs}. Resume with the same \`numEnvs\`; \`numEnvRunners\` is free.`,
  );
}
