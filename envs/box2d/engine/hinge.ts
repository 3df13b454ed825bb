/**
 * Hinges in the solver, as in Box2D 2.3: first the motor, then the point, at a limit together with the angle.
 *
 * With the arms r from the centres of mass to the hinge, J = [-I, -r_A x, I, r_B x] and K = J M^-1 J^T, 3 x 3 with the angle.
 */
import { turnBody } from './body.ts';
import type { Hinge } from './scene.ts';
import { ANGULAR_SLOP, LINEAR_SLOP, MAX_ANGULAR_CORRECTION, TIME_STEP } from './settings.ts';
import { HINGE } from './solver-layout.ts';
import { solverState } from './solver-memory.ts';

/** Angle between the bodies, 0 where they were joined, rad. */
export function hingeAngle({ reference, a, b }: Hinge): number {
  return b.angle - a.angle - reference;
}

/** rad/s */
export function hingeSpeed({ a, b }: Hinge): number {
  return b.spin - a.spin;
}

/** Fills the record of a hinge, and finds out at which limit it is: its impulse at another one is over. */
export function prepareHinge(hinge: Hinge): void {
  const { record, a, b, anchorA, anchorB } = hinge;
  const { numbers: h } = record;
  turnBody(a);
  turnBody(b);
  const offsetAX = anchorA[0] - a.centerX;
  const offsetAY = anchorA[1] - a.centerY;
  const offsetBX = anchorB[0] - b.centerX;
  const offsetBY = anchorB[1] - b.centerY;
  const ax = a.cos * offsetAX - a.sin * offsetAY;
  const ay = a.sin * offsetAX + a.cos * offsetAY;
  const bx = b.cos * offsetBX - b.sin * offsetBY;
  const by = b.sin * offsetBX + b.cos * offsetBY;
  const { inverseMass: massA, inverseInertia: inertiaA } = a;
  const { inverseMass: massB, inverseInertia: inertiaB } = b;
  h[HINGE.inverseMassA] = massA;
  h[HINGE.inverseMassB] = massB;
  h[HINGE.inverseInertiaA] = inertiaA;
  h[HINGE.inverseInertiaB] = inertiaB;
  h[HINGE.armAX] = ax;
  h[HINGE.armAY] = ay;
  h[HINGE.armBX] = bx;
  h[HINGE.armBY] = by;
  h[HINGE.motorMass] = 1 / (inertiaA + inertiaB);
  h[HINGE.motorSpeed] = hinge.motorSpeed;
  h[HINGE.maxImpulse] = TIME_STEP * hinge.maxTorque;
  h[HINGE.k11] = massA + massB + ay * ay * inertiaA + by * by * inertiaB;
  h[HINGE.k12] = -ay * ax * inertiaA - by * bx * inertiaB;
  h[HINGE.k13] = -ay * inertiaA - by * inertiaB;
  h[HINGE.k22] = massA + massB + ax * ax * inertiaA + bx * bx * inertiaB;
  h[HINGE.k23] = ax * inertiaA + bx * inertiaB;
  h[HINGE.k33] = inertiaA + inertiaB;
  invert(h);
  const angle = hingeAngle(hinge);
  const limit = angle <= hinge.lower ? -1 : angle >= hinge.upper ? 1 : 0;
  if (limit === 0 || limit !== hinge.limit) hinge.impulses[2] = 0;
  hinge.limit = limit;
  h[HINGE.limit] = limit;
}

function invert(h: Float64Array): void {
  const k12 = h[HINGE.k12];
  const k13 = h[HINGE.k13];
  const k22 = h[HINGE.k22];
  const k23 = h[HINGE.k23];
  const k33 = h[HINGE.k33];
  const x = k22 * k33 - k23 * k23;
  const y = k23 * k13 - k12 * k33;
  const z = k12 * k23 - k22 * k13;
  h[HINGE.crossX] = x;
  h[HINGE.crossY] = y;
  h[HINGE.crossZ] = z;
  h[HINGE.scale3] = 1 / (h[HINGE.k11] * x + k12 * y + k13 * z);
  h[HINGE.scale2] = 1 / (h[HINGE.k11] * k22 - k12 * k12);
}

/** Begins with the impulses of the last step. */
export function warmHinge({ record, impulses, impulsesAt, velocityA: a, velocityB: b }: Hinge): void {
  const { numbers: h, links } = record;
  links[0] = 8 * a;
  links[1] = 8 * b;
  links[2] = 8 * impulsesAt;
  for (let k = 0; k < impulses.length; k++) solverState[impulsesAt + k] = impulses[k];
  const px = impulses[0];
  const py = impulses[1];
  const limit = impulses[2];
  const turn = impulses[3];
  solverState[a] -= h[HINGE.inverseMassA] * px;
  solverState[a + 1] -= h[HINGE.inverseMassA] * py;
  solverState[a + 2] -= h[HINGE.inverseInertiaA] * (h[HINGE.armAX] * py - h[HINGE.armAY] * px + turn + limit);
  solverState[b] += h[HINGE.inverseMassB] * px;
  solverState[b + 1] += h[HINGE.inverseMassB] * py;
  solverState[b + 2] += h[HINGE.inverseInertiaB] * (h[HINGE.armBX] * py - h[HINGE.armBY] * px + turn + limit);
}

/** Keeps the impulses for the next step. */
export function storeHinge({ impulses, impulsesAt }: Hinge): void {
  for (let k = 0; k < impulses.length; k++) impulses[k] = solverState[impulsesAt + k];
}

/** One iteration. @param a where the velocity of body A is in the state. @param at where the hinge's impulses are. */
export function solveHinge(h: Float64Array, state: Float64Array, a: number, b: number, at: number): void {
  const inertiaA = h[HINGE.inverseInertiaA];
  const inertiaB = h[HINGE.inverseInertiaB];
  const turn = turnMotor(h, state, at, state[b + 2] - state[a + 2]);
  const wA = state[a + 2] - inertiaA * turn;
  const wB = state[b + 2] + inertiaB * turn;
  const vAX = state[a];
  const vAY = state[a + 1];
  const vBX = state[b];
  const vBY = state[b + 1];
  const armAX = h[HINGE.armAX];
  const armAY = h[HINGE.armAY];
  const armBX = h[HINGE.armBX];
  const armBY = h[HINGE.armBY];
  const x = vBX + -wB * armBY - (vAX + -wA * armAY);
  const y = vBY + wB * armBX - (vAY + wA * armAX);
  const z = wB - wA;
  const limit = h[HINGE.limit];
  let pz = 0;
  let isFree = true;
  let wantedX = -x;
  let wantedY = -y;
  if (limit !== 0) {
    const sum = state[at + 2];
    pz = angleImpulse(h, x, y, z);
    // A limit only pushes back.
    isFree = limit < 0 ? sum + pz < 0 : sum + pz > 0;
    if (isFree) {
      wantedX += sum * h[HINGE.k13];
      wantedY += sum * h[HINGE.k23];
      pz = -sum;
    }
    state[at + 2] = isFree ? 0 : sum + pz;
  }
  const px = isFree
    ? h[HINGE.scale2] * (h[HINGE.k22] * wantedX - h[HINGE.k12] * wantedY)
    : pointImpulseX(h, x, y, z);
  const py = isFree
    ? h[HINGE.scale2] * (h[HINGE.k11] * wantedY - h[HINGE.k12] * wantedX)
    : pointImpulseY(h, x, y, z);
  state[at] += px;
  state[at + 1] += py;
  const massA = h[HINGE.inverseMassA];
  const massB = h[HINGE.inverseMassB];
  state[a] = vAX - massA * px;
  state[a + 1] = vAY - massA * py;
  state[a + 2] = wA - inertiaA * (armAX * py - armAY * px + pz);
  state[b] = vBX + massB * px;
  state[b + 1] = vBY + massB * py;
  state[b + 2] = wB + inertiaB * (armBX * py - armBY * px + pz);
}

/** The motor's impulse of this iteration; its sum is bounded. @param spin of B against A. */
function turnMotor(h: Float64Array, state: Float64Array, at: number, spin: number): number {
  const most = h[HINGE.maxImpulse];
  const before = state[at + 3];
  const wanted = before + -h[HINGE.motorMass] * (spin - h[HINGE.motorSpeed]);
  const after = wanted < -most ? -most : wanted > most ? most : wanted;
  state[at + 3] = after;
  return after - before;
}

// The solution of K p = -(x, y, z), by Cramer's rule.

function pointImpulseX(h: Float64Array, x: number, y: number, z: number): number {
  return -(h[HINGE.scale3] * (x * h[HINGE.crossX] + y * h[HINGE.crossY] + z * h[HINGE.crossZ]));
}

function pointImpulseY(h: Float64Array, x: number, y: number, z: number): number {
  const k13 = h[HINGE.k13];
  const k23 = h[HINGE.k23];
  const k33 = h[HINGE.k33];
  return -(
    h[HINGE.scale3] *
    (h[HINGE.k11] * (y * k33 - z * k23) + h[HINGE.k12] * (z * k13 - x * k33) + k13 * (x * k23 - y * k13))
  );
}

function angleImpulse(h: Float64Array, x: number, y: number, z: number): number {
  const k12 = h[HINGE.k12];
  const k22 = h[HINGE.k22];
  const k23 = h[HINGE.k23];
  return -(
    h[HINGE.scale3] *
    (h[HINGE.k11] * (k22 * z - k23 * y) + k12 * (k23 * x - k12 * z) + h[HINGE.k13] * (k12 * y - k22 * x))
  );
}

/** Turns the bodies back to a limit that was passed. @returns how far it was passed, rad. */
function turnBack(hinge: Hinge): number {
  const { a, b, limit, lower, upper } = hinge;
  if (limit === 0) return 0;
  const angle = hingeAngle(hinge);
  let error = 0;
  let correction = 0;
  if (limit < 0) {
    error = -(angle - lower);
    const wanted = angle - lower + ANGULAR_SLOP;
    correction = wanted < -MAX_ANGULAR_CORRECTION ? -MAX_ANGULAR_CORRECTION : wanted > 0 ? 0 : wanted;
  } else {
    error = angle - upper;
    const wanted = angle - upper - ANGULAR_SLOP;
    correction = wanted < 0 ? 0 : wanted > MAX_ANGULAR_CORRECTION ? MAX_ANGULAR_CORRECTION : wanted;
  }
  const impulse = -hinge.record.numbers[HINGE.motorMass] * correction;
  a.angle -= a.inverseInertia * impulse;
  b.angle += b.inverseInertia * impulse;
  return error;
}

/** Brings the anchors together. @returns whether they were close enough, and no limit passed too far. */
export function alignHinge(hinge: Hinge): boolean {
  const { a, b, anchorA, anchorB } = hinge;
  const angularError = turnBack(hinge);
  turnBody(a);
  turnBody(b);
  const offsetAX = anchorA[0] - a.centerX;
  const offsetAY = anchorA[1] - a.centerY;
  const offsetBX = anchorB[0] - b.centerX;
  const offsetBY = anchorB[1] - b.centerY;
  const armAX = a.cos * offsetAX - a.sin * offsetAY;
  const armAY = a.sin * offsetAX + a.cos * offsetAY;
  const armBX = b.cos * offsetBX - b.sin * offsetBY;
  const armBY = b.sin * offsetBX + b.cos * offsetBY;
  const x = b.x + armBX - (a.x + armAX);
  const y = b.y + armBY - (a.y + armAY);
  const error = Math.sqrt(x * x + y * y);
  const { inverseMass: massA, inverseInertia: inertiaA } = a;
  const { inverseMass: massB, inverseInertia: inertiaB } = b;
  const k11 = massA + massB + inertiaA * armAY * armAY + inertiaB * armBY * armBY;
  const k12 = -inertiaA * armAX * armAY - inertiaB * armBX * armBY;
  const k22 = massA + massB + inertiaA * armAX * armAX + inertiaB * armBX * armBX;
  const scale = 1 / (k11 * k22 - k12 * k12);
  const px = -(scale * (k22 * x - k12 * y));
  const py = -(scale * (k11 * y - k12 * x));
  a.x -= massA * px;
  a.y -= massA * py;
  a.angle -= inertiaA * (armAX * py - armAY * px);
  b.x += massB * px;
  b.y += massB * py;
  b.angle += inertiaB * (armBX * py - armBY * px);
  return error <= LINEAR_SLOP && angularError <= ANGULAR_SLOP;
}
