/**
 * Worlds of a few bodies held together by hinges, over ground that does not move: Box2D 2.3 for as much of it as our environments need, in double precision.
 *
 * What a step gives is what planck 1.4.2 gives for the same world, with contacts taken in the order of their fixtures: the same bits
 * (`test/envs/box2d/engine.test.ts`). Restitution is 0, bodies do not touch each other.
 */
import type { Body } from './body.ts';
import { findContacts, updateContacts } from './contact.ts';
import type { Ground } from './ground.ts';
import { solveImpacts } from './impacts.ts';
import { solveIsland } from './island.ts';
import type { Hinge, World } from './scene.ts';
import { NUM_HINGE_IMPULSES } from './solver-layout.ts';
import { hingeRecords } from './solver-memory.ts';

export interface WorldParts {
  readonly gravity: number;
  readonly ground: Ground;
  /** In the order of their making. */
  readonly bodies: readonly Body[];
  readonly hinges: readonly HingeParts[];
  /** With an index in `bodies`. */
  readonly onTouch: (body: number, isTouching: boolean) => void;
}

export interface HingeParts {
  /** Indices in `bodies` of the parts. */
  readonly bodyA: number;
  readonly bodyB: number;
  readonly anchorA: readonly [x: number, y: number];
  readonly anchorB: readonly [x: number, y: number];
  /** rad, of the angle between the bodies beyond that at which they are joined. */
  readonly limits: readonly [lower: number, upper: number];
  readonly maxTorque: number;
  readonly speed: number;
}

/** Makes a world. @returns it, and its hinges in the order of the parts. */
export function createWorld(parts: WorldParts): { readonly world: World; readonly hinges: readonly Hinge[] } {
  const { bodies, ground, gravity } = parts;
  const { bodyOrder, hingeOrder } = islandOrder(bodies.length, parts.hinges);
  const first = 3 * bodies.length;
  const hinges = parts.hinges.map((hinge, k): Hinge => {
    const { anchorA, anchorB, limits, maxTorque, speed } = hinge;
    const [a, b] = [bodies[hinge.bodyA], bodies[hinge.bodyB]];
    return {
      a,
      b,
      velocityA: 3 * bodyOrder.indexOf(hinge.bodyA),
      velocityB: 3 * bodyOrder.indexOf(hinge.bodyB),
      anchorA,
      anchorB,
      reference: b.angle - a.angle,
      lower: limits[0],
      upper: limits[1],
      motorSpeed: speed,
      maxTorque,
      limit: 0,
      impulses: new Float64Array(NUM_HINGE_IMPULSES),
      record: hingeRecords[hingeOrder.indexOf(k)],
      impulsesAt: first + NUM_HINGE_IMPULSES * k,
    };
  });
  const world: World = {
    gravity,
    ground,
    bodies: bodyOrder.map((body) => bodies[body]),
    hinges: hingeOrder.map((hinge) => hinges[hinge]),
    ranks: bodyOrder,
    contacts: [],
    held: [],
    spare: [],
    onTouch: (body, isTouching) => {
      parts.onTouch(bodyOrder[body], isTouching);
    },
  };
  return { world, hinges };
}

/** Depth first from the last body on, along the hinges, of each body the newest first. */
function islandOrder(numBodies: number, hinges: readonly HingeParts[]) {
  const bodyOrder: number[] = [];
  const hingeOrder: number[] = [];
  const stack = [numBodies - 1];
  const isListed = new Set(stack);
  for (let body = stack.pop(); body !== undefined; body = stack.pop()) {
    bodyOrder.push(body);
    for (let k = hinges.length - 1; k >= 0; k--) {
      const { bodyA, bodyB } = hinges[k];
      if ((bodyA !== body && bodyB !== body) || hingeOrder.includes(k)) continue;
      hingeOrder.push(k);
      const other = bodyA === body ? bodyB : bodyA;
      if (isListed.has(other)) continue;
      isListed.add(other);
      stack.push(other);
    }
  }
  return { bodyOrder, hingeOrder };
}

/** Lets 1/50 s pass. Sleeping worlds stay as they are. */
export function stepWorld(world: World): void {
  const { bodies } = world;
  findContacts(world);
  updateContacts(world);
  let isAwake = false;
  for (let k = 0; k < bodies.length; k++) if (bodies[k].isAwake) isAwake = true;
  if (isAwake) {
    solveIsland(world);
    findContacts(world);
  }
  solveImpacts(world);
  for (let k = 0; k < bodies.length; k++) {
    const body = bodies[k];
    body.forceX = 0;
    body.forceY = 0;
    body.torque = 0;
  }
}
