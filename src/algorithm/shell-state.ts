/** The shell's own part of a checkpoint: counters, episode window, configuration. */
import { countSchema, fieldState } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { JsonObject } from '../json.ts';
import { createEpisodeWindow, type EpisodeWindow } from '../metrics/episode-window.ts';
import type { ShellParts } from './shell.ts';

export interface Counters {
  iteration: number;
  numEnvSteps: number;
  numEpisodes: number;
}

/** In the order of the fields in `state.json`. */
export function shellState(
  { name, config, configJson }: Pick<ShellParts, 'name' | 'config' | 'configJson'>,
  counters: Counters,
  episodes: EpisodeWindow,
): readonly StatePart[] {
  const counter = (field: keyof Counters): StatePart =>
    fieldState({
      field: [field],
      schema: countSchema,
      getState: () => counters[field],
      setState: (value) => {
        counters[field] = value;
      },
    });
  const { seed } = config.debugging;
  const run: StatePart = {
    name: 'run',
    files: ['state.json'],
    identity: {
      here: { algorithm: name, seed },
      there: ({ description, json }) => ({
        algorithm: description.algorithm ?? null,
        seed: json['state.json'].seed ?? null,
      }),
    },
    getState: () => ({
      description: { algorithm: name, ...counters },
      json: { 'config.json': configJson, 'state.json': { seed } },
    }),
    readState: () => () => undefined,
  };
  return [counter('iteration'), counter('numEnvSteps'), counter('numEpisodes'), run, windowState(episodes)];
}

function windowState(episodes: EpisodeWindow): StatePart {
  return {
    name: 'episodes',
    files: ['state.json'],
    getState: () => ({ json: { 'state.json': { episodes: episodes.getState() } } }),
    readState({ json }) {
      const state = json['state.json'].episodes as JsonObject;
      createEpisodeWindow(episodes.size).setState(state); // throws for what is not as it was saved
      return () => episodes.setState(state);
    },
  };
}
