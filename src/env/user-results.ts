/** What a user's reset and step gave, checked on every step; each problem is named, its place is added by the caller. */
import { EnvError } from '../errors.ts';
import type { Info, StepResult } from './env.ts';
import { nearestFinite } from './env-faults.ts';
import { describeValue } from './space-values.ts';

/** Bounds of what replaces a number that is not finite; of the flat row. */
export interface Clip {
  readonly low: readonly number[]; // [obsSize]
  readonly high: readonly number[]; // [obsSize]
}

export function checkStep(result: StepResult): void {
  if ((result as unknown) instanceof Promise) {
    throw new EnvError('ENV_STEP_RESULT', 'step returned a promise; reset and step must be synchronous.');
  }
  if (typeof result !== 'object' || result === null) {
    throw new EnvError(
      'ENV_STEP_RESULT',
      `Expected step to return { observation, reward, terminated, truncated }, got ${describeValue(result)}.`,
    );
  }
  if (typeof result.terminated !== 'boolean' || typeof result.truncated !== 'boolean') {
    throw new EnvError(
      'ENV_FLAGS',
      'Expected `terminated` and `truncated` to be true or false, got ' +
        `${describeValue(result.terminated)} and ${describeValue(result.truncated)}.`,
    );
  }
}

/** Rollouts hold rewards as float32, where 1e39 is infinite. */
export function finiteReward(reward: unknown, isClipped: boolean, clipped: EnvError[]): number {
  if (typeof reward === 'number' && Number.isFinite(Math.fround(reward))) return reward;
  const error = new EnvError(
    'ENV_REWARD_NON_FINITE',
    `Expected \`reward\` to be a finite number (of float32: up to 3.4e38), got ${describeValue(reward)}.`,
  );
  if (!isClipped || typeof reward !== 'number') throw error;
  clipped.push(error);
  return nearestFinite(reward);
}

/** Row elements that are not finite are an error, or, with bounds, replaced and noted in `clipped`. */
export function checkFinite(
  out: Float32Array,
  offset: number,
  obsSize: number,
  clip: Clip | null,
  clipped: EnvError[],
): void {
  for (let i = 0; i < obsSize; i++) {
    const value = out[offset + i];
    if (Number.isFinite(value)) continue;
    const error = new EnvError(
      'ENV_OBSERVATION_NON_FINITE',
      `Expected finite observations, got ${value} as element ${i} of the flat observation.`,
    );
    if (clip === null) throw error;
    clipped.push(error);
    out[offset + i] = nearestFinite(value, clip.low[i], clip.high[i]);
  }
}

export function writeMask(
  mask: ArrayLike<number> | undefined,
  parts: readonly number[],
  out: Uint8Array,
  offset: number,
): void {
  const size = parts.reduce((sum, part) => sum + part, 0);
  if (mask === undefined || mask === null) {
    throw new EnvError(
      'ENV_MASK_MISSING',
      'The environment declares `masksActions`, but gave no `info.actionMask` with this reset or step.',
    );
  }
  if (mask.length !== size) {
    throw new EnvError(
      'ENV_MASK_SIZE',
      `Expected \`info.actionMask\` of ${size} elements, got ${mask.length}.`,
    );
  }
  let i = 0;
  for (const part of parts) {
    let numAllowed = 0;
    for (const end = i + part; i < end; i++) {
      out[offset + i] = mask[i] ? 1 : 0;
      numAllowed += out[offset + i];
    }
    if (numAllowed === 0) {
      throw new EnvError(
        'ENV_MASK_EMPTY',
        'Expected `info.actionMask` to allow at least one action (of each component); it forbids all of them. ' +
          'End the episode when no move is left.',
      );
    }
  }
}

/** Each becomes a column of the logs and a curve. */
export const MAX_METRICS = 1000;

/** @param where `one step`, or what else names them. */
export function tooManyMetrics(where: string): EnvError {
  return new EnvError(
    'ENV_METRICS',
    `Expected at most ${MAX_METRICS} names in \`info.metrics\` of ${where}, got more: each becomes a column of the logs. ` +
      'Report sums or means under fixed names, and put no number of an object or an episode into a name.',
  );
}

export function reportMetrics(
  info: Info | undefined,
  n: number,
  onMetric: (n: number, name: string, value: number) => void,
): void {
  if (info?.metrics === undefined) return;
  let numMetrics = 0;
  for (const name in info.metrics) {
    numMetrics += 1;
    if (numMetrics > MAX_METRICS) throw tooManyMetrics('one step');
    const value = info.metrics[name];
    if (!Number.isFinite(value)) {
      throw new EnvError(
        'ENV_METRIC',
        `Expected \`info.metrics.${name}\` to be a finite number, got ${describeValue(value)}.`,
      );
    }
    onMetric(n, name, value);
  }
}
