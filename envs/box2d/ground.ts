/**
 * Ground of many bodies that costs nothing where it is not touched.
 *
 * planck goes over all bodies of a world five times a step, and over all new fixtures in the first one. A course has 200 bodies that never move, so they
 * are taken out of both: what is left over all contacts is the same, bit for bit (`ground.test.ts`).
 *
 * Reaches into planck 1.4.2, which is pinned for it: the names with `m_` below.
 */
import type { World } from 'planck';

interface Ground {
  m_bodyList: null;
  readonly m_broadPhase: { readonly m_moveBuffer: number[] };
}

interface Fixture {
  readonly m_body: { readonly m_sweep: { alpha0: number }; isStatic(): boolean };
}

interface Contact {
  readonly m_next: Contact | null;
  readonly m_fixtureA: Fixture;
  readonly m_fixtureB: Fixture;
}

/**
 * Takes the bodies of a world out of what is gone over in every step; to be called when all of the ground is there and nothing that moves. Pairs of ground and ground
 * never touch, and what moves finds the ground by the search tree. {@link restGround} has to follow every step.
 */
export function hideGround(world: World): void {
  const ground = world as unknown as Ground;
  ground.m_bodyList = null;
  ground.m_broadPhase.m_moveBuffer.length = 0;
}

/** Where in the step it was met is forgotten, which planck does for the bodies of its list. Only what is in a contact can have been met. */
export function restGround(world: World): void {
  let contact = world.getContactList() as unknown as Contact | null;
  for (; contact !== null; contact = contact.m_next) {
    const { m_body: a } = contact.m_fixtureA;
    const { m_body: b } = contact.m_fixtureB;
    if (a.isStatic()) a.m_sweep.alpha0 = 0;
    if (b.isStatic()) b.m_sweep.alpha0 = 0;
  }
}
