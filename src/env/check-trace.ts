/** One episode played with random actions and written down, every step checked against the environment's promises. */
import type { Stream } from '../random/streams.ts';
import { openStream } from '../random/streams.ts';
import type { Env, Info } from './env.ts';
import { actionMaskSize, flattenActionSpace } from './flatten-action.ts';
import { describeValue, explainMismatch, sampleSpace } from './space-values.ts';

/** One mistake, or something that smells like one. */
export interface CheckFinding {
  readonly severity: 'error' | 'warning';
  /** Stable name, e.g. `ENV_OBSERVATION_BOUNDS`. */
  readonly code: string;
  /** What was seen, and where. */
  readonly message: string;
  /** What to change. */
  readonly fix: string;
}

export type Report = (severity: CheckFinding['severity'], code: string, message: string, fix: string) => void;

/** What an episode looked like; a JSON text per step, so that two episodes can be compared. */
export interface Trace {
  readonly steps: string[];
  readonly rewards: number[];
  readonly actions: unknown[];
  end: 'terminated' | 'truncated' | 'cut' | 'broken';
  /** What the last reset or step said beside the observation. */
  info: Info;
  largestObservation: number;
  hasUndeclaredMask: boolean;
}

/**
 * Plays from a seeded reset until the end or `maxSteps`. Actions are drawn from the stream `actionSeed`, under the
 * mask where there is one, so two calls with equal seeds take equal actions.
 */
export function playTrace(
  env: Env,
  seed: number,
  actionSeed: number,
  maxSteps: number,
  report: Report,
): Trace {
  const stream = openStream(actionSeed, 'check', 'actions');
  const trace: Trace = {
    steps: [],
    rewards: [],
    actions: [],
    end: 'cut',
    info: {},
    largestObservation: 0,
    hasUndeclaredMask: false,
  };
  const info = resetChecked(env, seed, trace, report);
  if (info === null) {
    trace.end = 'broken';
    return trace;
  }
  trace.info = info;
  continueTrace(env, trace, stream, maxSteps, report);
  return trace;
}

/** Goes on from where an episode stands. */
export function continueTrace(
  env: Env,
  trace: Trace,
  stream: Stream,
  maxSteps: number,
  report: Report,
): void {
  while (trace.actions.length < maxSteps && trace.end === 'cut') {
    const action = sampleAction(env, trace.info, stream);
    trace.actions.push(action);
    const result = stepChecked(env, action, trace, report);
    if (result === null) trace.end = 'broken';
    else if (result.terminated) trace.end = 'terminated';
    else if (result.truncated) trace.end = 'truncated';
    else trace.info = result.info ?? {};
  }
}

function resetChecked(env: Env, seed: number, trace: Trace, report: Report): Info | null {
  let result: unknown;
  try {
    result = env.reset({ seed });
  } catch (error) {
    report('error', 'ENV_RESET_THREW', `reset({ seed: ${seed} }) threw: ${messageOf(error)}.`, 'Mend reset.');
    return null;
  }
  if (result instanceof Promise) {
    report(
      'error',
      'ENV_RESET_RESULT',
      'reset returned a promise.',
      'Make reset synchronous; load what it needs at the top of the module.',
    );
    return null;
  }
  if (typeof result !== 'object' || result === null || !('observation' in result)) {
    report(
      'error',
      'ENV_RESET_RESULT',
      `reset returned ${describeValue(result)} instead of { observation }.`,
      'Return { observation } (and info, where there is some), not the bare observation.',
    );
    return null;
  }
  const { observation, info } = result as { observation: unknown; info?: Info };
  const isFine = checkObservation(env, observation, 'reset', trace, report) && checkInfo(info, report);
  trace.steps.push(text({ observation }));
  return isFine && checkMask(env, info ?? {}, 'reset', trace, report) ? (info ?? {}) : null;
}

function stepChecked(env: Env, action: unknown, trace: Trace, report: Report) {
  const where = `step ${trace.actions.length} of an episode`;
  let result: ReturnType<Env['step']>;
  try {
    result = env.step(action);
  } catch (error) {
    report(
      'error',
      'ENV_STEP_THREW',
      `${where} threw for action ${text(action)}: ${messageOf(error)}.`,
      'Mend step; it must accept every action of `actionSpace`.',
    );
    return null;
  }
  if (typeof result !== 'object' || result === null || !('observation' in result)) {
    report(
      'error',
      'ENV_STEP_RESULT',
      `${where} returned ${(result as unknown) instanceof Promise ? 'a promise' : describeValue(result)}.`,
      'Return { observation, reward, terminated, truncated }, an object, synchronously.',
    );
    return null;
  }
  const { observation, reward, terminated, truncated, info } = result;
  const isFine =
    checkObservation(env, observation, where, trace, report) &&
    checkScalars(result, where, report) &&
    checkInfo(info, report) &&
    (terminated || truncated || checkMask(env, info ?? {}, where, trace, report));
  trace.steps.push(text({ observation, reward, terminated, truncated }));
  trace.rewards.push(reward);
  return isFine ? result : null;
}

function checkObservation(
  env: Env,
  observation: unknown,
  where: string,
  trace: Trace,
  report: Report,
): boolean {
  const problem = explainMismatch(env.observationSpace, observation, 'observation');
  trace.largestObservation = Math.max(trace.largestObservation, largestIn(observation));
  if (problem === null) return true;
  if (/is NaN|is -?Infinity/.test(problem)) {
    report(
      'error',
      'ENV_OBSERVATION_NON_FINITE',
      `${where}: ${problem}.`,
      'Look for a division by zero, a square root or logarithm of a negative number, or an array index out of range.',
    );
    return false;
  }
  if (problem.includes('outside')) {
    report(
      'error',
      'ENV_OBSERVATION_BOUNDS',
      `${where}: ${problem}.`,
      'Widen the bounds of `observationSpace` (Infinity is allowed), or clip the observation.',
    );
    return true;
  }
  report(
    'error',
    'ENV_OBSERVATION_SHAPE',
    `${where}: ${problem}.`,
    'Return what `observationSpace` says, flat and row by row for a Box, or correct the space.',
  );
  return false;
}

function checkScalars(result: object, where: string, report: Report): boolean {
  const { reward, terminated, truncated } = result as { readonly [name: string]: unknown };
  if (typeof reward !== 'number' || !Number.isFinite(reward)) {
    report(
      'error',
      'ENV_REWARD_NON_FINITE',
      `${where}: reward is ${describeValue(reward)}.`,
      'Return a finite number as `reward` on every step (0 when nothing happened).',
    );
    return false;
  }
  if (typeof terminated === 'boolean' && typeof truncated === 'boolean') return true;
  report(
    'error',
    'ENV_FLAGS',
    `${where}: terminated is ${describeValue(terminated)}, truncated is ${describeValue(truncated)}.`,
    `Return both as booleans: \`terminated\` for an end of the task itself, \`truncated\` for a limit from outside.${'done' in result ? ' `done` is not read.' : ''}`,
  );
  return false;
}

function checkInfo(info: unknown, report: Report): boolean {
  if (info === undefined) return true;
  if (typeof info !== 'object' || info === null) {
    report('error', 'ENV_INFO', `info is ${describeValue(info)}.`, 'Leave `info` out, or return an object.');
    return false;
  }
  for (const [name, value] of Object.entries((info as Info).metrics ?? {})) {
    if (Number.isFinite(value)) continue;
    report(
      'error',
      'ENV_METRIC',
      `info.metrics.${name} is ${describeValue(value)}.`,
      'Put finite numbers only into `info.metrics`; leave a metric out when it is not known.',
    );
    return false;
  }
  return true;
}

function checkMask(env: Env, info: Info, where: string, trace: Trace, report: Report): boolean {
  const mask = info.actionMask;
  if (!env.masksActions) {
    if (mask !== undefined) trace.hasUndeclaredMask = true;
    return true;
  }
  const size = actionMaskSize(env.actionSpace);
  if (mask === undefined || mask.length !== size) {
    const problem = mask === undefined ? 'is missing' : `has ${mask.length} elements instead of ${size}`;
    report(
      'error',
      mask === undefined ? 'ENV_MASK_MISSING' : 'ENV_MASK_SIZE',
      `${where}: info.actionMask ${problem}.`,
      'Give a 0/1 for every action with every reset and step, or remove `masksActions`.',
    );
    return false;
  }
  if (maskedParts(env, mask).every((part) => part.some((allowed) => allowed))) return true;
  report(
    'error',
    'ENV_MASK_EMPTY',
    `${where}: info.actionMask forbids every action.`,
    'Allow at least one, or end the episode when no move is left.',
  );
  return false;
}

/** A random action that the mask of `info` allows. */
export function sampleAction(env: Env, info: Info, stream: Stream): unknown {
  const { actionSpace } = env;
  const mask = env.masksActions ? info.actionMask : undefined;
  if (mask === undefined || (actionSpace.kind !== 'discrete' && actionSpace.kind !== 'multi-discrete')) {
    return sampleSpace(actionSpace, stream);
  }
  const choices = maskedParts(env, mask).map((part) => {
    const allowed = part.flatMap((isAllowed, action) => (isAllowed ? [action] : []));
    return allowed[stream.integer(allowed.length)];
  });
  return actionSpace.kind === 'discrete' ? choices[0] + actionSpace.start : Int32Array.from(choices);
}

function maskedParts(env: Env, mask: ArrayLike<number>): boolean[][] {
  const flat = flattenActionSpace(env.actionSpace);
  let start = 0;
  return (flat.kind === 'categorical' ? flat.sizes : []).map((size) => {
    start += size;
    return Array.from({ length: size }, (_, k) => mask[start - size + k] > 0);
  });
}

function largestIn(value: unknown): number {
  if (typeof value === 'number') return Math.abs(value);
  if (typeof value !== 'object' || value === null) return 0;
  let largest = 0;
  for (const part of Object.values(value)) largest = Math.max(largest, largestIn(part));
  return largest;
}

/** JSON that tells typed arrays' contents and NaN; a snapshot, since environments may reuse their arrays. */
export function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (ArrayBuffer.isView(part)) return Array.from(part as Float32Array);
    return typeof part === 'number' && !Number.isFinite(part) ? String(part) : part;
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
