/** What the worlds of Box2D here have in common: hulls, hinges with a motor between two limits, and a step of 1/50 s. */
import type { Body, Contact, RevoluteJoint, Shape, Vec2Value, World } from 'planck';
import { planck } from './planck.ts';

export const SCALE = 30; // pixels per metre
export const STEPS_PER_SECOND = 50;
const NUM_VELOCITY_ITERATIONS = 180;
const NUM_POSITION_ITERATIONS = 60;
const HULL_DENSITY = 5; // kg/m^2
/** Of fixtures that touch nothing but the ground. */
const GROUND_ONLY = 1;

/** What planck keeps for a fixture in its search tree. */
interface Proxy {
  readonly proxyId: number;
}

/** The part of planck's World that finds pairs of fixtures that come close. */
interface PairFinder {
  findNewContacts(): void;
  createContact(a: Proxy, b: Proxy): void;
  readonly m_broadPhase: { updatePairs(onPair: (a: Proxy, b: Proxy) => void): void };
}

/**
 * A world in which contacts come in Box2D's order, that of their fixtures; planck takes them as its search tree finds them. Where a solver runs out of
 * iterations, as when a walker's motor throws a foot against the ground, it matters which contact goes first.
 */
export function createWorld(gravity: number): World {
  const world = new planck.World({ gravity: { x: 0, y: gravity } });
  const finder = world as unknown as PairFinder;
  const pairs: (readonly [Proxy, Proxy])[] = [];
  finder.findNewContacts = () => {
    finder.m_broadPhase.updatePairs((a, b) => {
      pairs.push([a, b]);
    });
    pairs.sort(([a, b], [c, d]) => a.proxyId - c.proxyId || b.proxyId - d.proxyId);
    for (const [a, b] of pairs) finder.createContact(a, b);
    pairs.length = 0;
  };
  return world;
}

/** A moving polygon that touches nothing but the ground. @param corners x, y, x, y, ... in pixels, counterclockwise or not. */
export function createHull(
  world: World,
  position: Vec2Value,
  corners: readonly number[],
  categoryBits: number,
): Body {
  const points = Array.from({ length: corners.length / 2 }, (_, k) => ({
    x: corners[2 * k] / SCALE,
    y: corners[2 * k + 1] / SCALE,
  }));
  const hull = world.createBody({ type: 'dynamic', position });
  hull.createFixture({
    shape: new planck.Polygon(points),
    density: HULL_DENSITY,
    friction: 0.1,
    filterCategoryBits: categoryBits,
    filterMaskBits: GROUND_ONLY,
  });
  hull.setMassData(polygonMass(points, HULL_DENSITY));
  return hull;
}

/** A moving part of a leg, which touches nothing but the ground. */
export function createLimb(world: World, position: Vec2Value, angle: number, shape: Shape): Body {
  const limb = world.createBody({ type: 'dynamic', position, angle });
  limb.createFixture({
    shape,
    density: 1,
    friction: 0.2,
    filterCategoryBits: 0x20,
    filterMaskBits: GROUND_ONLY,
  });
  return limb;
}

/** Calls `onHullTouch` when the hull touches anything; a foot counts as down from its first contact to the end of any of its contacts. */
export function watchContacts(
  world: World,
  hull: Body,
  feet: readonly [Body, Body],
  touches: [boolean, boolean],
  onHullTouch: () => void,
): void {
  const isOf = (contact: Contact, body: Body) =>
    contact.getFixtureA().getBody() === body || contact.getFixtureB().getBody() === body;
  world.on('begin-contact', (contact) => {
    if (isOf(contact, hull)) onHullTouch();
    for (let k = 0; k < 2; k++) if (isOf(contact, feet[k])) touches[k] = true;
  });
  world.on('end-contact', (contact) => {
    for (let k = 0; k < 2; k++) if (isOf(contact, feet[k])) touches[k] = false;
  });
}

/**
 * Mass, centre and moment of inertia about the origin of a polygon, exactly; planck 1.4's own centre of a polygon whose corners do not lie evenly around
 * it is off (by 0.02 m for the lander).
 *
 * With c = x0 y1 - x1 y0 of each edge: mass = d/2 sum c, centre = d/(6 mass) sum (p0 + p1) c,
 * I = d/12 sum (p0 p0 + p0 p1 + p1 p1) c.
 */
function polygonMass(points: readonly Vec2Value[], density: number) {
  let doubleArea = 0;
  let x = 0;
  let y = 0;
  let moment = 0;
  points.forEach((p, k) => {
    const q = points[(k + 1) % points.length];
    const cross = p.x * q.y - q.x * p.y;
    doubleArea += cross;
    x += (p.x + q.x) * cross;
    y += (p.y + q.y) * cross;
    moment += (p.x * p.x + p.x * q.x + q.x * q.x + p.y * p.y + p.y * q.y + q.y * q.y) * cross;
  });
  return {
    mass: (density * Math.abs(doubleArea)) / 2,
    center: { x: x / (3 * doubleArea), y: y / (3 * doubleArea) },
    I: (density * Math.abs(moment)) / 12,
  };
}

export interface Hinge {
  /** In the frames of the two bodies. */
  readonly anchorA: readonly [x: number, y: number];
  readonly anchorB: readonly [x: number, y: number];
  /** rad, of the angle between the bodies beyond that at which they are joined */
  readonly limits: readonly [lower: number, upper: number];
  /** N m */
  readonly maxTorque: number;
  /** rad/s */
  readonly speed: number;
}

export function limitedMotor(world: World, bodyA: Body, bodyB: Body, hinge: Hinge): RevoluteJoint {
  const [lowerAngle, upperAngle] = hinge.limits;
  const joint = new planck.RevoluteJoint({
    bodyA,
    bodyB,
    localAnchorA: { x: hinge.anchorA[0], y: hinge.anchorA[1] },
    localAnchorB: { x: hinge.anchorB[0], y: hinge.anchorB[1] },
    referenceAngle: bodyB.getAngle() - bodyA.getAngle(),
    enableMotor: true,
    enableLimit: true,
    maxMotorTorque: hinge.maxTorque,
    motorSpeed: hinge.speed,
    lowerAngle,
    upperAngle,
  });
  world.createJoint(joint);
  return joint;
}

export function stepWorld(world: World): void {
  world.step(1 / STEPS_PER_SECOND, NUM_VELOCITY_ITERATIONS, NUM_POSITION_ITERATIONS);
}
