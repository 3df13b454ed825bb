/** Reads a search space, and holds it to an algorithm's options: whatever is wrong with it is said before anything runs. */
import { nearestName } from '../config/nearest.ts';
import { type AnyOption, type Declarations, listOptions } from '../config/option.ts';
import { type Problem, throwProblems } from '../config/problems.ts';
import {
  choice,
  type Domain,
  int,
  isSameValue,
  logInt,
  logUniform,
  type NumberDomain,
  orderedNames,
  type Space,
  type TrialValues,
  uniform,
} from '../config/search-space.ts';
import { isPlainObject } from '../config/value-kind.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';

const RANGES: Readonly<Record<string, (low: number, high: number) => Domain>> = {
  uniform,
  logUniform,
  int,
  logInt,
};
const FORMS =
  '{ "uniform": [low, high] }, "logUniform", "int", "logInt", or { "choice": [values] }, with "when": { "<option>": [values] } beside it where it is conditional';

/** Options whose values a study decides itself. */
const NOT_SEARCHED = new Set(['seed', 'out', 'stopSteps']);

/**
 * Reads a space as a JSON file writes it: `{ "learningRate": { "logUniform": [1e-5, 1e-2] }, "numEpochs": { "choice": [4, 10] } }`.
 * What the functions of this file return is taken, too.
 *
 * @throws ConfigError `CONFIG_SPACE`, `CONFIG_RANGE` naming each option whose domain cannot be understood, `CONFIG_CONFLICT` each condition that makes no sense.
 */
export function readSpace(input: unknown): Space {
  if (!isPlainObject(input) || Object.keys(input).length === 0) {
    throw new ConfigError(
      'CONFIG_SPACE',
      `Expected a search space to be an object of options, each with a domain (${FORMS}).`,
    );
  }
  const problems: Problem[] = [];
  const space: Record<string, Domain> = {};
  for (const [name, written] of Object.entries(input)) {
    const domain = readDomain(written);
    if (typeof domain === 'string')
      problems.push({ code: 'CONFIG_RANGE', message: `The domain of \`${name}\`: ${domain}` });
    else space[name] = domain;
  }
  throwProblems(problems);
  throwProblems(conditionProblems(space));
  return space;
}

function readDomain(input: unknown): Domain | string {
  const form = `expected ${FORMS}, got ${JSON.stringify(input)}.`;
  if (!isPlainObject(input)) return form;
  const { when, ...written } = input;
  const domain = readUnconditional(written, form);
  if (when === undefined || typeof domain === 'string') return domain;
  const isCondition =
    isPlainObject(when) && Object.values(when).every((values) => Array.isArray(values) && values.length > 0);
  if (!isCondition || Object.keys(when).length === 0)
    return `expected "when" to list values of other options, { "<option>": [values] }, got ${JSON.stringify(when)}.`;
  return { ...domain, when: when as Record<string, JsonValue[]> };
}

function readUnconditional(written: Readonly<Record<string, unknown>>, form: string): Domain | string {
  if (written.kind === 'choice') return checkChoices(written.choices);
  if (written.kind === 'number') return checkRange(written as unknown as NumberDomain);
  const entries = Object.entries(written);
  if (entries.length !== 1) return form;
  const [[name, value]] = entries;
  if (name === 'choice') return checkChoices(value);
  if (!Object.hasOwn(RANGES, name)) return form;
  const isPair = Array.isArray(value) && value.length === 2 && value.every((end) => typeof end === 'number');
  return isPair ? checkRange(RANGES[name](value[0], value[1]) as NumberDomain) : form;
}

function checkChoices(choices: unknown): Domain | string {
  if (!Array.isArray(choices) || choices.length === 0) return 'expected at least one value to choose from.';
  const texts = choices.map((value) => JSON.stringify(value));
  if (new Set(texts).size < texts.length) return `expected different values, got ${texts.join(', ')}.`;
  return choice(choices as JsonValue[]);
}

function checkRange(domain: NumberDomain): Domain | string {
  const { low, high, isLog, isInteger } = domain;
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
    return `expected two finite numbers, the lower first, got ${low} and ${high}.`;
  }
  if (isLog && low <= 0) return `expected a lower end above 0 for a logarithm, got ${low}.`;
  if (isInteger && !(Number.isSafeInteger(low) && Number.isSafeInteger(high))) {
    return `expected integers, got ${low} and ${high}.`;
  }
  return { kind: 'number', low, high, isLog, isInteger };
}

/** What is wrong with the conditions of domains that are right by themselves. */
function conditionProblems(space: Space): Problem[] {
  const problems = Object.entries(space).flatMap(([name, { when = {} }]) =>
    Object.entries(when).flatMap(([parent, allowed]): Problem[] => {
      const reason = conditionProblem(space, name, parent, allowed);
      return reason === null
        ? []
        : [{ code: 'CONFIG_CONFLICT', message: `The condition of \`${name}\` on \`${parent}\`: ${reason}` }];
    }),
  );
  if (problems.length > 0) return problems;
  const ordered = orderedNames(space);
  const ring = Object.keys(space).filter((name) => !ordered.includes(name));
  if (ring.length === 0) return [];
  const message = `Conditions go round in a ring, so none of these options could get a value first: ${ring.join(', ')}.`;
  return [{ code: 'CONFIG_CONFLICT', message }];
}

function conditionProblem(
  space: Space,
  name: string,
  parent: string,
  allowed: readonly JsonValue[],
): string | null {
  if (parent === name) return 'an option cannot depend on itself.';
  if (!Object.hasOwn(space, parent)) {
    const near = nearestName(parent, Object.keys(space));
    return `\`${parent}\` is not in the search space, so it has one value for all trials. ${near === undefined ? '' : `Did you mean \`${near}\`?`}`.trimEnd();
  }
  const domain = space[parent];
  if (domain.kind === 'number' && !domain.isInteger)
    return 'a continuous option is never equal to a value: use a choice or integers there.';
  const impossible = allowed.filter((value) => !canTake(domain, value));
  if (impossible.length > 0) return `it never has the value ${JSON.stringify(impossible[0])} there.`;
  return null;
}

function canTake(domain: Domain, value: JsonValue): boolean {
  if (domain.kind === 'choice') return domain.choices.some((other) => isSameValue(other, value));
  return Number.isInteger(value) && (value as number) >= domain.low && (value as number) <= domain.high;
}

/**
 * Holds a space to an algorithm's options: each is known, and its ends and choices are values that the option takes.
 *
 * @param isChangedLater values change while a trial runs (`pbt`), so options that only the beginning of a run reads, or that a checkpoint has the shape of, are refused.
 * @throws ConfigError `CONFIG_RANGE`, `CONFIG_CONFLICT` or `CONFIG_UNKNOWN` with a line for each problem.
 */
export function checkSpace(
  space: Space,
  declarations: Declarations,
  { isChangedLater = false }: { readonly isChangedLater?: boolean } = {},
): void {
  const options = listOptions(declarations);
  const problems = Object.entries(space).flatMap(([name, domain]): Problem[] => {
    const found = options.find((option) => option.name === name);
    if (found === undefined) {
      const near = nearestName(
        name,
        options.map((option) => option.name),
      );
      const hint = near === undefined ? '`operant options` lists them.' : `Did you mean \`${near}\`?`;
      return [{ code: 'CONFIG_UNKNOWN', message: `Unknown option \`${name}\` in the search space. ${hint}` }];
    }
    if (NOT_SEARCHED.has(name)) {
      return [
        {
          code: 'CONFIG_CONFLICT',
          message: `The study itself decides about \`${name}\`: leave it out of the space.`,
        },
      ];
    }
    if (isChangedLater && (found.option.onlyAtStart === true || found.option.shapesCheckpoint === true)) {
      const message = `\`${name}\` belongs to the beginning of a run, and pbt changes values while it goes on: leave it out of the space, or use another scheduler.`;
      return [{ code: 'CONFIG_CONFLICT', message }];
    }
    const { kind } = found.option;
    const wrong = valuesToTry(domain)
      .filter((value) => !kind.schema.safeParse(value).success)
      .map((value) => ({
        code: 'CONFIG_RANGE' as const,
        message: `Expected values of \`${name}\` in the search space to be ${kind.expects}, got ${JSON.stringify(value)}.`,
      }));
    return [...wrong, ...unmetNeeds(name, found.option, space)];
  });
  throwProblems(problems);
}

/** An option that only some values of another one give a meaning, both searched: the trials with the other values would fail. */
function unmetNeeds(name: string, { needs }: AnyOption, space: Space): Problem[] {
  if (needs === undefined || !Object.hasOwn(space, needs.option)) return [];
  const parent = space[needs.option];
  const possible = space[name].when?.[needs.option] ?? valuesToTry(parent);
  const useless = possible.filter(
    (value) => !needs.values.some((other) => isSameValue(other as JsonValue, value)),
  );
  if (useless.length === 0) return [];
  const when = JSON.stringify({ [needs.option]: needs.values });
  const message = `\`${name}\` says nothing where \`${needs.option}\` is ${JSON.stringify(useless[0])}: give its domain "when": ${when}.`;
  return [{ code: 'CONFIG_CONFLICT', message }];
}

function valuesToTry(domain: Domain): readonly JsonValue[] {
  return domain.kind === 'choice' ? domain.choices : [domain.low, domain.high];
}

/** Values by section, as a config layer writes them. */
export function valuesBySection(values: TrialValues, declarations: Declarations): JsonObject {
  const sections: Record<string, Record<string, JsonValue>> = {};
  for (const { section, name } of listOptions(declarations)) {
    if (!Object.hasOwn(values, name)) continue;
    sections[section] ??= {};
    sections[section][name] = values[name];
  }
  return sections;
}
