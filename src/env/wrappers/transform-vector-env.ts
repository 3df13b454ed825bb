/** Transforms of rows around a vector environment. Its autoreset has to be `same-step`, as in training. */
import { ConfigError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { flatActionSize, hasFloatActions } from '../flatten-action.ts';
import { flattenObservationSpace } from '../flatten-space.ts';
import type { ActionArray, ObservationArray, StepRows, VectorEnv } from '../vector-env.ts';
import type { ActionRows, ActionTransform, ObservationRows, ObservationTransform } from './row-transforms.ts';
import { wrapVectorEnv } from './wrap-vector-env.ts';

/** Cost: a copy of each observation, and what the transform does. Allocates nothing a step. */
export function transformVectorObservations(
  env: VectorEnv,
  { space, frameStack, open }: ObservationTransform,
): VectorEnv {
  requireSameStep(env);
  const rows = open(env.numRows);
  const { size } = flattenObservationSpace(env.observationSpace);
  const { size: outSize } = flattenObservationSpace(space);
  const inner = innerRows(env);
  const see = (n: number, out: StepRows) =>
    rows.write(n, inner.rows.observations, n * size, out.observations, rowAt(out, n));
  const begin = (n: number, out: StepRows) => {
    rows.begin?.(n, inner.rows.observations, n * size);
    see(n, out);
  };
  return wrapVectorEnv<VectorEnv>(env, {
    observationSpace: space,
    ...(frameStack && { frameStack }),
    ...(env.lastReward && { lastReward: (n: number) => env.lastReward?.(n) ?? 0 }),
    reset(seeds, out) {
      env.reset(seeds, inner.follow(out));
      for (let n = 0; n < env.numRows; n++) begin(n, out);
    },
    resetRows(mask, seeds, out) {
      env.resetRows(mask, seeds, inner.follow(out));
      for (let n = 0; n < env.numRows; n++) if (mask[n] === 1) begin(n, out);
    },
    step(actions, nextSeeds, out) {
      env.step(actions, nextSeeds, inner.follow(out));
      for (let n = 0; n < env.numRows; n++) {
        if (hasEnded(out, n)) {
          rows.advance?.(n, inner.rows.finalObservations, n * size);
          rows.write(n, inner.rows.finalObservations, n * size, out.finalObservations, n * outSize);
          begin(n, out);
        } else {
          rows.advance?.(n, inner.rows.observations, n * size);
          see(n, out);
        }
      }
    },
    ...stateFunctions(env, rows, inner.follow, see),
    ...(env.replay && {
      replay(n, seed, actions, numSteps, out) {
        const isSame = replayObserved(env, n, seed, actions, numSteps, rows, inner.follow(out), size);
        if (isSame) see(n, out);
        return isSame;
      },
    }),
  });
}

/** Those that remember see every observation on the way; the others the last one. */
function replayObserved(
  env: VectorEnv,
  n: number,
  seed: number | null,
  actions: ActionArray,
  numSteps: number,
  rows: ObservationRows,
  inner: StepRows,
  size: number,
): boolean {
  const replay = env.replay?.bind(env) ?? (() => false);
  if (!rows.advance) return replay(n, seed, actions, numSteps, inner);
  if (seed !== null) {
    if (!replay(n, seed, actions, 0, inner)) return false;
    rows.begin?.(n, inner.observations, n * size);
  }
  const A = flatActionSize(env.actionSpace);
  for (let t = 0; t < numSteps; t++) {
    if (!replay(n, null, actions.subarray(t * A, (t + 1) * A), 1, inner)) return false;
    rows.advance(n, inner.observations, n * size);
  }
  return true;
}

/** Cost: a copy of each action, and what the transform does. Allocates nothing a step. */
export function transformVectorActions(env: VectorEnv, { space, open }: ActionTransform): VectorEnv {
  requireSameStep(env);
  const rows = open(env.numRows);
  const A = flatActionSize(space);
  const innerSize = flatActionSize(env.actionSpace);
  const make = (numActions: number): ActionArray =>
    hasFloatActions(env.actionSpace)
      ? new Float32Array(numActions * innerSize)
      : new Int32Array(numActions * innerSize);
  const taken = make(env.numRows); // [numRows, innerSize]
  return wrapVectorEnv<VectorEnv>(env, {
    actionSpace: space,
    ...(env.frameStack && { frameStack: env.frameStack }),
    ...(env.lastReward && { lastReward: (n: number) => env.lastReward?.(n) ?? 0 }),
    reset(seeds, out) {
      env.reset(seeds, out);
      for (let n = 0; n < env.numRows; n++) rows.begin?.(n, seeds[n]);
    },
    resetRows(mask, seeds, out) {
      env.resetRows(mask, seeds, out);
      for (let n = 0; n < env.numRows; n++) if (mask[n] === 1) rows.begin?.(n, seeds[n]);
    },
    step(actions, nextSeeds, out) {
      for (let n = 0; n < env.numRows; n++) rows.write(n, actions, n * A, taken, n * innerSize);
      env.step(taken, nextSeeds, out);
      if (!rows.begin) return;
      for (let n = 0; n < env.numRows; n++) if (hasEnded(out, n)) rows.begin(n, nextSeeds[n]);
    },
    ...stateFunctions(env, rows, (out) => out),
    ...(env.replay && {
      replay(n, seed, actions, numSteps, out) {
        if (seed !== null) rows.begin?.(n, seed);
        const all = make(numSteps);
        for (let t = 0; t < numSteps; t++) rows.write(n, actions, t * A, all, t * innerSize);
        return env.replay?.(n, seed, all, numSteps, out) ?? false;
      },
    }),
  });
}

/** A transform that remembers keeps that beside the environment's state. */
function stateFunctions(
  env: VectorEnv,
  rows: Pick<ObservationRows | ActionRows, 'getState' | 'setState'>,
  follow: (out: StepRows) => StepRows,
  see: (n: number, out: StepRows) => void = () => undefined,
): Pick<VectorEnv, 'getState' | 'setState'> {
  return {
    ...(env.getState && {
      getState(n) {
        const inner = env.getState?.(n) ?? null;
        return inner === null || !rows.getState ? inner : { inner, own: rows.getState(n) };
      },
    }),
    ...(env.setState && {
      setState(n, state, out) {
        const { inner, own } = rows.setState ? splitState(state) : { inner: state, own: null };
        env.setState?.(n, inner, follow(out));
        rows.setState?.(n, own);
        see(n, out);
      },
    }),
  };
}

/** Rows in memory of their own, which the environment writes; all else goes where `follow` was told. */
function innerRows(env: VectorEnv): { readonly rows: StepRows; follow(out: StepRows): StepRows } {
  const { size, dtype } = flattenObservationSpace(env.observationSpace);
  const make = (): ObservationArray =>
    dtype === 'uint8' ? new Uint8Array(env.numRows * size) : new Float32Array(env.numRows * size);
  const [observations, finalObservations] = [make(), make()]; // [numRows, size] each
  const own = { observations, observationOffset: 0, observationStride: size, finalObservations };
  const rows = { ...own } as StepRows;
  return {
    rows,
    follow: (out) => Object.assign(rows, out, own),
  };
}

/** @throws {@link ConfigError} `CONFIG_WRAPPER` for another autoreset. */
export function requireSameStep({ autoreset }: VectorEnv): void {
  if (autoreset === 'same-step') return;
  throw new ConfigError('CONFIG_WRAPPER', `\`wrappers\` need autoreset 'same-step', got '${autoreset}'.`);
}

export function hasEnded(out: StepRows, n: number): boolean {
  const i = out.scalarOffset + n * out.scalarStride;
  return (out.terminated[i] | out.truncated[i]) === 1;
}

export function rowAt(out: StepRows, n: number): number {
  return out.observationOffset + n * out.observationStride;
}

/** The parts of a saved state; what does not fit is refused by whoever gets it. */
export function splitState(state: JsonValue): { readonly inner: JsonValue; readonly own: JsonValue } {
  const { inner, own } = (state ?? {}) as JsonObject;
  return { inner: inner ?? null, own: own ?? null };
}
