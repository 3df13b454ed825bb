/** Environments by name: id -> module URL, export and options. A function could not be posted to a thread; these can. */
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Peer } from '../modules/import-peer.ts';
import { assertFileUrl } from '../modules/module-reference.ts';

export interface EnvRegistration {
  /** Absolute `file:` URL of the module, as `import.meta.url` gives it. */
  readonly module: string;
  /** Export that is an `EnvFactory`. @defaultValue 'default' */
  readonly export?: string;
  /** Export that is a `VectorEnvFactory`, the fast path. @defaultValue none */
  readonly vectorExport?: string;
  /** Options for the factory; those of a config are laid over them. */
  readonly options?: JsonObject;
  /** Time limit; absent = the environment's own. */
  readonly maxEpisodeSteps?: number;
  /** Mean return at which the task counts as solved. */
  readonly rewardThreshold?: number;
  /** Whether it has several agents: `export` is then a `MultiAgentEnvFactory`, `vectorExport` an `AgentsKernelFactory`. @defaultValue false */
  readonly agents?: boolean;
  /** Its modules hold nothing in variables of their own, so that a thread which ran it may serve the next run of the process. @defaultValue false: each run has threads of its own */
  readonly keepsNothing?: boolean;
  /** One line for `operant envs`. */
  readonly description?: string;
  /** A package that has to be installed for it; `operant envs` says so where it is not. */
  readonly peer?: Peer;
}

/** A registration under its id. */
export interface RegisteredEnv extends EnvRegistration {
  readonly id: string;
}

const ID = /^(?:[\w.-]+\/)?[A-Za-z0-9_.-]+?(?:-v(\d+))?$/;

/** One for the process: two instances of this module (`require` and `import` under tsx, Jest's) know the same environments. */
const REGISTRY = Symbol.for('operant.environments');
const shared = globalThis as { [REGISTRY]?: Map<string, RegisteredEnv> };
shared[REGISTRY] ??= new Map();
const registered = shared[REGISTRY];

/**
 * Registers an environment for this thread's configs. Ids are `[namespace/]Name[-vN]`; an id without a version resolves
 * to the newest one. Registering an id again replaces it.
 *
 * @throws {@link ConfigError} `CONFIG_ENV_ID` for a malformed id, `CONFIG_ENV_MODULE` when `module` is not an absolute URL, `CONFIG_MODULE_URL`
 * when it is one that no file of this machine has.
 */
export function registerEnv(id: string, registration: EnvRegistration): void {
  if (!ID.test(id)) {
    throw new ConfigError(
      'CONFIG_ENV_ID',
      `Expected an environment id such as Name, Name-v1 or namespace/Name-v1, got \`${id}\`.`,
    );
  }
  if (!/^[a-z][a-z0-9+.-]+:/i.test(registration.module)) {
    throw new ConfigError(
      'CONFIG_ENV_MODULE',
      `Expected \`module\` of ${id} to be an absolute URL, got \`${registration.module}\`. ` +
        "Write new URL('./my-env.ts', import.meta.url).href.",
    );
  }
  assertFileUrl(registration.module);
  registered.set(id, { ...registration, id });
}

/** All registered environments, sorted by id. */
export function listEnvs(): RegisteredEnv[] {
  return [...registered.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * The registration of an id; without a version the newest.
 *
 * @throws {@link ConfigError} `CONFIG_ENV_UNKNOWN` with the nearest known ids.
 */
export function findEnv(id: string): RegisteredEnv {
  const found = registered.get(id) ?? newestVersion(id);
  if (found) return found;
  const nearest = nearestIds(id);
  const hint = nearest.length > 0 ? ` Did you mean ${nearest.join(' or ')}?` : '';
  throw new ConfigError(
    'CONFIG_ENV_UNKNOWN',
    `Unknown environment \`${id}\`.${hint} \`operant envs\` lists them; a file of your own is given by its path, ./${id}.ts.`,
  );
}

/** Whether the module of an id is registered as one that keeps nothing. */
export function isKeepingNothing(id: string, module: string): boolean {
  const env = registered.get(id);
  return env?.keepsNothing === true && env.module === module;
}

function newestVersion(name: string): RegisteredEnv | undefined {
  return listEnvs()
    .filter(({ id }) => id.replace(/-v\d+$/, '') === name && /-v\d+$/.test(id))
    .sort((a, b) => versionOf(b.id) - versionOf(a.id))[0];
}

function versionOf(id: string): number {
  return Number(/-v(\d+)$/.exec(id)?.[1] ?? 0);
}

function nearestIds(id: string): string[] {
  const wanted = id.toLowerCase();
  return listEnvs()
    .map((env) => ({ id: env.id, distance: distanceToId(wanted, env.id.toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.max(2, wanted.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map((env) => env.id);
}

/** The smaller of the distances to the id with and without its version. */
function distanceToId(wanted: string, id: string): number {
  return Math.min(editDistance(wanted, id), editDistance(wanted, id.replace(/-v\d+$/, '')));
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, previous[j] + 1, row[j - 1] + 1));
    }
    previous = row;
  }
  return previous[b.length];
}
