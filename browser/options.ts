/** The options of an algorithm that a page has: the same declarations, checks and defaults as in Node, without what needs Node. */

import type { Declarations, ResolvedConfig } from '../src/config/option.ts';
import { conflict, type Problem } from '../src/config/problems.ts';
import { type ConfigLayer, resolveConfig } from '../src/config/resolve.ts';

/**
 * @param check what the values must be to each other.
 * @throws ConfigError listing every problem, one line each.
 */
export function resolvePageOptions<D extends Declarations>(
  declarations: D,
  values: object,
  check: (config: ResolvedConfig<D>) => readonly Problem[],
): ResolvedConfig<D> {
  const layers: ConfigLayer[] = [{ values }];
  return resolveConfig(declarations, layers, [check], (config) => config);
}

/** Values of options that a page can do nothing with, each refused by name. */
export function refuseOthers(
  values: Readonly<Record<string, unknown>>,
  only: Readonly<Record<string, unknown>>,
): readonly Problem[] {
  return Object.entries(only).flatMap(([name, wanted]) =>
    values[name] === wanted
      ? []
      : [
          conflict(
            `${name} (${JSON.stringify(values[name])}) is not there in a page: leave it at ${JSON.stringify(wanted)}, or train in Node.`,
          ),
        ],
  );
}
