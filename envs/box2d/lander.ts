/**
 * The lander of LunarLander-v3 and the ground it lands on, as bodies of Box2D. Lengths in metres; a pixel of the screen is 1/30 m.
 *
 * Numbers of Gymnasium's LunarLander-v3 (O. Klimov), code of our own.
 */
import type { Body, RevoluteJoint, World } from 'planck';
import type { EnvRandom } from '../../src/env/env-random.ts';
import { planck } from './planck.ts';
import { quickenHinges } from './quick-hinges.ts';
import {
  createHull,
  createLimb,
  createWorld,
  limitedMotor,
  SCALE,
  stepWorld,
  watchContacts,
} from './world.ts';

export const WIDTH = 600 / SCALE;
export const HEIGHT = 400 / SCALE;
export const PAD_HEIGHT = HEIGHT / 4;
const NUM_CHUNKS = 11;
const MIDDLE = 5;
/** From where the flag of the pad stands to the other one. */
export const PAD_ENDS = [chunkX(MIDDLE - 1), chunkX(MIDDLE + 1)] as const;

const INITIAL_FORCE = 1000; // N, at most, along each axis
const HULL_CORNERS = [-14, 17, -17, 0, -17, -10, 17, -10, 17, 0, 14, 17];
const LEG_AWAY = 20 / SCALE;
export const LEG_DOWN = 18 / SCALE;
const LEG_HALF_SIZE = [2 / SCALE, 8 / SCALE] as const;
const LEG_TORQUE = 40;
const MAIN_POWER = 13;
const SIDE_POWER = 0.6;
const MAIN_ENGINE_BELOW = 4 / SCALE;
const SIDE_ENGINE_AWAY = 12 / SCALE;
const SIDE_ENGINE_UP = 14 / SCALE;
/** Not the height above: Gymnasium's x offset has 17 where its y offset has 14, so a side engine's torque depends on the tilt. */
const SIDE_ENGINE_SHIFT = 17 / SCALE;

export interface Wind {
  readonly power: number;
  readonly turbulence: number;
}

export interface Lander {
  readonly world: World;
  readonly hull: Body;
  readonly legs: readonly [Body, Body];
  /** Of the left and the right leg. */
  readonly joints: readonly RevoluteJoint[];
  /** Of the ground, at the ends of the chunks. */
  readonly heights: readonly number[];
  readonly random: EnvRandom;
  /** To be called before every step of the world. */
  readonly beginStep: () => void;
  readonly touches: [boolean, boolean];
  hasCrashed: boolean;
  windIndex: number;
  torqueIndex: number;
  /** What the engines gave in the last step, 0 to 1, and to which side; for pictures. */
  mainPower: number;
  sidePower: number;
}

function chunkX(i: number): number {
  return (WIDTH / (NUM_CHUNKS - 1)) * i;
}

/** Draws 12 heights; the pad lies in the middle, and each point of the ground is the mean of three of them (less 1%). */
function drawHeights(random: EnvRandom): number[] {
  const drawn = Array.from({ length: NUM_CHUNKS + 1 }, () => random.uniform(0, HEIGHT / 2));
  for (let i = MIDDLE - 2; i <= MIDDLE + 2; i++) drawn[i] = PAD_HEIGHT;
  // The one before the first is the last.
  return Array.from(
    { length: NUM_CHUNKS },
    (_, i) => 0.33 * ((drawn[i - 1] ?? drawn[NUM_CHUNKS]) + drawn[i] + drawn[i + 1]),
  );
}

/** A lander above ground of its own. Draws: heights, the two parts of the first force, with wind where in its pattern it begins. */
export function createLander(random: EnvRandom, gravity: number, hasWind: boolean): Lander {
  const world = createWorld(gravity);
  const heights = drawHeights(random);
  const ground = world.createBody();
  const edge = (x1: number, y1: number, x2: number, y2: number, friction: number) =>
    ground.createFixture({ shape: new planck.Edge({ x: x1, y: y1 }, { x: x2, y: y2 }), friction });
  edge(0, 0, WIDTH, 0, 0.2);
  for (let i = 0; i < NUM_CHUNKS - 1; i++) edge(chunkX(i), heights[i], chunkX(i + 1), heights[i + 1], 0.1);

  const hull = createHull(world, { x: WIDTH / 2, y: HEIGHT }, HULL_CORNERS, 0x10);
  hull.applyForceToCenter(
    {
      x: random.uniform(-INITIAL_FORCE, INITIAL_FORCE),
      y: random.uniform(-INITIAL_FORCE, INITIAL_FORCE),
    },
    true,
  );
  const windIndex = hasWind ? random.integer(19_998) - 9999 : 0;
  const torqueIndex = hasWind ? random.integer(19_998) - 9999 : 0;
  const [left, right] = [createLeg(world, hull, -1), createLeg(world, hull, 1)];
  const joints = [left.joint, right.joint];
  const lander: Lander = {
    world,
    hull,
    heights,
    random,
    windIndex,
    torqueIndex,
    legs: [left.leg, right.leg],
    joints,
    beginStep: quickenHinges(world, joints),
    touches: [false, false],
    hasCrashed: false,
    mainPower: 0,
    sidePower: 0,
  };
  watchContacts(world, hull, lander.legs, lander.touches, () => {
    lander.hasCrashed = true;
  });
  return lander;
}

/** @param side -1 or 1: the leg that is drawn right, then left. */
function createLeg(world: World, hull: Body, side: number) {
  const position = { x: WIDTH / 2 - side * LEG_AWAY, y: HEIGHT };
  const leg = createLimb(world, position, side * 0.05, new planck.Box(...LEG_HALF_SIZE));
  const joint = limitedMotor(world, hull, leg, {
    anchorA: [0, 0],
    anchorB: [side * LEG_AWAY, LEG_DOWN],
    limits: side < 0 ? [0.4, 0.9] : [-0.9, -0.4],
    maxTorque: LEG_TORQUE,
    speed: 0.3 * side,
  });
  return { leg, joint };
}

/**
 * Runs the engines for one step of 1/50 s and lets it pass. Draws two numbers that scatter the thrust, whether there is any or not.
 *
 * @param main power of the main engine, 0 to 1.
 * @param side power of a side engine, 0 to 1, in the direction of `turn`: -1 left engine, 1 right engine.
 */
export function fly(lander: Lander, main: number, side: number, turn: number, wind: Wind | null): void {
  const { hull, random } = lander;
  if (wind !== null && !lander.touches[0] && !lander.touches[1]) blow(lander, wind);
  const angle = hull.getAngle();
  const sin = Math.sin(angle);
  const cos = Math.cos(angle);
  const along = random.uniform(-1, 1) / SCALE;
  const across = random.uniform(-1, 1) / SCALE;
  const { x, y } = hull.getPosition();
  if (main > 0) {
    const below = MAIN_ENGINE_BELOW + 2 * along;
    const ox = sin * below - cos * across;
    const oy = -cos * below - sin * across;
    const power = MAIN_POWER * main;
    hull.applyLinearImpulse({ x: -ox * power, y: -oy * power }, { x: x + ox, y: y + oy }, true);
  }
  if (side > 0) {
    const away = 3 * across + turn * SIDE_ENGINE_AWAY;
    const ox = sin * along - cos * away;
    const oy = -cos * along - sin * away;
    const power = SIDE_POWER * side;
    hull.applyLinearImpulse(
      { x: -ox * power, y: -oy * power },
      { x: x + ox - sin * SIDE_ENGINE_SHIFT, y: y + oy + cos * SIDE_ENGINE_UP },
      true,
    );
  }
  lander.mainPower = main;
  lander.sidePower = side * turn;
  lander.beginStep();
  stepWorld(lander.world);
}

/** Pushes by power * tanh(sin(0.02 k) + sin(0.01 pi k)), a sum that never repeats, and turns by the same of another k. */
function blow(lander: Lander, { power, turbulence }: Wind): void {
  const pattern = (k: number) => Math.tanh(Math.sin(0.02 * k) + Math.sin(Math.PI * 0.01 * k));
  lander.hull.applyForceToCenter({ x: pattern(lander.windIndex) * power, y: 0 }, true);
  lander.windIndex += 1;
  lander.hull.applyTorque(pattern(lander.torqueIndex) * turbulence, true);
  lander.torqueIndex += 1;
}
