/** What does not move: blocks, and edges that run on from left to right. */
import type { Polygon } from './polygon.ts';
import { FAT, SKIN } from './settings.ts';

export interface Ground {
  readonly numPieces: number;
  /** The first pieces; the others are edges. */
  readonly blocks: readonly Polygon[];
  /** x1, y1, x2, y2 of each edge. */
  readonly edges: Float64Array; // [numEdges, 4] f64
  /** Of length 1, to the right of an edge's way. */
  readonly normals: Float64Array; // [numEdges, 2] f64
  readonly frictions: Float64Array; // [numPieces] f64
  /** Around each piece: least x, least y, largest x, largest y. */
  readonly fat: Float64Array; // [numPieces, 4] f64
  /** From this edge on edge k begins at x = (k - firstRegular) * spacing, and ends where the next one begins. */
  readonly firstRegular: number;
  readonly spacing: number;
  /** All pieces are of one body; else each is its own. Impacts need it. */
  readonly isOneBody: boolean;
  /** Share of the step at which an impact has met each body. */
  readonly elapsed: Float64Array; // [numPieces] f64
}

export interface GroundParts {
  readonly blocks: readonly Polygon[];
  /** Heights of the regular edges' ends. */
  readonly heights: readonly number[];
  readonly spacing: number;
  /** x1, y1, x2, y2, ... of edges before those. */
  readonly irregular: readonly number[];
  readonly isOneBody: boolean;
  /** Of blocks, irregular edges and regular edges. */
  readonly frictionOf: (piece: number) => number;
}

export function createGround(parts: GroundParts): Ground {
  const { blocks, heights, spacing, irregular, isOneBody } = parts;
  const firstRegular = irregular.length / 4;
  const numEdges = firstRegular + heights.length - 1;
  const numPieces = blocks.length + numEdges;
  const edges = new Float64Array(4 * numEdges);
  edges.set(irregular);
  for (let i = 0; i + 1 < heights.length; i++) {
    const at = 4 * (firstRegular + i);
    edges[at] = i * spacing;
    edges[at + 1] = heights[i];
    edges[at + 2] = (i + 1) * spacing;
    edges[at + 3] = heights[i + 1];
  }
  const frictions = new Float64Array(numPieces);
  for (let piece = 0; piece < numPieces; piece++) frictions[piece] = parts.frictionOf(piece);
  return {
    numPieces,
    blocks,
    edges,
    normals: edgeNormals(edges),
    frictions,
    fat: fatBoxes(blocks, edges),
    firstRegular,
    spacing,
    isOneBody,
    elapsed: new Float64Array(numPieces),
  };
}

function edgeNormals(edges: Float64Array): Float64Array {
  const normals = new Float64Array(edges.length / 2);
  for (let k = 0; k < normals.length; k += 2) {
    const x = edges[2 * k + 2] - edges[2 * k];
    const y = edges[2 * k + 3] - edges[2 * k + 1];
    const inverse = 1 / Math.sqrt(x * x + y * y);
    normals[k] = y * inverse;
    normals[k + 1] = -(x * inverse);
  }
  return normals;
}

function fatBoxes(blocks: readonly Polygon[], edges: Float64Array): Float64Array {
  const fat = new Float64Array(4 * blocks.length + edges.length);
  const bound = (at: number, corners: Float64Array, from: number, to: number) => {
    for (let axis = 0; axis < 2; axis++) {
      let low = Number.POSITIVE_INFINITY;
      let high = Number.NEGATIVE_INFINITY;
      for (let k = from + axis; k < to; k += 2) {
        low = Math.min(low, corners[k]);
        high = Math.max(high, corners[k]);
      }
      fat[at + axis] = low - SKIN - FAT;
      fat[at + 2 + axis] = high + SKIN + FAT;
    }
  };
  blocks.forEach(({ corners }, piece) => {
    bound(4 * piece, corners, 0, corners.length);
  });
  for (let at = 0; at < edges.length; at += 4) bound(4 * blocks.length + at, edges, at, at + 4);
  return fat;
}

/** Whether a box meets that of a piece. @param box [4] f64 */
export function meetsPiece({ fat }: Ground, piece: number, box: Float64Array): boolean {
  const at = 4 * piece;
  return !(
    box[0] - fat[at + 2] > 0 ||
    box[1] - fat[at + 3] > 0 ||
    fat[at] - box[2] > 0 ||
    fat[at + 1] - box[3] > 0
  );
}

/** Appends the pieces whose boxes meet a box, in ascending order. @param box [4] f64 */
export function findPieces(ground: Ground, box: Float64Array, found: number[]): void {
  const { blocks, firstRegular, spacing, numPieces } = ground;
  const numOthers = blocks.length + firstRegular;
  for (let piece = 0; piece < numOthers; piece++) if (meetsPiece(ground, piece, box)) found.push(piece);
  const from = Math.max(0, Math.floor((box[0] - FAT - SKIN) / spacing) - 1);
  const to = Math.min(numPieces - numOthers - 1, Math.floor((box[2] + FAT + SKIN) / spacing) + 1);
  for (let i = from; i <= to; i++) if (meetsPiece(ground, numOthers + i, box)) found.push(numOthers + i);
}

/** The body of a piece, as index into `elapsed`. */
export function bodyOfPiece({ isOneBody }: Ground, piece: number): number {
  return isOneBody ? 0 : piece;
}
