/** What a study searches: a domain for each option that it varies. */
import { nearestName } from '../config/nearest.ts';
import { type Declarations, listOptions } from '../config/option.ts';
import { type Problem, throwProblems } from '../config/problems.ts';
import { isPlainObject } from '../config/value-kind.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';

/** Numbers between two ends, both included; `isLog`: uniform in the logarithm. */
export interface NumberDomain {
  readonly kind: 'number';
  readonly low: number;
  readonly high: number;
  readonly isLog: boolean;
  readonly isInteger: boolean;
}

/** One of several values, which have no order. */
export interface ChoiceDomain {
  readonly kind: 'choice';
  readonly choices: readonly JsonValue[];
}

export type Domain = NumberDomain | ChoiceDomain;

/** Domains by option name. */
export type Space = Readonly<Record<string, Domain>>;

/** A value for each option of a space. */
export type TrialValues = Readonly<Record<string, JsonValue>>;

/** Numbers in [low, high]. */
export const uniform = (low: number, high: number): Domain => numbers(low, high, false, false);
/** Numbers in [low, high], low > 0: as many between 1e-5 and 1e-4 as between 1e-4 and 1e-3. */
export const logUniform = (low: number, high: number): Domain => numbers(low, high, true, false);
/** Integers in [low, high]. */
export const int = (low: number, high: number): Domain => numbers(low, high, false, true);
/** Integers in [low, high], low > 0, uniform in the logarithm. */
export const logInt = (low: number, high: number): Domain => numbers(low, high, true, true);
/** One of these values. */
export const choice = (choices: readonly JsonValue[]): Domain => ({ kind: 'choice', choices });

function numbers(low: number, high: number, isLog: boolean, isInteger: boolean): Domain {
  return { kind: 'number', low, high, isLog, isInteger };
}

const RANGES: Readonly<Record<string, (low: number, high: number) => Domain>> = {
  uniform,
  logUniform,
  int,
  logInt,
};
const FORMS = '{ "uniform": [low, high] }, "logUniform", "int", "logInt", or { "choice": [values] }';

/** Options whose values a study decides itself. */
const NOT_SEARCHED = new Set(['seed', 'out', 'stopSteps']);

/**
 * Reads a space as a JSON file writes it: `{ "learningRate": { "logUniform": [1e-5, 1e-2] }, "numEpochs": { "choice": [4, 10] } }`.
 * What the functions of this file return is taken, too.
 *
 * @throws ConfigError `CONFIG_SPACE`, `CONFIG_RANGE` naming each option whose domain cannot be understood.
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
  return space;
}

function readDomain(written: unknown): Domain | string {
  const form = `expected ${FORMS}, got ${JSON.stringify(written)}.`;
  if (!isPlainObject(written)) return form;
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

/**
 * Holds a space to an algorithm's options: each is known, and its ends and choices are values that the option takes.
 *
 * @throws ConfigError `CONFIG_RANGE`, `CONFIG_CONFLICT` or `CONFIG_UNKNOWN` with a line for each problem.
 */
export function checkSpace(space: Space, declarations: Declarations): void {
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
    const { kind } = found.option;
    return valuesToTry(domain)
      .filter((value) => !kind.schema.safeParse(value).success)
      .map((value) => ({
        code: 'CONFIG_RANGE' as const,
        message: `Expected values of \`${name}\` in the search space to be ${kind.expects}, got ${JSON.stringify(value)}.`,
      }));
  });
  throwProblems(problems);
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
