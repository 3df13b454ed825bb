/** Our solver of hinges against planck's own, which it replaces: the same bits, collisions and rest included. */
import { describe, expect, it } from 'vitest';
import { PLANCK } from '../../envs/box2d/peer.ts';
import { openEnvRandom } from '../../src/env/env-random.ts';
import { pilotLander } from './box2d-pilots.ts';
import { isInstalled } from './installed-envs.ts';

/** Takes ours away again, so that planck's comes to light. */
function restore(joints: readonly object[]): void {
  for (const joint of joints) {
    const own = joint as { solveVelocityConstraints?: unknown; solvePositionConstraints?: unknown };
    expect(Object.hasOwn(own, 'solveVelocityConstraints')).toBe(true);
    delete own.solveVelocityConstraints;
    delete own.solvePositionConstraints;
  }
}

describe.skipIf(!isInstalled(PLANCK))('hinges', async () => {
  const { createLander, fly } = await import('../../envs/box2d/lander.ts');
  const { createWalker, walk } = await import('../../envs/box2d/walker.ts');

  it('of a lander, from the sky to its rest', () => {
    let numRests = 0;
    for (const seed of [1, 2, 3, 4]) {
      const [ours, planck] = [0, 1].map(() => createLander(openEnvRandom(seed), -10, false));
      restore(planck.joints);
      for (let t = 0; t < 400 && ours.hull.isAwake(); t++) {
        const { x, y } = ours.hull.getPosition();
        const velocity = ours.hull.getLinearVelocity();
        const row = [x / 10 - 1, (y - 3.93) / 6.67, velocity.x / 5, velocity.y / 7.5];
        const down = ours.touches.map(Number);
        const turn = [ours.hull.getAngle(), 0.4 * ours.hull.getAngularVelocity()];
        const [action] = pilotLander([...row, ...turn, ...down], false);
        for (const lander of [ours, planck]) fly(lander, action === 2 ? 1 : 0, action % 2, action - 2, null);
        for (const k of [0, 1, 2]) {
          const [a, b] = [ours, planck].map(({ hull, legs }) => [hull, ...legs][k]);
          expect(placeOf(a)).toEqual(placeOf(b));
        }
      }
      numRests += ours.hull.isAwake() ? 0 : 1;
    }
    expect(numRests).toBeGreaterThan(1);
  });

  it('of a walker that kicks about', () => {
    const [ours, planck] = [0, 1].map(() => createWalker(openEnvRandom(5), true));
    restore(planck.joints);
    let numTouches = 0;
    for (let t = 0; t < 200; t++) {
      const actions = Float32Array.from([0, 1, 2, 3], (k) => Math.sin(0.3 * t + 5 * k));
      for (const walker of [ours, planck]) walk(walker, actions, 0);
      expect(placeOf(ours.legs[3])).toEqual(placeOf(planck.legs[3]));
      expect(placeOf(ours.hull)).toEqual(placeOf(planck.hull));
      numTouches += ours.touches.some(Boolean) ? 1 : 0;
    }
    expect(numTouches).toBeGreaterThan(20);
  });
});

function placeOf(body: { getAngle(): number; getPosition(): object; getLinearVelocity(): object }): string {
  return JSON.stringify([body.getAngle(), body.getPosition(), body.getLinearVelocity()]);
}
