/** Imports a function of a user's that an option names: `./schedule.ts#name`. */
import { ConfigError, isOperantError } from '../errors.ts';
import { importModule } from './import-module.ts';
import { locateModule, type ReferenceKind } from './module-reference.ts';

/** What the function is for, in messages. */
export type FunctionKind = ReferenceKind & {
  readonly option: string;
  /** `(step) => number`; behind "a function". */
  readonly signature: string;
};

/**
 * Without an export's name behind the `#` it is the default export.
 *
 * @throws ConfigError `kind.code` for a module that is not there, does not load or does not export a function; `CONFIG_MODULE_URL`.
 */
export async function importFunction(reference: string, kind: FunctionKind): Promise<unknown> {
  const { code, option, signature } = kind;
  const { url, exportName = 'default' } = locateModule(reference, kind);
  let module: Record<string, unknown>;
  try {
    module = await importModule(url);
  } catch (error) {
    if (isOperantError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `The module of \`${option}\`, ${reference}, could not be loaded: ${reason}`;
    throw new ConfigError(code, message, { cause: error });
  }
  const found = module[exportName];
  if (typeof found === 'function') return found;
  throw new ConfigError(
    code,
    `Expected the export \`${exportName}\` of ${reference} (\`${option}\`) to be a function ${signature}, got ${typeof found}. It exports: ${Object.keys(module).join(', ')}.`,
  );
}
