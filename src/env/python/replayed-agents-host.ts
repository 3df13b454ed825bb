/**
 * A Python process for several agents that may die: the next one leads every running episode back to where it was, by its seed and actions, and is then asked again.
 * A step that kills the process each time uses up `maxRestarts`.
 */
import { EnvError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { type AgentsAnswer, type AgentsHost, AgentsOperation } from './python-agents-host.ts';

/** What led an environment to where it is. */
interface Story {
  /** null = it was never reset. */
  seed: number | null;
  /** [steps, actionStride] */
  actions: number[];
}

export interface ReplayedAgentsHost {
  /** The one that runs. */
  readonly host: AgentsHost;
  /** As `AgentsHost.ask`. @throws EnvError `ENV_PYTHON_EXITED`, `ENV_PYTHON_HUNG` when no restart is left, `ENV_NOT_REPEATABLE`. */
  ask(operation: number, n: number, argument: number, actions?: Float32Array): JsonObject | null;
}

/** @param id for messages. */
export function replayedAgentsHost(
  start: () => AgentsHost,
  id: string,
  numEnvs: number,
  maxRestarts: number,
): ReplayedAgentsHost {
  const stories = Array.from({ length: numEnvs }, (): Story => ({ seed: null, actions: [] }));
  const state = { host: start() };
  let numRestarts = 0;
  const startAnew = () => {
    const left = state.host;
    state.host = start();
    for (const [n, story] of stories.entries()) {
      repeat(state.host, n, story);
      if (story.seed !== null && !isSame(left.answers[n], state.host.answers[n]))
        throw new EnvError(
          'ENV_NOT_REPEATABLE',
          'its Python process ended, and equal seed and actions lead elsewhere in a new one, so the episode is lost: draw everything from the seed of reset.',
        );
    }
  };
  const ask: ReplayedAgentsHost['ask'] = (operation, n, argument, actions) => {
    try {
      return state.host.ask(operation, n, argument, actions);
    } catch (error) {
      if (!isDeath(error) || numRestarts >= maxRestarts) throw error;
      numRestarts += 1;
      process.stderr.write(
        `[${id}] ${error.message.split('\n')[0]} Started anew (${numRestarts} of at most ${maxRestarts}); every episode is led back to where it was.\n`,
      );
      startAnew();
      return ask(operation, n, argument, actions);
    }
  };
  return {
    get host() {
      return state.host;
    },
    ask(operation, n, argument, actions) {
      const extra = ask(operation, n, argument, actions);
      if (operation === AgentsOperation.STEP)
        for (const value of actions ?? []) stories[n].actions.push(value);
      if (operation === AgentsOperation.RESET || operation === AgentsOperation.REBUILD)
        stories[n] = { seed: argument, actions: [] };
      return extra;
    },
  };
}

function repeat(host: AgentsHost, n: number, { seed, actions }: Story): void {
  if (seed === null) return;
  const { actionStride } = host.layout;
  host.ask(AgentsOperation.RESET, n, seed);
  for (let k = 0; k < actions.length; k += actionStride)
    host.ask(AgentsOperation.STEP, n, 0, Float32Array.from(actions.slice(k, k + actionStride)));
}

const isDeath = (error: unknown): error is EnvError =>
  error instanceof EnvError && (error.code === 'ENV_PYTHON_EXITED' || error.code === 'ENV_PYTHON_HUNG');

/** Whether the same act next, have ended, got and see; of an agent that does neither nothing is known. */
function isSame(one: AgentsAnswer, other: AgentsAnswer): boolean {
  const areSame = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).every((value, k) => Object.is(value, b[k]));
  return (
    areSame(one.acting, other.acting) &&
    areSame(one.ended, other.ended) &&
    areSame(one.rewards, other.rewards) &&
    one.observations.every((row, s) => one.hasSeen[s] === 0 || areSame(row, other.observations[s]))
  );
}
