/** A moving body of one polygon: its place, its motion, and where its corners are. */
import type { Mass, Polygon } from './polygon.ts';
import { FAT, FAT_STEPS, SKIN } from './settings.ts';

export interface Body {
  readonly polygon: Polygon;
  readonly friction: number;
  readonly inverseMass: number;
  readonly inverseInertia: number;
  /** Centre of mass in the frame of the polygon. */
  readonly centerX: number;
  readonly centerY: number;
  /** Of the corner that is farthest from the centre of mass. */
  readonly reach: number;
  /** Centre of mass and angle. */
  x: number;
  y: number;
  angle: number;
  /** The same at the beginning of the step, or after an impact from there on. */
  oldX: number;
  oldY: number;
  oldAngle: number;
  /** Share of the step at which they were there. */
  elapsed: number;
  /** Of the centre of mass, m/s. */
  velocityX: number;
  velocityY: number;
  /** rad/s */
  spin: number;
  /** For the next step alone. */
  forceX: number;
  forceY: number;
  torque: number;
  isAwake: boolean;
  /** For how long it has been slow. */
  restTime: number;
  /** Of the polygon's frame. */
  originX: number;
  originY: number;
  sin: number;
  cos: number;
  /** The angle of which they are. */
  turnedTo: number;
  /** Where its corners and normals are, now and when the step began. */
  corners: Float64Array; // [numCorners, 2] f64
  oldCorners: Float64Array; // [numCorners, 2] f64
  normals: Float64Array; // [numCorners, 2] f64
  /** Around all corners with their skin: least x, least y, largest x, largest y. */
  bounds: Float64Array; // [4] f64
  oldBounds: Float64Array; // [4] f64
  /** The box in which it is sought, and whether that is another one since pairs were last sought. */
  readonly fat: Float64Array; // [4] f64
  isFatNew: boolean;
}

/** A body at rest. @param x of the polygon's origin. */
export function createBody(
  polygon: Polygon,
  { mass, centerX, centerY, inertia }: Mass,
  friction: number,
  [originX, originY, angle]: readonly [x: number, y: number, angle: number],
): Body {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const turned = Math.atan2(sin, cos);
  const x = cos * centerX - sin * centerY + originX;
  const y = sin * centerX + cos * centerY + originY;
  const size = polygon.corners.length;
  const body: Body = {
    polygon,
    friction,
    inverseMass: 1 / mass,
    inverseInertia: 1 / inertia,
    centerX,
    centerY,
    reach: reachOf(polygon, centerX, centerY),
    x,
    y,
    angle: turned,
    oldX: x,
    oldY: y,
    oldAngle: turned,
    elapsed: 0,
    velocityX: 0,
    velocityY: 0,
    spin: 0,
    forceX: 0,
    forceY: 0,
    torque: 0,
    isAwake: true,
    restTime: 0,
    originX,
    originY,
    sin,
    cos,
    turnedTo: Number.NaN,
    corners: new Float64Array(size),
    oldCorners: new Float64Array(size),
    normals: new Float64Array(size),
    bounds: new Float64Array(4),
    oldBounds: new Float64Array(4),
    fat: new Float64Array(4),
    isFatNew: true,
  };
  placeCorners(body);
  boundBody(body);
  for (let k = 0; k < 4; k++) body.fat[k] = k < 2 ? body.bounds[k] - FAT : body.bounds[k] + FAT;
  placeBody(body);
  boundBody(body);
  return body;
}

function reachOf({ corners }: Polygon, x: number, y: number): number {
  let reach = 0;
  for (let k = 0; k < corners.length; k += 2)
    reach = Math.max(reach, Math.hypot(corners[k] - x, corners[k + 1] - y));
  return reach;
}

/** Brings sine and cosine up to the angle. */
export function turnBody(body: Body): void {
  const { angle } = body;
  if (body.turnedTo === angle) return;
  body.sin = Math.sin(angle);
  body.cos = Math.cos(angle);
  body.turnedTo = angle;
}

/** Brings frame, corners and normals to where centre of mass and angle are. */
export function placeBody(body: Body): void {
  turnBody(body);
  const { sin, cos, centerX, centerY } = body;
  body.originX = body.x - (cos * centerX - sin * centerY);
  body.originY = body.y - (sin * centerX + cos * centerY);
  placeCorners(body);
}

function placeCorners(body: Body): void {
  const { sin, cos, originX, originY, corners, normals, polygon } = body;
  for (let k = 0; k < corners.length; k += 2) {
    const x = polygon.corners[k];
    const y = polygon.corners[k + 1];
    corners[k] = cos * x - sin * y + originX;
    corners[k + 1] = sin * x + cos * y + originY;
    const normalX = polygon.normals[k];
    const normalY = polygon.normals[k + 1];
    normals[k] = cos * normalX - sin * normalY;
    normals[k + 1] = sin * normalX + cos * normalY;
  }
}

/** Brings the bounds to where the corners are. */
export function boundBody({ corners, bounds }: Body): void {
  boundCorners(corners, bounds);
}

/** @param bounds written. [4] f64 */
function boundCorners(corners: Float64Array, bounds: Float64Array): void {
  let lowX = corners[0];
  let lowY = corners[1];
  let highX = lowX;
  let highY = lowY;
  for (let k = 2; k < corners.length; k += 2) {
    const x = corners[k];
    const y = corners[k + 1];
    if (x < lowX) lowX = x;
    if (x > highX) highX = x;
    if (y < lowY) lowY = y;
    if (y > highY) highY = y;
  }
  bounds[0] = lowX - SKIN;
  bounds[1] = lowY - SKIN;
  bounds[2] = highX + SKIN;
  bounds[3] = highY + SKIN;
}

/** After a step's motion: keeps the corners it began with, places the body, and looks to its box. */
export function moveBody(body: Body): void {
  const { corners, bounds, originX, originY } = body;
  body.corners = body.oldCorners;
  body.oldCorners = corners;
  body.bounds = body.oldBounds;
  body.oldBounds = bounds;
  placeBody(body);
  boundBody(body);
  fitFat(body, body.originX - originX, body.originY - originY);
}

/** After an impact, which left the body's old place where the impact was. */
export function moveAfterImpact(body: Body): void {
  const { x, y, angle } = body;
  body.x = body.oldX;
  body.y = body.oldY;
  body.angle = body.oldAngle;
  placeBody(body);
  boundCorners(body.corners, body.oldBounds);
  const { originX, originY } = body;
  body.x = x;
  body.y = y;
  body.angle = angle;
  placeBody(body);
  boundBody(body);
  fitFat(body, body.originX - originX, body.originY - originY);
}

/** Makes a new fat box where the present one does not hold all of the motion. @param dx of the origin within the step. */
function fitFat(body: Body, dx: number, dy: number): void {
  const { bounds, oldBounds, fat } = body;
  const lowX = Math.min(oldBounds[0], bounds[0]);
  const lowY = Math.min(oldBounds[1], bounds[1]);
  const highX = Math.max(oldBounds[2], bounds[2]);
  const highY = Math.max(oldBounds[3], bounds[3]);
  if (fat[0] <= lowX && fat[1] <= lowY && highX <= fat[2] && highY <= fat[3]) return;
  fat[0] = lowX - FAT;
  fat[1] = lowY - FAT;
  fat[2] = highX + FAT;
  fat[3] = highY + FAT;
  fat[dx < 0 ? 0 : 2] += dx * FAT_STEPS;
  fat[dy < 0 ? 1 : 3] += dy * FAT_STEPS;
  body.isFatNew = true;
}

/** Puts the body where it was at a share of the step, from where it is at its end. */
export function advanceOld(body: Body, share: number): void {
  const part = (share - body.elapsed) / (1 - body.elapsed);
  body.oldX = part * body.x + (1 - part) * body.oldX;
  body.oldY = part * body.y + (1 - part) * body.oldY;
  body.oldAngle = part * body.angle + (1 - part) * body.oldAngle;
  body.elapsed = share;
}

export function wake(body: Body): void {
  body.isAwake = true;
  body.restTime = 0;
}

export function sleep(body: Body): void {
  body.isAwake = false;
  body.restTime = 0;
  body.velocityX = 0;
  body.velocityY = 0;
  body.spin = 0;
  body.forceX = 0;
  body.forceY = 0;
  body.torque = 0;
}

/** Adds to the motion at once. @param x where it is applied. */
export function applyImpulse(body: Body, impulseX: number, impulseY: number, x: number, y: number): void {
  if (!body.isAwake) wake(body);
  body.velocityX += body.inverseMass * impulseX;
  body.velocityY += body.inverseMass * impulseY;
  body.spin += body.inverseInertia * ((x - body.x) * impulseY - (y - body.y) * impulseX);
}

/** For the next step, at the centre of mass. @param torque N m */
export function applyForce(body: Body, forceX: number, forceY: number, torque: number): void {
  if (!body.isAwake) wake(body);
  body.forceX += forceX;
  body.forceY += forceY;
  body.torque += torque;
}
