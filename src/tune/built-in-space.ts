/** The search space of a study that was given none: what an algorithm's options say of themselves. */
import { listOptions } from '../config/option.ts';
import type { ConfigLayer } from '../config/resolve.ts';
import type { Domain, Space } from '../config/search-space.ts';
import { isPlainObject } from '../config/value-kind.ts';
import type { AlgorithmDefinition } from '../define/define-algorithm.ts';
import { ConfigError } from '../errors.ts';
import type { JsonValue } from '../json.ts';

export interface BuiltInSpaceOptions {
  /** What the user gave: an option that is set there is not searched. */
  readonly given: readonly ConfigLayer[];
  /** Values change while a trial runs (`pbt`): options that only the beginning of a run reads are left out. */
  readonly isChangedLater: boolean;
}

/**
 * The options of an algorithm that declare a domain (`search`), as far as they make sense beside what all trials share.
 *
 * Each value is tried alone beside `layers`: a choice that is refused there is left out, and so is an option that says nothing there or has
 * fewer than two values. Values of several options that do not go together are not drawn (`SearchContext.accepts`).
 *
 * @param layers what all trials share, lowest source first.
 * @throws ConfigError `CONFIG_SPACE` where nothing is left.
 */
export function builtInSpace(
  definition: AlgorithmDefinition,
  layers: readonly ConfigLayer[],
  { given, isChangedLater }: BuiltInSpaceOptions,
): Space {
  const space: Record<string, Domain> = {};
  for (const { section, name, option } of listOptions(definition.options)) {
    if (option.search === undefined || given.some(({ values }) => isSetIn(values, section, name))) continue;
    if (isChangedLater && (option.onlyAtStart === true || option.shapesCheckpoint === true)) continue;
    const accepts = (value: JsonValue) => resolves(definition, layers, { [section]: { [name]: value } });
    const domain = acceptedPart(option.search, accepts);
    if (domain !== null) space[name] = domain;
  }
  if (Object.keys(space).length === 0) {
    const message = `No option of ${definition.name} that is not set says what could be searched: give a space of your own (--space, \`space\`).`;
    throw new ConfigError('CONFIG_SPACE', message);
  }
  return space;
}

function isSetIn(values: unknown, section: string, name: string): boolean {
  if (!isPlainObject(values)) return false;
  const options = values[section];
  return isPlainObject(options) && options[name] !== undefined;
}

function resolves(
  definition: AlgorithmDefinition,
  layers: readonly ConfigLayer[],
  values: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>,
): boolean {
  try {
    definition.resolve([...layers, { values }]);
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

/** A domain without what is refused, under the same condition; null = nothing is left to choose from. */
function acceptedPart(domain: Domain, accepts: (value: JsonValue) => boolean): Domain | null {
  if (domain.kind === 'number') return accepts(domain.low) && accepts(domain.high) ? domain : null;
  const choices = domain.choices.filter(accepts);
  return choices.length < 2 ? null : { ...domain, choices };
}

/** A space as `--space` reads it. */
export function spaceToJson(space: Space): Record<string, JsonValue> {
  return Object.fromEntries(Object.entries(space).map(([name, domain]) => [name, domainToJson(domain)]));
}

function domainToJson(domain: Domain): JsonValue {
  const when = domain.when === undefined ? {} : { when: domain.when as unknown as JsonValue };
  if (domain.kind === 'choice') return { choice: [...domain.choices], ...when };
  const { low, high, isLog, isInteger } = domain;
  const form = isInteger ? (isLog ? 'logInt' : 'int') : isLog ? 'logUniform' : 'uniform';
  return { [form]: [low, high], ...when };
}
