/** Players without learning that a policy should beat, and what they score. */
import { canSlide, game2048Kernel, slide } from '../../envs/game-2048.ts';
import { snakeKernel } from '../../envs/snake.ts';
import type { EnvKernelFactory } from '../../src/env/env-kernel.ts';
import type { JsonValue } from '../../src/json.ts';
import { mean } from '../statistics.ts';
import { greedySnakeAction, type SnakeState } from './greedy-snake.ts';

const NUM_GAMES = 400;
const SNAKE_SIZE = 6;

/** Mean return of {@link greedySnakeAction} on the default board. */
export const greedySnakeScore = (): number =>
  meanReturn(snakeKernel, (state) => greedySnakeAction(state as unknown as SnakeState, SNAKE_SIZE));

/** Mean return of {@link greedy2048Action}. */
export const greedy2048Score = (): number =>
  meanReturn(game2048Kernel, (state) => greedy2048Action((state as unknown as { board: number[] }).board));

/** The move that merges most; among equal ones the first of up, right, down, left that changes the board. */
export function greedy2048Action(board: readonly number[]): number {
  let best = 0;
  let most = -1;
  for (let action = 0; action < 4; action++) {
    const tried = Uint8Array.from(board); // exponents
    const points = canSlide(tried, action) ? slide(tried, action) : -1;
    if (points > most) {
      most = points;
      best = action;
    }
  }
  return best;
}

function meanReturn(makeKernel: EnvKernelFactory, act: (state: JsonValue) => number): number {
  const kernel = makeKernel(1, {});
  const returns = Array.from({ length: NUM_GAMES }, (_, seed) => {
    kernel.reset(0, seed);
    let total = 0;
    do {
      kernel.step(0, Int32Array.of(act(kernel.getState?.(0) ?? null)), 0);
      total += kernel.rewards[0];
    } while (kernel.terminated[0] === 0);
    return total;
  });
  return mean(returns);
}
