/** Optional peers: packages that only some environments need, and that are installed by whoever wants those. */
import { createRequire } from 'node:module';
import { ConfigError } from '../errors.ts';

/** A package that is not among Operant's dependencies. */
export interface Peer {
  readonly name: string;
  /** What was tested, as `npm install` takes it. */
  readonly version: string;
}

/** What to type: `npm install @mujoco/mujoco@3.14.0`. */
export function installCommand({ name, version }: Peer): string {
  return `npm install ${name}@${version}`;
}

/**
 * Imports a peer; its name stays with the caller, as a literal in `load`, so that bundlers and types see it.
 *
 * @param neededBy for the message: `Hopper-v5`.
 * @throws {@link ConfigError} `CONFIG_PEER_MISSING` with the command that installs it, where the package is not there; else what it throws.
 */
export async function importPeer<T>(peer: Peer, neededBy: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, peer.name)) throw error;
    throw new ConfigError(
      'CONFIG_PEER_MISSING',
      `${neededBy} needs the package ${peer.name}, which is not installed. Install it: ${installCommand(peer)}`,
      { cause: error },
    );
  }
}

/** Whether a peer can be imported from where Operant lies. Loads nothing. */
export function isPeerInstalled({ name }: Peer): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' && String(message).includes(`'${name}'`);
}
