/** Which shipped environments can be tried here: those of optional packages only where these are installed. */
import process from 'node:process';
import { SHIPPED_ENVS } from '../../envs/index.ts';
import { installCommand, isPeerInstalled, type Peer } from '../../src/modules/import-peer.ts';

/** Where `OPERANT_REQUIRE_PEERS` is set, as in `.ci/run`, nothing may be left out. */
export function isInstalled(peer: Peer | undefined): boolean {
  if (peer === undefined || isPeerInstalled(peer)) return true;
  if (process.env.OPERANT_REQUIRE_PEERS === '1')
    throw new Error(`Expected ${peer.name}: ${installCommand(peer)}`);
  return false;
}

/** Ids of those that can be tried; says which cannot. */
export function installedEnvIds(which: 'all' | 'one agent' | 'several agents' = 'all'): string[] {
  const missing = SHIPPED_ENVS.filter(({ peer }) => !isInstalled(peer));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(({ peer }) => peer?.name))].join(', ');
    console.log(`skipped, since ${packages} is not installed: ${missing.map(({ id }) => id).join(', ')}`);
  }
  return SHIPPED_ENVS.filter((env) => !missing.includes(env))
    .filter(({ agents = false }) => which === 'all' || agents === (which === 'several agents'))
    .map(({ id }) => id);
}
