/** One episode played with random actions and written down, every step checked against the environment's promises. */
import { EnvError, isOperantError } from '../errors.ts';
import type { Stream } from '../random/streams.ts';
import { openStream } from '../random/streams.ts';
import { fixFor } from './check-fixes.ts';
import type { Env, Info, ResetResult, StepResult } from './env.ts';
import { actionMaskSize, choiceSizes, flattenActionSpace } from './flatten-action.ts';
import { flattenObservation, flattenObservationSpace } from './flatten-space.ts';
import { sampleAllowed } from './sample-allowed.ts';
import { explainMismatch } from './space-values.ts';
import type { Space } from './spaces.ts';
import { checkReset, checkStep, finiteReward, reportMetrics, writeMask } from './user-results.ts';

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
  let result: ResetResult;
  try {
    result = env.reset({ seed });
  } catch (error) {
    report('error', 'ENV_RESET_THREW', `reset({ seed: ${seed} }) threw: ${messageOf(error)}.`, 'Mend reset.');
    return null;
  }
  const isFine = obeysRules('reset', report, () => {
    checkReset(result, env.masksActions ?? false);
    ruleOnInfo(env, result.info, true);
    reportBounds(env, result.observation, 'reset', trace, report);
  });
  if (!isFine) return null;
  trace.steps.push(text({ observation: result.observation }));
  return result.info ?? {};
}

function stepChecked(env: Env, action: unknown, trace: Trace, report: Report): StepResult | null {
  const where = `step ${trace.actions.length} of an episode`;
  let result: StepResult;
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
  const isFine = obeysRules(where, report, () => {
    checkStep(result, env.masksActions ?? false);
    finiteReward(result.reward, false, []);
    ruleOnInfo(env, result.info, !result.terminated && !result.truncated);
    reportBounds(env, result.observation, where, trace, report);
  });
  if (!isFine) return null;
  const { observation, reward, terminated, truncated } = result;
  trace.steps.push(text({ observation, reward, terminated, truncated }));
  trace.rewards.push(reward);
  return result;
}

/** Applies the rules that training applies, and reports the first that is broken. */
function obeysRules(where: string, report: Report, rules: () => void): boolean {
  try {
    rules();
    return true;
  } catch (error) {
    if (!isOperantError(error)) throw error;
    report('error', error.code, `${where}: ${error.message}`, fixFor(error.code));
    return false;
  }
}

function ruleOnInfo(env: Env, info: Info | undefined, isMaskRead: boolean): void {
  reportMetrics(info ?? undefined, 0, () => undefined);
  if (!env.masksActions || !isMaskRead) return;
  const flat = flattenActionSpace(env.actionSpace);
  const scratch = new Uint8Array(actionMaskSize(env.actionSpace));
  writeMask(info?.actionMask, choiceSizes(flat), scratch, 0);
}

/** @throws EnvError for what training refuses; what it only warns of is reported. */
function reportBounds(env: Env, observation: unknown, where: string, trace: Trace, report: Report): void {
  const { observationSpace } = env;
  trace.largestObservation = Math.max(trace.largestObservation, largestIn(observation));
  const problem = explainMismatch(observationSpace, observation, 'observation');
  if (problem === null) return;
  if (/is NaN|is -?Infinity/.test(problem)) throw new EnvError('ENV_OBSERVATION_NON_FINITE', `${problem}.`);
  if (!problem.includes('outside') || !isTaken(observationSpace, observation)) {
    throw new EnvError('ENV_OBSERVATION_SHAPE', `${problem}.`);
  }
  const code = 'ENV_OBSERVATION_BOUNDS';
  report('error', code, `${where}: ${problem}.`, fixFor(code));
}

/** Whether training would take the observation, though the space does not contain it: numbers of a float32 Box out of its bounds. */
function isTaken(space: Space, observation: unknown): boolean {
  const { size, dtype } = flattenObservationSpace(space);
  try {
    flattenObservation(
      space,
      observation,
      dtype === 'uint8' ? new Uint8Array(size) : new Float32Array(size),
      0,
    );
    return true;
  } catch {
    return false;
  }
}

/** A random action that the mask of `info` allows. */
export function sampleAction(env: Env, info: Info, stream: Stream): unknown {
  return sampleAllowed(env.actionSpace, env.masksActions ? info?.actionMask : undefined, stream);
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
    if (typeof part === 'bigint') return `${part}n`;
    return typeof part === 'number' && !Number.isFinite(part) ? String(part) : part;
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
