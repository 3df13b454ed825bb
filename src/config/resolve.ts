/** From what was written, in layers, to a whole configuration. */
import { type CheckedLayer, checkLayer } from './check-layer.ts';
import { type AnyOption, type Declarations, listOptions, type ResolvedConfig } from './option.ts';
import { conflict, type Problem, throwProblems } from './problems.ts';

/** One source of values. */
export interface ConfigLayer {
  readonly values: unknown;
  /** For messages: `cartpole.json`, `the command line`. */
  readonly source?: string;
  /**
   * Somebody else's choice (tuned defaults, the config of a resumed run): a value of it that another option makes meaningless
   * is dropped silently, where an explicit one is an error.
   */
  readonly isDefault?: boolean;
}

/** Values that are fine one by one may still not go together. */
export type CrossCheck<D extends Declarations> = (config: ResolvedConfig<D>) => readonly Problem[];

/**
 * Fills the defaults, checks everything and throws one ConfigError that lists every problem, one line each.
 *
 * Later layers win, option by option. An option that `replaces` others drops them from earlier layers, and stands alone: one that is
 * replaced is null rather than its default where it may be. An option whose `needs` is not met must not be set: no option is inert.
 * A preset (`implies`)
 * brings its values with the layer that sets it. Resolving a resolved config gives the same again.
 *
 * @param fold rewrites what is only another spelling (sugar) before the cross-checks.
 */
export function resolveConfig<D extends Declarations>(
  declarations: D,
  layers: readonly ConfigLayer[],
  crossChecks: readonly CrossCheck<D>[],
  fold: (config: ResolvedConfig<D>) => ResolvedConfig<D>,
): ResolvedConfig<D> {
  const checked = layers.map(({ values, source }) => checkLayer(declarations, values, source));
  throwProblems(checked.flatMap(({ problems }) => problems));
  const merged = mergeLayers(
    declarations,
    expandPresets(
      declarations,
      checked.map(({ layer }) => layer),
    ),
  );
  const explicit = mergeLayers(
    declarations,
    checked.filter((_, k) => layers[k].isDefault !== true).map(({ layer }) => layer),
  );
  const folded = fold(fillDefaults(declarations, merged) as ResolvedConfig<D>);
  const { config, problems } = dropInert(declarations, folded, explicit);
  throwProblems([...problems, ...crossChecks.flatMap((check) => check(config))]);
  return config;
}

/** Each layer that sets a preset to true gets what it implies, beneath its own values; not where a later layer takes the preset back. */
function expandPresets(declarations: Declarations, layers: readonly CheckedLayer[]): CheckedLayer[] {
  const presets = listOptions(declarations).filter(({ option }) => option.implies !== undefined);
  if (presets.length === 0) return [...layers];
  const final = mergeLayers(declarations, layers);
  return layers.map((layer) => {
    const expanded: Record<string, Readonly<Record<string, unknown>>> = { ...layer };
    for (const { section, name, option } of presets) {
      if (layer[section]?.[name] !== true || final[section][name] !== true) continue;
      expanded[section] = { ...option.implies, ...expanded[section] };
    }
    return expanded;
  });
}

/** Later layers over earlier ones, with `replaces` applied. */
export function mergeLayers(declarations: Declarations, layers: readonly CheckedLayer[]): CheckedLayer {
  const merged: Record<string, Record<string, unknown>> = {};
  for (const layer of layers) {
    for (const [section, values] of Object.entries(layer)) {
      merged[section] ??= {};
      for (const [name, value] of Object.entries(values)) {
        if (value === null) continue; // null says nothing, so it replaces nothing
        for (const other of declarations[section][name].replaces ?? []) delete merged[section][other];
      }
      Object.assign(merged[section], values);
    }
  }
  return merged;
}

function fillDefaults(
  declarations: Declarations,
  layer: CheckedLayer,
): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(declarations).map(([section, options]) => [
      section,
      Object.fromEntries(
        Object.entries(options).map(([name, option]) => {
          const given = layer[section]?.[name];
          if (given !== undefined) return [name, given]; // null is a value
          const isReplaced = (option.replaces ?? []).some(
            (other) => (layer[section]?.[other] ?? null) !== null,
          );
          return [name, isReplaced && option.kind.schema.safeParse(null).success ? null : option.default];
        }),
      ),
    ]),
  );
}

/** Options whose `needs` is not met go back to their defaults; where such a one was set explicitly it is a problem. */
function dropInert<D extends Declarations>(
  declarations: D,
  config: ResolvedConfig<D>,
  explicit: CheckedLayer,
): { readonly config: ResolvedConfig<D>; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const kept = Object.entries(declarations).map(([section, options]) => {
    const values: Readonly<Record<string, unknown>> = config[section];
    const entries = Object.entries(options).map(([name, option]): [string, unknown] => {
      if (option.needs === undefined || option.needs.values.includes(values[option.needs.option])) {
        return [name, values[name]];
      }
      const given = explicit[section]?.[name];
      if (given !== undefined && !isSameValue(given, option.default)) {
        problems.push(inertOption(name, given, option.needs, values[option.needs.option]));
      }
      return [name, option.default];
    });
    return [section, Object.fromEntries(entries)];
  });
  return { config: Object.fromEntries(kept) as ResolvedConfig<D>, problems };
}

function inertOption(
  name: string,
  given: unknown,
  needs: NonNullable<AnyOption['needs']>,
  actual: unknown,
): Problem {
  const needed = needs.values.map((value) => `${value}`).join(' or ');
  return conflict(
    `${name} (${JSON.stringify(given)}) has no effect while ${needs.option} is ${actual}: leave it out, or set ${needs.option} to ${needed}.`,
  );
}

/** Of values that options have: JSON, in which a key's place does not matter, or a function. */
function isSameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return (
    left.length === right.size &&
    left.every(([key, value]) => right.has(key) && isSameValue(value, right.get(key)))
  );
}
