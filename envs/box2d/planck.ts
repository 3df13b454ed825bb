/** Box2D in JavaScript, loaded with the environment that needs it. */
import { importPeer } from '../../src/modules/import-peer.ts';
import { PLANCK } from './peer.ts';

/** @throws ConfigError `CONFIG_PEER_MISSING`, to whoever imports the environment. */
export const planck = await importPeer(PLANCK, 'An environment of Box2D', () => import('planck'));
