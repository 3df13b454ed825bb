/** What a resume may change of a configuration. */
import { isDeepStrictEqual } from 'node:util';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { type Declarations, listOptions } from './option.ts';

/** The value of an option in a config's JSON; undefined where it has none. */
export function valueIn(config: JsonObject, section: string, name: string): JsonValue | undefined {
  const values = config[section];
  const isSection = typeof values === 'object' && values !== null && !Array.isArray(values);
  return isSection && Object.hasOwn(values, name) ? (values as JsonObject)[name] : undefined;
}

/** An option that has one value in a checkpoint's config and another here. */
export interface OptionChange {
  /** `training.learningRate`. */
  readonly option: string;
  readonly from: JsonValue;
  readonly to: JsonValue;
}

/** What differs between two configs' JSON, option by option; one that only one side knows (another version's) is left out. */
export function optionChanges(before: JsonObject, after: JsonObject): OptionChange[] {
  return Object.entries(after).flatMap(([section, values]) =>
    Object.entries((values ?? {}) as JsonObject).flatMap(([name, to]) => {
      const from = valueIn(before, section, name);
      const isSame = from === undefined || to === undefined || isDeepStrictEqual(from, to);
      return isSame ? [] : [{ option: `${section}.${name}`, from, to }];
    }),
  );
}

/**
 * Refuses a checkpoint whose config differs from this one in an option that only the beginning of a run reads: the change would have no
 * effect.
 *
 * @param saved the checkpoint's `config.json`; undefined = it has none, and nothing is known.
 * @throws CheckpointError `CHECKPOINT_MISMATCH` naming each of them.
 */
export function refuseLateChanges(
  declarations: Declarations,
  saved: JsonObject | undefined,
  here: JsonObject,
): void {
  if (saved === undefined) return;
  const atStart = new Set(
    listOptions(declarations).flatMap(({ section, name, option }) =>
      option.onlyAtStart === true ? [`${section}.${name}`] : [],
    ),
  );
  const late = optionChanges(saved, here).filter(({ option }) => atStart.has(option));
  if (late.length === 0) return;
  const list = late.map(
    ({ option, from, to }) =>
      `  ${option}: ${JSON.stringify(from)} in the checkpoint, ${JSON.stringify(to)} here`,
  );
  throw new CheckpointError(
    'CHECKPOINT_MISMATCH',
    `These options belong to the beginning of a run, so a resume cannot change them:\n${list.join('\n')}\n` +
      'Resume without changing them, or start a new run.',
  );
}
