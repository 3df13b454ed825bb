/** Worlds that need memory: what they hide, what they ask for, and how far one gets without. */
import { describe, expect, it } from 'vitest';
import { cartPoleKernel } from '../../envs/cart-pole.ts';
import { pendulumKernel } from '../../envs/pendulum.ts';
import { repeatFirstKernel } from '../../envs/repeat-first.ts';
import { tMazeKernel } from '../../envs/t-maze.ts';
import type { EnvKernel } from '../../src/env/env-kernel.ts';

function observe(kernel: EnvKernel, size: number): number[] {
  const out = new Float32Array(size);
  kernel.writeObservation(0, out, 0);
  return [...out];
}

const play = (kernel: EnvKernel, action: number) => {
  kernel.step(0, Int32Array.of(action), 0);
  return kernel.rewards[0];
};

describe('worlds without velocities', () => {
  it.each([
    ['cart-pole', cartPoleKernel, [0, 2], 4],
    ['pendulum', pendulumKernel, [0, 1], 3],
  ])('%s moves as the whole one and shows what is left', (_, create, kept, size) => {
    const [whole, hidden] = [create(1), create(1, { hideVelocity: true })];
    for (const kernel of [whole, hidden]) kernel.reset(0, 7);
    for (let t = 0; t < 30; t++) {
      for (const kernel of [whole, hidden]) play(kernel, t % 3 === 0 ? 1 : 0);
      const shown = observe(whole, size);
      expect(observe(hidden, 2)).toEqual(kept.map((k) => shown[k]));
      expect(hidden.rewards[0]).toBe(whole.rewards[0]);
      expect(hidden.terminated[0]).toBe(whole.terminated[0]);
    }
  });
});

describe('T-maze', () => {
  const [NORTH, EAST, SOUTH, WEST] = [0, 1, 2, 3];
  const open = (sign: number, length = 3) => {
    const kernel = tMazeKernel(1, { length });
    kernel.reset(0, 1);
    kernel.setState!(0, [0, sign]);
    return kernel;
  };

  it('shows the sign at the start alone and rewards the turn it named', () => {
    const kernel = open(1);
    expect(observe(kernel, 4)).toEqual([0, 1, 0, 0]);
    expect([play(kernel, EAST), play(kernel, EAST)]).toEqual([0, 0]);
    expect(observe(kernel, 4)).toEqual([0, 0, 1, 0]);
    expect(play(kernel, EAST)).toBe(0);
    expect(observe(kernel, 4)).toEqual([0, 0, 0, 1]);
    expect(play(kernel, SOUTH)).toBe(1);
    expect(kernel.terminated[0]).toBe(1);
  });

  it('ends with -1 at the other turn, and charges walls and ways back', () => {
    const kernel = open(0);
    expect([play(kernel, WEST), play(kernel, NORTH), play(kernel, EAST), play(kernel, WEST)]).toEqual([
      -0.1, -0.1, 0, -0.1,
    ]);
    for (let k = 0; k < 3; k++) play(kernel, EAST);
    expect(play(kernel, EAST)).toBe(-0.1);
    expect(kernel.terminated[0]).toBe(0);
    expect(play(kernel, SOUTH)).toBe(-1);
  });

  it('draws both signs equally often and has the documented limit', () => {
    const kernel = tMazeKernel(1);
    let numSouth = 0;
    for (let seed = 0; seed < 1000; seed++) {
      kernel.reset(0, seed);
      numSouth += observe(kernel, 4)[1];
    }
    expect(Math.abs(numSouth - 500)).toBeLessThan(65); // four deviations of a fair coin
    expect(kernel.maxEpisodeSteps).toBe(70);
  });
});

describe('repeat first', () => {
  it('rewards the first symbol alone, and ends after the last', () => {
    const kernel = repeatFirstKernel(1, { length: 4, numSymbols: 3 });
    kernel.reset(0, 1);
    kernel.setState!(0, [0, 2, 0, 2, 1]);
    expect(observe(kernel, 4)).toEqual([0, 0, 1, 1]);
    expect(play(kernel, 2)).toBe(0.25);
    expect(observe(kernel, 4)).toEqual([1, 0, 0, 0]);
    expect(play(kernel, 0)).toBe(0);
    expect([play(kernel, 2), kernel.terminated[0], play(kernel, 2), kernel.terminated[0]]).toEqual([
      0.25, 0, 0.25, 1,
    ]);
  });

  it('gives who repeats what is shown the documented return', () => {
    const kernel = repeatFirstKernel(1);
    let total = 0;
    for (let seed = 0; seed < 2000; seed++) {
      kernel.reset(0, seed);
      for (let t = 0; t < 16; t++) total += play(kernel, observe(kernel, 5).indexOf(1)) / 2000;
    }
    expect(total).toBeCloseTo(1 / 16 + 15 / 16 / 4, 1);
    expect(Math.abs(total - 0.297)).toBeLessThan(0.012);
  });
});
