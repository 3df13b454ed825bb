import { describe, expect, it } from 'vitest';
import { greedySnakeAction, type SnakeState } from '../../bench/learning/greedy-snake.ts';
import { snakeKernel } from '../../envs/snake.ts';
import type { JsonObject } from '../../src/json.ts';
import { openStream } from '../../src/random/streams.ts';

const [STRAIGHT, LEFT, RIGHT] = [0, 1, 2];

/** A 5x5 board: head at row 2, column 2, heading up, body straight below it, apple at row 0, column 0. */
function start(changes: JsonObject = {}) {
  const kernel = snakeKernel(1, { size: 5 });
  kernel.reset(0, 1);
  const expiry = new Array(25).fill(0);
  [expiry[12], expiry[17], expiry[22]] = [3, 2, 1];
  const saved = kernel.getState!(0) as JsonObject;
  kernel.setState!(0, {
    ...saved,
    expiry,
    clock: 0,
    length: 3,
    head: 12,
    heading: 0,
    apple: 0,
    hunger: 0,
    ...changes,
  });
  const play = (...actions: number[]) => {
    for (const action of actions) kernel.step(0, Int32Array.of(action), 0);
    return { reward: kernel.rewards[0], terminated: kernel.terminated[0] };
  };
  const state = () => kernel.getState!(0) as unknown as SnakeState & { length: number };
  return { kernel, play, state, picture: () => kernel.render!(0, 'ansi') };
}

describe('snake', () => {
  it('moves, turns relative to its heading, and leaves its tail', () => {
    const { play, picture } = start();
    expect(picture()).toBe('+-----+\n|*    |\n|     |\n|  @  |\n|  o  |\n|  o  |\n+-----+');
    expect(play(LEFT)).toEqual({ reward: 0, terminated: 0 });
    expect(picture()).toBe('+-----+\n|*    |\n|     |\n| @o  |\n|  o  |\n|     |\n+-----+');
    play(RIGHT);
    expect(picture()).toBe('+-----+\n|*    |\n| @   |\n| oo  |\n|     |\n|     |\n+-----+');
  });

  it('grows by one cell and scores 1 for an apple', () => {
    const { play, picture, state } = start({ apple: 7 });
    expect(play(STRAIGHT)).toEqual({ reward: 1, terminated: 0 });
    expect(state().length).toBe(4);
    expect((picture() as string).match(/o/g)).toHaveLength(3);
    expect(state().expiry[state().apple]).toBeLessThanOrEqual(state().clock);
  });

  it('dies of walls and of itself, not of the cell that its tail leaves', () => {
    expect(start().play(STRAIGHT, STRAIGHT, STRAIGHT)).toEqual({ reward: -1, terminated: 1 });
    // Four cells in a square: the head enters the cell that the tail leaves.
    const expiry = new Array(25).fill(0);
    [expiry[12], expiry[13], expiry[18], expiry[17]] = [4, 3, 2, 1];
    const ring = { expiry, length: 4, heading: 3 };
    expect(start(ring).play(LEFT)).toEqual({ reward: 0, terminated: 0 });
    expiry[17] = 2;
    expect(start(ring).play(LEFT)).toEqual({ reward: -1, terminated: 1 });
  });

  it('starves after 2 size^2 steps without an apple', () => {
    const circle = [LEFT, LEFT, LEFT, LEFT];
    const { play } = start({ hunger: 46 });
    expect(play(...circle)).toEqual({ reward: 0, terminated: 0 });
    expect(play(LEFT)).toEqual({ reward: -1, terminated: 1 });
  });

  it('ends well when the board is full', () => {
    // All cells but the apple's, in a boustrophedon that ends beside it.
    const expiry = new Array(25).fill(0);
    const path = Array.from({ length: 25 }, (_, k) => {
      const row = Math.floor(k / 5);
      return row * 5 + (row % 2 === 0 ? k % 5 : 4 - (k % 5));
    });
    for (let k = 0; k < 24; k++) expiry[path[k]] = k + 1;
    const { play, state } = start({ expiry, length: 24, head: path[23], heading: 1, apple: path[24] });
    expect(play(STRAIGHT)).toEqual({ reward: 1, terminated: 1 });
    expect(state().length).toBe(25);
  });

  it('sees the board turned to its heading', () => {
    const views = [0, 1, 2, 3].map((heading) => {
      // The same scene turned with the snake: an apple two ahead and one to the right.
      const ahead = [-5, 1, 5, -1][heading];
      const right = [1, 5, -1, -5][heading];
      const expiry = new Array(25).fill(0);
      [expiry[12], expiry[12 - ahead], expiry[12 - 2 * ahead]] = [3, 2, 1];
      const { kernel } = start({ expiry, heading, apple: 12 + 2 * ahead + right });
      const row = new Float32Array(162);
      kernel.writeObservation(0, row, 0);
      return row;
    });
    for (const view of views) expect(view).toEqual(views[0]);
    const at = (plane: number, row: number, column: number) => views[0][plane * 81 + row * 9 + column];
    expect(at(1, 4 - 2, 4 + 1)).toBe(1);
    expect(views[0].subarray(81).reduce((sum, x) => sum + x)).toBe(1);
    expect(at(0, 4, 4)).toBeCloseTo(0.3);
    expect(at(0, 5, 4)).toBeCloseTo(0.2);
    expect(at(0, 6, 4)).toBeCloseTo(0.1);
    expect(at(0, 1, 4)).toBe(1); // beyond the upper edge
  });

  it('paints an image', () => {
    const kernel = snakeKernel(1, { size: 6, observation: 'image' });
    kernel.reset(0, 4);
    const pixels = new Uint8Array(108);
    kernel.writeObservation(0, pixels, 0);
    const count = (channel: number) => [...pixels].filter((x, i) => i % 3 === channel && x > 0).length;
    expect([count(0), count(1), count(2)]).toEqual([1, 3, 0]);
    expect(Math.max(...pixels)).toBe(255);
  });

  it('keeps its books over many games', () => {
    const size = 6;
    const kernel = snakeKernel(1, { size });
    const stream = openStream(3, 'test', 'snake');
    let numApples = 0;
    for (let game = 0; game < 60; game++) {
      kernel.reset(0, game);
      do {
        const before = kernel.getState!(0) as unknown as SnakeState & { length: number };
        const action = stream.uniform() < 0.9 ? greedySnakeAction(before, size) : stream.integer(3);
        kernel.step(0, Int32Array.of(action), 0);
        const { expiry, clock, length, head, apple } = kernel.getState!(0) as unknown as typeof before;
        if (kernel.rewards[0] === 1) numApples += 1;
        if (kernel.terminated[0] === 1) break;
        expect(expiry.filter((x) => x > clock).length).toBe(length);
        expect(expiry[head]).toBe(clock + length);
        expect(expiry[apple] > clock).toBe(false);
      } while (kernel.terminated[0] === 0);
    }
    expect(numApples).toBeGreaterThan(300);
  });
});
