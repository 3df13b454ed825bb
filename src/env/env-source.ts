/** From what a user writes (`CartPole`, `./my-env.ts#maze`) to a source that a worker thread can load. */
import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { EnvFactory } from './env.ts';
import { resolvePackage } from './package-resolution.ts';
import { findEnv } from './registry.ts';

/** An environment by module: plain JSON, can be posted to a thread and written into a config. */
export interface EnvModuleSource {
  readonly kind: 'module';
  /** The registered id, or the path as the user wrote it. */
  readonly id: string;
  /** Absolute URL. */
  readonly module: string;
  readonly export: string;
  readonly vectorExport: string | null;
  readonly options: JsonObject;
  readonly maxEpisodeSteps: number | null;
  readonly rewardThreshold: number | null;
}

/** A bare factory: stays in its thread, so it needs `numEnvRunners: 0`. */
export interface EnvFactorySource {
  readonly kind: 'factory';
  readonly id: string;
  readonly factory: EnvFactory;
  readonly options: JsonObject;
  readonly maxEpisodeSteps: number | null;
  readonly rewardThreshold: number | null;
}

export type EnvSource = EnvModuleSource | EnvFactorySource;

const SCRIPT = /\.[cm]?[jt]sx?$/;

/**
 * Finds out which environment is meant.
 *
 * - a registered id: `CartPole-v1`, `CartPole` (the newest);
 * - a module by path, relative to `cwd`, with the default export or a named one: `./my-env.ts`, `./my-env.ts#maze`,
 *   an absolute path, a `file:` URL;
 * - a module of an installed package, which needs a `#` or an `@` to be told from an id: `my-envs#maze`, `@me/envs`.
 *
 * @param options laid over the options that the environment was registered with.
 * @throws {@link ConfigError} `CONFIG_ENV_UNKNOWN` with the nearest ids, `CONFIG_ENV_MODULE` when there is no such file
 * or package.
 */
export function resolveEnv(
  idOrPath: string,
  options: JsonObject = {},
  cwd: string = process.cwd(),
): EnvModuleSource {
  const module = locateModule(idOrPath, cwd);
  if (module !== null) {
    const exportName = splitExport(idOrPath).exportName ?? 'default';
    return {
      kind: 'module',
      id: idOrPath,
      module,
      export: exportName,
      vectorExport: null,
      options,
      maxEpisodeSteps: null,
      rewardThreshold: null,
    };
  }
  const env = findEnv(idOrPath);
  return {
    kind: 'module',
    id: env.id,
    module: env.module,
    export: env.export ?? 'default',
    vectorExport: env.vectorExport ?? null,
    options: { ...env.options, ...options },
    // A limit among the given options is the environment's to read, and wins over the registered one.
    maxEpisodeSteps: 'maxEpisodeSteps' in options ? null : (env.maxEpisodeSteps ?? null),
    rewardThreshold: env.rewardThreshold ?? null,
  };
}

/** The source of a bare factory; it cannot be posted to a thread. */
export function factorySource(
  factory: EnvFactory,
  options: JsonObject = {},
  id = factory.name || 'environment',
): EnvFactorySource {
  if (typeof factory !== 'function') {
    throw new ConfigError(
      'CONFIG_ENV_FACTORY',
      `Expected an environment id, a path or a factory (options) => Env, got ${String(factory)}.`,
    );
  }
  return { kind: 'factory', id, factory, options, maxEpisodeSteps: null, rewardThreshold: null };
}

/** URL of the module that is meant; null when `idOrPath` is an id. */
function locateModule(idOrPath: string, cwd: string): string | null {
  const { specifier, exportName } = splitExport(idOrPath);
  if (specifier.startsWith('file:')) return existingFile(fileURLToPath(specifier), idOrPath);
  if (/^(data|https?):/.test(specifier)) return specifier;
  if (/^\.{1,2}[\\/]/.test(specifier) || isAbsolute(specifier) || SCRIPT.test(specifier)) {
    return existingFile(resolve(cwd, specifier), idOrPath);
  }
  if (exportName === undefined && !specifier.startsWith('@')) return null;
  const resolved = resolvePackage(specifier, cwd);
  if (resolved !== null) return resolved;
  throw new ConfigError(
    'CONFIG_ENV_MODULE',
    `Found no installed package \`${specifier}\` from ${cwd}. Install it, or write a path such as ./${specifier}.ts.`,
  );
}

function existingFile(path: string, idOrPath: string): string {
  if (!existsSync(path)) {
    throw new ConfigError(
      'CONFIG_ENV_MODULE',
      `The environment \`${idOrPath}\` names the file ${path}, which does not exist.`,
    );
  }
  return pathToFileURL(path).href;
}

function splitExport(idOrPath: string): { specifier: string; exportName: string | undefined } {
  const at = idOrPath.lastIndexOf('#');
  if (at < 0) return { specifier: idOrPath, exportName: undefined };
  return { specifier: idOrPath.slice(0, at), exportName: idOrPath.slice(at + 1) || undefined };
}
