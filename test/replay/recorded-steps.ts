/** Made-up experience, as fragments and as a plain list of transitions to compare with. */
import type { ReplayFragment } from '../../src/replay/append.ts';
import type { ReplaySpec } from '../../src/replay/replay-spec.ts';

/** One transition, with the observation that its step truly led to. */
export interface RecordedStep {
  readonly observation: readonly number[];
  readonly action: readonly number[];
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly next: readonly number[];
  readonly mask: readonly number[];
  readonly nextMask: readonly number[];
}

export interface Recorder {
  /** Plays T steps in every row. */
  play(T: number): ReplayFragment;
  /** By row, oldest first. */
  readonly rows: readonly RecordedStep[][];
}

/** How an episode's step `step` (from 0) of row `row` ends: what {@link recorder} asks before each step. */
export type EndOf = (row: number, step: number, count: number) => 'terminated' | 'truncated' | null;

type Values = (row: number, episode: number, step: number) => number[];

/**
 * Every number is different: element k of the observation of step s in episode e of row r. With a stack, observations are stacks of such
 * frames; frames of uint8 repeat after 251.
 */
export function recorder(spec: ReplaySpec, endOf: EndOf, values?: Values): Recorder {
  const { numRows: N, observationSize, actionSize: A, maskSize, observationDtype, actionDtype } = spec;
  const numFrames = spec.frameStack?.numFrames ?? 1;
  const frameSize = observationSize / numFrames;
  const groupSize = spec.frameStack?.groupSize ?? frameSize;
  const isBytes = observationDtype === 'uint8';
  let counter = 0;
  const frameOf: Values =
    values ??
    (() => Array.from({ length: frameSize }, () => (isBytes ? counter++ % 251 : Math.fround(counter++ / 8))));
  const stackOf = (frames: readonly number[][]) => {
    const out = new Array<number>(observationSize);
    frames.forEach((frame, f) => {
      frame.forEach((value, k) => {
        out[Math.floor(k / groupSize) * groupSize * numFrames + f * groupSize + (k % groupSize)] = value;
      });
    });
    return out;
  };
  const maskOf = () => Array.from({ length: maskSize }, () => counter++ % 2);
  const rows: RecordedStep[][] = Array.from({ length: N }, () => []);
  const begin = (n: number, episode: number) => ({
    episode,
    step: 0,
    frames: new Array<number[]>(numFrames).fill(frameOf(n, episode, 0)),
    mask: maskOf(),
  });
  const running = Array.from({ length: N }, (_, n) => begin(n, 0));
  const floats = (length: number) => (isBytes ? new Uint8Array(length) : new Float32Array(length));

  const play = (T: number): ReplayFragment => {
    const finals: number[][] = [];
    const finalMasks: number[][] = [];
    const fragment = {
      numRows: N,
      rolloutLength: T,
      observations: floats(N * T * observationSize),
      actions: actionDtype === 'int32' ? new Int32Array(N * T * A) : new Float32Array(N * T * A),
      rewards: new Float32Array(N * T),
      terminated: new Uint8Array(N * T),
      truncated: new Uint8Array(N * T),
      actionMasks: new Uint8Array(N * T * maskSize),
      bootstrapObservations: floats(N * observationSize),
      bootstrapMasks: new Uint8Array(N * maskSize),
      finalSlots: new Int32Array(N * T).fill(-1),
    };
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        const i = n * T + t;
        const state = running[n];
        const observation = stackOf(state.frames);
        const action = Array.from({ length: A }, () => counter++ % 97);
        const reward = Math.fround((counter++ % 1013) / 7);
        const end = endOf(n, state.step, rows[n].length);
        const frames = [...state.frames.slice(1), frameOf(n, state.episode, state.step + 1)];
        const nextMask = maskOf();
        rows[n].push({
          observation,
          action,
          reward,
          terminated: end === 'terminated',
          truncated: end === 'truncated',
          next: stackOf(frames),
          mask: state.mask,
          nextMask,
        });
        fragment.observations.set(observation, i * observationSize);
        fragment.actions.set(action, i * A);
        fragment.rewards[i] = reward;
        fragment.terminated[i] = end === 'terminated' ? 1 : 0;
        fragment.truncated[i] = end === 'truncated' ? 1 : 0;
        fragment.actionMasks.set(state.mask, i * maskSize);
        if (end === null) {
          running[n] = { episode: state.episode, step: state.step + 1, frames, mask: nextMask };
          continue;
        }
        fragment.finalSlots[i] = finals.length;
        finals.push(stackOf(frames));
        finalMasks.push(nextMask);
        running[n] = begin(n, state.episode + 1);
      }
    }
    running.forEach((state, n) => {
      fragment.bootstrapObservations.set(stackOf(state.frames), n * observationSize);
      fragment.bootstrapMasks.set(state.mask, n * maskSize);
    });
    const finalObservations = floats(finals.length * observationSize);
    finals.forEach((final, k) => {
      finalObservations.set(final, k * observationSize);
    });
    return { ...fragment, finalObservations, finalMasks: Uint8Array.from(finalMasks.flat()) };
  };
  return { play, rows };
}

export interface ReferenceTransition {
  readonly reward: number;
  readonly discount: number;
  readonly next: readonly number[];
  readonly nextMask: readonly number[];
  readonly isTerminated: boolean;
}

/** The n-step transition from step `k` of a row's list, worked out the slow way. */
export function referenceTransition(
  steps: readonly RecordedStep[],
  k: number,
  numSteps: number,
  gamma: number,
): ReferenceTransition {
  let reward = 0;
  for (let j = 0; ; j++) {
    const step = steps[k + j];
    reward += gamma ** j * step.reward;
    const isLast = step.terminated || step.truncated || j + 1 === numSteps || k + j + 1 === steps.length;
    if (!isLast) continue;
    return {
      reward,
      discount: step.terminated ? 0 : gamma ** (j + 1),
      next: step.next,
      nextMask: step.nextMask,
      isTerminated: step.terminated,
    };
  }
}

/** A batch of B for a buffer. */
export function batchOf(spec: ReplaySpec, B: number) {
  const floats = (length: number) =>
    spec.observationDtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
  return {
    observations: floats(B * spec.observationSize),
    nextObservations: floats(B * spec.observationSize),
    actions:
      spec.actionDtype === 'int32'
        ? new Int32Array(B * spec.actionSize)
        : new Float32Array(B * spec.actionSize),
    rewards: new Float32Array(B),
    discounts: new Float32Array(B),
    masks: new Uint8Array(B * spec.maskSize),
    nextMasks: new Uint8Array(B * spec.maskSize),
  };
}

export const vectorSpec: ReplaySpec = {
  capacity: 12,
  numRows: 1,
  observationSize: 3,
  observationDtype: 'float32',
  actionSize: 1,
  actionDtype: 'float32',
  maskSize: 0,
  segmentSteps: 4,
};
