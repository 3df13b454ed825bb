/**
 * The two-legged robot of BipedalWalker-v3 on its course, as bodies of our engine. Lengths in metres; a pixel of the screen is 1/30 m.
 *
 * Numbers of Gymnasium's BipedalWalker-v3 (O. Klimov), code of our own.
 */
import type { EnvRandom } from '../../src/env/env-random.ts';
import type { ActionArray } from '../../src/env/vector-env.ts';
import type { JsonObject } from '../../src/json.ts';
import { type Course, drawCourse, GROUND_HEIGHT, NUM_START_PIECES, PIECE } from './course.ts';
import { applyForce, type Body, wake } from './engine/body.ts';
import { createGround, type Ground } from './engine/ground.ts';
import { convexPolygon } from './engine/polygon.ts';
import type { Hinge, World } from './engine/scene.ts';
import { createWorld, type HingeParts, stepWorld } from './engine/world.ts';
import { restoreWorld, saveWorld } from './engine/world-state.ts';
import { castRays, NUM_RAYS } from './rays.ts';
import { createPart, hullPart, limbPart, SCALE } from './world.ts';

const GRAVITY = -10;
const INITIAL_FORCE = 5; // N, at most, forwards or backwards
const GROUND_FRICTION = 2.5;
const HULL = hullPart([-30, 9, 6, 9, 34, 1, 34, -8, -30, -8]);
const LEG_DOWN = -8 / SCALE;
const LEG_WIDTH = 8 / SCALE;
const LEG_HEIGHT = 34 / SCALE;
const UPPER_LEG = limbPart(LEG_WIDTH / 2, LEG_HEIGHT / 2);
const LOWER_LEG = limbPart((0.8 * LEG_WIDTH) / 2, LEG_HEIGHT / 2);
export const MOTOR_TORQUE = 80; // N m
export const HIP_SPEED = 4; // rad/s
export const KNEE_SPEED = 6;
const RAY_LENGTH = 160 / SCALE;

export interface Walker {
  readonly world: World;
  readonly course: Course;
  readonly hull: Body;
  /** Left upper, left lower, right upper, right lower. */
  readonly legs: readonly Body[];
  /** Left hip, left knee, right hip, right knee. */
  readonly joints: readonly Hinge[];
  /** Whether the lower legs stand on something. */
  readonly touches: [boolean, boolean];
  hasFallen: boolean;
  /** How far each ray goes before it meets the ground, 1 = all its length. */
  readonly rays: Float64Array; // [NUM_RAYS] f64
}

/** A walker at the beginning of a course of its own. Draws: the course, the clouds, the first force. */
export function createWalker(random: EnvRandom, isHardcore: boolean): Walker {
  const course = drawCourse(random, isHardcore);
  const x = (PIECE * NUM_START_PIECES) / 2;
  const y = GROUND_HEIGHT + 2 * LEG_HEIGHT;
  const hull = createPart(HULL, x, y, 0);
  applyForce(hull, random.uniform(-INITIAL_FORCE, INITIAL_FORCE), 0, 0);
  const legs = [-1, 1].flatMap((side) => [
    createPart(UPPER_LEG, x, y - LEG_HEIGHT / 2 - LEG_DOWN, side * 0.05),
    createPart(LOWER_LEG, x, y - (LEG_HEIGHT * 3) / 2 - LEG_DOWN, side * 0.05),
  ]);
  const { world, hinges } = createWorld({
    gravity: GRAVITY,
    ground: groundOf(course),
    bodies: [hull, ...legs],
    hinges: [...legHinges(1, -1), ...legHinges(3, 1)],
    onTouch: (body, isTouching) => {
      if (body === 0) walker.hasFallen ||= isTouching;
      else if (body % 2 === 0) walker.touches[body / 2 - 1] = isTouching;
    },
  });
  const walker: Walker = {
    world,
    course,
    hull,
    legs,
    joints: hinges,
    touches: [false, false],
    hasFallen: false,
    rays: new Float64Array(NUM_RAYS),
  };
  return walker;
}

function groundOf({ heights, blocks }: Course): Ground {
  return createGround({
    blocks: blocks.map((corners) => convexPolygon(corners.flat())),
    irregular: [],
    heights,
    spacing: PIECE,
    isOneBody: false,
    frictionOf: () => GROUND_FRICTION,
  });
}

/** Hip and knee of a leg. @param upper index of its upper part; the lower one follows. */
function legHinges(upper: number, side: number): HingeParts[] {
  const hip: HingeParts = {
    bodyA: 0,
    bodyB: upper,
    anchorA: [0, LEG_DOWN],
    anchorB: [0, LEG_HEIGHT / 2],
    limits: [-0.8, 1.1],
    maxTorque: MOTOR_TORQUE,
    speed: side,
  };
  const knee: HingeParts = {
    bodyA: upper,
    bodyB: upper + 1,
    anchorA: [0, -LEG_HEIGHT / 2],
    anchorB: [0, LEG_HEIGHT / 2],
    limits: [-1.6, -0.1],
    maxTorque: MOTOR_TORQUE,
    speed: 1,
  };
  return [hip, knee];
}

/**
 * One step of 1/50 s: each motor turns with full speed in the direction of its action, as strongly as the action's size says; then the
 * rays are cast.
 */
export function walk(walker: Walker, actions: ActionArray, offset: number): void {
  const { hull, legs, joints, world } = walker;
  // Box2D wakes what a motor turns even where its setting stays the same.
  if (!hull.isAwake) for (const body of [hull, ...legs]) wake(body);
  for (let k = 0; k < joints.length; k++) {
    const action = actions[offset + k];
    const speed = (k % 2 === 0 ? HIP_SPEED : KNEE_SPEED) * Math.sign(action);
    drive(joints[k], speed, MOTOR_TORQUE * Math.min(1, Math.abs(action)));
  }
  stepWorld(world);
  castRays(walker.course, world.ground, hull, RAY_LENGTH, walker.rays);
}

/** A motor that is set anew wakes its bodies. */
function drive(hinge: Hinge, speed: number, torque: number): void {
  if (speed === hinge.motorSpeed && torque === hinge.maxTorque) return;
  hinge.motorSpeed = speed;
  hinge.maxTorque = torque;
  wake(hinge.a);
  wake(hinge.b);
}

/** To be taken between steps; the course is left out. */
export function saveWalker({ world, touches, hasFallen }: Walker): JsonObject {
  return { touches: [...touches], hasFallen, world: saveWorld(world) };
}

/** @param walker on the same course. */
export function restoreWalker(walker: Walker, { touches, hasFallen, world }: JsonObject): void {
  Object.assign(walker.touches, touches);
  walker.hasFallen = hasFallen === true;
  restoreWorld(walker.world, world as JsonObject);
  castRays(walker.course, walker.world.ground, walker.hull, RAY_LENGTH, walker.rays);
}
