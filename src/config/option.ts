/** An option declaration, and the types that follow from a set of them. */
import type { JsonObject } from '../json.ts';
import type { Domain } from './search-space.ts';
import type { ValueKind } from './value-kind.ts';

/**
 * One option, declared once. The builder's types, flags, `--help`, error messages, checkpoint JSON and the options table all
 * come from this.
 */
export interface Option<T> {
  readonly kind: ValueKind<T>;
  readonly default: T;
  /** One line: what it does, and what null or 'auto' means. */
  readonly doc: string;
  /** `environment steps`, `s`, `MiB`; absent = unitless. */
  readonly unit?: string;
  /**
   * False when the same seed gives the same parameters bit for bit whatever the value: a resume that changes it is still the same run.
   * Default true.
   */
  readonly affectsLearning?: boolean;
  /** True when only the beginning of a run reads it, or what is saved has its shape (initial weights, a replay buffer's size): a resume that changes it is refused. */
  readonly onlyAtStart?: boolean;
  /** True when what is saved has its shape, or says it (sizes of a network): a resume with another value finds that the checkpoint does not fit. */
  readonly shapesCheckpoint?: boolean;
  /** True when its value, or a text in it, may name a module, whose code is then run: a checkpoint that brings such a value needs consent. `in-training`: only a value that is a text, and only training runs it. */
  readonly namesModule?: boolean | 'in-training';
  /** True when its value is a program that is started: consent as for a module, whatever the value looks like. */
  readonly namesProgram?: boolean;
  /** Without this the option would be inert: the option of the same section it depends on, and the values of that. */
  readonly needs?: { readonly option: string; readonly values: readonly unknown[] };
  /** A preset: where it is true, these options of the same section have these values unless the same or a later source gives others. */
  readonly implies?: Readonly<Record<string, unknown>>;
  /** Options of the same section that say the same: setting one in a later source drops the other of an earlier one. */
  readonly replaces?: readonly string[];
  /** Where a study looks for a value unless it has a space of its own; absent = such a study leaves the option alone. */
  readonly search?: Domain;
  /** What other libraries call it: found by the "did you mean" of an unknown key, and listed in the name table. */
  readonly alsoCalled?: readonly string[];
}

/** Fixes the value type of an option from its kind. */
export function option<T>(kind: ValueKind<T>, declaration: Omit<Option<NoInfer<T>>, 'kind'>): Option<T> {
  return { kind, ...declaration };
}

/** A section or block with other defaults: `withDefaults(adamOptions, { adamEpsilon: 1e-5 })`. */
export function withDefaults<S extends SectionDeclaration>(options: S, defaults: SectionInput<S>): S {
  const changed = Object.entries(defaults).map(([name, value]) => [
    name,
    { ...options[name], default: value },
  ]);
  return { ...options, ...Object.fromEntries(changed) };
}

// biome-ignore lint/suspicious/noExplicitAny: Option is invariant in T; a set of options of mixed types has no other name.
export type AnyOption = Option<any>;
export type SectionDeclaration = Readonly<Record<string, AnyOption>>;
/** Sections by name, options by name within. Option names are unique over all sections. */
export type Declarations = Readonly<Record<string, SectionDeclaration>>;

type OptionValue<O> = O extends Option<infer T> ? T : never;

/** A section after defaults and checks: every option has a value. */
export type ResolvedSection<S extends SectionDeclaration> = { readonly [K in keyof S]: OptionValue<S[K]> };
/** A section as a user writes it: any subset. */
export type SectionInput<S extends SectionDeclaration> = Partial<ResolvedSection<S>>;

export type ResolvedConfig<D extends Declarations> = { readonly [S in keyof D]: ResolvedSection<D[S]> };
export type ConfigInput<D extends Declarations> = { readonly [S in keyof D]?: SectionInput<D[S]> };

/** `numEnvs` -> `num-envs`, without the dashes in front. */
export function flagName(optionName: string): string {
  return optionName.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Every option with its section and name, in declaration order. */
export function listOptions(
  declarations: Declarations,
): { section: string; name: string; option: AnyOption }[] {
  return Object.entries(declarations).flatMap(([section, options]) =>
    Object.entries(options).map(([name, declared]) => ({ section, name, option: declared })),
  );
}

/** What stands for a function in JSON, with its name behind it. */
export const FUNCTION_PREFIX = 'function:';

/**
 * A resolved config as JSON by section, for `config.json` and checkpoints. A function is written as `function:<name>`, which no
 * source accepts back: whoever loads it has to give the function again.
 */
export function configToJson<D extends Declarations>(config: ResolvedConfig<D>): JsonObject {
  return JSON.parse(
    JSON.stringify(config, (_key, value: unknown) =>
      typeof value === 'function' ? `${FUNCTION_PREFIX}${value.name || 'anonymous'}` : value,
    ),
  ) as JsonObject;
}

/** The part of a config that decides the parameters bit for bit: what a config hash covers. */
export function learningConfig<D extends Declarations>(
  declarations: D,
  config: ResolvedConfig<D>,
): JsonObject {
  const json = configToJson(config);
  const kept = Object.entries(declarations).map(([section, options]) => {
    const values = json[section] as JsonObject;
    const names = Object.keys(options).filter((name) => options[name].affectsLearning !== false);
    return [section, Object.fromEntries(names.map((name) => [name, values[name]]))] as const;
  });
  return Object.fromEntries(kept.filter(([, values]) => Object.keys(values).length > 0));
}
