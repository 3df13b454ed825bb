/**
 * Rays over a course: planck's arithmetic for edges and polygons, without its search tree and its allocations. Pieces lie side by side along x, so those under a
 * ray are known. The same bits as `World.rayCast` (`ground.test.ts`), since a fraction does not depend on the order in which what it meets is asked.
 */
import type { RayCastInput, RayCastOutput, Shape, TransformValue, Vec2Value } from 'planck';
import { type Course, NUM_PIECES, PIECE } from './course.ts';
import { planck } from './planck.ts';

export const NUM_RAYS = 10;
const ANGLES = Array.from({ length: NUM_RAYS }, (_, k) => (1.5 * k) / NUM_RAYS);
const SIN = Float64Array.from(ANGLES, Math.sin);
const COS = Float64Array.from(ANGLES, Math.cos);

/** What rays meet. */
export interface Surface {
  readonly heights: readonly number[]; // [NUM_PIECES]
  /** Of each piece, of length 1, to the right of its way. */
  readonly normals: Float64Array; // [NUM_PIECES - 1, 2] f64
  readonly blocks: readonly { readonly shape: Shape; readonly left: number; readonly right: number }[];
}

/** @param shapes of the blocks of the course, in their order. */
export function surfaceOf({ heights, blocks }: Course, shapes: readonly Shape[]): Surface {
  const normals = new Float64Array(2 * (NUM_PIECES - 1));
  for (let i = 0; i + 1 < NUM_PIECES; i++) {
    const x = (i + 1) * PIECE - i * PIECE;
    const y = heights[i + 1] - heights[i];
    const inverse = 1 / Math.sqrt(y * y + x * x);
    normals[2 * i] = y * inverse;
    normals[2 * i + 1] = -x * inverse;
  }
  const bounds = blocks.map((corners, k) => {
    const xs = corners.map(([x]) => x);
    return { shape: shapes[k], left: Math.min(...xs), right: Math.max(...xs) };
  });
  return { heights, normals, blocks: bounds };
}

/**
 * How far each ray goes before it meets the ground, as a share of `length`: from one point, straight down and then ever further forwards.
 *
 * @param out written, 1 where nothing is met. [NUM_RAYS] f64
 */
export function castRays(surface: Surface, { x, y }: Vec2Value, length: number, out: Float64Array): void {
  for (let k = 0; k < NUM_RAYS; k++) {
    const toX = x + SIN[k] * length;
    const toY = y - COS[k] * length;
    const fraction = meetPieces(surface, x, y, toX, toY);
    out[k] =
      surface.blocks.length === 0 ? fraction : meetBlocks(surface, { x, y }, { x: toX, y: toY }, fraction);
  }
}

/** The least fraction at which a piece of the ground is met, else 1. */
function meetPieces({ heights, normals }: Surface, x: number, y: number, toX: number, toY: number): number {
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

const PLACE = planck.Transform.identity() as TransformValue;

function meetBlocks({ blocks }: Surface, p1: Vec2Value, p2: Vec2Value, fraction: number): number {
  let least = fraction;
  for (const { shape, left, right } of blocks) {
    if (right < p1.x || left > p2.x) continue;
    const input: RayCastInput = { p1, p2, maxFraction: least };
    const output = {} as RayCastOutput;
    if (shape.rayCast(output, input, PLACE as Parameters<Shape['rayCast']>[2], 0)) least = output.fraction;
  }
  return least;
}
