/** A walker on ground that is hidden from planck's loops, and our rays, against planck with all bodies in its list and its own rays: the same bits. */
import type { Body, World } from 'planck';
import { describe, expect, it } from 'vitest';
import { PLANCK } from '../../envs/box2d/peer.ts';
import { openEnvRandom } from '../../src/env/env-random.ts';
import { isInstalled } from './installed-envs.ts';

interface Linked {
  m_prev: Linked | null;
  m_next: Linked | null;
}

interface Leaf {
  readonly id: number;
  readonly userData: { readonly fixture: { readonly m_body: Body } } | null;
}

interface OpenWorld {
  m_bodyList: Linked;
  readonly m_broadPhase: {
    readonly m_moveBuffer: number[];
    readonly m_tree: { readonly m_nodes: Record<number, Leaf> };
  };
}

/** Puts the ground back where planck keeps it: behind what was made later, and among what is new. @returns its bodies. */
function showGround(world: World): Body[] {
  const open = world as unknown as OpenWorld;
  const { m_tree, m_moveBuffer } = open.m_broadPhase;
  const leaves = Object.values(m_tree.m_nodes).filter(({ userData }) => userData?.fixture);
  const isGround = ({ userData }: Leaf) => userData?.fixture.m_body.isStatic() === true;
  const ground = leaves.filter(isGround).sort((a, b) => b.id - a.id);
  m_moveBuffer.unshift(...ground.map(({ id }) => id).reverse());
  let last = open.m_bodyList;
  while (last.m_next !== null) last = last.m_next;
  const bodies = ground.map(({ userData }) => userData?.fixture.m_body as Body);
  for (const body of bodies as unknown as Linked[]) {
    last.m_next = body;
    body.m_prev = last;
    body.m_next = null;
    last = body;
  }
  return bodies;
}

/** By planck, from the hull straight down and then ever further forwards. */
function castByPlanck(world: World, hull: Body): number[] {
  const { x, y } = hull.getPosition();
  return Array.from({ length: 10 }, (_, k) => {
    const angle = (1.5 * k) / 10;
    let least = 1;
    const length = 160 / 30;
    const to = { x: x + Math.sin(angle) * length, y: y - Math.cos(angle) * length };
    world.rayCast({ x, y }, to, (fixture, _point, _normal, fraction) => {
      if ((fixture.getFilterCategoryBits() & 1) === 0) return -1;
      least = fraction;
      return fraction;
    });
    return least;
  });
}

const placesOf = (bodies: readonly Body[]) =>
  JSON.stringify(bodies.map((body) => [body.getAngle(), body.getPosition(), body.getLinearVelocity()]));

describe.skipIf(!isInstalled(PLANCK))('the ground of a walker', async () => {
  const { createWalker, walk } = await import('../../envs/box2d/walker.ts');

  it.each([
    [3, false],
    [4, true],
    [7, true],
  ])('hidden, gives the steps and rays that it gives in sight (seed %i, hardcore %s)', (seed, isHardcore) => {
    const [ours, planck] = [0, 1].map(() => createWalker(openEnvRandom(seed), isHardcore));
    const ground = showGround(planck.world);
    expect(ground.length).toBe(199 + planck.course.blocks.length);
    let numMet = 0;
    let numTouches = 0;
    for (let t = 0; t < 150; t++) {
      const actions = Float32Array.from([0, 1, 2, 3], (k) => Math.sin(0.21 * t + 5 * k + seed));
      for (const walker of [ours, planck]) walk(walker, actions, 0);
      expect(placesOf([ours.hull, ...ours.legs])).toBe(placesOf([planck.hull, ...planck.legs]));
      expect([...ours.rays]).toEqual(castByPlanck(planck.world, planck.hull));
      expect(ours.touches).toEqual(planck.touches);
      expect(ours.hasFallen).toBe(planck.hasFallen);
      numMet += ours.rays.filter((share) => share < 1).length;
      numTouches += ours.touches.some(Boolean) ? 1 : 0;
    }
    expect(numMet).toBeGreaterThan(300);
    expect(numTouches).toBeGreaterThan(20);
  });
});
