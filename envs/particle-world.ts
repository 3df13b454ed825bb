/**
 * Discs on a plane that are pushed about, with damping and soft contacts: the physics of the multi-agent particle environments (mpe2), in
 * their numbers and in their order of operations.
 *
 * Each step of 0.1 s: p += v dt; v = 0.75 v + F dt, where F is 5 times the push and, for discs that collide, 100 k log(1 + exp((r - d) / k)) away
 * from each other, with d the distance of their centres, r the sum of their radii and k = 0.001.
 *
 * Source: R. Lowe et al. (2017), "Multi-Agent Actor-Critic for Mixed Cooperative-Competitive Environments"; numbers of mpe2 1.1 (core.py).
 */
import type { EnvRandom } from '../src/env/env-random.ts';
import type { JsonValue } from '../src/json.ts';

const STEP_SECONDS = 0.1;
const DAMPING = 0.25;
const PUSH_FORCE = 5;
const CONTACT_FORCE = 100;
const CONTACT_MARGIN = 1e-3;
/** So much farther apart than they touch, in margins, log(1 + exp(..)) is 0 in f64, since exp(-746) is. */
const NO_FORCE_DEPTH = 746;
/** Below, log1p(exp(x)) is exp(x) in f64: less than 2^-54 is lost beside 1. */
const EXP_ALONE_DEPTH = -38;

/** Bodies of environment n are `n * numBodies + k`: those that move first, then landmarks. */
export interface ParticleWorld {
  readonly numMoving: number;
  readonly numBodies: number;
  /** x to the right, y upwards. */
  readonly positions: Float64Array; // [N, numBodies, 2] f64
  readonly velocities: Float64Array; // [N, numMoving, 2] f64
  readonly forces: Float64Array; // [numMoving, 2] f64, of the environment that is stepped
  /** Discs of those that move; 0 = they pass through each other. */
  readonly radius: number;
}

/** What a push does: nothing, left, right, down, up. */
export const NUM_PUSHES = 5;
const PUSHES = [
  [0, 0],
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;

export function createParticleWorld(
  numEnvs: number,
  numMoving: number,
  numLandmarks: number,
  radius: number,
): ParticleWorld {
  const numBodies = numMoving + numLandmarks;
  return {
    numMoving,
    numBodies,
    positions: new Float64Array(numEnvs * numBodies * 2),
    velocities: new Float64Array(numEnvs * numMoving * 2),
    forces: new Float64Array(numMoving * 2),
    radius,
  };
}

/** Everybody at rest, uniform in the square from -1 to 1. */
export function scatter(world: ParticleWorld, n: number, random: EnvRandom): void {
  const { numMoving, numBodies, positions, velocities } = world;
  for (let k = 0; k < numBodies * 2; k++) positions[n * numBodies * 2 + k] = random.uniform(-1, 1);
  velocities.fill(0, n * numMoving * 2, (n + 1) * numMoving * 2);
}

/** @param pushes of those that move, as {@link NUM_PUSHES} numbers them, from `offset` on. */
export function stepWorld(world: ParticleWorld, n: number, pushes: Float32Array, offset: number): void {
  const { numMoving, numBodies, positions, velocities, forces, radius } = world;
  for (let a = 0; a < numMoving; a++) {
    const push = PUSHES[pushes[offset + a]] ?? PUSHES[0];
    forces[2 * a] = PUSH_FORCE * push[0];
    forces[2 * a + 1] = PUSH_FORCE * push[1];
  }
  if (radius > 0) addContacts(world, n);
  const base = n * numBodies * 2;
  const moving = n * numMoving * 2;
  for (let k = 0; k < numMoving * 2; k++) {
    positions[base + k] += velocities[moving + k] * STEP_SECONDS;
    velocities[moving + k] = velocities[moving + k] * (1 - DAMPING) + forces[k] * STEP_SECONDS;
  }
}

function addContacts({ numMoving, numBodies, positions, forces, radius }: ParticleWorld, n: number): void {
  const base = n * numBodies * 2;
  const farSquare = (2 * radius + NO_FORCE_DEPTH * CONTACT_MARGIN) ** 2;
  for (let a = 0; a < numMoving; a++) {
    for (let b = a + 1; b < numMoving; b++) {
      const dx = positions[base + 2 * a] - positions[base + 2 * b];
      const dy = positions[base + 2 * a + 1] - positions[base + 2 * b + 1];
      const square = dx * dx + dy * dy;
      if (square === 0 || square > farSquare) continue; // no direction in which to push, or no push
      const distance = Math.sqrt(square);
      const penetration = softplus((2 * radius - distance) / CONTACT_MARGIN) * CONTACT_MARGIN;
      const fx = ((CONTACT_FORCE * dx) / distance) * penetration;
      const fy = ((CONTACT_FORCE * dy) / distance) * penetration;
      forces[2 * a] += fx;
      forces[2 * a + 1] += fy;
      forces[2 * b] -= fx;
      forces[2 * b + 1] -= fy;
    }
  }
}

/** log(1 + e^x) */
function softplus(x: number): number {
  if (x > 0) return x + Math.log1p(Math.exp(-x));
  return x < EXP_ALONE_DEPTH ? Math.exp(x) : Math.log1p(Math.exp(x));
}

/** Square of the distance of two bodies of environment n. */
export function squareDistance(
  { numBodies, positions }: ParticleWorld,
  n: number,
  a: number,
  b: number,
): number {
  const i = 2 * (n * numBodies + a);
  const j = 2 * (n * numBodies + b);
  const dx = positions[i] - positions[j];
  const dy = positions[i + 1] - positions[j + 1];
  return dx * dx + dy * dy;
}

/** Writes where `to` is, seen from `from`: 2 elements. */
export function writeOffset(
  { numBodies, positions }: ParticleWorld,
  n: number,
  from: number,
  to: number,
  out: { [k: number]: number },
  offset: number,
): void {
  const [i, j] = [2 * (n * numBodies + from), 2 * (n * numBodies + to)];
  out[offset] = positions[j] - positions[i];
  out[offset + 1] = positions[j + 1] - positions[i + 1];
}

export interface SavedWorld {
  readonly positions: number[];
  readonly velocities: number[];
}

export function saveWorld({ numMoving, numBodies, positions, velocities }: ParticleWorld, n: number) {
  return {
    positions: [...positions.subarray(n * numBodies * 2, (n + 1) * numBodies * 2)],
    velocities: [...velocities.subarray(n * numMoving * 2, (n + 1) * numMoving * 2)],
  };
}

export function restoreWorld({ numMoving, numBodies, ...world }: ParticleWorld, n: number, state: JsonValue) {
  const { positions, velocities } = state as unknown as SavedWorld;
  world.positions.set(positions, n * numBodies * 2);
  world.velocities.set(velocities, n * numMoving * 2);
}
