/** A picture of a simulation: a ray for every pixel, planes, spheres, capsules and cylinders, one light. About 0.1 s; nothing but JavaScript. */
import type { RgbFrame } from '../../src/env/env.ts';
import type { Camera } from './camera.ts';
import { hitCapsule, hitCylinder, hitPlane, hitSphere, type Vector } from './ray-shapes.ts';
import type { Simulation } from './simulation.ts';

const WIDTH = 400;
const HEIGHT = 300;
const FIELD_OF_VIEW = Math.PI / 4; // upright, as MuJoCo's own camera
/** MuJoCo's numbers of the kinds of geom. */
const PLANE = 0;
const SPHERE = 2;
const CAPSULE = 3;
const CYLINDER = 5;
const SKY: Vector = [0.72, 0.8, 0.9];
const LIGHT: Vector = [-0.36, -0.48, 0.8]; // towards it
const TILE = 0.5; // m
const TILE_SHADE = 0.82;
/** m from the camera, after which the ground fades into the sky. */
const FOG_START = 4;
const FOG_END = 14;

/** A geom that is looked at, in the frame of the world. */
interface Geom {
  readonly kind: number;
  readonly at: Vector;
  readonly axes: readonly number[]; // [3, 3], rows of the world, columns of the geom
  readonly size: Vector;
  readonly color: Vector;
  /** Around `at`; a plane has none. */
  readonly boundingRadius: number;
}

interface Hit {
  t: number;
  geom: Geom | null;
  readonly normal: Vector; // of the world
}

export function drawSimulation(simulation: Simulation, camera: Camera): RgbFrame {
  const geoms = takeGeoms(simulation);
  const { eye, forwards, right, up } = placeCamera(simulation, camera);
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3); // [HEIGHT, WIDTH, 3] u8
  const scale = Math.tan(FIELD_OF_VIEW / 2) / (HEIGHT / 2);
  const ray: Vector = [0, 0, 0];
  for (let row = 0; row < HEIGHT; row++) {
    const v = (HEIGHT / 2 - row - 0.5) * scale;
    for (let column = 0; column < WIDTH; column++) {
      const u = (column + 0.5 - WIDTH / 2) * scale;
      for (let k = 0; k < 3; k++) ray[k] = forwards[k] + u * right[k] + v * up[k];
      const color = shade(geoms, eye, ray);
      const i = (row * WIDTH + column) * 3;
      for (let k = 0; k < 3; k++) pixels[i + k] = Math.min(255, Math.round(255 * color[k]));
    }
  }
  return { width: WIDTH, height: HEIGHT, pixels };
}

function takeGeoms({ model, data }: Simulation): Geom[] {
  const numbers = (from: unknown, n: number, size: number) =>
    [...(from as Float64Array).subarray(n * size, (n + 1) * size)] as unknown as Vector;
  const geoms = Array.from({ length: model.ngeom }, (_, n): Geom => {
    const kind = (model.geom_type as Int32Array)[n];
    const size = numbers(model.geom_size, n, 3);
    return {
      kind,
      at: numbers(data.geom_xpos, n, 3),
      axes: numbers(data.geom_xmat, n, 9) as readonly number[],
      size,
      color: numbers(model.geom_rgba, n, 4),
      boundingRadius: kind === PLANE ? Infinity : size[0] + (kind === SPHERE ? 0 : size[1]),
    };
  });
  return geoms.filter(({ kind }) => [PLANE, SPHERE, CAPSULE, CYLINDER].includes(kind));
}

function placeCamera({ data }: Simulation, { follows, lookAt, distance, azimuth, elevation }: Camera) {
  const xpos = data.xpos as Float64Array;
  const [x, y] = follows === null ? [0, 0] : [xpos[3 * follows], xpos[3 * follows + 1]];
  const [a, e] = [azimuth, elevation].map((degrees) => (degrees * Math.PI) / 180);
  const forwards: Vector = [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
  const right: Vector = [Math.sin(a), -Math.cos(a), 0];
  const up = cross(right, forwards);
  const at: Vector = [x + lookAt[0], y + lookAt[1], lookAt[2]];
  const eye = at.map((value, k) => value - distance * forwards[k]) as Vector;
  return { eye, forwards, right, up };
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

const nearest: Hit = { t: Infinity, geom: null, normal: [0, 0, 0] };
const shadow: Hit = { t: Infinity, geom: null, normal: [0, 0, 0] };

function shade(geoms: readonly Geom[], eye: Vector, ray: Vector): Vector {
  cast(geoms, eye, ray, nearest);
  const { geom, t, normal } = nearest;
  if (geom === null) return SKY;
  const point = eye.map((value, k) => value + t * ray[k] + 1e-4 * normal[k]) as Vector;
  cast(geoms, point, LIGHT, shadow);
  const facing = Math.max(0, normal[0] * LIGHT[0] + normal[1] * LIGHT[1] + normal[2] * LIGHT[2]);
  const light = 0.45 + (shadow.geom === null ? 0.6 * facing : 0);
  let tile = 1;
  if (geom.kind === PLANE && Math.abs(Math.floor(point[0] / TILE) + Math.floor(point[1] / TILE)) % 2 === 1)
    tile = TILE_SHADE;
  const far = geom.kind === PLANE ? Math.min(1, Math.max(0, (t - FOG_START) / (FOG_END - FOG_START))) : 0;
  return geom.color.slice(0, 3).map((c, k) => (1 - far) * c * light * tile + far * SKY[k]) as Vector;
}

const origin: Vector = [0, 0, 0];
const direction: Vector = [0, 0, 0];
const normal: Vector = [0, 0, 0];

/** The first geom that a ray meets. */
function cast(geoms: readonly Geom[], from: Vector, ray: Vector, hit: Hit): void {
  hit.t = Infinity;
  hit.geom = null;
  for (const geom of geoms) {
    if (misses(geom, from, ray)) continue;
    const { axes, at } = geom;
    for (let k = 0; k < 3; k++) {
      origin[k] = 0;
      direction[k] = 0;
      for (let i = 0; i < 3; i++) {
        origin[k] += axes[3 * i + k] * (from[i] - at[i]);
        direction[k] += axes[3 * i + k] * ray[i];
      }
    }
    const t = hitGeom(geom);
    if (t >= hit.t) continue;
    hit.t = t;
    hit.geom = geom;
    for (let i = 0; i < 3; i++)
      hit.normal[i] = axes[3 * i] * normal[0] + axes[3 * i + 1] * normal[1] + axes[3 * i + 2] * normal[2];
  }
}

/** Whether the ray passes the ball around a geom. */
function misses({ at, boundingRadius }: Geom, from: Vector, ray: Vector): boolean {
  if (boundingRadius === Infinity) return false;
  let along = 0;
  let length = 0;
  let away = 0;
  for (let k = 0; k < 3; k++) {
    const delta = at[k] - from[k];
    along += delta * ray[k];
    length += ray[k] * ray[k];
    away += delta * delta;
  }
  return away - (along * along) / length > boundingRadius * boundingRadius;
}

function hitGeom({ kind, size }: Geom): number {
  if (kind === PLANE) return hitPlane(origin, direction, normal);
  if (kind === SPHERE) return hitSphere(origin, direction, size[0], 0, normal);
  const hitRound = kind === CAPSULE ? hitCapsule : hitCylinder;
  return hitRound(origin, direction, size[0], size[1], normal);
}
