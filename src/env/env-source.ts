/** From what a user writes (`CartPole`, `./my-env.ts#maze`) to a source that a worker thread can load. */
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { locateModule } from '../modules/module-reference.ts';
import { isModuleReference } from '../modules/module-text.ts';
import type { AnyEnvFactory } from './async-env.ts';
import { findEnvScheme } from './env-schemes.ts';
import type { PreviousInputs } from './previous-inputs.ts';
import { findEnv, isKeepingNothing } from './registry.ts';
import type { WrapperEntry } from './wrappers/listed-wrappers.ts';

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
  /** Wrappers around it, innermost first, checked; absent = none. */
  readonly wrappers?: readonly WrapperEntry[];
  /** What came before is part of what is seen; absent = it is not. */
  readonly previousInputs?: PreviousInputs;
  /** It is known to have several agents; absent = one, or nobody has looked yet. */
  readonly agents?: boolean;
}

/** A bare factory: stays in its thread, so it needs `numEnvRunners: 0`. */
export interface EnvFactorySource {
  readonly kind: 'factory';
  readonly id: string;
  readonly factory: AnyEnvFactory;
  readonly options: JsonObject;
  readonly wrappers?: readonly WrapperEntry[];
  readonly previousInputs?: PreviousInputs;
  readonly maxEpisodeSteps: number | null;
  readonly rewardThreshold: number | null;
}

export type EnvSource = EnvModuleSource | EnvFactorySource;

/**
 * Finds out which environment is meant.
 *
 * - a registered id: `CartPole-v1`, `CartPole` (the newest);
 * - a module by path, relative to `cwd`, with the default export or a named one: `./my-env.ts`, `./my-env.ts#maze`,
 *   an absolute path, a `file:` URL;
 * - what lies outside: `gymnasium:LunarLander-v3`, `python:./my_env.py#make` (see `registerEnvScheme`);
 * - a module of an installed package, which needs a `#` or an `@` to be told from an id: `my-envs#maze`, `@me/envs`.
 *
 * @param options laid over the options that the environment was registered with.
 * @throws {@link ConfigError} `CONFIG_ENV_UNKNOWN` with the nearest ids, `CONFIG_ENV_MODULE` when there is no such file
 * or package, `CONFIG_MODULE_URL` for `data:`, `blob:` and remote URLs.
 */
export function resolveEnv(
  idOrPath: string,
  options: JsonObject = {},
  cwd: string = process.cwd(),
): EnvModuleSource {
  const outside = findEnvScheme(idOrPath, cwd);
  if (outside !== null) return schemeSource(idOrPath, outside, options);
  if (isModuleReference(idOrPath)) {
    const { url, exportName } = locateModule(
      idOrPath,
      { code: 'CONFIG_ENV_MODULE', what: 'environment' },
      cwd,
    );
    return {
      kind: 'module',
      id: idOrPath,
      module: url,
      export: exportName ?? 'default',
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
    ...(env.agents === true && { agents: true }),
  };
}

function schemeSource(
  id: string,
  { scheme, reference }: NonNullable<ReturnType<typeof findEnvScheme>>,
  options: JsonObject,
): EnvModuleSource {
  if ('reference' in options)
    throw new ConfigError('CONFIG_ENV_OPTION', `${id} has no option \`reference\`: its id says what it is.`);
  return {
    kind: 'module',
    id,
    module: scheme.module,
    export: scheme.export,
    vectorExport: scheme.vectorExport,
    options: { ...options, reference },
    maxEpisodeSteps: null,
    rewardThreshold: null,
    ...(scheme.agents === true && { agents: true }),
  };
}

/** Whether nothing of an environment stays in a thread that ran it; with wrappers around it that is not known. */
export function keepsNothing(source: EnvSource): boolean {
  if (source.kind !== 'module' || (source.wrappers ?? []).length > 0) return false;
  return isKeepingNothing(source.id, source.module);
}

/** What the language calls a function that nobody named: by the place where it stands. */
const UNNAMED = ['', 'env', 'environment', 'default', 'anonymous'];

/** `() => game()` is the same environment in `.environment(...)` and as `{ env: ... }` of a resume. */
function nameOf({ name }: AnyEnvFactory): string {
  return UNNAMED.includes(name) ? 'environment' : name;
}

/** The source of a bare factory; it cannot be posted to a thread. */
export function factorySource(
  factory: AnyEnvFactory,
  options: JsonObject = {},
  id = nameOf(factory),
): EnvFactorySource {
  if (typeof factory !== 'function') {
    throw new ConfigError(
      'CONFIG_ENV_FACTORY',
      `Expected an environment id, a path or a factory (options) => Env, got ${String(factory)}.`,
    );
  }
  return { kind: 'factory', id, factory, options, maxEpisodeSteps: null, rewardThreshold: null };
}
