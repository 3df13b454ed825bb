/** Transforms of rows around a single environment. */
import type { JsonValue } from '../../json.ts';
import type { Env } from '../env.ts';
import { flatActionSize, flattenAction, hasFloatActions, unflattenAction } from '../flatten-action.ts';
import { flattenObservation, flattenObservationSpace, unflattenObservation } from '../flatten-space.ts';
import type { Space } from '../spaces.ts';
import type { ActionArray, ObservationArray } from '../vector-env.ts';
import type { ActionTransform, ObservationTransform } from './row-transforms.ts';
import { type WrapperState, wrapEnv } from './wrap-env.ts';

/** An environment whose observations are what `transform` makes of those of `env`. Cost: two copies of an observation. */
export function transformObservations(env: Env, { space, frameStack, open }: ObservationTransform): Env {
  const rows = open(1);
  const inner = env.observationSpace;
  const seen = observationRow(inner);
  const made = observationRow(space);
  const observe = () => {
    rows.write(0, seen, 0, made, 0);
    return unflattenObservation(space, made);
  };
  return wrapEnv(
    env,
    {
      observationSpace: space,
      ...(frameStack && { frameStack }),
      reset(options) {
        const result = env.reset(options);
        flattenObservation(inner, result.observation, seen, 0);
        rows.begin?.(0, seen, 0);
        return { ...result, observation: observe() };
      },
      step(action) {
        const result = env.step(action);
        flattenObservation(inner, result.observation, seen, 0);
        rows.advance?.(0, seen, 0);
        return { ...result, observation: observe() };
      },
    },
    stateOf(rows),
  );
}

/** An environment that gets what `transform` makes of the actions. Cost: two copies of an action. */
export function transformActions(env: Env, { space, open }: ActionTransform): Env {
  const rows = open(1);
  const given = actionRow(space);
  const taken = actionRow(env.actionSpace);
  return wrapEnv(
    env,
    {
      actionSpace: space,
      ...(rows.begin && {
        reset(options) {
          rows.begin?.(0, options?.seed ?? 0);
          return env.reset(options);
        },
      }),
      step(action) {
        flattenAction(space, action, given, 0);
        rows.write(0, given, 0, taken, 0);
        return env.step(unflattenAction(env.actionSpace, taken, 0));
      },
    },
    stateOf(rows),
  );
}

function stateOf(rows: {
  getState?(n: number): JsonValue;
  setState?(n: number, state: JsonValue): void;
}): WrapperState | undefined {
  if (!rows.getState) return undefined;
  return {
    getState: () => rows.getState?.(0) ?? null,
    setState: (state) => rows.setState?.(0, state),
  };
}

/** Of one observation. */
function observationRow(space: Space): ObservationArray {
  const { size, dtype } = flattenObservationSpace(space);
  return dtype === 'uint8' ? new Uint8Array(size) : new Float32Array(size);
}

/** Of one action. */
function actionRow(space: Space): ActionArray {
  const size = flatActionSize(space);
  return hasFloatActions(space) ? new Float32Array(size) : new Int32Array(size);
}
