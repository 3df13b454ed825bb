/** Worlds that are saved while they touch the ground, through JSON, and go on. */
import { describe, expect, it } from 'vitest';
import { bipedalWalkerKernel } from '../../../envs/bipedal-walker.ts';
import { lunarLanderKernel } from '../../../envs/lunar-lander.ts';
import type { EnvKernel } from '../../../src/env/env-kernel.ts';
import { flatSize } from '../../../src/env/flatten-space.ts';
import { pilotLander } from '../box2d-pilots.ts';

function observe(kernel: EnvKernel): Float32Array {
  const row = new Float32Array(flatSize(kernel.observationSpace));
  kernel.writeObservation(0, row, 0);
  return row;
}

type Act = (row: Float32Array, t: number) => Float32Array;

const fly: Act = (row) => Float32Array.from(pilotLander(row, true));
const kick: Act = (_, t) => Float32Array.from([0, 1, 2, 3], (k) => 0.6 * Math.sin(0.3 * t + 2 * k));

describe.each([
  ['a lander', lunarLanderKernel, { continuous: true, enableWind: true }, fly, [6, 7]],
  ['a walker', bipedalWalkerKernel, {}, kick, [8, 13]],
  ['a walker on a hard course', bipedalWalkerKernel, { hardcore: true, resetRng: 'numpy' }, kick, [8, 13]],
] as const)('%s', (_, factory, options, act, feet) => {
  it('goes on to the bit from where a foot was on the ground', () => {
    const [kernel, other] = [0, 1].map(() => factory(1, options));
    kernel.reset(0, 3);
    let t = 0;
    for (; t < 30 || feet.every((foot) => observe(kernel)[foot] === 0); t++) {
      kernel.step(0, act(observe(kernel), t), 0);
      expect([t < 500, kernel.terminated[0]]).toEqual([true, 0]);
    }
    other.setState?.(0, JSON.parse(JSON.stringify(kernel.getState?.(0))));
    for (const end = t + 25; t < end && kernel.terminated[0] === 0; t++) {
      expect(observe(other)).toEqual(observe(kernel));
      expect(other.getState?.(0)).toEqual(kernel.getState?.(0));
      for (const one of [kernel, other]) one.step(0, act(observe(one), t), 0);
      expect([other.rewards[0], other.terminated[0]]).toEqual([kernel.rewards[0], kernel.terminated[0]]);
    }
    expect(t).toBeGreaterThan(35);
  });
});
