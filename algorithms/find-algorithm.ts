/** From an algorithm's name, as in `--algo`, to its definition. */

import { nearestName } from '../src/config/nearest.ts';
import type { AlgorithmDefinition } from '../src/define/define-algorithm.ts';
import { ConfigError } from '../src/errors.ts';
import { importModule } from '../src/modules/import-module.ts';
import { locateModule } from '../src/modules/module-reference.ts';
import { isModuleReference } from '../src/modules/module-text.ts';
import { algorithms } from './registry.ts';

/**
 * Finds one of ours by name (case does not count), or one of the user's by path or package: `./my-algorithm.ts#name`. Its module
 * is run: never call this with what a file says.
 *
 * @throws ConfigError `CONFIG_ALGORITHM` with the nearest name, or with what the module holds instead.
 */
export async function findAlgorithm(name: string): Promise<AlgorithmDefinition> {
  const known = name.toLowerCase();
  if (Object.hasOwn(algorithms, known)) return algorithms[known]();
  if (isModuleReference(name)) return importAlgorithm(name);
  const names = Object.keys(algorithms);
  const near = nearestName(known, names);
  const hint = near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean \`${near}\`?`;
  const message = `Unknown algorithm \`${name}\`. ${hint} One of your own is given by its path, ./${known}.ts#name.`;
  throw new ConfigError('CONFIG_ALGORITHM', message);
}

async function importAlgorithm(path: string): Promise<AlgorithmDefinition> {
  const { url, exportName = 'default' } = locateModule(path, {
    code: 'CONFIG_ALGORITHM',
    what: 'algorithm',
  });
  let module: Record<string, unknown>;
  try {
    module = await importModule(url);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('CONFIG_ALGORITHM', `The algorithm \`${path}\` could not be loaded: ${reason}`, {
      cause,
    });
  }
  const definition = module[exportName];
  if (isDefinition(definition)) return definition;
  const message = `Expected the export \`${exportName}\` of ${path.split('#')[0]} to be what defineAlgorithm() returns.`;
  throw new ConfigError('CONFIG_ALGORITHM', message);
}

function isDefinition(value: unknown): value is AlgorithmDefinition {
  const candidate = value as Partial<AlgorithmDefinition> | null | undefined;
  return typeof candidate?.resolve === 'function' && typeof candidate.build === 'function';
}
