/** Whether an environment knows the options that it is to get, found out before a run depends on it. */

import { loadAgentsEnvsMaker } from '../../env/agents/load-agents-env.ts';
import { requireSeatsOf } from '../../env/agents/staged-agents-envs.ts';
import { refuseAsync } from '../../env/async-env.ts';
import type { Env } from '../../env/env.ts';
import type { EnvSource } from '../../env/env-source.ts';
import { loadFactory } from '../../env/load-env.ts';
import { refuseOtherPrograms, requireSpacesOf } from '../../env/staged-env.ts';
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { probeEnvironment } from '../environment-source.ts';

/** Whether a source's environment takes these options, as the functions below find out. */
export type CheckOptions = (source: EnvSource, options: JsonObject) => Promise<void>;

/**
 * Makes one environment with `options` laid over the source's, and looks at its spaces and at what it reads.
 *
 * An environment of ours refuses what it does not know. A user's factory may not: there an option counts as unknown when neither the
 * factory nor the first reset looks at it, or at all options at once.
 *
 * @throws ConfigError `CONFIG_ENV_OPTION` naming the option, `CONFIG_CURRICULUM_SPACES`, and what the environment itself says.
 */
export async function checkEnvOptions(source: EnvSource, options: JsonObject): Promise<void> {
  refuseOtherPrograms(source, options);
  const changed = { ...source, options: { ...source.options, ...options } };
  const spaces = await probeEnvironment(source, ({ observationSpace, actionSpace, actionMaskSize }) => ({
    observationSpace,
    actionSpace,
    actionMaskSize,
  }));
  await probeEnvironment(changed, (env) => requireSpacesOf(spaces, env, source.id, options));
  await requireReadOptions(changed, Object.keys(options));
}

/** As `checkEnvOptions`, of an environment of several agents. */
export async function checkAgentsOptions(source: EnvSource, options: JsonObject): Promise<void> {
  refuseOtherPrograms(source, options);
  const make = await loadAgentsEnvsMaker(source);
  const changed = { ...source, options: { ...source.options, ...options } };
  const before = make(source.options, 1);
  try {
    const after = make(changed.options, 1);
    try {
      requireSeatsOf(before, after, options);
    } finally {
      after.close();
    }
  } finally {
    before.close();
  }
  await requireReadOptions(changed, Object.keys(options));
}

/** @throws ConfigError `CONFIG_ENV_OPTION` for one that an environment of somebody's own does not look at. */
async function requireReadOptions(changed: EnvSource, names: readonly string[]): Promise<void> {
  if (changed.kind === 'module' && changed.vectorExport !== null) return;
  const unread = await unreadOptions(changed, names);
  if (unread.length === 0) return;
  throw new ConfigError(
    'CONFIG_ENV_OPTION',
    `${changed.id} never looks at the option \`${unread[0]}\`, in its factory or its first reset. Is it misspelt?`,
  );
}

/** Of these options, those that an environment does not look at. */
async function unreadOptions(source: EnvSource, names: readonly string[]): Promise<readonly string[]> {
  const factory = await loadFactory(source);
  const unread = new Set<string | symbol>(names);
  const watched = new Proxy(structuredClone(source.options) as Record<string, unknown>, {
    get(target, name) {
      unread.delete(name);
      return target[name as string];
    },
    has(target, name) {
      unread.delete(name);
      return name in target;
    },
    ownKeys(target) {
      unread.clear(); // it takes all of them: `{ ...options }`
      return Reflect.ownKeys(target);
    },
  });
  const env = (await factory(watched as JsonObject)) as Env;
  try {
    refuseAsync(env, 'A curriculum');
    env.reset({ seed: 0 });
  } finally {
    env.close?.();
  }
  return names.filter((name) => unread.has(name));
}
