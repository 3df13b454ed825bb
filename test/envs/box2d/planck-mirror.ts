/** A world of our engine built again in planck, a Box2D in JavaScript, body by body: what our engine is held to. */
import { Box, type Body as Copy, Edge, World as PlanckWorld, Polygon, RevoluteJoint } from 'planck';
import type { Body } from '../../../envs/box2d/engine/body.ts';
import type { World } from '../../../envs/box2d/engine/scene.ts';

/** Of each of our bodies and hinges its copy, in the same order. */
export interface Mirror {
  readonly planck: PlanckWorld;
  readonly bodies: readonly Copy[];
  readonly joints: readonly RevoluteJoint[];
}

interface Proxy {
  readonly proxyId: number;
}

/** What of planck is not public. */
interface OpenWorld {
  findNewContacts(): void;
  createContact(a: Proxy, b: Proxy): void;
  readonly m_broadPhase: { updatePairs(onPair: (a: Proxy, b: Proxy) => void): void };
}

interface OpenBody {
  readonly m_sweep: {
    readonly localCenter: { x: number; y: number };
    readonly c: { x: number; y: number };
    readonly c0: { x: number; y: number };
    a: number;
    a0: number;
  };
  m_invMass: number;
  m_invI: number;
  synchronizeTransform(): void;
}

/** The copy of a world that has not been stepped yet. */
export function mirrorOf(world: World): Mirror {
  const planck = new PlanckWorld({ gravity: { x: 0, y: world.gravity } });
  orderContacts(planck);
  copyGround(planck, world);
  const made = world.ranks.map((_, rank) => world.ranks.indexOf(rank));
  const copies = new Map(made.map((k) => [k, copyBody(planck, world.bodies[k])]));
  const bodies = world.bodies.map((_, k) => copies.get(k) as Copy);
  const hinges = [...world.hinges].sort((a, b) => a.impulsesAt - b.impulsesAt);
  const joints = new Map(
    hinges.map((hinge) => {
      const joint = new RevoluteJoint({
        bodyA: bodies[world.bodies.indexOf(hinge.a)],
        bodyB: bodies[world.bodies.indexOf(hinge.b)],
        localAnchorA: { x: hinge.anchorA[0], y: hinge.anchorA[1] },
        localAnchorB: { x: hinge.anchorB[0], y: hinge.anchorB[1] },
        referenceAngle: hinge.reference,
        enableMotor: true,
        enableLimit: true,
        maxMotorTorque: hinge.maxTorque,
        motorSpeed: hinge.motorSpeed,
        lowerAngle: hinge.lower,
        upperAngle: hinge.upper,
      });
      planck.createJoint(joint);
      return [hinge, joint] as const;
    }),
  );
  return { planck, bodies, joints: world.hinges.map((hinge) => joints.get(hinge) as RevoluteJoint) };
}

/** Contacts in the order of their fixtures, as in Box2D; planck takes them as its search tree finds them. */
function orderContacts(planck: PlanckWorld): void {
  const open = planck as unknown as OpenWorld;
  open.findNewContacts = () => {
    const pairs: (readonly [Proxy, Proxy])[] = [];
    open.m_broadPhase.updatePairs((a, b) => {
      pairs.push([a, b]);
    });
    pairs.sort(([a, b], [c, d]) => a.proxyId - c.proxyId || b.proxyId - d.proxyId);
    for (const [a, b] of pairs) open.createContact(a, b);
  };
}

function copyGround(planck: PlanckWorld, { ground }: World): void {
  const { blocks, edges, frictions, isOneBody } = ground;
  const shared = isOneBody ? planck.createBody() : null;
  const body = () => shared ?? planck.createBody();
  blocks.forEach((block, piece) => {
    body().createFixture({ shape: new Polygon(pointsOf(block.corners)), friction: frictions[piece] });
  });
  for (let k = 0; k < edges.length; k += 4) {
    const [x1, y1, x2, y2] = edges.subarray(k, k + 4);
    const friction = frictions[blocks.length + k / 4];
    body().createFixture({ shape: new Edge({ x: x1, y: y1 }, { x: x2, y: y2 }), friction });
  }
}

const pointsOf = (corners: Float64Array) =>
  Array.from({ length: corners.length / 2 }, (_, k) => ({ x: corners[2 * k], y: corners[2 * k + 1] }));

/** Mass and place are copied to the bit. */
function copyBody(planck: PlanckWorld, body: Body): Copy {
  const { corners, numCorners } = body.polygon;
  const shape = numCorners === 4 ? new Box(corners[0], -corners[1]) : new Polygon(pointsOf(corners));
  const copy = planck.createBody({
    type: 'dynamic',
    position: { x: body.originX, y: body.originY },
    angle: body.angle,
  });
  const filter = { filterCategoryBits: 0x20, filterMaskBits: 1 };
  copy.createFixture({ shape, density: 1, friction: body.friction, ...filter });
  const open = copy as unknown as OpenBody;
  open.m_invMass = body.inverseMass;
  open.m_invI = body.inverseInertia;
  const { m_sweep: sweep } = open;
  Object.assign(sweep.localCenter, { x: body.centerX, y: body.centerY });
  for (const at of [sweep.c, sweep.c0]) Object.assign(at, { x: body.x, y: body.y });
  sweep.a = body.angle;
  sweep.a0 = body.angle;
  open.synchronizeTransform();
  copy.applyForceToCenter({ x: body.forceX, y: body.forceY });
  return copy;
}

/** Lets 1/50 s pass. */
export function stepMirror({ planck }: Mirror): void {
  planck.step(1 / 50, 180, 60);
}

/** Where a body and its copy are and how they move. */
export function motionOf({ originX, originY, angle, velocityX, velocityY, spin, isAwake }: Body) {
  return [originX, originY, angle, velocityX, velocityY, spin, isAwake ? 1 : 0].map((x) => x + 0);
}

export function motionOfCopy(copy: Copy) {
  const { x, y } = copy.getPosition();
  const velocity = copy.getLinearVelocity();
  const turned = [copy.getAngle(), velocity.x, velocity.y, copy.getAngularVelocity()];
  return [x, y, ...turned, copy.isAwake() ? 1 : 0].map((value) => value + 0); // -0 + 0 = 0
}
