/** Wrappers about actions: bounds, stickiness. */
import { ConfigError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { openEpisodeStream } from '../../random/episode-stream.ts';
import type { StreamState } from '../../random/streams.ts';
import type { Env } from '../env.ts';
import { describeSpace } from '../space-json.ts';
import { Box } from '../spaces.ts';
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
