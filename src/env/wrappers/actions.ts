/** Wrappers about actions: bounds, repetition, stickiness. */
import { ConfigError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { openEpisodeStream } from '../../random/episode-stream.ts';
import type { StreamState } from '../../random/streams.ts';
import type { Env, StepResult } from '../env.ts';
import { flattenObservation } from '../flatten-space.ts';
import { describeSpace } from '../space-json.ts';
import { Box } from '../spaces.ts';
import { checkCount } from './time.ts';
import { wrapEnv } from './wrap-env.ts';

/**
 * Accepts any numbers and clips them to the bounds of the action space. Training does this on its own for unsquashed
 * Gaussian policies.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when actions are not a Box.
 */
export function clipAction(env: Env): Env {
  const { low, high, shape } = actionBox(env, 'clipAction');
  return wrapEnv(env, {
    actionSpace: new Box(-Infinity, Infinity, shape),
    step: (action) =>
      env.step(
        Float32Array.from(action as ArrayLike<number>, (x, i) => Math.min(Math.max(x, low[i]), high[i])),
      ),
  });
}

/**
 * Actions in [low, high], mapped linearly to the environment's own bounds, which must be finite.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when actions are not a bounded Box, or low >= high.
 */
export function rescaleAction(env: Env, low = -1, high = 1): Env {
  const inner = actionBox(env, 'rescaleAction');
  if (![...inner.low, ...inner.high].every(Number.isFinite) || !(low < high)) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `rescaleAction needs finite bounds on both sides, got [${low}, ${high}] for ${describeSpace(inner)}.`,
    );
  }
  return wrapEnv(env, {
    actionSpace: new Box(low, high, inner.shape),
    step: (action) =>
      env.step(
        Float32Array.from(action as ArrayLike<number>, (x, i) => {
          const share = (x - low) / (high - low);
          return inner.low[i] + share * (inner.high[i] - inner.low[i]);
        }),
      ),
  });
}

/**
 * Takes every action `numSteps` times and adds up the rewards; stops at an end. A time limit counts the steps inside
 * when it was put on before, those outside when put on after.
 */
export function repeatAction(env: Env, numSteps: number): Env {
  checkCount('repeatAction', 'numSteps', numSteps);
  return wrapEnv(
    env,
    {
      step(action) {
        let result = env.step(action);
        let reward = result.reward;
        for (let k = 1; k < numSteps && !result.terminated && !result.truncated; k++) {
          result = env.step(action);
          reward += result.reward;
        }
        return { ...result, reward };
      },
    },
    undefined,
    true,
  );
}

/**
 * As {@link repeatAction}, and the observation is the elementwise maximum of the last two: for screens on which sprites
 * flicker.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when observations are not a Box.
 */
export function maxAndSkip(env: Env, numSteps = 4): Env {
  checkCount('maxAndSkip', 'numSteps', numSteps);
  const space = env.observationSpace;
  if (space.kind !== 'box') {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `maxAndSkip needs Box observations, got ${describeSpace(space)}.`,
    );
  }
  const read = (observation: unknown) => {
    const row = space.dtype === 'uint8' ? new Uint8Array(space.size) : new Float32Array(space.size);
    flattenObservation(space, observation, row, 0);
    return row;
  };
  return wrapEnv(env, {
    step(action) {
      let reward = 0;
      let previous: Float32Array | Uint8Array | null = null;
      let result: StepResult;
      let k = 0;
      do {
        result = env.step(action);
        reward += result.reward;
        k += 1;
        if (k === numSteps - 1) previous = read(result.observation);
      } while (k < numSteps && !result.terminated && !result.truncated);
      const last = read(result.observation);
      const before = previous;
      if (k === numSteps && before !== null) {
        for (let i = 0; i < last.length; i++) last[i] = Math.max(last[i], before[i]);
      }
      return { ...result, reward, observation: last };
    },
  });
}

/**
 * With the given probability the previous action is taken again instead of the new one (Machado et al. 2018, "Revisiting
 * the Arcade Learning Environment", section 5.2): keeps a policy from learning a fixed sequence by heart. Its draws come
 * from the episode's seed.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` for a probability outside [0, 1].
 */
export function stickyAction(env: Env, probability = 0.25): Env {
  if (!(probability >= 0 && probability <= 1)) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `Expected \`probability\` of stickyAction in [0, 1], got ${probability}.`,
    );
  }
  const stream = openEpisodeStream(0, 'sticky');
  let previous: unknown;
  return wrapEnv(
    env,
    {
      reset(options) {
        stream.restart(options?.seed ?? 0);
        previous = undefined;
        return env.reset(options);
      },
      step(action) {
        const isStuck = stream.uniform() < probability && previous !== undefined;
        previous = isStuck ? previous : action;
        return env.step(previous);
      },
    },
    {
      getState: () => ({ stream: { ...stream.getState() }, previous: actionToJson(previous) }),
      setState: (state) => {
        const saved = state as JsonObject;
        stream.setState(saved.stream as unknown as StreamState);
        previous = actionFromJson(saved.previous ?? null);
      },
    },
  );
}

function actionBox(env: Env, wrapper: string): Box {
  if (env.actionSpace.kind === 'box') return env.actionSpace;
  throw new ConfigError(
    'CONFIG_WRAPPER',
    `${wrapper} needs a Box action space, got ${describeSpace(env.actionSpace)}.`,
  );
}

/** Typed arrays are marked, since JSON has none. */
function actionToJson(action: unknown): JsonValue {
  if (action instanceof Float32Array) return { float32: [...action] };
  if (action instanceof Int32Array) return { int32: [...action] };
  return (action ?? null) as JsonValue;
}

function actionFromJson(json: JsonValue): unknown {
  if (typeof json !== 'object' || json === null) return json ?? undefined;
  const { float32, int32 } = json as JsonObject;
  if (float32) return Float32Array.from(float32 as number[]);
  return int32 ? Int32Array.from(int32 as number[]) : json;
}
