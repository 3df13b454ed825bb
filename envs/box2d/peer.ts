import type { Peer } from '../../src/modules/import-peer.ts';

/**
 * planck (MIT): Box2D 2.3 with double precision, whose joints and solver are those of the Box2D that Gymnasium uses. 1.4.2 is the newest
 * that asks for no more than Node 14; 1.4.3 and later ask for Node 24. `world.ts` reaches into it, so it is pinned.
 */
export const PLANCK: Peer = { name: 'planck', version: '1.4.2' };
