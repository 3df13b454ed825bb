/** Convex polygons in the frame of their body, and their mass. */

export interface Polygon {
  readonly numCorners: number;
  /** Counterclockwise, from the rightmost on; of several the lowest. */
  readonly corners: Float64Array; // [numCorners, 2] f64
  /** Of length 1, outwards, of the side from a corner to the next. */
  readonly normals: Float64Array; // [numCorners, 2] f64
  readonly centroidX: number;
  readonly centroidY: number;
}

export interface Mass {
  readonly mass: number; // kg
  readonly centerX: number; // m
  readonly centerY: number;
  /** About the centre. */
  readonly inertia: number; // kg m^2
}

/** @param points x, y, x, y, ... of a convex polygon no three corners of which lie on a line, in either direction. */
export function convexPolygon(points: readonly number[]): Polygon {
  const count = points.length / 2;
  let doubleArea = 0;
  let first = 0;
  for (let k = 0; k < count; k++) {
    const [x, y] = [points[2 * k], points[2 * k + 1]];
    const next = (k + 1) % count;
    doubleArea += x * points[2 * next + 1] - points[2 * next] * y;
    const isFarther = x > points[2 * first] || (x === points[2 * first] && y < points[2 * first + 1]);
    if (isFarther) first = k;
  }
  const way = doubleArea > 0 ? 1 : count - 1;
  const corners = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    const from = (first + k * way) % count;
    corners[2 * k] = points[2 * from];
    corners[2 * k + 1] = points[2 * from + 1];
  }
  const { centroidX, centroidY } = centroidOf(corners);
  return { numCorners: count, corners, normals: normalsOf(corners), centroidX, centroidY };
}

/** Around the origin; normals are exact. */
export function boxPolygon(halfWidth: number, halfHeight: number): Polygon {
  const [x, y] = [halfWidth, halfHeight];
  return {
    numCorners: 4,
    corners: Float64Array.of(x, -y, x, y, -x, y, -x, -y),
    normals: Float64Array.of(1, 0, 0, 1, -1, 0, 0, -1),
    centroidX: 0,
    centroidY: 0,
  };
}

function normalsOf(corners: Float64Array): Float64Array {
  const normals = new Float64Array(corners.length);
  for (let k = 0; k < corners.length; k += 2) {
    const next = (k + 2) % corners.length;
    const x = corners[next] - corners[k];
    const y = corners[next + 1] - corners[k + 1];
    const inverse = 1 / Math.sqrt(y * y + x * x);
    normals[k] = y * inverse;
    normals[k + 1] = -x * inverse;
  }
  return normals;
}

function centroidOf(corners: Float64Array) {
  let area = 0;
  let x = 0;
  let y = 0;
  for (let k = 0; k < corners.length; k += 2) {
    const next = (k + 2) % corners.length;
    const triangle = 0.5 * (corners[k] * corners[next + 1] - corners[k + 1] * corners[next]);
    area += triangle;
    const third = triangle * (1 / 3);
    x += third * (corners[k] + corners[next]);
    y += third * (corners[k + 1] + corners[next + 1]);
  }
  const inverse = 1 / area;
  return { centroidX: x * inverse, centroidY: y * inverse };
}

/**
 * Mass, centre and moment of inertia of a polygon, exactly.
 *
 * With c = x0 y1 - x1 y0 of each side: mass = d/2 sum c, centre = d/(6 mass) sum (p0 + p1) c, and about the origin
 * I = d/12 sum (p0 p0 + p0 p1 + p1 p1) c.
 *
 * @param points x, y, x, y, ... in either direction. @param density kg/m^2
 */
export function polygonMass(points: readonly number[], density: number): Mass {
  let doubleArea = 0;
  let x = 0;
  let y = 0;
  let moment = 0;
  for (let k = 0; k < points.length; k += 2) {
    const next = (k + 2) % points.length;
    const [px, py, qx, qy] = [points[k], points[k + 1], points[next], points[next + 1]];
    const cross = px * qy - qx * py;
    doubleArea += cross;
    x += (px + qx) * cross;
    y += (py + qy) * cross;
    moment += (px * px + px * qx + qx * qx + py * py + py * qy + qy * qy) * cross;
  }
  const mass = (density * Math.abs(doubleArea)) / 2;
  const centerX = x / (3 * doubleArea);
  const centerY = y / (3 * doubleArea);
  const inertia = (density * Math.abs(moment)) / 12 - mass * (centerX * centerX + centerY * centerY);
  return { mass, centerX, centerY, inertia };
}

/** Of a polygon around the origin, summed over the triangles between it and the sides, as Box2D sums them. @param density kg/m^2 */
export function boxMass({ corners }: Polygon, density: number): Mass {
  let area = 0;
  let inertia = 0;
  for (let k = 0; k < corners.length; k += 2) {
    const next = (k + 2) % corners.length;
    const [px, py, qx, qy] = [corners[k], corners[k + 1], corners[next], corners[next + 1]];
    const cross = px * qy - py * qx;
    area += 0.5 * cross;
    const squares = px * px + qx * px + qx * qx + (py * py + qy * py + qy * qy);
    inertia += 0.25 * (1 / 3) * cross * squares;
  }
  return { mass: density * area, centerX: 0, centerY: 0, inertia: density * inertia };
}
