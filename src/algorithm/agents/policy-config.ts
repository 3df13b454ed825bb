/** A policy's own config: the run's, with options of `training` of its own. */
import { checkLayer } from '../../config/check-layer.ts';
import type { Declarations } from '../../config/option.ts';
import { type Problem, throwProblems } from '../../config/problems.ts';
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { TableEntry } from './policy-table.ts';

/** What it sets itself; nothing for one that sets none, or that is no network. */
function overridesOf({ acts }: TableEntry): JsonObject {
  return acts.kind === 'network' ? acts.overrides : {};
}

/** @throws ConfigError `CONFIG_POLICY` where a policy sets one of the options that are the run's alone. */
export function refuseOwn(entry: TableEntry, ofTheRun: readonly string[]): void {
  const shared = ofTheRun.find((option) => Object.hasOwn(overridesOf(entry), option));
  if (shared === undefined) return;
  throw new ConfigError(
    'CONFIG_POLICY',
    `The policies cannot be used: \`${shared}\` is the run's, and \`${entry.name}\` sets one of its own. Set it in \`training\`.`,
  );
}

/**
 * @param declared the algorithm's `training`; `check` what it asks of a whole config.
 * @returns the run's config itself for a policy that sets nothing.
 * @throws ConfigError naming what is no such option.
 */
export function withOverrides<C extends { readonly training: object }>(
  config: C,
  entry: TableEntry,
  declared: Declarations[string],
  check: (config: C) => readonly Problem[],
): C {
  const training = overridesOf(entry);
  if (Object.keys(training).length === 0) return config;
  const { layer, problems } = checkLayer({ training: declared }, { training }, `policy ${entry.name}`);
  throwProblems(problems);
  const own: C = { ...config, training: { ...config.training, ...layer.training } };
  throwProblems(check(own));
  return own;
}
