/** What a user's reset and step gave, checked on every step; each problem is named, its place is added by the caller. */
import { EnvError } from '../errors.ts';
import type { Info, ResetResult, StepResult } from './env.ts';
import { nearestFinite } from './env-faults.ts';
import { describeValue } from './space-values.ts';
import type { ObservationArray } from './vector-env.ts';

/** Bounds of the flat row; also of what replaces a number that is not finite. */
export interface Bounds {
  readonly low: Float32Array; // [obsSize] f32
  readonly high: Float32Array; // [obsSize] f32
}

/** @throws {@link EnvError} `ENV_RESET_RESULT`, `ENV_INFO`, `ENV_MASK_UNDECLARED`. */
export function checkReset(result: ResetResult, masksActions: boolean): void {
  if ((result as unknown) instanceof Promise) {
    throw new EnvError(
      'ENV_RESET_RESULT',
      'reset returned a promise, and the environment does not say that it is asynchronous: write `reset` as an async function, or set `asynchronous: true`.',
    );
  }
  if (typeof result !== 'object' || result === null || !('observation' in result)) {
    throw new EnvError(
      'ENV_RESET_RESULT',
      `Expected reset to return { observation }, got ${describeValue(result)}.`,
    );
  }
  checkInfo(result.info, masksActions);
}

/** @throws {@link EnvError} `ENV_STEP_RESULT`, `ENV_FLAGS`, `ENV_INFO`, `ENV_MASK_UNDECLARED`. */
export function checkStep(result: StepResult, masksActions: boolean): void {
  if ((result as unknown) instanceof Promise) {
    throw new EnvError(
      'ENV_STEP_RESULT',
      'step returned a promise, and the environment does not say that it is asynchronous: write `step` as an async function, or set `asynchronous: true`.',
    );
  }
  if (typeof result !== 'object' || result === null || !('observation' in result)) {
    throw new EnvError(
      'ENV_STEP_RESULT',
      `Expected step to return { observation, reward, terminated, truncated }, got ${describeValue(result)}.`,
    );
  }
  if (typeof result.terminated !== 'boolean' || typeof result.truncated !== 'boolean') {
    throw new EnvError(
      'ENV_FLAGS',
      'Expected `terminated` and `truncated` to be true or false, got ' +
        `${describeValue(result.terminated)} and ${describeValue(result.truncated)}.${'done' in result ? ' `done` is not read.' : ''}`,
    );
  }
  checkInfo(result.info, masksActions);
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

/** The first element of a row that lies outside its space; -1 = none. */
export interface Outside {
  element: number;
  value: number;
}

/**
 * Row elements that are not finite are an error, or, with `clip`, replaced and noted in `clipped`. What lies outside the bounds is only
 * noted, in `outside`.
 */
export function checkRow(
  { low, high }: Bounds,
  out: ObservationArray,
  offset: number,
  isClipped: boolean,
  clipped: EnvError[],
  outside: Outside,
): void {
  for (let i = 0; i < low.length; i++) {
    const value = out[offset + i];
    if (Number.isFinite(value)) {
      if (!(value < low[i] || value > high[i]) || outside.element >= 0) continue;
      outside.element = i;
      outside.value = value;
      continue;
    }
    const error = new EnvError(
      'ENV_OBSERVATION_NON_FINITE',
      `Expected finite observations, got ${value} as element ${i} of the flat observation.`,
    );
    if (!isClipped) throw error;
    clipped.push(error);
    out[offset + i] = nearestFinite(value, low[i], high[i]);
  }
}

/** A mask that nothing would read lets forbidden actions through: without `masksActions`, or under another library's name. */
function checkInfo(info: Info | undefined | null, masksActions: boolean): void {
  if (info === undefined || info === null) return;
  if (typeof info !== 'object')
    throw new EnvError('ENV_INFO', `Expected \`info\` to be an object, got ${describeValue(info)}.`);
  const isUnread = !masksActions && info.actionMask !== undefined && info.actionMask !== null;
  if (!isUnread && info.action_mask === undefined) return;
  throw new EnvError(
    'ENV_MASK_UNDECLARED',
    isUnread
      ? '`info.actionMask` was given, but the environment does not declare that it masks actions, so forbidden ones would be taken. ' +
          'Set `masksActions: true` on the environment.'
      : '`info.action_mask` was given, which is not read. Name it `actionMask`, and set `masksActions: true` on the environment.',
  );
}

/** @param field where the user gave the mask, for messages. */
export function writeMask(
  mask: ArrayLike<number> | undefined,
  parts: readonly number[],
  out: Uint8Array,
  offset: number,
  field = 'info.actionMask',
): void {
  const size = parts.reduce((sum, part) => sum + part, 0);
  if (mask === undefined || mask === null) {
    throw new EnvError(
      'ENV_MASK_MISSING',
      `The environment declares \`masksActions\`, but gave no \`${field}\` with this reset or step.`,
    );
  }
  if (mask.length !== size) {
    throw new EnvError('ENV_MASK_SIZE', `Expected \`${field}\` of ${size} elements, got ${mask.length}.`);
  }
  let i = 0;
  for (const part of parts) {
    let numAllowed = 0;
    for (const end = i + part; i < end; i++) {
      const value: unknown = mask[i];
      if (value !== 0 && value !== 1 && typeof value !== 'boolean') throw maskValue(field, value, i);
      out[offset + i] = value ? 1 : 0;
      numAllowed += out[offset + i];
    }
    if (numAllowed === 0) {
      throw new EnvError(
        'ENV_MASK_EMPTY',
        `Expected \`${field}\` to allow at least one action (of each component); it forbids all of them. ` +
          'End the episode when no move is left.',
      );
    }
  }
}

/** Such as the -Infinity of a mask that is added to logits: read as a truth value, it would allow what it forbids. */
function maskValue(field: string, value: unknown, i: number): EnvError {
  return new EnvError(
    'ENV_MASK_VALUE',
    `Expected \`${field}\` of 1 (allowed) and 0 (forbidden), got ${describeValue(value)} as element ${i}.`,
  );
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
