/**
 * Where a ray meets a shape that lies about the origin of its own frame, z being its axis. Rays are origin + t * direction; results are t > 0, or Infinity.
 * `normal` receives the outward normal of the last hit.
 */

export type Vector = [x: number, y: number, z: number];

const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** The nearer root of a t^2 + 2 b t + c = 0 that is positive. */
function nearRoot(a: number, b: number, c: number): number {
  const discriminant = b * b - a * c;
  if (discriminant < 0 || a === 0) return Infinity;
  const t = (-b - Math.sqrt(discriminant)) / a;
  return t > 0 ? t : Infinity;
}

export function hitSphere(o: Vector, d: Vector, radius: number, centre: number, normal: Vector): number {
  const z = o[2] - centre;
  const t = nearRoot(
    dot(d, d),
    o[0] * d[0] + o[1] * d[1] + z * d[2],
    o[0] * o[0] + o[1] * o[1] + z * z - radius * radius,
  );
  if (t === Infinity) return t;
  normal[0] = (o[0] + t * d[0]) / radius;
  normal[1] = (o[1] + t * d[1]) / radius;
  normal[2] = (z + t * d[2]) / radius;
  return t;
}

/** The side of a cylinder between z = -half and half. */
function hitSide(o: Vector, d: Vector, radius: number, half: number, normal: Vector): number {
  const t = nearRoot(
    d[0] * d[0] + d[1] * d[1],
    o[0] * d[0] + o[1] * d[1],
    o[0] * o[0] + o[1] * o[1] - radius * radius,
  );
  if (t === Infinity || Math.abs(o[2] + t * d[2]) > half) return Infinity;
  normal[0] = (o[0] + t * d[0]) / radius;
  normal[1] = (o[1] + t * d[1]) / radius;
  normal[2] = 0;
  return t;
}

export function hitCapsule(o: Vector, d: Vector, radius: number, half: number, normal: Vector): number {
  const side = hitSide(o, d, radius, half, normal);
  if (side !== Infinity) return side;
  const end: Vector = [0, 0, 0];
  const upper = hitSphere(o, d, radius, half, normal);
  const lower = hitSphere(o, d, radius, -half, end);
  if (lower >= upper) return upper;
  normal[0] = end[0];
  normal[1] = end[1];
  normal[2] = end[2];
  return lower;
}

export function hitCylinder(o: Vector, d: Vector, radius: number, half: number, normal: Vector): number {
  const side = hitSide(o, d, radius, half, normal);
  const lid = o[2] > 0 ? half : -half;
  const t = (lid - o[2]) / d[2];
  const [x, y] = [o[0] + t * d[0], o[1] + t * d[1]];
  if (!(t > 0) || t >= side || x * x + y * y > radius * radius) return side;
  normal[0] = 0;
  normal[1] = 0;
  normal[2] = Math.sign(lid);
  return t;
}

/** The plane z = 0, from above. */
export function hitPlane(o: Vector, d: Vector, normal: Vector): number {
  const t = -o[2] / d[2];
  if (!(t > 0) || o[2] < 0) return Infinity;
  normal[0] = 0;
  normal[1] = 0;
  normal[2] = 1;
  return t;
}
