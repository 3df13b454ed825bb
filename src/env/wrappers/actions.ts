/** Wrappers about actions: bounds, bins, stickiness. */
import { ConfigError, EnvError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { openEpisodeStream } from '../../random/episode-stream.ts';
import type { StreamState } from '../../random/streams.ts';
import type { Env } from '../env.ts';
import { flatActionSize } from '../flatten-action.ts';
import { describeSpace } from '../space-json.ts';
import { describeValue } from '../space-values.ts';
import { Box, Discrete, MultiDiscrete, type Space } from '../spaces.ts';
import { checkBins, createBins, type NumBins } from './bins.ts';
import type { ActionRows, ActionTransform, TransformedEnv } from './row-transforms.ts';
import { transformActions } from './transform-env.ts';
import { wrapEnv } from './wrap-env.ts';

/**
 * Accepts any numbers and clips them to the bounds of the action space. Training does this on its own for unsquashed
 * Gaussian policies.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when actions are not a Box.
 */
export function clipAction(env: Env): Env {
  return transformActions(env, clipTransform(env));
}

export function clipTransform(env: TransformedEnv): ActionTransform {
  const { low, high, shape, size } = actionBox(env, 'clipAction');
  return {
    space: new Box(-Infinity, Infinity, shape),
    open: () => ({
      write(_, from, at, out, outAt) {
        for (let k = 0; k < size; k++) out[outAt + k] = Math.min(Math.max(from[at + k], low[k]), high[k]);
      },
    }),
  };
}

/**
 * Actions in [low, high], mapped linearly to the environment's own bounds, which must be finite.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when actions are not a bounded Box, or low >= high.
 */
export function rescaleAction(env: Env, low = -1, high = 1): Env {
  return transformActions(env, rescaleActionTransform(env, low, high));
}

export function rescaleActionTransform(env: TransformedEnv, low = -1, high = 1): ActionTransform {
  const inner = actionBox(env, 'rescaleAction');
  if (![...inner.low, ...inner.high].every(Number.isFinite) || !(low < high)) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `rescaleAction needs finite bounds on both sides, got [${low}, ${high}] for ${describeSpace(inner)}.`,
    );
  }
  return {
    space: new Box(low, high, inner.shape),
    open: () => ({
      write(_, from, at, out, outAt) {
        for (let k = 0; k < inner.size; k++) {
          const share = (from[at + k] - low) / (high - low);
          out[outAt + k] = inner.low[k] + share * (inner.high[k] - inner.low[k]);
        }
      },
    }),
  };
}

/**
 * Choices in the place of numbers: each element's range in equal bins, of which the environment gets the middle. One choice among their
 * product, the last element's bin changing fastest, or with `multiDiscrete` a choice an element. So DQN can drive a pendulum.
 *
 * @param bins how many an element, or for each element.
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when actions are not a Box with finite bounds, or there are more than 2^16 choices in one.
 */
export function discretizeAction(env: Env, bins: NumBins, multiDiscrete = false): Env {
  return transformActions(env, discretizeActionTransform(env, bins, multiDiscrete));
}

export function discretizeActionTransform(
  env: TransformedEnv,
  bins: NumBins,
  multiDiscrete = false,
): ActionTransform {
  const inner = actionBox(env, 'discretizeAction');
  const counts = checkBins('discretizeAction', inner, bins);
  const { middleOf, total } = createBins(inner, counts);
  return {
    space: multiDiscrete ? new MultiDiscrete(counts) : new Discrete(total('discretizeAction')),
    open: () => ({
      write(_, from, at, out, outAt) {
        let rest = from[at];
        for (let k = counts.length - 1; k >= 0; k--) {
          const bin = multiDiscrete ? from[at + k] : rest % counts[k];
          rest = Math.floor(rest / counts[k]);
          out[outAt + k] = middleOf(k, bin);
        }
      },
    }),
  };
}

/** Passes every action through a function on its way to the environment. @param space of the actions that are given. */
export function transformAction(env: Env, space: Space, transform: (action: unknown) => unknown): Env {
  return wrapEnv(env, { actionSpace: space, step: (action) => env.step(transform(action)) });
}

/**
 * With the given probability the previous action is taken again instead of the new one (Machado et al. 2018, "Revisiting
 * the Arcade Learning Environment", section 5.2): keeps a policy from learning a fixed sequence by heart. Its draws come
 * from the episode's seed.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` for a probability outside [0, 1], and where actions are masked: the previous one may be forbidden now.
 */
export function stickyAction(env: Env, probability = 0.25): Env {
  return transformActions(env, stickyTransform(env, probability));
}

export function stickyTransform(
  { actionSpace: space, masksActions = false }: TransformedEnv,
  probability = 0.25,
): ActionTransform {
  if (!(probability >= 0 && probability <= 1)) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `Expected \`probability\` of stickyAction in [0, 1], got ${probability}.`,
    );
  }
  if (masksActions) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      'stickyAction repeats actions that a mask may forbid by then: leave it, or the masks, out.',
    );
  }
  const size = flatActionSize(space);
  return { space, open: (numRows) => openSticky(numRows, size, probability) };
}

function openSticky(numRows: number, size: number, probability: number): ActionRows {
  const previous = new Float64Array(numRows * size); // [numRows, size] f64
  const isFirst = new Uint8Array(numRows).fill(1);
  const streams = Array.from({ length: numRows }, () => openEpisodeStream(0, 'sticky'));
  return {
    begin(n, seed) {
      streams[n].restart(seed);
      isFirst[n] = 1;
    },
    write(n, from, at, out, outAt) {
      const isStuck = streams[n].uniform() < probability && isFirst[n] === 0;
      isFirst[n] = 0;
      for (let k = n * size, i = 0; i < size; k++, i++) {
        if (!isStuck) previous[k] = from[at + i];
        out[outAt + i] = previous[k];
      }
    },
    getState: (n) => ({
      stream: { ...streams[n].getState() },
      previous: isFirst[n] === 1 ? null : [...previous.subarray(n * size, (n + 1) * size)],
    }),
    setState(n, state) {
      const { stream, previous: action } = checkStickyState(state, size);
      streams[n].setState(stream);
      isFirst[n] = action === null ? 1 : 0;
      if (action !== null) previous.set(action, n * size);
    },
  };
}

/** @throws {@link EnvError} `ENV_STATE` for a state that stickyAction did not give. */
function checkStickyState(
  state: JsonValue,
  size: number,
): { readonly stream: StreamState; readonly previous: readonly number[] | null } {
  const { stream, previous = null } = (state ?? {}) as JsonObject;
  const isAction = previous === null || (Array.isArray(previous) && previous.length === size);
  if (typeof stream === 'object' && stream !== null && isAction) {
    return { stream: stream as unknown as StreamState, previous: previous as readonly number[] | null };
  }
  throw new EnvError(
    'ENV_STATE',
    `Expected the state that getState of stickyAction gave, { stream, previous }, got ${describeValue(state)}.`,
  );
}

function actionBox({ actionSpace: space }: TransformedEnv, wrapper: string): Box {
  if (space.kind === 'box') return space;
  throw new ConfigError(
    'CONFIG_WRAPPER',
    `${wrapper} needs a Box action space, got ${describeSpace(space)}.`,
  );
}
