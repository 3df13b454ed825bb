/**
 * One bad environment restarts alone: a fresh instance takes its place and repeats its episode up to the step that failed.
 *
 * What is done for one environment follows from its own seed, actions and error, never from its neighbours: rows of the others
 * are what they would have been, and the number of threads makes no difference.
 */
import { EnvError } from '../errors.ts';
import { episodeSeed } from '../random/streams.ts';
import { type EnvFaultHandling, mayBeginAnew } from './env-faults.ts';
import type { EnvKernel } from './env-kernel.ts';
import { createEpisodeHistories } from './episode-history.ts';
import { flatBound } from './flatten-space.ts';
import type { Recovery } from './recovery.ts';
import type { ActionArray, StepRows } from './vector-env.ts';
import { fail, placeError, takeStep, type Vector, writeRow, writeScalars } from './vector-state.ts';

/** A seed whose reset fails for good is passed over for one that follows from it; so many times. */
const MAX_SEEDS = 3;

/** @returns null when the kernel cannot make a fresh instance of one environment, or none is wanted and no number replaced. */
export function createRecovery(
  kernel: EnvKernel,
  sizes: { readonly obsSize: number; readonly actionSize: number; readonly isDiscrete: boolean },
  handling: EnvFaultHandling | undefined,
): Recovery | null {
  if (handling === undefined || kernel.rebuild === undefined) return null;
  if (handling.restartFailedEnvs === 'off' && handling.nonFinite === 'stop') return null;
  const { obsSize, actionSize } = sizes;
  const histories = createEpisodeHistories(kernel, sizes, handling.maxHistory ?? Number.POSITIVE_INFINITY);
  const last = new Float32Array(kernel.numEnvs * obsSize); // [numEnvs, obsSize] f32, holds uint8 exactly
  const scratch = new Float32Array(obsSize);
  const remember = (n: number, out: StepRows) => {
    const offset = out.observationOffset + n * out.observationStride;
    for (let k = 0; k < obsSize; k++) last[n * obsSize + k] = out.observations[offset + k];
  };
  return {
    handling,
    rebuild: kernel.rebuild.bind(kernel),
    onBegin(n, state, out) {
      histories.begin(n, state);
      remember(n, out);
    },
    onStep(n, actions, out) {
      if ((kernel.terminated[n] | kernel.truncated[n]) === 1) return;
      histories.append(n, actions, n * actionSize, 1);
      remember(n, out);
      histories.shorten(n);
    },
    onReplay(n, actions, numSteps, out) {
      histories.append(n, actions, 0, numSteps);
      remember(n, out);
    },
    bringBack(n, seed) {
      const { state, actions, numActions, isForgotten } = histories.of(n);
      if (isForgotten || kernel.isRepeatable === false) return false;
      if (state === null) kernel.reset(n, seed);
      else kernel.setState?.(n, state);
      if (!stepOn(kernel, n, actions, actionSize, numActions)) return false;
      kernel.writeObservation(n, scratch, 0);
      return scratch.every((value, k) => Object.is(value, last[n * obsSize + k]));
    },
    copyLastObservation(n, to, offset) {
      for (let k = 0; k < obsSize; k++) to[offset + k] = last[n * obsSize + k];
    },
  };
}

/** Steps whose results nobody reads but the last one's. @returns whether the episode goes on. */
export function stepOn(
  kernel: EnvKernel,
  n: number,
  actions: ActionArray,
  actionSize: number,
  numSteps: number,
): boolean {
  const hasEnded = () => (kernel.terminated[n] | kernel.truncated[n]) === 1;
  if (kernel.repeat !== undefined)
    return numSteps === 0 || (kernel.repeat(n, actions, numSteps) === numSteps && !hasEnded());
  for (let k = 0; k < numSteps; k++) {
    kernel.step(n, actions, k * actionSize);
    if (hasEnded()) return false;
  }
  return true;
}

/** After environment n failed in a step. @returns whether `out` holds a step of it now. */
export function recoverStep(
  vector: Vector,
  n: number,
  actions: ActionArray,
  out: StepRows,
  error: unknown,
): boolean {
  const { recovery } = vector;
  let failure = placeError(vector, n, error, 'step');
  if (recovery === null) return refuse(vector, n, failure);
  const { handling } = recovery;
  let isElsewhere = false;
  if (handling.restartFailedEnvs !== 'off') {
    try {
      recovery.rebuild(n, error);
      if (recovery.bringBack(n, vector.seeds[n])) {
        forgetClipped(vector);
        takeStep(vector, n, actions, out);
        handling.onFault({ error: failure, outcome: 'repeated' });
        return true;
      }
      isElsewhere = true;
    } catch (again) {
      failure = placeError(vector, n, again, 'step');
    }
  }
  if (!isElsewhere && !mayBeginAnew(handling, failure)) return refuse(vector, n, failure);
  try {
    recovery.rebuild(n, error);
  } catch (again) {
    return refuse(vector, n, placeError(vector, n, again, 'step'));
  }
  forgetClipped(vector);
  recovery.copyLastObservation(n, out.finalObservations, n * vector.obsSize);
  writeScalars(out, n, 0, 0, 1);
  handling.onFault({ error: failure, outcome: 'new-episode' });
  return true;
}

/** After environment n failed in a reset with `seed`. @returns whether an episode has begun now. */
export function recoverReset(
  vector: Vector,
  n: number,
  seed: number,
  out: StepRows,
  error: unknown,
): boolean {
  const { recovery } = vector;
  let failure = placeError(vector, n, error, 'reset');
  if (recovery === null) return refuse(vector, n, failure);
  const { handling } = recovery;
  const begins = (candidate: number): boolean => {
    forgetClipped(vector);
    try {
      recovery.rebuild(n, error);
      vector.kernel.reset(n, candidate);
      writeRow(vector, n, out);
      return true;
    } catch (again) {
      failure = placeError(vector, n, again, 'reset');
      return false;
    }
  };
  const first = failure;
  if (handling.restartFailedEnvs !== 'off' && begins(seed)) {
    handling.onFault({ error: first, outcome: 'repeated' });
    return true;
  }
  for (let k = 1; k <= MAX_SEEDS && mayBeginAnew(handling, failure); k++) {
    const other = episodeSeed(seed, 0, k, 'substitute');
    vector.seeds[n] = other;
    if (!begins(other)) continue;
    handling.onFault({ error: first, outcome: 'new-episode' });
    return true;
  }
  return refuse(vector, n, failure);
}

function refuse(vector: Vector, n: number, failure: EnvError): false {
  fail(vector, n, failure);
  return false;
}

/** Tells of the numbers that the kernel replaced in its last step or reset of environment n, and, once, of one out of bounds. */
export function reportOddNumbers(vector: Vector, n: number, phase: 'reset' | 'step'): void {
  const { clipped, outside } = vector.kernel;
  if (outside !== undefined && outside.element >= 0) reportOutside(vector, n, outside, phase);
  if (clipped === undefined || clipped.length === 0) return;
  for (const error of clipped) {
    vector.recovery?.handling.onFault({ error: placeError(vector, n, error, phase), outcome: 'clipped' });
  }
  clipped.length = 0;
}

function reportOutside(
  vector: Vector,
  n: number,
  outside: NonNullable<EnvKernel['outside']>,
  phase: 'reset' | 'step',
): void {
  const { element, value } = outside;
  outside.element = -1;
  if (vector.hasToldOutside) return;
  vector.hasToldOutside = true;
  const { observationSpace } = vector.kernel;
  const bounds = [flatBound(observationSpace, 'low')[element], flatBound(observationSpace, 'high')[element]];
  const error = new EnvError(
    'ENV_OBSERVATION_BOUNDS',
    `Element ${element} of the flat observation is ${value}, outside [${bounds.join(', ')}]. Widen the bounds of \`observationSpace\` (Infinity is allowed), or clip the observation. This is told once`,
  );
  vector.faults?.onFault({ error: placeError(vector, n, error, phase), outcome: 'out-of-bounds' });
}

/** Of steps that were repeated, and told of the first time. */
export function forgetClipped({ kernel }: Vector): void {
  if (kernel.outside !== undefined) kernel.outside.element = -1;
  if (kernel.clipped !== undefined) kernel.clipped.length = 0;
}
