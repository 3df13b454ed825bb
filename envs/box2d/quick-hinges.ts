/**
 * The hinges' share of planck's velocity solver, without its allocations, and an end to the iterations once they change nothing any more.
 *
 * A step makes 180 iterations over all hinges and contacts. Where velocities and impulses have come to a fixed point, to the last bit, the rest repeats it: a lander
 * in flight gets there, a walker seldom. Each hinge computes what planck's `RevoluteJoint.solveVelocityConstraints` does, in the same order, so results are the same bits;
 * `quick-hinges.test.ts` compares whole episodes with planck's own.
 *
 * Reaches into planck 1.4.2, which is pinned for it: the names with `m_`, `c_` and `v_` below, and that the loop asks `step.velocityIterations` every time round.
 */
import type { RevoluteJoint, World } from 'planck';

interface Velocity {
  v: { x: number; y: number };
  w: number;
}

interface Column {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** What planck's RevoluteJoint keeps for its solver. */
interface Hinge {
  readonly m_bodyA: { readonly c_velocity: Velocity };
  readonly m_bodyB: { readonly c_velocity: Velocity };
  readonly m_invMassA: number;
  readonly m_invMassB: number;
  readonly m_invIA: number;
  readonly m_invIB: number;
  readonly m_rA: { readonly x: number; readonly y: number };
  readonly m_rB: { readonly x: number; readonly y: number };
  readonly m_mass: { readonly ex: Column; readonly ey: Column; readonly ez: Column };
  readonly m_motorMass: number;
  readonly m_motorSpeed: number;
  readonly m_maxMotorTorque: number;
  readonly m_limitState: number;
  readonly m_impulse: { x: number; y: number; z: number };
  m_motorImpulse: number;
  solveVelocityConstraints(step: TimeStep): void;
  solvePositionConstraints(step: TimeStep): boolean;
}

interface TimeStep {
  readonly dt: number;
  velocityIterations: number;
}

interface Contact {
  readonly m_next: Contact | null;
  readonly v_points: readonly { readonly normalImpulse: number; readonly tangentImpulse: number }[];
}

const AT_LOWER_LIMIT = 1;
const AT_UPPER_LIMIT = 2;

/** How far the iterations of this step have come. */
interface Progress {
  readonly numHinges: number;
  numCalls: number;
  /** Whether every hinge of this time round has found velocities and left impulses as the time before. */
  isStill: boolean;
  /** Of all contacts, at the end of the last time round in which the hinges were still. */
  contactImpulses: number[];
}

/** Replaces the velocity solver of all hinges of a world, which hold one island together. @returns what has to be called before every step. */
export function quickenHinges(world: World, joints: readonly RevoluteJoint[]): () => void {
  const progress: Progress = { numHinges: joints.length, numCalls: 0, isStill: false, contactImpulses: [] };
  for (const joint of joints) quicken(world, joint as unknown as Hinge, progress);
  return () => {
    progress.numCalls = 0;
    progress.isStill = false;
    progress.contactImpulses.length = 0;
  };
}

function quicken(world: World, hinge: Hinge, progress: Progress): void {
  let numIterations = 0;
  const solvePositions = hinge.solvePositionConstraints.bind(hinge);
  hinge.solvePositionConstraints = (step) => {
    step.velocityIterations = numIterations; // what follows, as collisions within the step, has its own
    return solvePositions(step);
  };
  const seen = new Float64Array(10); // velocities found and impulses left the time before
  hinge.solveVelocityConstraints = (step) => {
    if (progress.numCalls < progress.numHinges) numIterations = step.velocityIterations;
    if (progress.numCalls % progress.numHinges === 0) beginRound(world, step, progress);
    progress.numCalls += 1;
    const a = hinge.m_bodyA.c_velocity;
    const b = hinge.m_bodyB.c_velocity;
    const { m_impulse: impulse } = hinge;
    let hasChanged = note(seen, 0, a.v.x);
    hasChanged = note(seen, 1, a.v.y) || hasChanged;
    hasChanged = note(seen, 2, a.w) || hasChanged;
    hasChanged = note(seen, 3, b.v.x) || hasChanged;
    hasChanged = note(seen, 4, b.v.y) || hasChanged;
    hasChanged = note(seen, 5, b.w) || hasChanged;
    hasChanged = note(seen, 6, impulse.x) || hasChanged;
    hasChanged = note(seen, 7, impulse.y) || hasChanged;
    hasChanged = note(seen, 8, impulse.z) || hasChanged;
    hasChanged = note(seen, 9, hinge.m_motorImpulse) || hasChanged;
    if (hasChanged) progress.isStill = false;
    turnMotor(hinge, step.dt);
    if (hinge.m_limitState === AT_LOWER_LIMIT || hinge.m_limitState === AT_UPPER_LIMIT) holdAtLimit(hinge);
    else holdPoint(hinge);
  };
}

/**
 * Ends the iterations when the last time round changed nothing: each hinge then found the velocities and its impulses as it had left them the time before, and
 * contacts have the same impulses.
 */
function beginRound(world: World, step: TimeStep, progress: Progress): void {
  if (progress.isStill) {
    const now: number[] = [];
    for (
      let contact = world.getContactList() as unknown as Contact | null;
      contact !== null;
      contact = contact.m_next
    )
      for (const { normalImpulse, tangentImpulse } of contact.v_points)
        now.push(normalImpulse, tangentImpulse);
    // This round is still made, and changes nothing.
    if (isEqual(progress.contactImpulses, now)) step.velocityIterations = 0;
    progress.contactImpulses = now;
  }
  progress.isStill = progress.numCalls > 0;
}

/** Keeps a value. @returns whether it is another one than was kept before. */
function note(kept: Float64Array, k: number, value: number): boolean {
  const isOther = kept[k] !== value;
  kept[k] = value;
  return isOther;
}

function isEqual(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  for (let k = 0; k < b.length; k++) if (a[k] !== b[k]) return false;
  return a.length === b.length;
}

function turnMotor(hinge: Hinge, dt: number): void {
  const a = hinge.m_bodyA.c_velocity;
  const b = hinge.m_bodyB.c_velocity;
  const before = hinge.m_motorImpulse;
  const most = dt * hinge.m_maxMotorTorque;
  const wanted = before + -hinge.m_motorMass * (b.w - a.w - hinge.m_motorSpeed);
  hinge.m_motorImpulse = wanted < -most ? -most : wanted > most ? most : wanted;
  const impulse = hinge.m_motorImpulse - before;
  a.w -= hinge.m_invIA * impulse;
  b.w += hinge.m_invIB * impulse;
}

/** The anchors stay together. */
function holdPoint(hinge: Hinge): void {
  const { m_rA: rA, m_rB: rB, m_impulse, m_mass } = hinge;
  const a = hinge.m_bodyA.c_velocity;
  const b = hinge.m_bodyB.c_velocity;
  const x = -(b.v.x + -b.w * rB.y - (a.v.x + -a.w * rA.y));
  const y = -(b.v.y + b.w * rB.x - (a.v.y + a.w * rA.x));
  const { ex, ey } = m_mass;
  const determinant = ex.x * ey.y - ey.x * ex.y;
  const scale = determinant === 0 ? 0 : 1 / determinant;
  const px = scale * (ey.y * x - ey.x * y);
  const py = scale * (ex.x * y - ex.y * x);
  m_impulse.x += px;
  m_impulse.y += py;
  push(hinge, px, py, 0);
}

/** The anchors stay together, and the bodies turn no farther. */
function holdAtLimit(hinge: Hinge): void {
  const { m_rA: rA, m_rB: rB, m_impulse } = hinge;
  const { ex, ey, ez } = hinge.m_mass;
  const a = hinge.m_bodyA.c_velocity;
  const b = hinge.m_bodyB.c_velocity;
  const x = b.v.x + -b.w * rB.y - (a.v.x + -a.w * rA.y);
  const y = b.v.y + b.w * rB.x - (a.v.y + a.w * rA.x);
  const z = b.w - a.w;
  const cx = ey.y * ez.z - ey.z * ez.y;
  const cy = ey.z * ez.x - ey.x * ez.z;
  const cz = ey.x * ez.y - ey.y * ez.x;
  const determinant = ex.x * cx + ex.y * cy + ex.z * cz;
  const scale = determinant === 0 ? 0 : 1 / determinant;
  let px = -(scale * (x * cx + y * cy + z * cz));
  let py = -(
    scale *
    (ex.x * (y * ez.z - z * ez.y) + ex.y * (z * ez.x - x * ez.z) + ex.z * (x * ez.y - y * ez.x))
  );
  let pz = -(
    scale *
    (ex.x * (ey.y * z - ey.z * y) + ex.y * (ey.z * x - ey.x * z) + ex.z * (ey.x * y - ey.y * x))
  );
  const sum = m_impulse.z + pz;
  // A limit only pushes back.
  if (hinge.m_limitState === AT_LOWER_LIMIT ? sum < 0 : sum > 0) {
    const rx = -1 * x + m_impulse.z * ez.x;
    const ry = -1 * y + m_impulse.z * ez.y;
    const flat = ex.x * ey.y - ey.x * ex.y;
    const flatScale = flat === 0 ? 0 : 1 / flat;
    px = flatScale * (ey.y * rx - ey.x * ry);
    py = flatScale * (ex.x * ry - ex.y * rx);
    pz = -m_impulse.z;
    m_impulse.x += px;
    m_impulse.y += py;
    m_impulse.z = 0;
  } else {
    m_impulse.x += px;
    m_impulse.y += py;
    m_impulse.z += pz;
  }
  push(hinge, px, py, pz);
}

function push(hinge: Hinge, px: number, py: number, pz: number): void {
  const { m_rA: rA, m_rB: rB } = hinge;
  const a = hinge.m_bodyA.c_velocity;
  const b = hinge.m_bodyB.c_velocity;
  a.v.x -= hinge.m_invMassA * px;
  a.v.y -= hinge.m_invMassA * py;
  a.w -= hinge.m_invIA * (rA.x * py - rA.y * px + pz);
  b.v.x += hinge.m_invMassB * px;
  b.v.y += hinge.m_invMassB * py;
  b.w += hinge.m_invIB * (rB.x * py - rB.y * px + pz);
}
