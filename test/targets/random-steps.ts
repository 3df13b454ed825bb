/** Random steps with every kind of end, and log-probabilities of two policies. */
import { openStream } from '../../src/random/streams.ts';
import type { ValuedSteps } from '../../src/targets/valued-steps.ts';

export interface PolicySteps extends ValuedSteps {
  readonly behaviourLogProbs: Float32Array;
  readonly targetLogProbs: Float32Array;
  readonly actionValues: Float32Array;
}

/** What must not be read is NaN. Each step ends an episode with probability 1/5, half of the ends are time limits, some both. */
export function randomSteps(numRows: number, rolloutLength: number, seed: number): PolicySteps {
  const stream = openStream(seed, 'targets');
  const count = numRows * rolloutLength;
  const normals = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * stream.normal());
  const terminated = new Uint8Array(count);
  const truncated = new Uint8Array(count);
  const finalValues = new Float32Array(count).fill(Number.NaN);
  for (let i = 0; i < count; i++) {
    if (stream.uniform() >= 0.2) continue;
    const kind = stream.integer(3);
    terminated[i] = kind === 1 ? 0 : 1;
    truncated[i] = kind === 0 ? 0 : 1;
    if (kind === 1) finalValues[i] = stream.normal();
  }
  return {
    numRows,
    rolloutLength,
    rewards: normals(count, 2),
    values: normals(count),
    terminated,
    truncated,
    finalValues,
    bootstrapValues: normals(numRows),
    behaviourLogProbs: normals(count, 0.5),
    targetLogProbs: normals(count, 0.5),
    actionValues: normals(count),
  };
}

/** One row whose steps are given, and nothing else. */
export function rowOf(rewards: readonly number[], values: readonly number[], bootstrap: number): ValuedSteps {
  const T = rewards.length;
  return {
    numRows: 1,
    rolloutLength: T,
    rewards: Float32Array.from(rewards),
    values: Float32Array.from(values),
    terminated: new Uint8Array(T),
    truncated: new Uint8Array(T),
    finalValues: new Float32Array(T).fill(Number.NaN),
    bootstrapValues: Float32Array.of(bootstrap),
  };
}

/** Value of what follows step i, and whether the trace ends there; the definition, once more. */
export function nextOf(steps: ValuedSteps, i: number): { readonly value: number; readonly ends: boolean } {
  const { rolloutLength: T, terminated, truncated, finalValues, bootstrapValues, values } = steps;
  if (terminated[i] === 1) return { value: 0, ends: true };
  if (truncated[i] === 1) return { value: finalValues[i], ends: true };
  const isLast = i % T === T - 1;
  return { value: isLast ? bootstrapValues[Math.floor(i / T)] : values[i + 1], ends: isLast };
}

/** Rows, steps, seed. */
export const SIZES = [
  [1, 1, 1],
  [3, 7, 2],
  [8, 20, 3],
  [5, 64, 4],
] as const;

/** The largest |a - b| / (1 + |b|). */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs(a[i] - b[i]) / (1 + Math.abs(b[i]));
    largest = Number.isFinite(difference) ? Math.max(largest, difference) : Number.POSITIVE_INFINITY;
  }
  return largest;
}
