/**
 * The two-legged robot of BipedalWalker-v3 on its course, as bodies of Box2D. Lengths in metres; a pixel of the screen is 1/30 m.
 *
 * Numbers of Gymnasium's BipedalWalker-v3 (O. Klimov), code of our own.
 */
import type { Body, RevoluteJoint, World } from 'planck';
import type { EnvRandom } from '../../src/env/env-random.ts';
import type { ActionArray } from '../../src/env/vector-env.ts';
import { type Course, drawCourse, GROUND_HEIGHT, NUM_START_PIECES, PIECE } from './course.ts';
import { hideGround, restGround } from './ground.ts';
import { planck } from './planck.ts';
import { quickenHinges } from './quick-hinges.ts';
import { castRays, NUM_RAYS, type Surface, surfaceOf } from './rays.ts';
import {
  createHull,
  createLimb,
  createWorld,
  limitedMotor,
  SCALE,
  stepWorld,
  watchContacts,
} from './world.ts';

const GRAVITY = -10;
const INITIAL_FORCE = 5; // N, at most, forwards or backwards
const GROUND_FRICTION = 2.5;
const HULL_CORNERS = [-30, 9, 6, 9, 34, 1, 34, -8, -30, -8];
const LEG_DOWN = -8 / SCALE;
const LEG_WIDTH = 8 / SCALE;
const LEG_HEIGHT = 34 / SCALE;
export const MOTOR_TORQUE = 80; // N m
export const HIP_SPEED = 4; // rad/s
export const KNEE_SPEED = 6;
const RAY_LENGTH = 160 / SCALE;

export interface Walker {
  readonly world: World;
  readonly course: Course;
  readonly surface: Surface;
  readonly hull: Body;
  /** Left upper, left lower, right upper, right lower. */
  readonly legs: readonly Body[];
  /** Left hip, left knee, right hip, right knee. */
  readonly joints: readonly RevoluteJoint[];
  /** To be called before every step of the world. */
  readonly beginStep: () => void;
  /** Whether the lower legs stand on something. */
  readonly touches: [boolean, boolean];
  hasFallen: boolean;
  /** How far each ray goes before it meets the ground, 1 = all its length. */
  readonly rays: Float64Array; // [NUM_RAYS] f64
}

/** A walker at the beginning of a course of its own. Draws: the course, the clouds, the first force. */
export function createWalker(random: EnvRandom, isHardcore: boolean): Walker {
  const world = createWorld(GRAVITY);
  const course = drawCourse(random, isHardcore);
  const surface = createGround(world, course);
  const x = (PIECE * NUM_START_PIECES) / 2;
  const y = GROUND_HEIGHT + 2 * LEG_HEIGHT;
  const hull = createHull(world, { x, y }, HULL_CORNERS, 0x20);
  hull.applyForceToCenter({ x: random.uniform(-INITIAL_FORCE, INITIAL_FORCE), y: 0 }, true);
  const limbs = [-1, 1].map((side) => createLeg(world, hull, x, y, side));
  const joints = limbs.flatMap((limb) => limb.joints);
  const legs = limbs.flatMap(({ bodies }) => bodies);
  const walker: Walker = {
    world,
    course,
    surface,
    hull,
    legs,
    joints,
    beginStep: quickenHinges(world, joints),
    touches: [false, false],
    hasFallen: false,
    rays: new Float64Array(NUM_RAYS),
  };
  watchContacts(world, hull, [legs[1], legs[3]], walker.touches, () => {
    walker.hasFallen = true;
  });
  return walker;
}

function createGround(world: World, course: Course): Surface {
  const { heights, blocks } = course;
  const shapes = blocks.map((corners) => new planck.Polygon(corners.map(([x, y]) => ({ x, y }))));
  for (const shape of shapes) world.createBody().createFixture({ shape, friction: GROUND_FRICTION });
  for (let i = 0; i + 1 < heights.length; i++) {
    const shape = new planck.Edge({ x: i * PIECE, y: heights[i] }, { x: (i + 1) * PIECE, y: heights[i + 1] });
    world.createBody().createFixture({ shape, friction: GROUND_FRICTION });
  }
  hideGround(world);
  return surfaceOf(course, shapes);
}

function createLeg(world: World, hull: Body, x: number, y: number, side: number) {
  const limb = (height: number, halfWidth: number) =>
    createLimb(world, { x, y: height }, side * 0.05, new planck.Box(halfWidth, LEG_HEIGHT / 2));
  const upper = limb(y - LEG_HEIGHT / 2 - LEG_DOWN, LEG_WIDTH / 2);
  const hip = limitedMotor(world, hull, upper, {
    anchorA: [0, LEG_DOWN],
    anchorB: [0, LEG_HEIGHT / 2],
    limits: [-0.8, 1.1],
    maxTorque: MOTOR_TORQUE,
    speed: side,
  });
  const lower = limb(y - (LEG_HEIGHT * 3) / 2 - LEG_DOWN, (0.8 * LEG_WIDTH) / 2);
  const knee = limitedMotor(world, upper, lower, {
    anchorA: [0, -LEG_HEIGHT / 2],
    anchorB: [0, LEG_HEIGHT / 2],
    limits: [-1.6, -0.1],
    maxTorque: MOTOR_TORQUE,
    speed: 1,
  });
  return { bodies: [upper, lower], joints: [hip, knee] };
}

/**
 * One step of 1/50 s: each motor turns with full speed in the direction of its action, as strongly as the action's size says; then the
 * rays are cast.
 */
export function walk(walker: Walker, actions: ActionArray, offset: number): void {
  const { hull, legs } = walker;
  // Box2D wakes what a motor turns even where its setting stays the same; planck does not.
  if (!hull.isAwake()) for (const body of [hull, ...legs]) body.setAwake(true);
  walker.joints.forEach((joint, k) => {
    const action = actions[offset + k];
    joint.setMotorSpeed((k % 2 === 0 ? HIP_SPEED : KNEE_SPEED) * Math.sign(action));
    joint.setMaxMotorTorque(MOTOR_TORQUE * Math.min(1, Math.abs(action)));
  });
  walker.beginStep();
  stepWorld(walker.world);
  restGround(walker.world);
  castRays(walker.surface, hull.getPosition(), RAY_LENGTH, walker.rays);
}
