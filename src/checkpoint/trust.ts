/**
 * A checkpoint is data, whoever sent it. The modules and programs that its config names are code: those that do not ship with Operant
 * are run only with consent.
 */
import { type Declarations, FUNCTION_PREFIX, flagName, listOptions } from '../config/option.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { isModuleReference } from '../modules/module-text.ts';

/** A module or program that a checkpoint asks for. */
export interface ForeignModule {
  /** Where it stands: `environment.env`. */
  readonly option: string;
  /** How it can be given anew: `--env`. */
  readonly flag: string;
  readonly reference: string;
  /** Only training runs it: a schedule, a curriculum. */
  readonly isInTraining: boolean;
}

/**
 * The modules and programs that a saved config names, without those that later sources give anew.
 *
 * @param values a config by section, as saved.
 * @param given what the user gave now, by section; a value there wins over the saved one, which then is never used.
 */
export function foreignModules(
  declarations: Declarations,
  values: JsonObject,
  given: readonly unknown[],
): readonly ForeignModule[] {
  const valueIn = (config: unknown, section: string, name: string) =>
    (config as Record<string, Record<string, unknown> | undefined> | undefined)?.[section]?.[name];
  return listOptions(declarations).flatMap(({ section, name, option }) => {
    const isInTraining = option.namesModule === 'in-training' || option.kind.namesModule === true;
    const mayName = option.namesModule === true || isInTraining;
    if (!mayName && option.namesProgram !== true) return [];
    const value = valueIn(values, section, name);
    if (option.namesModule === 'in-training' && typeof value !== 'string') return [];
    const isGivenAnew = given.some((config) => valueIn(config, section, name) !== undefined);
    if (isGivenAnew) return [];
    // `bin/python` looks like no module, and is started all the same.
    const references = option.namesProgram === true && value != null ? [String(value)] : referencesIn(value);
    return references.map((found) => ({
      option: `${section}.${name}`,
      flag: `--${flagName(name)}`,
      reference: found,
      isInTraining,
    }));
  });
}

/** A value that is a module, or an object some of whose values are. */
function referencesIn(value: unknown): readonly string[] {
  if (typeof value === 'string')
    return !value.startsWith(FUNCTION_PREFIX) && isModuleReference(value) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(referencesIn) : [];
}

/** @throws CheckpointError `CHECKPOINT_TRUST` naming every module, when there are some and `trust` is not given. */
export function requireTrust(
  path: string,
  foreign: readonly Pick<ForeignModule, 'option' | 'flag' | 'reference'>[],
  trust: boolean,
): void {
  if (trust || foreign.length === 0) return;
  const list = foreign.map(({ option, reference }) => `  ${option}: ${reference}`).join('\n');
  const [{ flag, reference }] = foreign;
  throw new CheckpointError(
    'CHECKPOINT_TRUST',
    `The checkpoint \`${path}\` names code that did not come with Operant and would run with your rights:\n${list}\n` +
      `If you know what these files do, give them anew (${flag} ${reference}) or say --trust; in code { trust: true }`,
  );
}
