/** An edge of the ground against a body: Box2D's search for the axis on which they are farthest apart, then clipping. */
import type { Body } from './body.ts';
import type { Ground } from './ground.ts';
import {
  CORNER,
  clip,
  createSegment,
  FACE,
  feature,
  featureKey,
  type Manifold,
  type Segment,
} from './manifold.ts';
import { BOTH_SKINS } from './settings.ts';

// One collision at a time: nothing below outlives a call.
const incident = createSegment();
const half = createSegment();
const clipped = createSegment();

/**
 * Fills a manifold; no points where they do not touch. An edge has two sides: its normal is turned to that on which the body's
 * centroid lies.
 */
export function collideEdge(manifold: Manifold, ground: Ground, edge: number, body: Body): void {
  manifold.numPoints = 0;
  const { edges } = ground;
  const x1 = edges[4 * edge];
  const y1 = edges[4 * edge + 1];
  const rightX = ground.normals[2 * edge];
  const rightY = ground.normals[2 * edge + 1];
  const { centroidX, centroidY } = body.polygon;
  const middleX = body.cos * centroidX - body.sin * centroidY + body.originX;
  const middleY = body.sin * centroidX + body.cos * centroidY + body.originY;
  const isFront = rightX * middleX + rightY * middleY - (rightX * x1 + rightY * y1) >= 0;
  const normalX = isFront ? rightX : -rightX;
  const normalY = isFront ? rightY : -rightY;
  const ofEdge = edgeSeparation(body, normalX, normalY, x1, y1);
  if (ofEdge > BOTH_SKINS) return;
  const side = farthestSide(body, edges, edge);
  if (side < 0) return;
  if (farthest > 0.98 * ofEdge + 0.001) clipEdge(manifold, edges, edge, body, side);
  else clipBody(manifold, edges, edge, body, isFront, normalX, normalY);
}

/** How far the body's nearest corner is from the edge's line. */
function edgeSeparation({ corners }: Body, nx: number, ny: number, x1: number, y1: number): number {
  const offset = nx * x1 + ny * y1;
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < corners.length; k += 2) {
    const distance = nx * corners[k] + ny * corners[k + 1] - offset;
    if (distance < least) least = distance;
  }
  return least;
}

let farthest = 0; // of the last side that was found

/** The side of the body from which the edge is farthest, inwards being negative; -1 where they do not touch. */
function farthestSide({ corners, normals }: Body, edges: Float64Array, edge: number): number {
  const at = 4 * edge;
  let side = -1;
  farthest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < corners.length; k += 2) {
    const nx = -normals[k];
    const ny = -normals[k + 1];
    const here = nx * corners[k] + ny * corners[k + 1];
    const distance1 = here - (nx * edges[at] + ny * edges[at + 1]);
    const distance2 = here - (nx * edges[at + 2] + ny * edges[at + 3]);
    const distance = distance1 < distance2 ? distance1 : distance2;
    if (distance > BOTH_SKINS) return -1;
    if (distance > farthest) {
      farthest = distance;
      side = k / 2;
    }
  }
  return side;
}

/** The face is the edge; the body's side that looks most against it is clipped. */
function clipBody(
  manifold: Manifold,
  edges: Float64Array,
  edge: number,
  body: Body,
  isFront: boolean,
  normalX: number,
  normalY: number,
): void {
  const { corners, normals } = body;
  let best = 0;
  let bestValue = Number.POSITIVE_INFINITY;
  for (let k = 0; k < normals.length; k += 2) {
    const value = normalX * normals[k] + normalY * normals[k + 1];
    if (value >= bestValue) continue;
    bestValue = value;
    best = k;
  }
  const next = best + 2 < corners.length ? best + 2 : 0;
  setEnd(incident, 0, corners[best], corners[best + 1], feature(0, FACE, best / 2, CORNER));
  setEnd(incident, 1, corners[next], corners[next + 1], feature(0, FACE, next / 2, CORNER));
  const from = 4 * edge + (isFront ? 0 : 2);
  const to = 4 * edge + (isFront ? 2 : 0);
  const planeX = edges[from];
  const planeY = edges[from + 1];
  const first = isFront ? 0 : 1;
  if (!clipTwice(normalX, normalY, planeX, planeY, edges[to], edges[to + 1], first, 1 - first)) return;
  manifold.isBodyFace = false;
  manifold.normalX = normalX;
  manifold.normalY = normalY;
  manifold.planeX = planeX;
  manifold.planeY = planeY;
  keepPoints(manifold, normalX, normalY, normalX * planeX + normalY * planeY, body);
}

/** The face is a side of the body; the edge is clipped. */
function clipEdge(manifold: Manifold, edges: Float64Array, edge: number, body: Body, side: number): void {
  const { corners, normals, polygon } = body;
  const at = 4 * edge;
  setEnd(incident, 0, edges[at], edges[at + 1], feature(0, CORNER, side, FACE));
  setEnd(incident, 1, edges[at + 2], edges[at + 3], feature(0, CORNER, side, FACE));
  const from = 2 * side;
  const next = side + 1 < polygon.numCorners ? side + 1 : 0;
  const to = 2 * next;
  const normalX = normals[from];
  const normalY = normals[from + 1];
  const planeX = corners[from];
  const planeY = corners[from + 1];
  if (!clipTwice(normalX, normalY, planeX, planeY, corners[to], corners[to + 1], side, next)) return;
  manifold.isBodyFace = true;
  manifold.normalX = polygon.normals[from];
  manifold.normalY = polygon.normals[from + 1];
  manifold.planeX = polygon.corners[from];
  manifold.planeY = polygon.corners[from + 1];
  keepPoints(manifold, normalX, normalY, normalX * planeX + normalY * planeY, body);
}

function setEnd({ ends, features }: Segment, k: number, x: number, y: number, packed: number): void {
  ends[2 * k] = x;
  ends[2 * k + 1] = y;
  features[k] = packed;
}

/** Clips the incident segment to the strip above a face from (x1, y1) to (x2, y2). @returns whether two points are left. */
function clipTwice(
  normalX: number,
  normalY: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  first: number,
  second: number,
): boolean {
  const sideX = normalY;
  const sideY = -normalX;
  if (!clip(half, incident, sideX, sideY, sideX * x1 + sideY * y1, first)) return false;
  return clip(clipped, half, -sideX, -sideY, -sideX * x2 + -sideY * y2, second);
}

/** Keeps the clipped points that lie within the skins of the face. */
function keepPoints(manifold: Manifold, normalX: number, normalY: number, offset: number, body: Body): void {
  const { ends, features } = clipped;
  const { isBodyFace, points, keys } = manifold;
  let count = 0;
  for (let k = 0; k < 2; k++) {
    const x = ends[2 * k];
    const y = ends[2 * k + 1];
    if (normalX * x + normalY * y - offset > BOTH_SKINS) continue;
    setPoint(points, count, x, y, isBodyFace ? null : body);
    keys[count] = featureKey(features[k], isBodyFace);
    count += 1;
  }
  manifold.numPoints = count;
}

/** @param body in whose frame the point is kept; null = as it is. */
export function setPoint(points: Float64Array, k: number, x: number, y: number, body: Body | null): void {
  if (body === null) {
    points[2 * k] = x;
    points[2 * k + 1] = y;
    return;
  }
  const dx = x - body.originX;
  const dy = y - body.originY;
  points[2 * k] = body.cos * dx + body.sin * dy;
  points[2 * k + 1] = -body.sin * dx + body.cos * dy;
}
