/** Loads an environment's module in this thread and makes N of it. */
import { ConfigError, isOperantError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { importModule } from '../modules/import-module.ts';
import { whileLoading } from '../modules/loading.ts';
import { aroundSource } from './around-source.ts';
import { type AnyEnvFactory, type AsyncEnv, assertAsyncEnv, isAsyncEnv, refuseAsync } from './async-env.ts';
import type { Env } from './env.ts';
import { classHint } from './env-class.ts';
import type { EnvFaultHandling } from './env-faults.ts';
import type { EnvModuleSource, EnvSource } from './env-source.ts';
import { describeValue } from './space-values.ts';
import type { AutoresetMode, VectorEnv, VectorEnvFactory } from './vector-env.ts';
import { assertEnv, severalAgentsError, type VectorizeOptions, vectorizeEnv } from './vectorize.ts';
import { wrapListed } from './wrappers/listed-wrappers.ts';
import { wrapEnv } from './wrappers/wrap-env.ts';

/**
 * Makes the vector environment of a source: the module's vector export when it has one, else its factory, vectorized.
 *
 * @param faults for environments made one by one; a vector export gets it, too, and may read it.
 *
 * A vector export gets the source's options with `autoreset` and (when the source has one) `maxEpisodeSteps` filled in.
 *
 * `wrappers` of the source go around that, and `previousInputs` puts the last action and reward behind each observation.
 *
 * @throws {@link ConfigError} `CONFIG_ENV_MODULE` when the module cannot be imported, `CONFIG_PEER_MISSING` when a package that it needs is not installed, `CONFIG_ENV_EXPORT` when it has no
 * such function, `CONFIG_ENV_FACTORY` when that does not give an environment.
 * Thread: any; the module is imported there.
 */
export async function makeVectorEnv(
  source: EnvSource,
  numEnvs: number,
  autoreset: AutoresetMode = 'same-step',
  faults?: EnvFaultHandling,
): Promise<VectorEnv> {
  const make = await loadVectorEnvMaker(source);
  return aroundSource(await make(source.options, numEnvs, autoreset, faults), source);
}

/** Makes N environments of a source, whose module is loaded: at once, or later where they are asynchronous. */
export type VectorEnvMaker = (
  options: JsonObject,
  numEnvs: number,
  autoreset: AutoresetMode,
  faults: EnvFaultHandling | undefined,
) => VectorEnv | Promise<VectorEnv>;

/**
 * Loads a source, so that environments of it can be made at any moment, each with options of its own in place of the source's.
 *
 * @throws {@link ConfigError} as {@link makeVectorEnv}; what it gives throws `CONFIG_ENV_FACTORY` and what the environment says to the options.
 */
export async function loadVectorEnvMaker(source: EnvSource): Promise<VectorEnvMaker> {
  if (source.kind === 'module' && source.agents === true) throw severalAgentsError(source.id);
  if (source.kind === 'module' && source.vectorExport !== null) {
    const create = await loadExport<
      (...given: Parameters<VectorEnvFactory>) => VectorEnv | Promise<VectorEnv>
    >(source, source.vectorExport);
    return (options, numEnvs, autoreset, faults) => {
      const given = withLimit({ autoreset, ...structuredClone(options) }, source.maxEpisodeSteps);
      const made = callFactory(source.id, () => create(numEnvs, given, faults));
      const check = (env: VectorEnv) => assertVectorEnv(env, source.id, numEnvs, autoreset);
      return made instanceof Promise ? made.then(check) : check(made);
    };
  }
  const factory = await loadFactory(source);
  return (options, numEnvs, autoreset, faults) => {
    const create = () => callFactory(source.id, () => factory(structuredClone(options)));
    const settings = {
      autoreset,
      envId: source.id,
      ...(faults !== undefined && { faults }),
      ...(source.maxEpisodeSteps !== null && { maxEpisodeSteps: source.maxEpisodeSteps }),
    };
    const made = [create()];
    const [first] = made;
    if (isAsyncEnv(first) || first instanceof Promise) return makeDeferred(create, first, numEnvs, settings);
    return vectorizeEnv(() => (made.pop() ?? create()) as Env, numEnvs, settings);
  };
}

async function makeDeferred(
  create: () => unknown,
  first: unknown,
  numEnvs: number,
  settings: VectorizeOptions & { readonly envId: string },
): Promise<VectorEnv> {
  const { deferEnvs } = await import('./deferred-envs.ts');
  return deferEnvs(create, await settled(settings.envId, first), numEnvs, settings);
}

/**
 * Makes one single environment of a source, for evaluation, rendering and checks. Time limits are those of the
 * environment itself; inside of wrappers, that of the source.
 *
 * @throws {@link ConfigError} as {@link makeVectorEnv}.
 */
export async function makeEnv(source: EnvSource): Promise<Env> {
  const env = await makeAnyEnv(source);
  refuseAsync(env, `What is done with ${source.id} here`);
  return env as Env;
}

/** The same for whoever can wait for its answers. */
export async function makeAnyEnv(source: EnvSource): Promise<Env | AsyncEnv> {
  const factory = await loadFactory(source);
  const env: unknown = callFactory(source.id, () => factory(structuredClone(source.options)));
  if (isAsyncEnv(env) || env instanceof Promise) {
    const made = await settled(source.id, env);
    if ((source.wrappers ?? []).length > 0) refuseAsync(made, 'A list of `wrappers`');
    return made;
  }
  assertEnv(env, source.id);
  return wrapSingle(env, source);
}

/** Wrappers count in a unit of their own, so the limit is set where training sets it: inside of them. */
function wrapSingle(env: Env, { wrappers = [], maxEpisodeSteps }: EnvSource): Env {
  if (wrappers.length === 0) return env;
  try {
    return wrapListed(maxEpisodeSteps === null ? env : wrapEnv(env, { maxEpisodeSteps }), wrappers);
  } catch (error) {
    env.close?.();
    throw error;
  }
}

/** An asynchronous environment, when its factory has made it. @throws as {@link makeVectorEnv}. */
async function settled(id: string, made: unknown): Promise<AsyncEnv> {
  let env: unknown;
  try {
    env = await made;
  } catch (error) {
    throw factoryThrew(id, error);
  }
  assertAsyncEnv(env, id);
  return env;
}

/** Loads an environment's module into this thread, so that making one takes no time later. */
export async function importEnv(source: EnvModuleSource): Promise<void> {
  await importEnvModule(source);
}

/** The factory of a source, its options laid in. @throws {@link ConfigError} as {@link makeVectorEnv}. */
export async function loadEnvFactory(source: EnvSource): Promise<() => Env> {
  const factory = await loadFactory(source);
  return () => factory(structuredClone(source.options)) as Env; // who asks it looks at what it gives
}

/** The factory of a source's single environments. */
export async function loadFactory(source: EnvSource): Promise<AnyEnvFactory> {
  return source.kind === 'factory' ? source.factory : loadExport<AnyEnvFactory>(source, source.export);
}

/** A function that a source's module exports. @throws ConfigError `CONFIG_ENV_MODULE`, `CONFIG_ENV_EXPORT`. */
export async function loadExport<T>(source: EnvModuleSource, name: string): Promise<T> {
  const module = await importEnvModule(source);
  const value = module[name];
  if (typeof value === 'function') return value as T;
  const functions = Object.keys(module).filter((key) => typeof module[key] === 'function');
  const found = functions.length > 0 ? functions.join(', ') : 'none';
  throw new ConfigError(
    'CONFIG_ENV_EXPORT',
    `Expected the export \`${name}\` of ${source.module} to be a factory (options) => Env, got ${describeValue(value)}. ` +
      `Functions that it exports: ${found}. Choose one with \`path#name\`.`,
  );
}

async function importEnvModule(source: EnvModuleSource): Promise<Record<string, unknown>> {
  try {
    return await importModule(source.module);
  } catch (error) {
    if (isOperantError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      'CONFIG_ENV_MODULE',
      `The module of environment \`${source.id}\`, ${source.module}, could not be loaded: ${reason}`,
      { cause: error },
    );
  }
}

function assertVectorEnv(value: VectorEnv, id: string, numEnvs: number, autoreset: AutoresetMode): VectorEnv {
  const isVector =
    typeof value?.step === 'function' && typeof value.reset === 'function' && value.numRows > 0;
  if (!isVector || value.numEnvs !== numEnvs || value.autoreset !== autoreset) {
    throw new ConfigError(
      'CONFIG_ENV_FACTORY',
      `Expected the vector factory of \`${id}\` to give a VectorEnv with numEnvs ${numEnvs} and autoreset '${autoreset}', ` +
        `got ${isVector ? `numEnvs ${value.numEnvs} and autoreset '${value.autoreset}'` : describeValue(value)}.`,
    );
  }
  return value;
}

/** Calls a factory; what it throws says whose it is. */
export function callFactory<T>(id: string, call: () => T): T {
  try {
    return whileLoading(`the environment ${id}`, call);
  } catch (error) {
    throw factoryThrew(id, error);
  }
}

function factoryThrew(id: string, error: unknown): Error {
  if (isOperantError(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const hint = classHint(error);
  return new ConfigError(
    'CONFIG_ENV_FACTORY',
    `The factory of environment \`${id}\` threw: ${reason}${hint === null ? '' : `. ${hint}`}`,
    { cause: error },
  );
}

function withLimit(options: JsonObject, maxEpisodeSteps: number | null): JsonObject {
  return maxEpisodeSteps === null ? options : { ...options, maxEpisodeSteps };
}
