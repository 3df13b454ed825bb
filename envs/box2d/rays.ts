/**
 * Rays over a course: Box2D's arithmetic for edges and polygons, without a search tree. Pieces lie side by side along x, so those under a ray are known. A
 * fraction does not depend on the order in which what it meets is asked.
 */
import { type Course, NUM_PIECES, PIECE } from './course.ts';
import type { Body } from './engine/body.ts';
import type { Ground } from './engine/ground.ts';
import type { Polygon } from './engine/polygon.ts';

export const NUM_RAYS = 10;
const ANGLES = Array.from({ length: NUM_RAYS }, (_, k) => (1.5 * k) / NUM_RAYS);
const SIN = Float64Array.from(ANGLES, Math.sin);
const COS = Float64Array.from(ANGLES, Math.cos);

/**
 * How far each ray goes before it meets the ground, as a share of `length`: from one point, straight down and then ever further forwards.
 *
 * @param out written, 1 where nothing is met. [NUM_RAYS] f64
 */
export function castRays(
  course: Course,
  ground: Ground,
  { originX: x, originY: y }: Body,
  length: number,
  out: Float64Array,
): void {
  for (let k = 0; k < NUM_RAYS; k++) {
    const toX = x + SIN[k] * length;
    const toY = y - COS[k] * length;
    const fraction = meetPieces(course.heights, ground.normals, x, y, toX, toY);
    out[k] = meetBlocks(ground, x, y, toX, toY, fraction);
  }
}

/** The least fraction at which a piece of the ground is met, else 1. */
function meetPieces(
  heights: readonly number[],
  normals: Float64Array,
  x: number,
  y: number,
  toX: number,
  toY: number,
): number {
  const dx = toX - x;
  const dy = toY - y;
  const first = Math.max(0, Math.floor(x / PIECE) - 1);
  const last = Math.min(NUM_PIECES - 2, Math.floor(toX / PIECE) + 1);
  let least = 1;
  for (let i = first; i <= last; i++) {
    const fromX = i * PIECE;
    const fromY = heights[i];
    const normalX = normals[2 * i];
    const normalY = normals[2 * i + 1];
    const denominator = normalX * dx + normalY * dy;
    if (denominator === 0) continue;
    const t = (normalX * (fromX - x) + normalY * (fromY - y)) / denominator;
    if (t < 0 || least < t) continue;
    const alongX = (i + 1) * PIECE - fromX;
    const alongY = heights[i + 1] - fromY;
    const share =
      ((x + t * dx - fromX) * alongX + (y + t * dy - fromY) * alongY) / (alongX * alongX + alongY * alongY);
    if (share >= 0 && share <= 1) least = t;
  }
  return least;
}

/** The least fraction, up to a given one, at which a block is met. */
function meetBlocks(
  { blocks, fat }: Ground,
  x: number,
  y: number,
  toX: number,
  toY: number,
  fraction: number,
): number {
  let least = fraction;
  for (let k = 0; k < blocks.length; k++)
    if (fat[4 * k + 2] >= x && fat[4 * k] <= toX) least = meetBlock(blocks[k], x, y, toX - x, toY - y, least);
  return least;
}

/** The fraction at which a ray enters a polygon; `most` where it does not before that. */
function meetBlock(block: Polygon, x: number, y: number, dx: number, dy: number, most: number): number {
  const { corners, normals } = block;
  let enter = 0;
  let leave = most;
  let isMet = false;
  for (let k = 0; k < corners.length; k += 2) {
    const numerator = normals[k] * (corners[k] - x) + normals[k + 1] * (corners[k + 1] - y);
    const denominator = normals[k] * dx + normals[k + 1] * dy;
    if (denominator === 0) {
      if (numerator < 0) return most;
    } else if (denominator < 0 && numerator < enter * denominator) {
      enter = numerator / denominator;
      isMet = true;
    } else if (denominator > 0 && numerator < leave * denominator) leave = numerator / denominator;
    if (leave < enter) return most;
  }
  return isMet ? enter : most;
}
