/** How each environment came to where it is: the actions of its episode, to be repeated by a fresh instance. */
import type { JsonValue } from '../json.ts';
import type { EnvKernel } from './env-kernel.ts';
import type { ActionArray } from './vector-env.ts';

/** Elements of an episode's actions from which on a state is taken instead. */
const LONG_EPISODE = 2 ** 16;

export interface EpisodeHistory {
  /** A state that it was put into in mid-episode; null = its beginning. */
  readonly state: JsonValue;
  readonly actions: ActionArray; // [capacity, actionSize]; the first numActions count
  readonly numActions: number;
  /** It became longer than what is kept, so it cannot be repeated. */
  readonly isForgotten: boolean;
}

export interface EpisodeHistories {
  of(n: number): EpisodeHistory;
  begin(n: number, state: JsonValue): void;
  /** Adds `numSteps` steps of environment n, from `offset` on. */
  append(n: number, actions: ActionArray, offset: number, numSteps: number): void;
  /** A long episode goes on from a state of the environment's, where it gives one: its actions would grow for ever. */
  shorten(n: number): void;
}

type History = { -readonly [K in keyof EpisodeHistory]: EpisodeHistory[K] };

/** @param maxElements of an episode's actions: beyond these it is forgotten. */
export function createEpisodeHistories(
  kernel: EnvKernel,
  { actionSize, isDiscrete }: { readonly actionSize: number; readonly isDiscrete: boolean },
  maxElements: number,
): EpisodeHistories {
  const emptyActions = (length: number) => (isDiscrete ? new Int32Array(length) : new Float32Array(length));
  const begun = (state: JsonValue): History => ({
    ...{ state, actions: emptyActions(8 * actionSize), numActions: 0, isForgotten: false },
  });
  const histories = Array.from({ length: kernel.numEnvs }, () => begun(null));
  let isShortening = true;
  return {
    of: (n) => histories[n],
    begin: (n, state) => void Object.assign(histories[n], { state, numActions: 0, isForgotten: false }),
    append(n, actions, offset, numSteps) {
      const history = histories[n];
      if (history.isForgotten) return;
      const end = (history.numActions + numSteps) * actionSize;
      if (end > maxElements) {
        Object.assign(history, begun(null), { isForgotten: true });
        return;
      }
      if (end > history.actions.length) {
        const grown = emptyActions(Math.max(end, 2 * history.actions.length));
        grown.set(history.actions);
        history.actions = grown;
      }
      for (let k = 0; k < numSteps * actionSize; k++)
        history.actions[history.numActions * actionSize + k] = actions[offset + k];
      history.numActions += numSteps;
    },
    shorten(n) {
      const history = histories[n];
      const isLong = history.numActions * actionSize >= LONG_EPISODE;
      if (!isLong || kernel.getState === undefined || !isShortening) return;
      try {
        history.state = kernel.getState(n);
        history.numActions = 0;
      } catch {
        isShortening = false; // whoever saves a checkpoint will say what is wrong with it
      }
    },
  };
}
