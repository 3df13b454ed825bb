/** HybridMove by hand: each manoeuvre does its own, and nothing of the others' numbers. */
import { expect, it } from 'vitest';
import { hybridMoveKernel } from '../../envs/hybrid-move.ts';

const [ACCELERATE, TURN, BRAKE] = [0, 1, 2];

function open(state: readonly number[]) {
  const kernel = hybridMoveKernel(1);
  kernel.reset(0, 1);
  kernel.setState!(0, [...state]);
  const play = (manoeuvre: number, amount: number, angle: number) => {
    kernel.step(0, Float32Array.of(amount, angle, manoeuvre), 0); // alphabetical
    return {
      state: kernel.getState!(0) as number[],
      reward: kernel.rewards[0],
      ended: kernel.terminated[0],
    };
  };
  return { kernel, play };
}

it('accelerates, turns and brakes', () => {
  const { play } = open([0, 0, 0, 0, 0.5, 0]);
  const close = (numbers: readonly number[]) => numbers.map((x) => expect.closeTo(x, 6));
  let step = play(ACCELERATE, 0.5, 1);
  expect(step.state).toEqual(close([0.05, 0, 0.05, 0, 0.5, 0]));
  expect(step.reward).toBeCloseTo(0.05 - 0.01, 6); // 0.05 nearer, less the step
  step = play(TURN, 1, -1);
  expect(step.state).toEqual(close([0.05, -0.05, 0.05, -Math.PI / 2, 0.5, 0]));
  expect(step.reward).toBeCloseTo(0.45 - Math.sqrt(0.45 ** 2 + 0.05 ** 2) - 0.01, 6);
  step = play(BRAKE, 1, 1);
  expect(step.state).toEqual(close([0.05, -0.075, 0.025, -Math.PI / 2, 0.5, 0]));
});

it('ends in the circle below walking speed, and only there', () => {
  expect(open([0.45, 0, 0.1, 0, 0.5, 0]).play(BRAKE, 0, 0)).toMatchObject({ ended: 0 }); // 0.05 a step is too fast
  const { reward, ended } = open([0.45, 0, 0.03, 0, 0.5, 0]).play(BRAKE, 0, 0);
  expect(ended).toBe(1);
  expect(reward).toBeCloseTo(0.015 - 0.01 + 2, 6);
  expect(open([0, 0, 0.03, 0, 0.5, 0]).play(BRAKE, 0, 0)).toMatchObject({ ended: 0 });
});

it('stands at a wall, no faster than it may, and sees the circle from where it heads', () => {
  const { kernel, play } = open([0.95, 0, 0.19, 0, 0, 0.6]);
  expect(play(ACCELERATE, 1, 0).state.slice(0, 3)).toEqual([1, 0, 0]);
  const fast = open([-0.9, 0, 0.19, 0, 0, 0.6]).play(ACCELERATE, 1, 0).state;
  expect(fast[2]).toBeCloseTo(0.2, 6);
  const row = new Float32Array(7);
  kernel.setState!(0, [0.5, 0.5, 0.1, Math.PI / 2, 0.2, 0.8]);
  kernel.writeObservation(0, row, 0);
  // heading north: 0.3 to the north is ahead, 0.3 to the west is left
  expect([...row]).toEqual([0.5, 0.5, 0.5, 0, 1, 0.1, 0.1].map((x) => expect.closeTo(x, 6)));
});

it('begins apart from the circle, in bounds', () => {
  const kernel = hybridMoveKernel(1);
  for (let seed = 0; seed < 200; seed++) {
    kernel.reset(0, seed);
    const [x, y, speed, , goalX, goalY] = kernel.getState!(0) as number[];
    expect(Math.hypot(goalX - x, goalY - y)).toBeGreaterThanOrEqual(0.4);
    expect(Math.max(...[x, y, goalX, goalY].map(Math.abs))).toBeLessThanOrEqual(0.9);
    expect(speed).toBe(0);
  }
});
