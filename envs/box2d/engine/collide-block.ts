/** A block of the ground against a body, two convex polygons: the side on which they are farthest apart, then clipping. */
import type { Body } from './body.ts';
import { setPoint } from './collide-edge.ts';
import { CORNER, clip, createSegment, FACE, feature, featureKey, type Manifold } from './manifold.ts';
import type { Polygon } from './polygon.ts';
import { BOTH_SKINS, LINEAR_SLOP } from './settings.ts';

// One collision at a time: nothing below outlives a call.
const incident = createSegment();
const half = createSegment();
const clipped = createSegment();
const local = new Float64Array(2); // [2] f64
let bestSide = 0;

/** Fills a manifold; no points where they do not touch. */
export function collideBlock(manifold: Manifold, block: Polygon, body: Body): void {
  manifold.numPoints = 0;
  const ofBlock = blockSeparation(block, body);
  if (ofBlock > BOTH_SKINS) return;
  const blockSide = bestSide;
  const ofBody = bodySeparation(body, block);
  if (ofBody > BOTH_SKINS) return;
  if (ofBody > ofBlock + 0.1 * LINEAR_SLOP) clipBlock(manifold, block, body, bestSide);
  else clipBody(manifold, block, body, blockSide);
}

/** Along the normals of the block, in the frame of the body. */
function blockSeparation(
  { corners, normals }: Polygon,
  { sin, cos, originX, originY, polygon }: Body,
): number {
  const x = cos * -originX + sin * -originY;
  const y = -sin * -originX + cos * -originY;
  let farthest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < corners.length; k += 2) {
    const nx = cos * normals[k] - -sin * normals[k + 1];
    const ny = -sin * normals[k] + cos * normals[k + 1];
    const cornerX = cos * corners[k] - -sin * corners[k + 1] + x;
    const cornerY = -sin * corners[k] + cos * corners[k + 1] + y;
    const least = nearest(polygon.corners, nx, ny, nx * cornerX + ny * cornerY);
    if (least <= farthest) continue;
    farthest = least;
    bestSide = k / 2;
  }
  return farthest;
}

/** Along the normals of the body. */
function bodySeparation({ corners, normals }: Body, block: Polygon): number {
  let farthest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < corners.length; k += 2) {
    const nx = normals[k];
    const ny = normals[k + 1];
    const least = nearest(block.corners, nx, ny, nx * corners[k] + ny * corners[k + 1]);
    if (least <= farthest) continue;
    farthest = least;
    bestSide = k / 2;
  }
  return farthest;
}

function nearest(corners: Float64Array, nx: number, ny: number, offset: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < corners.length; k += 2) {
    const distance = nx * corners[k] + ny * corners[k + 1] - offset;
    if (distance < least) least = distance;
  }
  return least;
}

/** The side that looks most against a direction, as twice its index. */
function opposite(normals: Float64Array, x: number, y: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < normals.length; k += 2) {
    const value = x * normals[k] + y * normals[k + 1];
    if (value >= least) continue;
    least = value;
    best = k;
  }
  return best;
}

function setIncident(corners: Float64Array, at: number, side: number): void {
  const next = at + 2 < corners.length ? at + 2 : 0;
  for (let k = 0; k < 2; k++) {
    incident.ends[k] = corners[at + k];
    incident.ends[2 + k] = corners[next + k];
  }
  incident.features[0] = feature(side, FACE, at / 2, CORNER);
  incident.features[1] = feature(side, FACE, next / 2, CORNER);
}

/** The face is a side of the block. */
function clipBody(manifold: Manifold, block: Polygon, body: Body, side: number): void {
  const { sin, cos, polygon } = body;
  const nx = block.normals[2 * side];
  const ny = block.normals[2 * side + 1];
  setIncident(body.corners, opposite(polygon.normals, cos * nx + sin * ny, -sin * nx + cos * ny), side);
  setFace(manifold, block.corners, side);
  manifold.isBodyFace = false;
  keepPoints(manifold, body, block.corners, side, local[0], local[1]);
}

/** The face is a side of the body. */
function clipBlock(manifold: Manifold, block: Polygon, body: Body, side: number): void {
  const { sin, cos, polygon, normals } = body;
  setIncident(block.corners, opposite(block.normals, normals[2 * side], normals[2 * side + 1]), side);
  setFace(manifold, polygon.corners, side);
  const tangentX = cos * local[0] - sin * local[1];
  const tangentY = sin * local[0] + cos * local[1];
  manifold.isBodyFace = true;
  keepPoints(manifold, body, body.corners, side, tangentX, tangentY);
}

/** Normal and middle of a side, in its own frame; its direction goes to `local`. */
function setFace(manifold: Manifold, corners: Float64Array, side: number): void {
  const at = 2 * side;
  const next = at + 2 < corners.length ? at + 2 : 0;
  const x = corners[next] - corners[at];
  const y = corners[next + 1] - corners[at + 1];
  const inverse = 1 / Math.sqrt(x * x + y * y);
  local[0] = x * inverse;
  local[1] = y * inverse;
  manifold.normalX = local[1];
  manifold.normalY = -local[0];
  manifold.planeX = 0.5 * corners[at] + 0.5 * corners[next];
  manifold.planeY = 0.5 * corners[at + 1] + 0.5 * corners[next + 1];
}

/** Clips the incident side to the strip above a face, a skin wider at both ends, and keeps what lies within the skins of it. */
function keepPoints(
  manifold: Manifold,
  body: Body,
  corners: Float64Array,
  side: number,
  tangentX: number,
  tangentY: number,
): void {
  const from = 2 * side;
  const to = from + 2 < corners.length ? from + 2 : 0;
  const normalX = tangentY;
  const normalY = -tangentX;
  const offset = normalX * corners[from] + normalY * corners[from + 1];
  const start = -(tangentX * corners[from] + tangentY * corners[from + 1]) + BOTH_SKINS;
  const end = tangentX * corners[to] + tangentY * corners[to + 1] + BOTH_SKINS;
  if (!clip(half, incident, -tangentX, -tangentY, start, side)) return;
  if (!clip(clipped, half, tangentX, tangentY, end, to / 2)) return;
  const { isBodyFace, points, keys } = manifold;
  let count = 0;
  for (let k = 0; k < 2; k++) {
    const x = clipped.ends[2 * k];
    const y = clipped.ends[2 * k + 1];
    if (normalX * x + normalY * y - offset > BOTH_SKINS) continue;
    setPoint(points, count, x, y, isBodyFace ? null : body);
    keys[count] = featureKey(clipped.features[k], isBodyFace);
    count += 1;
  }
  manifold.numPoints = count;
}
