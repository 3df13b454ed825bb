/** What one of MuJoCo's tasks is: a model, where it begins, what is seen, and what a step is worth. */
import type { EnvRandom } from '../../src/env/env-random.ts';
import type { ActionArray } from '../../src/env/vector-env.ts';
import type { JsonObject } from '../../src/json.ts';
import type { Camera } from './camera.ts';
import type { Arrays, Simulation } from './simulation.ts';

/** What a step gave. */
export interface Outcome {
  reward: number;
  terminated: boolean;
}

export interface Task {
  readonly envId: string;
  readonly xml: string;
  /** Steps of the engine in one of the environment. */
  readonly frameSkip: number;
  readonly maxEpisodeSteps: number;
  readonly observationSize: number;
  /** Options beside `maxEpisodeSteps` and `resetRng`, with their defaults. */
  readonly options: JsonObject;
  readonly camera: Camera;
  /** Draws where an episode begins. `qpos` and `qvel` come as the model has them and are changed in place. */
  begin(qpos: Float64Array, qvel: Float64Array, random: EnvRandom, options: Numbers): void;
  /** The number whose change is progress; taken before and after a step. Absent = none is needed. */
  progress?(arrays: Arrays, simulation: Simulation): number;
  /**
   * @param velocity progress per second.
   * @param action at `offset`, as the policy gave it.
   */
  judge(arrays: Arrays, step: Step, options: Numbers, outcome: Outcome): void;
  /** Writes `observationSize` numbers. */
  observe(arrays: Arrays, out: Out, offset: number): void;
}

/** Options of a task are numbers. */
export type Numbers = Readonly<Record<string, number>>;

export interface Step {
  readonly velocity: number;
  readonly actions: ActionArray;
  readonly offset: number;
  readonly actionSize: number;
  /** Seconds of one step of the engine. */
  readonly timestep: number;
}

export type Out = { [index: number]: number };

const { fround } = Math;

/**
 * `weight` times the sum of squares of an action, rounded to single precision at every step and summed in NumPy's order, as it does for a float32 action of up to
 * 15 numbers: eight of them as a tree, the rest one after the other.
 */
export function actionCost(weight: number, { actions, offset, actionSize }: Step): number {
  const square = (k: number) => fround(actions[offset + k] * actions[offset + k]);
  const pair = (k: number) => fround(square(k) + square(k + 1));
  const isTree = actionSize >= 8;
  let sum = isTree ? fround(fround(pair(0) + pair(2)) + fround(pair(4) + pair(6))) : 0;
  for (let k = isTree ? 8 : 0; k < actionSize; k++) sum = fround(sum + square(k));
  return fround(fround(weight) * sum);
}

/**
 * Begins where the model does, with uniform noise in [-resetNoiseScale, resetNoiseScale) on positions, then on velocities: there normal, of that deviation, where
 * `velocities` says so.
 */
export function beginWithNoise(velocities: 'uniform' | 'normal' = 'uniform'): Task['begin'] {
  return (qpos, qvel, random, { resetNoiseScale: scale }) => {
    for (let k = 0; k < qpos.length; k++) qpos[k] += random.uniform(-scale, scale);
    for (let k = 0; k < qvel.length; k++)
      qvel[k] += velocities === 'normal' ? scale * random.normal() : random.uniform(-scale, scale);
  };
}

/** Copies `from[first..]` and returns where the next number goes. */
export function copy(from: Float64Array, first: number, out: Out, at: number, bound = Infinity): number {
  for (let k = first; k < from.length; k++) out[at + k - first] = clip(from[k], bound);
  return at + from.length - first;
}

export function clip(x: number, bound: number): number {
  return Math.min(bound, Math.max(-bound, x));
}
