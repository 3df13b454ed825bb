/** From what a user writes for a module (`./my-env.ts#maze`, `my-envs#maze`) to a file's URL. Nothing else is ever imported. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConfigError } from '../errors.ts';
import { isAbsolutePath, SCHEME, SCRIPT, splitExport } from './module-text.ts';
import { resolvePackage } from './package-resolution.ts';

/** A module and one of its exports. */
export interface ModuleReference {
  /** Absolute `file:` URL. */
  readonly url: string;
  /** Behind the `#`; undefined = nothing stands there. */
  readonly exportName: string | undefined;
}

/** What is looked for, in messages: `{ code: 'CONFIG_ENV_MODULE', what: 'environment' }`. */
export interface ReferenceKind {
  readonly code: `CONFIG_${string}`;
  readonly what: string;
}

/**
 * Finds the file of a module reference.
 *
 * - a path, relative to `cwd`: `./my-env.ts`, `my-env.ts#maze`; an absolute path; a `file:` URL of this machine;
 * - a module of an installed package: `my-envs#maze`, `@me/envs`.
 *
 * @throws ConfigError `kind.code` when there is no such file or package; `CONFIG_MODULE_URL` for `data:`, `blob:`, remote and all
 * other URLs, from which no code is loaded.
 */
export function locateModule(text: string, kind: ReferenceKind, cwd = process.cwd()): ModuleReference {
  const { specifier, exportName } = splitExport(text);
  if (SCHEME.test(specifier)) {
    assertFileUrl(specifier);
    return { url: existingFile(fileURLToPath(specifier), text, kind), exportName };
  }
  if (/^\.{1,2}[\\/]/.test(specifier) || isAbsolutePath(specifier) || SCRIPT.test(specifier)) {
    return { url: existingFile(resolve(cwd, specifier), text, kind), exportName };
  }
  const url = resolvePackage(specifier, cwd);
  if (url !== null) return { url, exportName };
  throw new ConfigError(
    kind.code,
    `Found no installed package \`${specifier}\` from ${cwd}. Install it, or write a path such as ./${specifier}.ts.`,
  );
}

/**
 * Code comes from files alone: a `data:` URL is code inside of data, and a remote one is somebody else's at every start.
 *
 * @throws ConfigError `CONFIG_MODULE_URL`
 */
export function assertFileUrl(url: string): void {
  const { protocol, host, pathname } = URL.canParse(url)
    ? new URL(url)
    : { protocol: '', host: '', pathname: '' };
  if (protocol === 'file:' && host === '' && !pathname.startsWith('//')) return; // `//host/share` is remote on Windows
  const shown = url.length > 80 ? `${url.slice(0, 80)}...` : url;
  throw new ConfigError(
    'CONFIG_MODULE_URL',
    `Expected a module to be a file of this machine (a path or a file: URL) or an installed package, got \`${shown}\`. ` +
      'Code is never loaded from data:, blob: or remote URLs: save it as a file and give its path.',
  );
}

function existingFile(path: string, text: string, { code, what }: ReferenceKind): string {
  if (existsSync(path)) return pathToFileURL(path).href;
  throw new ConfigError(code, `The ${what} \`${text}\` names the file ${path}, which does not exist.`);
}
