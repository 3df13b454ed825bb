/** Where a body touches a piece of ground: a face of one of them, and up to two points of the other one. */

export interface Manifold {
  numPoints: number;
  /** Whether the face is the body's, and the points lie in the world; else the face is the ground's, and the points lie in the body's frame. */
  isBodyFace: boolean;
  /** Of the face, in the frame of whose it is. */
  normalX: number;
  normalY: number;
  /** On the face. */
  planeX: number;
  planeY: number;
  readonly points: Float64Array; // [2, 2] f64
  /** What meets in each point, {@link featureKey}: by it a point of the next step is known again. */
  readonly keys: Int32Array; // [2] i32
  /** Along the normal and across it, of each point, N s. */
  readonly impulses: Float64Array; // [2, 2] f64
}

export function createManifold(): Manifold {
  return {
    numPoints: 0,
    isBodyFace: false,
    normalX: 0.5,
    normalY: 0.5,
    planeX: 0.5,
    planeY: 0.5,
    points: new Float64Array(4),
    keys: new Int32Array(2),
    impulses: new Float64Array(4),
  };
}

/** Kinds of features. */
export const CORNER = 0;
export const FACE = 1;

/** A feature of the ground and one of the body, packed. */
export function feature(indexA: number, kindA: number, indexB: number, kindB: number): number {
  return indexA | (indexB << 8) | (kindA << 16) | (kindB << 17);
}

/** The index on the second shape. */
export function secondIndex(packed: number): number {
  return (packed >> 8) & 0xff;
}

/** Box2D's number for a pair of features. @param isSwapped the first of them is the body's. */
export function featureKey(packed: number, isSwapped: boolean): number {
  const indexA = packed & 0xff;
  const indexB = secondIndex(packed);
  const kindA = (packed >> 16) & 1;
  const kindB = packed >> 17;
  return isSwapped
    ? indexB + indexA * 4 + kindB * 16 + kindA * 64
    : indexA + indexB * 4 + kindA * 16 + kindB * 64;
}

/** A segment whose ends know what they are. */
export interface Segment {
  readonly ends: Float64Array; // [2, 2] f64
  readonly features: Int32Array; // [2] i32
}

export function createSegment(): Segment {
  return { ends: new Float64Array(4), features: new Int32Array(2) };
}

/**
 * Cuts off what of a segment lies beyond a line.
 *
 * @param out written. @param index of the corner on whose line it is cut. @returns whether two ends are left.
 */
export function clip(
  out: Segment,
  { ends, features }: Segment,
  normalX: number,
  normalY: number,
  offset: number,
  index: number,
): boolean {
  const distance0 = normalX * ends[0] + normalY * ends[1] - offset;
  const distance1 = normalX * ends[2] + normalY * ends[3] - offset;
  let count = 0;
  if (distance0 <= 0) {
    out.ends[0] = ends[0];
    out.ends[1] = ends[1];
    out.features[0] = features[0];
    count = 1;
  }
  if (distance1 <= 0) {
    out.ends[2 * count] = ends[2];
    out.ends[2 * count + 1] = ends[3];
    out.features[count] = features[1];
    count += 1;
  }
  if (distance0 * distance1 < 0) {
    const part = distance0 / (distance0 - distance1);
    out.ends[2 * count] = (1 - part) * ends[0] + part * ends[2];
    out.ends[2 * count + 1] = (1 - part) * ends[1] + part * ends[3];
    out.features[count] = feature(index, CORNER, secondIndex(features[0]), FACE);
    count += 1;
  }
  return count === 2;
}
