/** What a study searches: a domain for each option that it varies. */
import type { JsonValue } from '../json.ts';

/** Options of the space, each with the values of which it must have one: where not all do, there is no value. */
export type Condition = Readonly<Record<string, readonly JsonValue[]>>;

/** Numbers between two ends, both included; `isLog`: uniform in the logarithm. */
export interface NumberDomain {
  readonly kind: 'number';
  readonly low: number;
  readonly high: number;
  readonly isLog: boolean;
  readonly isInteger: boolean;
  readonly when?: Condition;
}

/** One of several values, which have no order. */
export interface ChoiceDomain {
  readonly kind: 'choice';
  readonly choices: readonly JsonValue[];
  readonly when?: Condition;
}

export type Domain = NumberDomain | ChoiceDomain;

/** Domains by option name. */
export type Space = Readonly<Record<string, Domain>>;

/** A value for each option of a space whose condition holds. */
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
/** A domain of trials in which other options of the space have one of the values listed: `conditional(uniform(0.9, 1), { targets: ['vtrace'] })`. */
export const conditional = (domain: Domain, when: Condition): Domain => ({ ...domain, when });

function numbers(low: number, high: number, isLog: boolean, isInteger: boolean): Domain {
  return { kind: 'number', low, high, isLog, isInteger };
}

/** Values are compared as JSON writes them. */
export function isSameValue(a: JsonValue, b: JsonValue): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Whether an option has a value beside these. */
export function isActive({ when = {} }: Domain, values: TrialValues): boolean {
  return Object.entries(when).every(
    ([name, allowed]) =>
      Object.hasOwn(values, name) && allowed.some((value) => isSameValue(value, values[name])),
  );
}

/**
 * The options that have a value, those that a condition looks at before it: whoever fills `values` as they come gets each option whose
 * condition holds. Without conditions, the space's own order.
 */
export function* activeNames(space: Space, values: TrialValues): Generator<string> {
  for (const name of orderedNames(space)) if (isActive(space[name], values)) yield name;
}

/** All options, in the order of {@link activeNames}; those of a ring of conditions are left out. */
export function orderedNames(space: Space): string[] {
  const ordered: string[] = [];
  let rest = Object.keys(space);
  for (let numBefore = -1; numBefore < ordered.length; ) {
    numBefore = ordered.length;
    for (const name of rest) {
      const parents = Object.keys(space[name].when ?? {});
      if (parents.every((parent) => ordered.includes(parent))) ordered.push(name);
    }
    rest = rest.filter((name) => !ordered.includes(name));
  }
  return ordered;
}

/** Values without those of options whose condition does not hold. @param all a value for every option of the space. */
export function activeValues(space: Space, all: TrialValues): TrialValues {
  const values: Record<string, JsonValue> = {};
  for (const name of activeNames(space, values)) values[name] = all[name];
  return values;
}
