/** What becomes of an environment that fails, and of numbers from it that are not finite. */
import type { EnvError } from '../errors.ts';

/** Plain data: it is posted to worker threads. See the options of the same names. */
export interface EnvFaultPolicy {
  readonly restartFailedEnvs: 'off' | 'replay' | 'new-episode';
  readonly nonFinite: 'stop' | 'skip' | 'clip';
}

/**
 * - `repeated`: a fresh instance was brought to the same place and went on from there, as if nothing had happened.
 * - `new-episode`: its episode was cut before the step that failed, and a fresh instance began the next one.
 * - `clipped`: a number that was not finite was replaced.
 * - `out-of-bounds`: an observation left the bounds of its space and was taken as it is; told once.
 * - `endless`: nothing failed; an episode goes on for so long that its actions take memory and make checkpoints large; told once.
 */
export type EnvFaultOutcome = 'repeated' | 'new-episode' | 'clipped' | 'out-of-bounds' | 'endless';

export interface EnvFault {
  /** Names environment, episode seed, step and what was wrong. */
  readonly error: EnvError;
  readonly outcome: EnvFaultOutcome;
}

export interface EnvFaultHandling extends EnvFaultPolicy {
  readonly onFault: (fault: EnvFault) => void;
  /** Elements of an episode's actions from which on they are forgotten, so that it cannot be repeated; absent = never. */
  readonly maxHistory?: number;
}

/** 4 MiB an environment: an evaluation may have episodes without an end, and nobody resumes it. */
const MAX_EVALUATION_HISTORY = 2 ** 20;

/** The same for environments that an evaluation plays in: its memory does not grow with its length. */
export function forEvaluation(handling: EnvFaultHandling): EnvFaultHandling {
  return { ...handling, maxHistory: MAX_EVALUATION_HISTORY };
}

const FINITE_BOUND = 1e6;

/**
 * The finite number nearest to x within [low, high] and +-1e6; NaN becomes the one nearest to 0. Bounds that lie wholly
 * beyond 1e6 win over it.
 */
export function nearestFinite(x: number, low = -Infinity, high = Infinity): number {
  const least = Math.min(Math.max(low, -FINITE_BOUND), high);
  const greatest = Math.max(Math.min(high, FINITE_BOUND), low);
  return Math.max(least, Math.min(greatest, Number.isNaN(x) ? 0 : x));
}

const NON_FINITE_CODES: readonly string[] = ['ENV_OBSERVATION_NON_FINITE', 'ENV_REWARD_NON_FINITE'];

/** Whether an error that came back in a fresh instance is answered by a new episode. */
export function mayBeginAnew({ restartFailedEnvs, nonFinite }: EnvFaultPolicy, error: EnvError): boolean {
  if (restartFailedEnvs === 'new-episode') return true;
  return nonFinite === 'skip' && NON_FINITE_CODES.includes(error.code);
}
