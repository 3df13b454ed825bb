/** The shell's own part of a checkpoint: counters, episode window, configuration. */
import * as z from 'zod/mini';
import { stringifyExact } from '../checkpoint/exact-json.ts';
import { countSchema, fieldState, readField } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { EpisodeWindow } from '../metrics/episode-window.ts';

/** What of a run has to be known to go on with it. */
export interface ShellDescription {
  readonly name: string;
  readonly config: { readonly debugging: { readonly seed: number } };
  readonly configJson: JsonObject;
}

export interface Counters {
  iteration: number;
  numEnvSteps: number;
  numEpisodes: number;
}

const COUNTERS = ['iteration', 'numEnvSteps', 'numEpisodes'] as const;

/** In the order of the fields in `state.json`. */
export function shellState(
  { name, config, configJson }: ShellDescription,
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
  stringifyExact(configJson, 'config.json'); // what cannot be saved is found before anything is learned
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
    // Both are written from the same counters: the manifest's are shown and go by, the state's are gone on with.
    readState(content) {
      for (const field of COUNTERS) {
        const value = readField(content, [field], countSchema);
        if (content.description[field] !== value) throw disagreeing(field, value, content.description[field]);
      }
      return () => undefined;
    },
  };
  return [counter('iteration'), counter('numEnvSteps'), counter('numEpisodes'), run, windowState(episodes)];
}

function disagreeing(field: string, state: number, manifest: JsonValue | undefined): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_STATE',
    `The checkpoint's state.json has \`${field}\` ${state}, and its manifest ${JSON.stringify(manifest)}. Use an older checkpoint.`,
  );
}

function windowState(episodes: EpisodeWindow): StatePart {
  return fieldState<JsonObject>({
    field: ['episodes'],
    schema: WINDOW as unknown as z.ZodMiniType<JsonObject>,
    getState: episodes.getState,
    setState: episodes.setState,
  });
}

const WINDOW = z
  .object({ returns: z.array(z.number()), lengths: z.array(countSchema) })
  .check(z.refine(({ returns, lengths }) => returns.length === lengths.length));
