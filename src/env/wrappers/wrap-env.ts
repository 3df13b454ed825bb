/** What every wrapper of a single environment is made with. */
import type { JsonObject, JsonValue } from '../../json.ts';
import { refuseAsync } from '../async-env.ts';
import type { Env } from '../env.ts';
import { goalFunctions } from '../goal-functions.ts';

/** What a wrapper remembers between steps, so that saved episodes go on. */
export interface WrapperState {
  getState(): JsonValue;
  setState(state: JsonValue): void;
}

/**
 * An environment like `env`, with some members replaced. All others still run on `env` itself, so that class instances
 * keep their `this`.
 *
 * @param state what the wrapper itself remembers; saved beside the state of `env` when `env` can save its own.
 * @param repeats one step is several of `env`: leaves out `computeReward`, since rewards are sums, and `frameStack`, since frames
 * are passed over. A wrapper that does so has to replace `maxEpisodeSteps`, too.
 */
export function wrapEnv(env: Env, replaced: Partial<Env>, state?: WrapperState, repeats = false): Env {
  refuseAsync(env, 'A wrapper');
  return {
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    ...(env.masksActions === undefined ? {} : { masksActions: env.masksActions }),
    ...(env.maxEpisodeSteps === undefined ? {} : { maxEpisodeSteps: env.maxEpisodeSteps }),
    reset: (options) => env.reset(options),
    step: (action) => env.step(action),
    ...(env.render && { render: (mode) => env.render?.(mode) ?? '' }),
    ...(env.close && { close: () => env.close?.() }),
    // A wrapper that changes what is observed, or sums rewards, changes what a goal's reward is.
    ...(replaced.observationSpace === undefined &&
      !repeats && { ...(env.frameStack && { frameStack: env.frameStack }), ...goalFunctions(env) }),
    ...stateFunctions(env, state),
    ...replaced,
  };
}

function stateFunctions(env: Env, state?: WrapperState): Pick<Env, 'getState' | 'setState'> {
  if (!env.getState || !env.setState) return {};
  return {
    getState: () => {
      const inner = env.getState?.() ?? null;
      return state ? { inner, own: state.getState() } : inner;
    },
    setState: (saved) => {
      if (!state) {
        env.setState?.(saved);
        return;
      }
      const { inner, own } = saved as JsonObject;
      env.setState?.(inner ?? null);
      state.setState(own ?? null);
    },
  };
}
