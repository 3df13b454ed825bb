/** What the worlds of Box2D here have in common: their scale, hulls and limbs. */
import { type Body, createBody } from './engine/body.ts';
import {
  boxMass,
  boxPolygon,
  convexPolygon,
  type Mass,
  type Polygon,
  polygonMass,
} from './engine/polygon.ts';

export const SCALE = 30; // pixels per metre
export const STEPS_PER_SECOND = 50;
const HULL_DENSITY = 5; // kg/m^2
const LIMB_DENSITY = 1;
const HULL_FRICTION = 0.1;
const LIMB_FRICTION = 0.2;

/** Of a moving polygon; the same for all bodies of the kind. */
export interface Part {
  readonly polygon: Polygon;
  readonly mass: Mass;
  readonly friction: number;
}

/** @param corners x, y, x, y, ... in pixels. */
export function hullPart(corners: readonly number[]): Part {
  const points = corners.map((x) => x / SCALE);
  const mass = polygonMass(points, HULL_DENSITY);
  return { polygon: convexPolygon(points), mass, friction: HULL_FRICTION };
}

/** A box of a leg. In metres. */
export function limbPart(halfWidth: number, halfHeight: number): Part {
  const polygon = boxPolygon(halfWidth, halfHeight);
  return { polygon, mass: boxMass(polygon, LIMB_DENSITY), friction: LIMB_FRICTION };
}

/** A body at rest. */
export function createPart({ polygon, mass, friction }: Part, x: number, y: number, angle: number): Body {
  return createBody(polygon, mass, friction, [x, y, angle]);
}
