/**
 * Contacts in the solver: impulses along the normal that push only, both points of a contact at once, and friction across it.
 * The ground does not move, so it is in none of the equations.
 */
import { type Body, turnBody } from './body.ts';
import type { Manifold } from './manifold.ts';
import type { Contact } from './scene.ts';
import { LINEAR_SLOP, MAX_LINEAR_CORRECTION, SKIN } from './settings.ts';
import { CONTACT, POINT_SIZE } from './solver-layout.ts';
import { solverState } from './solver-memory.ts';

/** Above this the two points are as good as one. */
const MAX_CONDITION = 1000;

/** Fills the record of a contact for where the body is now. */
export function prepareContact({ record, manifold, friction }: Contact, body: Body): void {
  const { numbers: c, links } = record;
  const { inverseMass, inverseInertia } = body;
  turnBody(body);
  const originX = body.x - (body.cos * body.centerX - body.sin * body.centerY);
  const originY = body.y - (body.sin * body.centerX + body.cos * body.centerY);
  c[CONTACT.inverseMass] = inverseMass;
  c[CONTACT.inverseInertia] = inverseInertia;
  c[CONTACT.friction] = friction;
  placePoints(c, manifold, body, originX, originY);
  const nx = c[CONTACT.normalX];
  const ny = c[CONTACT.normalY];
  for (let at = 0; at < POINT_SIZE * manifold.numPoints; at += POINT_SIZE) {
    const armX = c[CONTACT.armX + at];
    const armY = c[CONTACT.armY + at];
    const normalArm = armX * ny - armY * nx;
    const tangentArm = armX * -nx - armY * ny;
    c[CONTACT.normalMass + at] = 1 / (inverseMass + inverseInertia * normalArm * normalArm);
    c[CONTACT.tangentMass + at] = 1 / (inverseMass + inverseInertia * tangentArm * tangentArm);
  }
  const isCoupled = manifold.numPoints === 2 && couple(c, inverseMass, inverseInertia);
  links[2] = isCoupled ? 2 : 1;
}

/** The normal in the world, and the points midway between the two skins. */
function placePoints(
  c: Float64Array,
  { isBodyFace, normalX, normalY, planeX, planeY, points, numPoints }: Manifold,
  { x, y, sin, cos }: Body,
  originX: number,
  originY: number,
): void {
  const nx = isBodyFace ? cos * normalX - sin * normalY : normalX;
  const ny = isBodyFace ? sin * normalX + cos * normalY : normalY;
  const faceX = isBodyFace ? cos * planeX - sin * planeY + originX : planeX;
  const faceY = isBodyFace ? sin * planeX + cos * planeY + originY : planeY;
  for (let k = 0; k < numPoints; k++) {
    const localX = points[2 * k];
    const localY = points[2 * k + 1];
    const pointX = isBodyFace ? localX : cos * localX - sin * localY + originX;
    const pointY = isBodyFace ? localY : sin * localX + cos * localY + originY;
    const out = SKIN - ((pointX - faceX) * nx + (pointY - faceY) * ny);
    c[CONTACT.armX + k * POINT_SIZE] = 0.5 * (pointX + out * nx) + 0.5 * (pointX + -SKIN * nx) - x;
    c[CONTACT.armY + k * POINT_SIZE] = 0.5 * (pointY + out * ny) + 0.5 * (pointY + -SKIN * ny) - y;
  }
  c[CONTACT.normalX] = isBodyFace ? -nx : nx;
  c[CONTACT.normalY] = isBodyFace ? -ny : ny;
}

/** Prepares both points to be solved at once. @returns false where they are too close together, and one has to do. */
function couple(c: Float64Array, inverseMass: number, inverseInertia: number): boolean {
  const nx = c[CONTACT.normalX];
  const ny = c[CONTACT.normalY];
  const arm1 = c[CONTACT.armX] * ny - c[CONTACT.armY] * nx;
  const arm2 = c[CONTACT.armX + POINT_SIZE] * ny - c[CONTACT.armY + POINT_SIZE] * nx;
  const k11 = inverseMass + inverseInertia * arm1 * arm1;
  const k22 = inverseMass + inverseInertia * arm2 * arm2;
  const k12 = inverseMass + inverseInertia * arm1 * arm2;
  const determinant = k11 * k22 - k12 * k12;
  if (!(k11 * k11 < MAX_CONDITION * determinant)) return false;
  const inverse = 1 / determinant;
  c[CONTACT.k11] = k11;
  c[CONTACT.k12] = k12;
  c[CONTACT.k22] = k22;
  c[CONTACT.inverse11] = inverse * k22;
  c[CONTACT.inverse12] = -inverse * k12;
  c[CONTACT.inverse22] = inverse * k11;
  return true;
}

/** Begins with the impulses of the last step. */
export function warmContact({ record, manifold }: Contact): void {
  const { numbers: c, links } = record;
  const b = links[0] / 8;
  const impulsesAt = links[1] / 8;
  const nx = c[CONTACT.normalX];
  const ny = c[CONTACT.normalY];
  for (let k = 0; k < links[2]; k++) {
    const normal = manifold.impulses[2 * k];
    const tangent = manifold.impulses[2 * k + 1];
    solverState[impulsesAt + 2 * k] = normal;
    solverState[impulsesAt + 2 * k + 1] = tangent;
    const px = normal * nx + tangent * ny;
    const py = normal * ny + tangent * -nx;
    const at = k * POINT_SIZE;
    solverState[b + 2] += c[CONTACT.inverseInertia] * (c[CONTACT.armX + at] * py - c[CONTACT.armY + at] * px);
    solverState[b] += c[CONTACT.inverseMass] * px;
    solverState[b + 1] += c[CONTACT.inverseMass] * py;
  }
}

/** One iteration: friction at each point, then the normal impulses. @param at where the contact's impulses are in the state. */
export function solveContact(
  c: Float64Array,
  state: Float64Array,
  b: number,
  at: number,
  numHeld: number,
): void {
  const nx = c[CONTACT.normalX];
  const ny = c[CONTACT.normalY];
  const mass = c[CONTACT.inverseMass];
  const inertia = c[CONTACT.inverseInertia];
  const friction = c[CONTACT.friction];
  let vx = state[b];
  let vy = state[b + 1];
  let w = state[b + 2];
  for (let k = 0; k < numHeld; k++) {
    const armX = c[CONTACT.armX + k * POINT_SIZE];
    const armY = c[CONTACT.armY + k * POINT_SIZE];
    const along = (vx + -w * armY) * ny + (vy + w * armX) * -nx;
    const before = state[at + 2 * k + 1];
    const most = friction * state[at + 2 * k];
    const wanted = before + c[CONTACT.tangentMass + k * POINT_SIZE] * -along;
    const after = wanted < -most ? -most : wanted > most ? most : wanted;
    state[at + 2 * k + 1] = after;
    const px = (after - before) * ny;
    const py = (after - before) * -nx;
    vx += mass * px;
    vy += mass * py;
    w += inertia * (armX * py - armY * px);
  }
  state[b] = vx;
  state[b + 1] = vy;
  state[b + 2] = w;
  if (numHeld === 2) solveBoth(c, state, b, at);
  else solveOne(c, state, b, at);
}

function solveOne(c: Float64Array, state: Float64Array, b: number, at: number): void {
  const nx = c[CONTACT.normalX];
  const ny = c[CONTACT.normalY];
  const armX = c[CONTACT.armX];
  const armY = c[CONTACT.armY];
  const w = state[b + 2];
  const apart = (state[b] + -w * armY) * nx + (state[b + 1] + w * armX) * ny;
  const before = state[at];
  const after = Math.max(before + -c[CONTACT.normalMass] * apart, 0);
  state[at] = after;
  const px = (after - before) * nx;
  const py = (after - before) * ny;
  state[b] += c[CONTACT.inverseMass] * px;
  state[b + 1] += c[CONTACT.inverseMass] * py;
  state[b + 2] += c[CONTACT.inverseInertia] * (armX * py - armY * px);
}

/**
 * Both normal impulses x at once, with velocities v = K x + b: the first of four cases in which x >= 0, v >= 0 and x v = 0, that is
 * v = 0, or one point free of the other one's push, or both.
 */
function solveBoth(c: Float64Array, state: Float64Array, b: number, at: number): void {
  const nx = c[CONTACT.normalX];
  const ny = c[CONTACT.normalY];
  const arm1X = c[CONTACT.armX];
  const arm1Y = c[CONTACT.armY];
  const arm2X = c[CONTACT.armX + POINT_SIZE];
  const arm2Y = c[CONTACT.armY + POINT_SIZE];
  const vx = state[b];
  const vy = state[b + 1];
  const w = state[b + 2];
  const before1 = state[at];
  const before2 = state[at + 2];
  const apart1 = (vx + -w * arm1Y) * nx + (vy + w * arm1X) * ny;
  const apart2 = (vx + -w * arm2Y) * nx + (vy + w * arm2X) * ny;
  const b1 = apart1 - (c[CONTACT.k11] * before1 + c[CONTACT.k12] * before2);
  const b2 = apart2 - (c[CONTACT.k12] * before1 + c[CONTACT.k22] * before2);
  let x1 = -(c[CONTACT.inverse11] * b1 + c[CONTACT.inverse12] * b2);
  let x2 = -(c[CONTACT.inverse12] * b1 + c[CONTACT.inverse22] * b2);
  if (!(x1 >= 0 && x2 >= 0)) {
    x1 = -c[CONTACT.normalMass] * b1;
    x2 = 0;
    if (!(x1 >= 0 && c[CONTACT.k12] * x1 + b2 >= 0)) {
      x1 = 0;
      x2 = -c[CONTACT.normalMass + POINT_SIZE] * b2;
      if (!(x2 >= 0 && c[CONTACT.k12] * x2 + b1 >= 0)) {
        x2 = 0;
        if (!(b1 >= 0 && b2 >= 0)) return; // no solution, by rounding: all stays
      }
    }
  }
  state[at] = x1;
  state[at + 2] = x2;
  const p1x = (x1 - before1) * nx;
  const p1y = (x1 - before1) * ny;
  const p2x = (x2 - before2) * nx;
  const p2y = (x2 - before2) * ny;
  const mass = c[CONTACT.inverseMass];
  state[b] = mass * p1x + mass * p2x + vx;
  state[b + 1] = mass * p1y + mass * p2y + vy;
  state[b + 2] = w + c[CONTACT.inverseInertia] * (arm1X * p1y - arm1Y * p1x + (arm2X * p2y - arm2Y * p2x));
}

/** Keeps the impulses for the next step. */
export function storeContact({ manifold, record }: Contact): void {
  const { links } = record;
  for (let k = 0; k < 2 * links[2]; k++) manifold.impulses[k] = solverState[links[1] / 8 + k];
}

/** Moves the body out of the ground by a share of the overlap. @returns the deepest overlap, 0 or negative, m. */
export function separateContact({ manifold }: Contact, body: Body, overlapShare: number): number {
  const { isBodyFace, normalX, normalY, planeX, planeY, points } = manifold;
  const { inverseMass, inverseInertia, centerX, centerY } = body;
  let deepest = 0;
  for (let k = 0; k < manifold.numPoints; k++) {
    turnBody(body);
    const { sin, cos, x, y } = body;
    const originX = x - (cos * centerX - sin * centerY);
    const originY = y - (sin * centerX + cos * centerY);
    const localX = points[2 * k];
    const localY = points[2 * k + 1];
    let nx = normalX;
    let ny = normalY;
    let pointX = localX;
    let pointY = localY;
    let distance = 0;
    if (isBodyFace) {
      nx = cos * normalX - sin * normalY;
      ny = sin * normalX + cos * normalY;
      const faceX = cos * planeX - sin * planeY + originX;
      const faceY = sin * planeX + cos * planeY + originY;
      distance = pointX * nx + pointY * ny - (faceX * nx + faceY * ny);
      nx = -nx;
      ny = -ny;
    } else {
      pointX = cos * localX - sin * localY + originX;
      pointY = sin * localX + cos * localY + originY;
      distance = pointX * nx + pointY * ny - (planeX * nx + planeY * ny);
    }
    const separation = distance - SKIN - SKIN;
    if (separation < deepest) deepest = separation;
    const wanted = overlapShare * (separation + LINEAR_SLOP);
    const correction = wanted < -MAX_LINEAR_CORRECTION ? -MAX_LINEAR_CORRECTION : wanted > 0 ? 0 : wanted;
    const armX = pointX - x;
    const armY = pointY - y;
    const arm = armX * ny - armY * nx;
    const impulse = -correction / (inverseMass + inverseInertia * arm * arm);
    const px = impulse * nx;
    const py = impulse * ny;
    body.x = x + inverseMass * px;
    body.y = y + inverseMass * py;
    body.angle += inverseInertia * (armX * py - armY * px);
  }
  return deepest;
}
