/** Our engine against planck, which it takes the place of: the same bits, in flight, on the ground, through impacts and at rest. */
import { describe, expect, it } from 'vitest';
import { applyImpulse, type Body, wake } from '../../../envs/box2d/engine/body.ts';
import type { Hinge } from '../../../envs/box2d/engine/scene.ts';
import { stepWorld } from '../../../envs/box2d/engine/world.ts';
import { createLander } from '../../../envs/box2d/lander.ts';
import { castRays } from '../../../envs/box2d/rays.ts';
import { createWalker } from '../../../envs/box2d/walker.ts';
import { openEnvRandom } from '../../../src/env/env-random.ts';
import { pilotLander } from '../box2d-pilots.ts';
import { type Mirror, mirrorOf, motionOf, motionOfCopy, stepMirror } from './planck-mirror.ts';

/** Pushes the hull of a lander and its copy as the engines do that its pilot asks for. */
function flyBoth(hull: Body, copy: Mirror['bodies'][number], touches: readonly boolean[]): void {
  const { originX, originY, velocityX, velocityY, angle, spin, x, y } = hull;
  const place = [originX / 10 - 1, (originY - 3.93) / 6.67, velocityX / 5, velocityY / 7.5];
  const [action] = pilotLander([...place, angle, 0.4 * spin, ...touches.map(Number)], false);
  if (action === 0) return;
  const [pushX, pushY] =
    action === 2 ? [-1.7 * Math.sin(angle), 1.7 * Math.cos(angle)] : [0.24 * (action - 2), 0.05];
  const at = action === 2 ? { x, y: y - 0.13 } : { x, y: y + 0.47 };
  applyImpulse(hull, pushX, pushY, at.x, at.y);
  copy.applyLinearImpulse({ x: pushX, y: pushY }, at, true);
}

describe('a lander', () => {
  it.each([1, 2, 3, 6])('flies, lands and sleeps as in planck (seed %i)', (seed) => {
    const lander = createLander(openEnvRandom(seed), -10, false);
    const { world, hull, touches } = lander;
    const mirror = mirrorOf(world);
    let numTouches = 0;
    for (let t = 0; t < 500 && hull.isAwake; t++) {
      if (seed < 4) flyBoth(hull, mirror.bodies[world.bodies.indexOf(hull)], touches); // the others fall
      stepWorld(world);
      stepMirror(mirror);
      expect(world.bodies.map(motionOf)).toEqual(mirror.bodies.map(motionOfCopy));
      numTouches += touches.some(Boolean) ? 1 : 0;
    }
    expect(numTouches).toBeGreaterThan(10);
    if (seed < 4) expect(hull.isAwake).toBe(false);
  });
});

function drive(hinge: Hinge, joint: Mirror['joints'][number], speed: number, torque: number): void {
  hinge.motorSpeed = speed;
  hinge.maxTorque = torque;
  wake(hinge.a);
  wake(hinge.b);
  joint.setMotorSpeed(speed);
  joint.setMaxMotorTorque(torque);
}

/** By planck, from the hull straight down and then ever further forwards. */
function castByPlanck({ planck }: Mirror, { originX: x, originY: y }: Body): number[] {
  return Array.from({ length: 10 }, (_, k) => {
    const angle = (1.5 * k) / 10;
    const length = 160 / 30;
    let least = 1;
    const to = { x: x + Math.sin(angle) * length, y: y - Math.cos(angle) * length };
    planck.rayCast({ x, y }, to, (fixture, _point, _normal, fraction) => {
      if ((fixture.getFilterCategoryBits() & 1) === 0) return -1;
      least = fraction;
      return fraction;
    });
    return least;
  });
}

describe('a walker', () => {
  it.each([
    [3, false],
    [7, true],
    [9, true],
  ])(
    "kicks about as in planck, and its rays meet what planck's meet (seed %i, hardcore %s)",
    (seed, isHardcore) => {
      const { world, course, hull, joints, rays, touches } = createWalker(openEnvRandom(seed), isHardcore);
      const mirror = mirrorOf(world);
      let [numTouches, numMet] = [0, 0];
      for (let t = 0; t < 150; t++) {
        joints.forEach((hinge, k) => {
          const action = Math.sin(0.21 * t + 5 * k + seed);
          const speed = (k % 2 === 0 ? 4 : 6) * Math.sign(action);
          drive(hinge, mirror.joints[world.hinges.indexOf(hinge)], speed, 80 * Math.abs(action));
        });
        stepWorld(world);
        stepMirror(mirror);
        expect(world.bodies.map(motionOf)).toEqual(mirror.bodies.map(motionOfCopy));
        castRays(course, world.ground, hull, 160 / 30, rays);
        expect([...rays]).toEqual(castByPlanck(mirror, hull));
        numTouches += touches.some(Boolean) ? 1 : 0;
        numMet += rays.filter((share) => share < 1).length;
      }
      expect(numTouches).toBeGreaterThan(20);
      expect(numMet).toBeGreaterThan(300);
    },
  );
});
