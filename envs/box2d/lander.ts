/**
 * The lander of LunarLander-v3 and the ground it lands on, as bodies of our engine. Lengths in metres; a pixel of the screen is 1/30 m.
 *
 * Numbers of Gymnasium's LunarLander-v3 (O. Klimov), code of our own.
 */
import type { EnvRandom } from '../../src/env/env-random.ts';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { applyForce, applyImpulse, type Body } from './engine/body.ts';
import { createGround, type Ground } from './engine/ground.ts';
import type { World } from './engine/scene.ts';
import { createWorld, type HingeParts, stepWorld } from './engine/world.ts';
import { restoreWorld, saveWorld } from './engine/world-state.ts';
import { createPart, hullPart, limbPart, SCALE } from './world.ts';

export const WIDTH = 600 / SCALE;
export const HEIGHT = 400 / SCALE;
export const PAD_HEIGHT = HEIGHT / 4;
const NUM_CHUNKS = 11;
const MIDDLE = 5;
/** From where the flag of the pad stands to the other one. */
export const PAD_ENDS = [chunkX(MIDDLE - 1), chunkX(MIDDLE + 1)] as const;

const INITIAL_FORCE = 1000; // N, at most, along each axis
const HULL = hullPart([-14, 17, -17, 0, -17, -10, 17, -10, 17, 0, 14, 17]);
const LEG_AWAY = 20 / SCALE;
export const LEG_DOWN = 18 / SCALE;
const LEG = limbPart(2 / SCALE, 8 / SCALE);
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
  /** Of the ground, at the ends of the chunks. */
  readonly heights: readonly number[];
  readonly random: EnvRandom;
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
  const heights = drawHeights(random);
  const hull = createPart(HULL, WIDTH / 2, HEIGHT, 0);
  const forceX = random.uniform(-INITIAL_FORCE, INITIAL_FORCE);
  applyForce(hull, forceX, random.uniform(-INITIAL_FORCE, INITIAL_FORCE), 0);
  const windIndex = hasWind ? random.integer(19_998) - 9999 : 0;
  const torqueIndex = hasWind ? random.integer(19_998) - 9999 : 0;
  const legs = [createLeg(-1), createLeg(1)] as const;
  const { world } = createWorld({
    gravity,
    ground: groundOf(heights),
    bodies: [hull, ...legs],
    hinges: [legHinge(1, -1), legHinge(2, 1)],
    onTouch: (body, isTouching) => {
      if (body > 0) lander.touches[body - 1] = isTouching;
      else if (isTouching) lander.hasCrashed = true;
    },
  });
  const lander: Lander = {
    world,
    hull,
    heights,
    random,
    windIndex,
    torqueIndex,
    legs,
    touches: [false, false],
    hasCrashed: false,
    mainPower: 0,
    sidePower: 0,
  };
  return lander;
}

/** A bottom below everything, then the surface. */
function groundOf(heights: readonly number[]): Ground {
  return createGround({
    blocks: [],
    irregular: [0, 0, WIDTH, 0],
    heights,
    spacing: chunkX(1),
    isOneBody: true,
    frictionOf: (piece) => (piece === 0 ? 0.2 : 0.1),
  });
}

/** @param side -1 or 1: the leg that is drawn right, then left. */
function createLeg(side: number): Body {
  return createPart(LEG, WIDTH / 2 - side * LEG_AWAY, HEIGHT, side * 0.05);
}

/** Between the hull and a leg. */
function legHinge(leg: number, side: number): HingeParts {
  return {
    bodyA: 0,
    bodyB: leg,
    anchorA: [0, 0],
    anchorB: [side * LEG_AWAY, LEG_DOWN],
    limits: side < 0 ? [0.4, 0.9] : [-0.9, -0.4],
    maxTorque: LEG_TORQUE,
    speed: 0.3 * side,
  };
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
  const { angle, originX: x, originY: y } = hull;
  const sin = Math.sin(angle);
  const cos = Math.cos(angle);
  const along = random.uniform(-1, 1) / SCALE;
  const across = random.uniform(-1, 1) / SCALE;
  if (main > 0) {
    const below = MAIN_ENGINE_BELOW + 2 * along;
    const ox = sin * below - cos * across;
    const oy = -cos * below - sin * across;
    const power = MAIN_POWER * main;
    applyImpulse(hull, -ox * power, -oy * power, x + ox, y + oy);
  }
  if (side > 0) {
    const away = 3 * across + turn * SIDE_ENGINE_AWAY;
    const ox = sin * along - cos * away;
    const oy = -cos * along - sin * away;
    const power = SIDE_POWER * side;
    const atX = x + ox - sin * SIDE_ENGINE_SHIFT;
    applyImpulse(hull, -ox * power, -oy * power, atX, y + oy + cos * SIDE_ENGINE_UP);
  }
  lander.mainPower = main;
  lander.sidePower = side * turn;
  stepWorld(lander.world);
}

/** Pushes by power * tanh(sin(0.02 k) + sin(0.01 pi k)), a sum that never repeats, and turns by the same of another k. */
function blow(lander: Lander, { power, turbulence }: Wind): void {
  const pattern = (k: number) => Math.tanh(Math.sin(0.02 * k) + Math.sin(Math.PI * 0.01 * k));
  applyForce(lander.hull, pattern(lander.windIndex) * power, 0, 0);
  lander.windIndex += 1;
  applyForce(lander.hull, 0, 0, pattern(lander.torqueIndex) * turbulence);
  lander.torqueIndex += 1;
}

/** To be taken between steps; heights are left out. */
export function saveLander({ world, random, touches, ...rest }: Lander): JsonObject {
  const { windIndex, torqueIndex, hasCrashed, mainPower, sidePower } = rest;
  const flags = { touches: [...touches], hasCrashed, windIndex, torqueIndex, mainPower, sidePower };
  return { ...flags, world: saveWorld(world), random: random.getState() };
}

/** @param lander above the same ground. */
export function restoreLander(lander: Lander, { touches, world, random, ...rest }: JsonObject): void {
  Object.assign(lander, rest);
  Object.assign(lander.touches, touches);
  lander.random.setState(random as JsonValue);
  restoreWorld(lander.world, world as JsonObject);
}
