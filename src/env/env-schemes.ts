/** Ids with a scheme in front, `gymnasium:LunarLander-v3`: what is outside of Operant, and the module that brings it in. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import { assertFileUrl } from '../modules/module-reference.ts';
import { splitExport } from '../modules/module-text.ts';

export interface EnvScheme {
  /** Absolute `file:` URL of the module, whose factories get the whole id as the option `reference`. */
  readonly module: string;
  readonly export: string;
  readonly vectorExport: string;
  /** Whether what follows the scheme is a file, with the name of a function of it behind `#`; `behind-hash` = where there is a `#`. */
  readonly namesFile?: boolean | 'behind-hash';
  /** Its environments have several agents. */
  readonly agents?: boolean;
  /** A name, for messages. */
  readonly example?: string;
}

/** One for the process; see `registry.ts`. */
const SCHEMES = Symbol.for('operant.environment-schemes');
const shared = globalThis as { [SCHEMES]?: Map<string, EnvScheme> };
shared[SCHEMES] ??= new Map();
const schemes = shared[SCHEMES];

/** Registers what the ids that begin with `name:` stand for. */
export function registerEnvScheme(name: string, scheme: EnvScheme): void {
  assertFileUrl(scheme.module);
  schemes.set(name, scheme);
}

/** The scheme of an id and what its module is told; null = it has none that is known. */
export function findEnvScheme(id: string, cwd: string): { scheme: EnvScheme; reference: string } | null {
  const at = id.indexOf(':');
  const scheme = schemes.get(id.slice(0, Math.max(0, at)));
  if (scheme === undefined) return null;
  if (id.length === at + 1)
    throw new ConfigError(
      'CONFIG_ENV_UNKNOWN',
      `Expected a name behind \`${id}\`, as in ${id}${scheme.example ?? 'CartPole-v1'}.`,
    );
  const isFile = scheme.namesFile === 'behind-hash' ? id.includes('#') : scheme.namesFile === true;
  if (!isFile) return { scheme, reference: id };
  const { specifier, exportName } = splitExport(id.slice(at + 1));
  const path = resolve(cwd, specifier);
  if (exportName === undefined) {
    throw new ConfigError(
      'CONFIG_ENV_EXPORT',
      `Expected the name of a function behind \`${id}\`, as in ${id}#make: it makes one environment.`,
    );
  }
  if (!existsSync(path))
    throw new ConfigError(
      'CONFIG_ENV_MODULE',
      `The environment \`${id}\` names the file ${path}, which does not exist.`,
    );
  return { scheme, reference: `${id.slice(0, at)}:${path}#${exportName}` };
}
