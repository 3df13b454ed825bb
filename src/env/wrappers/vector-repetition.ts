/** Repeated actions of N environments that are stepped together. */
import { flatActionSize } from '../flatten-action.ts';
import { flattenObservationSpace } from '../flatten-space.ts';
import type { ActionArray, ObservationArray, StepRows, VectorEnv } from '../vector-env.ts';
import { checkRepetition } from './repetition.ts';
import { hasEnded, requireSameStep, rowAt, splitState } from './transform-vector-env.ts';
import { wrapVectorEnv } from './wrap-vector-env.ts';

/** One action of all rows, as far as it has come. */
interface Repetition {
  readonly env: VectorEnv;
  readonly numSteps: number;
  /** Whether the last two observations are joined. */
  readonly isMax: boolean;
  readonly size: number;
  readonly limit: number;
  readonly elapsed: Float64Array; // [numRows] f64, steps of the environment's own in the episode
  readonly rewards: Float64Array; // [numRows] f64, of the action
  /** The step of the action in which a row's episode ended; 0 = it goes on. */
  readonly endedAt: Int32Array; // [numRows] i32
  readonly terminated: Uint8Array; // [numRows] u8
  readonly truncated: Uint8Array; // [numRows] u8
  readonly previous: ObservationArray; // [numRows, size], the observation before the last one
  readonly shown: ObservationArray; // [numRows, size], where observations are joined: what is seen
  /** Of the last step that counted. */
  readonly metrics: (readonly [name: string, value: number])[][]; // [numRows]
  readonly collect: NonNullable<StepRows['onMetric']>;
  readonly finals: ObservationArray; // [numRows, size], true last observations of episodes that ended within the action
  /** Rows as the environment writes them: the caller's, but for final observations. */
  readonly inner: { -readonly [K in keyof StepRows]: StepRows[K] };
  readonly mask: Uint8Array; // [numRows] u8, rows that begin their episode again
}

/**
 * `repeatAction`, or with `isMax` `maxAndSkipObservation`, around a vector environment.
 *
 * Rows step together, so a row whose episode ends within an action is stepped on, in its next episode, until the action is over for all, and
 * then begins that episode again: an episode is what its seed and its actions make of it. Cost: `numSteps` steps of all rows an action, and one
 * reset more for an end in the midst of one. Rewards are sums of those that the environment wrote, float32.
 */
export function repeatVectorActions(env: VectorEnv, numSteps: number, isMax: boolean): VectorEnv {
  requireSameStep(env);
  checkRepetition(env.observationSpace, numSteps, isMax);
  const repetition = createRepetition(env, numSteps, isMax);
  const { elapsed, inner, mask } = repetition;
  const limit = env.maxEpisodeSteps ?? null;
  return wrapVectorEnv<VectorEnv>(env, {
    ...(limit !== null && { maxEpisodeSteps: Math.ceil(limit / numSteps) }),
    reset(seeds, out) {
      env.reset(seeds, out);
      elapsed.fill(0);
      for (let n = 0; n < env.numRows; n++) keepShown(repetition, n, out);
    },
    resetRows(rows, seeds, out) {
      env.resetRows(rows, seeds, out);
      for (let n = 0; n < env.numRows; n++) {
        if (rows[n] !== 1) continue;
        elapsed[n] = 0;
        keepShown(repetition, n, out);
      }
    },
    step(actions, nextSeeds, out) {
      const { finalObservations } = inner;
      const onMetric = out.onMetric === null ? null : repetition.collect;
      Object.assign(inner, out, { finalObservations, onMetric });
      const numTaken = stepAll(repetition, actions, nextSeeds);
      for (let n = 0; n < env.numRows; n++)
        mask[n] = repetition.endedAt[n] > 0 && repetition.endedAt[n] < numTaken ? 1 : 0;
      if (mask.includes(1)) env.resetRows(mask, nextSeeds, inner);
      for (let n = 0; n < env.numRows; n++) finish(repetition, n, out);
    },
    ...stateFunctions(repetition),
    ...replayFunctions(repetition),
  });
}

function createRepetition(env: VectorEnv, numSteps: number, isMax: boolean): Repetition {
  const { numRows } = env;
  const { size, dtype } = flattenObservationSpace(env.observationSpace);
  const make = () => (dtype === 'uint8' ? new Uint8Array(numRows * size) : new Float32Array(numRows * size));
  const metrics: Repetition['metrics'] = Array.from({ length: numRows }, () => []);
  const endedAt = new Int32Array(numRows);
  const inner = { finalObservations: make() } as unknown as Repetition['inner'];
  return {
    ...{ env, numSteps, isMax, size, metrics, endedAt, inner },
    collect: (n, name, value) => {
      if (endedAt[n] === 0) metrics[n].push([name, value]);
    },
    finals: make(),
    limit: env.maxEpisodeSteps ?? Infinity,
    elapsed: new Float64Array(numRows),
    rewards: new Float64Array(numRows),
    terminated: new Uint8Array(numRows),
    truncated: new Uint8Array(numRows),
    previous: make(),
    shown: make(),
    mask: new Uint8Array(numRows),
  };
}

/** Steps all rows until the action is over for each. @returns how often. */
function stepAll(repetition: Repetition, actions: ActionArray, nextSeeds: Uint32Array): number {
  const { env, endedAt, inner, numSteps } = repetition;
  repetition.rewards.fill(0);
  endedAt.fill(0);
  for (let k = 1; ; k++) {
    for (let n = 0; n < env.numRows; n++) if (endedAt[n] === 0) repetition.metrics[n].length = 0;
    env.step(actions, nextSeeds, inner);
    for (let n = 0; n < env.numRows; n++) if (endedAt[n] === 0) take(repetition, n, k);
    if (k === numSteps || !endedAt.includes(0)) return k;
  }
}

/** Step k of the action of row n: sums, and what is seen at its end. */
function take(repetition: Repetition, n: number, k: number): void {
  const { inner, size, isMax, numSteps, limit, elapsed } = repetition;
  const i = inner.scalarOffset + n * inner.scalarStride;
  // The limit may make the action shorter.
  const numAllowed = Math.min(numSteps, limit - elapsed[n] + k - 1);
  elapsed[n] += 1;
  repetition.rewards[n] += inner.rewards[i];
  const isOver = hasEnded(inner, n);
  if (isOver) {
    repetition.endedAt[n] = k;
    repetition.terminated[n] = inner.terminated[i];
    repetition.truncated[n] = inner.truncated[i];
    elapsed[n] = 0;
    const at = n * size;
    repetition.finals.set(inner.finalObservations.subarray(at, at + size), at);
  }
  if (!isMax) return;
  if (k === numAllowed - 1 && !isOver) keepPrevious(repetition, n, inner);
  if (k === numAllowed && k > 1) {
    if (isOver) joinPrevious(repetition, n, repetition.finals, n * size);
    else joinPrevious(repetition, n, inner.observations, rowAt(inner, n));
  }
}

function keepPrevious({ previous, size }: Repetition, n: number, out: StepRows): void {
  keepRow(previous, n, size, out);
}

function keepShown({ isMax, shown, size }: Repetition, n: number, out: StepRows): void {
  if (isMax) keepRow(shown, n, size, out);
}

function keepRow(kept: ObservationArray, n: number, size: number, out: StepRows): void {
  const row = rowAt(out, n);
  for (let k = 0; k < size; k++) kept[n * size + k] = out.observations[row + k];
}

function joinPrevious({ previous, size }: Repetition, n: number, row: ObservationArray, at: number): void {
  for (let j = 0; j < size; j++) row[at + j] = Math.max(row[at + j], previous[n * size + j]);
}

function finish(repetition: Repetition, n: number, out: StepRows): void {
  const i = out.scalarOffset + n * out.scalarStride;
  const isOver = repetition.endedAt[n] > 0;
  keepShown(repetition, n, out);
  out.rewards[i] = repetition.rewards[n];
  out.terminated[i] = isOver ? repetition.terminated[n] : 0;
  out.truncated[i] = isOver ? repetition.truncated[n] : 0;
  if (isOver) {
    const at = n * repetition.size;
    out.finalObservations.set(repetition.finals.subarray(at, at + repetition.size), at);
  }
  if (out.onMetric !== null) {
    for (const [name, value] of repetition.metrics[n]) out.onMetric(n, name, value);
  }
}

/**
 * How far an episode has come is part of its state, since the limit may make its last action shorter; and, where two observations were joined,
 * what is seen, since the environment knows the later one alone.
 */
function stateFunctions({
  env,
  elapsed,
  isMax,
  shown,
  size,
}: Repetition): Pick<VectorEnv, 'getState' | 'setState'> {
  return {
    ...(env.getState && {
      getState(n) {
        const inner = env.getState?.(n) ?? null;
        const observation = isMax ? [...shown.subarray(n * size, (n + 1) * size)] : null;
        return inner === null ? null : { inner, own: { elapsed: elapsed[n], observation } };
      },
    }),
    ...(env.setState && {
      setState(n, state, out) {
        const { inner, own } = splitState(state);
        const saved = own as { readonly elapsed: number; readonly observation: readonly number[] | null };
        env.setState?.(n, inner, out);
        elapsed[n] = saved.elapsed;
        if (saved.observation === null) return;
        out.observations.set(saved.observation, rowAt(out, n));
        shown.set(saved.observation, n * size);
      },
    }),
  };
}

/** All actions but the last at once; of that one the observations before its end, and its rewards, are wanted. */
function replayFunctions(repetition: Repetition): Pick<VectorEnv, 'replay' | 'lastReward'> {
  const { env, numSteps, isMax, elapsed, rewards } = repetition;
  if (!env.replay) return {};
  const A = flatActionSize(env.actionSpace);
  return {
    ...(env.lastReward && { lastReward: (n: number) => rewards[n] }),
    replay(n, seed, actions, numActions, out) {
      const replay = env.replay?.bind(env) ?? (() => false);
      if (seed !== null) elapsed[n] = 0;
      const repeated = repeatEach(actions, Math.max(0, numActions - 1), A, numSteps);
      if (!replay(n, seed, repeated, repeated.length / A, out)) return false;
      if (numActions === 0) {
        keepShown(repetition, n, out);
        return true;
      }
      rewards[n] = 0;
      for (let k = 1; k <= numSteps; k++) {
        if (k === numSteps) keepPrevious(repetition, n, out);
        if (!replay(n, null, actions.subarray((numActions - 1) * A, numActions * A), 1, out)) return false;
        rewards[n] += Math.fround(env.lastReward?.(n) ?? 0); // as a step reads it from its row
      }
      if (isMax && numSteps > 1) joinPrevious(repetition, n, out.observations, rowAt(out, n));
      keepShown(repetition, n, out);
      elapsed[n] += numActions * numSteps;
      return true;
    },
  };
}

/** [numActions * numSteps, A] */
function repeatEach(actions: ActionArray, numActions: number, A: number, numSteps: number): ActionArray {
  const length = numActions * numSteps * A;
  const all = actions instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  for (let t = 0; t < numActions * numSteps; t++) {
    const from = Math.floor(t / numSteps) * A;
    for (let k = 0; k < A; k++) all[t * A + k] = actions[from + k];
  }
  return all;
}
