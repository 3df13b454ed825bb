/** Our engine in cases that are worked by hand. */
import { describe, expect, it } from 'vitest';
import { applyForce, applyImpulse, type Body, createBody } from '../../../envs/box2d/engine/body.ts';
import { createGround } from '../../../envs/box2d/engine/ground.ts';
import { hingeAngle, hingeSpeed } from '../../../envs/box2d/engine/hinge.ts';
import { boxMass, boxPolygon, convexPolygon, polygonMass } from '../../../envs/box2d/engine/polygon.ts';
import type { HingeParts } from '../../../envs/box2d/engine/world.ts';
import { createWorld, stepWorld } from '../../../envs/box2d/engine/world.ts';

const BOX = boxPolygon(0.5, 0.5);
const MASS = boxMass(BOX, 2); // 2 kg, moment 2 (1 + 1) / 12

const boxAt = (x: number, y: number, angle = 0) => createBody(BOX, MASS, 0.5, [x, y, angle]);

/** Over level ground at y = 0 from 0 to 20. */
function worldOf(bodies: readonly Body[], hinges: readonly HingeParts[] = [], gravity = -10) {
  const events: (readonly [number, boolean])[] = [];
  const made = createWorld({
    gravity,
    ground: createGround({
      blocks: [],
      irregular: [],
      heights: [0, 0, 0],
      spacing: 10,
      isOneBody: true,
      frictionOf: () => 0.5,
    }),
    bodies,
    hinges,
    onTouch: (...event) => {
      events.push(event);
    },
  });
  return { ...made, events };
}

const run = (world: Parameters<typeof stepWorld>[0], numSteps: number) => {
  for (let t = 0; t < numSteps; t++) stepWorld(world);
};

describe('masses', () => {
  it('are those of a box and of a triangle', () => {
    expect(MASS).toEqual({ mass: 2, centerX: 0, centerY: 0, inertia: expect.closeTo(1 / 3, 14) });
    const { mass, centerX, centerY, inertia } = polygonMass([0, 0, 3, 0, 0, 3], 2);
    expect([mass, centerX, centerY]).toEqual([9, 1, 1]);
    expect(inertia).toBeCloseTo((9 * (9 + 9)) / 18, 12); // m (b^2 + h^2) / 18 of a right triangle
  });

  it('do not depend on the way round, nor does the polygon, which begins at the right', () => {
    const there = [0, 0, 2, 0, 2, 1, 0, 1];
    const back = [0, 1, 2, 1, 2, 0, 0, 0];
    expect(polygonMass(there, 1)).toEqual(polygonMass(back, 1));
    for (const points of [there, back]) {
      const { corners, normals } = convexPolygon(points);
      expect([...corners]).toEqual([2, 0, 2, 1, 0, 1, 0, 0]);
      expect([...normals].map((x) => x + 0)).toEqual([1, 0, 0, 1, -1, 0, 0, -1]);
    }
  });
});

describe('a box', () => {
  it('falls by g dt^2 (1 + 2 + ... + n)', () => {
    const box = boxAt(5, 9);
    run(worldOf([box]).world, 30);
    expect(box.y).toBeCloseTo(9 - (10 * (30 * 31)) / 2 / 2500, 12);
    expect(box.velocityY).toBeCloseTo(-6, 12);
  });

  it('takes forces for one step and impulses at once, beside its centre as a turn', () => {
    const box = boxAt(5, 9);
    const { world } = worldOf([box], [], 0);
    applyForce(box, 100, 0, 50);
    run(world, 2);
    expect([box.velocityX, box.spin]).toEqual([expect.closeTo(1, 12), expect.closeTo(3, 12)]);
    applyImpulse(box, 0, 1, box.x + 0.5, box.y);
    expect([box.velocityY, box.spin]).toEqual([0.5, expect.closeTo(4.5, 12)]);
  });

  it('lands without a bounce, lies on its skin less the slop, and sleeps', () => {
    const box = boxAt(5, 1);
    const { world, events } = worldOf([box]);
    run(world, 60);
    expect(events).toEqual([[0, true]]);
    expect(box.isAwake).toBe(false);
    expect([box.velocityX, box.velocityY, box.spin]).toEqual([0, 0, 0]);
    expect(box.y).toBeGreaterThan(0.5 + 0.02 - 0.005 - 1e-4);
    expect(box.y).toBeLessThan(0.5 + 0.02 + 1e-4);
  });

  it('slides no farther than friction lets it: v^2 / (2 mu g)', () => {
    const box = boxAt(5, 0.515);
    const { world } = worldOf([box]);
    run(world, 10);
    const from = box.x;
    applyImpulse(box, 6, 0, box.x, box.y); // 3 m/s
    run(world, 60);
    expect(box.x - from).toBeCloseTo(9 / (2 * 0.5 * 10), 1);
    expect(Math.abs(box.velocityX)).toBeLessThan(1e-9);
  });

  it('does not pass through the ground, however fast', () => {
    const box = boxAt(5, 2);
    const { world, events } = worldOf([box]);
    applyImpulse(box, 0, -180, box.x, box.y); // 90 m/s, 1.8 m a step
    run(world, 3);
    expect(events[0]).toEqual([0, true]);
    expect(box.y).toBeGreaterThan(0.45);
    expect(Math.abs(box.velocityY)).toBeLessThan(1);
  });
});

describe('a hinge', () => {
  const hinge = (limits: readonly [number, number], speed: number, maxTorque: number): HingeParts => ({
    bodyA: 0,
    bodyB: 1,
    anchorA: [0.5, 0],
    anchorB: [-0.5, 0],
    limits,
    maxTorque,
    speed,
  });

  it('turns as fast as its motor, up to its limit', () => {
    const [a, b] = [boxAt(5, 9), boxAt(6, 9)];
    const { world, hinges } = worldOf([a, b], [hinge([-0.5, 0.5], 2, 1000)], 0);
    run(world, 5);
    expect(hingeSpeed(hinges[0])).toBeCloseTo(2, 9);
    expect(hingeAngle(hinges[0])).toBeCloseTo(0.2, 3);
    run(world, 45);
    expect(hingeAngle(hinges[0])).toBeCloseTo(0.5, 1);
    expect(Math.abs(hingeSpeed(hinges[0]))).toBeLessThan(1e-6);
    expect(a.velocityY + b.velocityY).toBeCloseTo(0, 9); // no force from outside
  });

  it('turns no more strongly than its motor may: torque dt (1/I_A + 1/I_B)', () => {
    const [a, b] = [boxAt(5, 9), boxAt(5, 9)];
    const parts: HingeParts = { ...hinge([-3, 3], 100, 4), anchorA: [0, 0], anchorB: [0, 0] };
    const { world, hinges } = worldOf([a, b], [parts], 0);
    run(world, 1);
    expect(hingeSpeed(hinges[0])).toBeCloseTo((4 / 50) * 6, 12);
  });

  it('holds its anchors together', () => {
    const [a, b] = [boxAt(5, 9), boxAt(6, 9)];
    const { world } = worldOf([a, b], [hinge([-1, 1], 0, 0)]);
    applyImpulse(b, 3, 2, b.x, b.y);
    for (let t = 0; t < 30; t++) {
      stepWorld(world);
      const atA = [a.cos * 0.5 + a.originX, a.sin * 0.5 + a.originY];
      const atB = [b.cos * -0.5 + b.originX, b.sin * -0.5 + b.originY];
      expect(Math.hypot(atA[0] - atB[0], atA[1] - atB[1])).toBeLessThan(0.005);
    }
  });
});
