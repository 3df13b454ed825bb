/**
 * When a moving body comes within a small distance of the ground: Box2D's search along separating axes.
 *
 * The axis of the nearest points now is followed to the end of the step; where the shapes come close along it, the time of that is found by secants and
 * bisections, and the search begins anew from there.
 */
import type { Body } from './body.ts';
import {
  type Cloud,
  createSimplexCache,
  distanceBetween,
  type Frame,
  type SimplexCache,
  supportOf,
} from './distance.ts';
import { BOTH_SKINS, LINEAR_SLOP } from './settings.ts';

/** Distance without skins that is aimed at, a little less than at rest, and how near to it is enough. */
const TARGET = Math.max(LINEAR_SLOP, BOTH_SKINS - 3 * LINEAR_SLOP);
const TOLERANCE = 0.25 * LINEAR_SLOP;
/** At no smaller distance has a body met anything. */
export const IMPACT_DISTANCE = TARGET + TOLERANCE;
const MAX_AXES = 20;
const MAX_PUSHES = 12;
const MAX_ROOTS = 50;

/** The motion of a body from its old place, its old angle within one turn around 0. */
interface Sweep {
  body: Body;
  oldAngle: number;
  angle: number;
}

const ON_POINTS = 1;
const ON_A = 2;
const ON_B = 3;

/** A direction in which the distance is watched: between two corners, or out of a side of one of the shapes. */
interface Axis {
  kind: number;
  x: number;
  y: number;
  /** On the side, in its own frame. */
  planeX: number;
  planeY: number;
  /** The corners that are nearest along it, where they are corners. */
  indexA: number;
  indexB: number;
}

// One search at a time: nothing below outlives a call.
const cache = createSimplexCache();
const frame: Frame = { x: 0.5, y: 0.5, sin: 0.5, cos: 0.5 };
const cloudB: Cloud = { corners: new Float64Array(0), from: 0, count: 0 };
const axis: Axis = { kind: 0, x: 0.5, y: 0.5, planeX: 0.5, planeY: 0.5, indexA: 0, indexB: 0 };
let t1 = 0;
let t2 = 0;

/** @param a the ground. @returns the share of what is left of the step, or -1 where they do not meet or overlap already. */
export function timeOfImpact(a: Cloud, body: Body): number {
  const sweep = sweepOf(body);
  cloudB.corners = body.polygon.corners;
  cloudB.count = body.polygon.numCorners;
  cache.count = 0;
  cache.metric = 0;
  t1 = 0;
  for (let k = 0; k < MAX_AXES; k++) {
    placeFrame(sweep, t1);
    const distance = distanceBetween(cache, a, cloudB, frame);
    if (distance <= 0) return -1;
    if (distance < TARGET + TOLERANCE) return t1;
    setAxis(cache, a);
    const end = followAxis(sweep, a);
    if (end === TOUCHING) return t1;
    if (end === APART) return -1;
  }
  return -1;
}

function sweepOf(body: Body): Sweep {
  const turn = 2 * Math.PI;
  const rest = (body.oldAngle + Math.PI) % turn;
  const oldAngle = rest + (rest < 0 ? Math.PI : -Math.PI);
  return { body, oldAngle, angle: body.angle - (body.oldAngle - oldAngle) };
}

/** The body's frame at a share of its way. */
function placeFrame({ body, oldAngle, angle }: Sweep, share: number): void {
  const turned = (1 - share) * oldAngle + share * angle;
  const sin = Math.sin(turned);
  const cos = Math.cos(turned);
  const x = (1 - share) * body.oldX + share * body.x;
  const y = (1 - share) * body.oldY + share * body.y;
  frame.sin = sin;
  frame.cos = cos;
  frame.x = x - (cos * body.centerX - sin * body.centerY);
  frame.y = y - (sin * body.centerX + cos * body.centerY);
}

/** From the simplex of the nearest points, at the frame as it stands. */
function setAxis({ count, indicesA, indicesB }: SimplexCache, a: Cloud): void {
  if (count === 1) {
    axis.kind = ON_POINTS;
    const x = worldX(indicesB[0]) - a.corners[a.from + 2 * indicesA[0]];
    const y = worldY(indicesB[0]) - a.corners[a.from + 2 * indicesA[0] + 1];
    setDirection(x, y);
    return;
  }
  const isOnB = indicesA[0] === indicesA[1];
  const cloud = isOnB ? cloudB : a;
  const indices = isOnB ? indicesB : indicesA;
  axis.kind = isOnB ? ON_B : ON_A;
  const from = cloud.from + 2 * indices[0];
  const to = cloud.from + 2 * indices[1];
  const { corners } = cloud;
  setDirection(corners[to + 1] - corners[from + 1], -(corners[to] - corners[from]));
  axis.planeX = 0.5 * corners[from] + 0.5 * corners[to];
  axis.planeY = 0.5 * corners[from + 1] + 0.5 * corners[to + 1];
  axis.indexA = indicesA[0];
  axis.indexB = indicesB[0];
  if (distanceAlong(a) >= 0) return;
  axis.x = -axis.x;
  axis.y = -axis.y;
}

function setDirection(x: number, y: number): void {
  const length = Math.sqrt(x * x + y * y);
  const inverse = length > 0 ? 1 / length : 1;
  axis.x = x * inverse;
  axis.y = y * inverse;
}

const worldX = (k: number) =>
  frame.cos * cloudB.corners[2 * k] - frame.sin * cloudB.corners[2 * k + 1] + frame.x;
const worldY = (k: number) =>
  frame.sin * cloudB.corners[2 * k] + frame.cos * cloudB.corners[2 * k + 1] + frame.y;

/** Of the axis's corners, or of one from its side, at the frame as it stands. */
function distanceAlong(a: Cloud): number {
  const { kind, indexA, indexB, planeX, planeY } = axis;
  const { sin, cos } = frame;
  const nx = kind === ON_B ? cos * axis.x - sin * axis.y : axis.x;
  const ny = kind === ON_B ? sin * axis.x + cos * axis.y : axis.y;
  if (kind === ON_A) return worldX(indexB) * nx + worldY(indexB) * ny - (planeX * nx + planeY * ny);
  const ax = a.corners[a.from + 2 * indexA];
  const ay = a.corners[a.from + 2 * indexA + 1];
  if (kind === ON_POINTS) return worldX(indexB) * nx + worldY(indexB) * ny - (ax * nx + ay * ny);
  const faceX = cos * planeX - sin * planeY + frame.x;
  const faceY = sin * planeX + cos * planeY + frame.y;
  return ax * nx + ay * ny - (faceX * nx + faceY * ny);
}

/** Finds the corners that are nearest along the axis at a time. @returns their distance. */
function findNearest(sweep: Sweep, a: Cloud, share: number): number {
  placeFrame(sweep, share);
  const { sin, cos } = frame;
  const { kind } = axis;
  if (kind === ON_B) {
    const nx = cos * axis.x - sin * axis.y;
    const ny = sin * axis.x + cos * axis.y;
    axis.indexA = supportOf(a, -nx, -ny);
  } else {
    if (kind === ON_POINTS) axis.indexA = supportOf(a, axis.x, axis.y);
    axis.indexB = supportOf(cloudB, cos * -axis.x + sin * -axis.y, -sin * -axis.x + cos * -axis.y);
  }
  return distanceAlong(a);
}

const GO_ON = 0;
const TOUCHING = 1;
const APART = 2;

/** Follows the axis from `t1` on, and moves `t1` to where the shapes come close along it. */
function followAxis(sweep: Sweep, a: Cloud): number {
  t2 = 1;
  for (let push = 0; push < MAX_PUSHES; push++) {
    const distance2 = findNearest(sweep, a, t2);
    if (distance2 > TARGET + TOLERANCE) return APART;
    if (distance2 > TARGET - TOLERANCE) {
      t1 = t2;
      return GO_ON;
    }
    placeFrame(sweep, t1);
    const distance1 = distanceAlong(a);
    if (distance1 < TARGET - TOLERANCE) return APART; // the search has failed
    if (distance1 <= TARGET + TOLERANCE) return TOUCHING;
    t2 = findRoot(sweep, a, distance1, distance2);
  }
  return GO_ON;
}

/** The time between `t1` and `t2` at which the axis's corners are at the distance aimed at; `t2` where it is not found. */
function findRoot(sweep: Sweep, a: Cloud, distance1: number, distance2: number): number {
  let from = t1;
  let to = t2;
  let above = distance1;
  let below = distance2;
  for (let root = 0; root < MAX_ROOTS; root++) {
    const t = root & 1 ? from + ((TARGET - above) * (to - from)) / (below - above) : 0.5 * (from + to);
    placeFrame(sweep, t);
    const distance = distanceAlong(a);
    if (Math.abs(distance - TARGET) < TOLERANCE) return t;
    if (distance > TARGET) {
      from = t;
      above = distance;
    } else {
      to = t;
      below = distance;
    }
  }
  return t2;
}
