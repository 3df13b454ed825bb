/** Wrappers about calls: that they come in order, that what they give is right, that an episode follows another. */
import { EnvError, ShapeError } from '../../errors.ts';
import type { JsonValue } from '../../json.ts';
import type { Env } from '../env.ts';
import { flatBound, flattenObservation, flattenObservationSpace } from '../flatten-space.ts';
import { checkReset, checkRow, checkStep, finiteReward } from '../user-results.ts';
import { wrapEnv } from './wrap-env.ts';

/**
 * Refuses a step before the first reset; `isStrict`: and one after an episode's end, which Gymnasium lets pass. For loops of your own: training
 * never makes either.
 *
 * The wrapped environment throws EnvError `ENV_STEP_AFTER_END`.
 */
export function orderEnforcing(env: Env, isStrict = true): Env {
  let isRunning = false;
  return wrapEnv(
    env,
    {
      reset(options) {
        isRunning = true;
        return env.reset(options);
      },
      step(action) {
        if (!isRunning)
          throw new EnvError('ENV_STEP_AFTER_END', 'Expected reset before the first step and after an end.');
        const result = env.step(action);
        if (isStrict) isRunning = !(result.terminated || result.truncated);
        return result;
      },
    },
    {
      getState: () => isRunning,
      setState: (state) => {
        isRunning = state === true;
      },
    },
  );
}

/**
 * Checks what every reset and step gives, as training does: shapes, finite numbers, flags, masks; observations out of their bounds are an
 * error here. For loops of your own; `checkEnv` looks at more, once.
 *
 * The wrapped environment throws EnvError `ENV_RESET_RESULT`, `ENV_STEP_RESULT`, `ENV_OBSERVATION_SHAPE`, `ENV_OBSERVATION_NON_FINITE`,
 * `ENV_OBSERVATION_BOUNDS`, `ENV_REWARD_NON_FINITE`, `ENV_FLAGS`, `ENV_MASK_UNDECLARED`. Cost: a copy of each observation.
 */
export function passiveEnvChecker(env: Env): Env {
  const space = env.observationSpace;
  const { size, dtype } = flattenObservationSpace(space);
  const row = dtype === 'uint8' ? new Uint8Array(size) : new Float32Array(size);
  const bounds = {
    low: Float32Array.from(flatBound(space, 'low')),
    high: Float32Array.from(flatBound(space, 'high')),
  };
  const check = (observation: unknown) => {
    try {
      flattenObservation(space, observation, row, 0);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw new EnvError('ENV_OBSERVATION_SHAPE', `The observation does not fit its space: ${error.message}`);
    }
    const outside = { element: -1, value: 0 };
    checkRow(bounds, row, 0, false, [], outside);
    if (outside.element < 0) return;
    const { element, value } = outside;
    throw new EnvError(
      'ENV_OBSERVATION_BOUNDS',
      `Element ${element} of the observation is ${value}, and its space says [${bounds.low[element]}, ${bounds.high[element]}].`,
    );
  };
  return wrapEnv(env, {
    reset(options) {
      const result = env.reset(options);
      checkReset(result, env.masksActions === true);
      check(result.observation);
      return result;
    },
    step(action) {
      const result = env.step(action);
      checkStep(result, env.masksActions === true);
      finiteReward(result.reward, false, []);
      check(result.observation);
      return result;
    },
  });
}

/**
 * After an end the next step takes no action: it resets, gives reward 0 and the new episode's first observation (Gymnasium's `next-step`).
 * Episode k after a reset with seed s has the seed s + k. For loops of your own; a learner has to leave out the step that resets.
 */
export function autoreset(env: Env): Env {
  let seed = 0;
  let hasEnded = false;
  return wrapEnv(
    env,
    {
      reset(options) {
        seed = options?.seed ?? 0;
        hasEnded = false;
        return env.reset(options);
      },
      step(action) {
        if (hasEnded) {
          hasEnded = false;
          seed = (seed + 1) >>> 0;
          return { ...env.reset({ seed }), reward: 0, terminated: false, truncated: false };
        }
        const result = env.step(action);
        hasEnded = result.terminated || result.truncated;
        return result;
      },
    },
    {
      getState: (): JsonValue => ({ seed, hasEnded }),
      setState: (state) => {
        ({ seed, hasEnded } = state as { seed: number; hasEnded: boolean });
      },
    },
  );
}
