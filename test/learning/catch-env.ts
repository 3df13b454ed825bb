/** Catch (Osband et al. 2020, bsuite): a ball falls through a picture of 8 x 6 pixels; +1 for the paddle below it, else -1. */
import type { Env } from '../../src/env/env.ts';
import { Box, Discrete } from '../../src/env/spaces.ts';
import type { JsonObject } from '../../src/json.ts';
import { openStream, type Stream } from '../../src/random/streams.ts';

const HEIGHT = 8;
const WIDTH = 6;

/** DQN's, with which five seeds of five end at 1 after 8,000 steps (`npm run bench:learning -- --only pixels`). */
export const CATCH_TRAINING: JsonObject = {
  network: 'conv',
  convLayers: [[16, 3, 1]],
  hiddenSizes: [64],
  learningRate: 1e-3,
  batchSize: 32,
  learningStarts: 200,
  trainEvery: 4,
  updatesPerStep: 0.5,
  targetInterval: 100,
  double: true,
  epsilon: {
    schedule: 'piecewise',
    points: [
      [0, 1],
      [2000, 0.05],
    ],
  },
};

/** The best return of an episode is 1; with the first column at random, standing still catches one ball in six. */
export function catchGame(): Env {
  let random: Stream = openStream(0, 'catch');
  let ball = { row: 0, column: 0 };
  let paddle = 0;
  const picture = () => {
    const pixels = new Uint8Array(HEIGHT * WIDTH);
    pixels[ball.row * WIDTH + ball.column] = 255;
    pixels[(HEIGHT - 1) * WIDTH + paddle] = 255;
    return pixels;
  };
  return {
    observationSpace: new Box(0, 255, [HEIGHT, WIDTH, 1], 'uint8'),
    actionSpace: new Discrete(3),
    reset({ seed } = {}) {
      if (seed !== undefined) random = openStream(seed, 'catch');
      ball = { row: 0, column: random.integer(WIDTH) };
      paddle = WIDTH / 2;
      return { observation: picture() };
    },
    step(action) {
      paddle = Math.max(0, Math.min(WIDTH - 1, paddle + (action as number) - 1));
      ball.row += 1;
      const terminated = ball.row === HEIGHT - 1;
      const reward = terminated ? (ball.column === paddle ? 1 : -1) : 0;
      return { observation: picture(), reward, terminated, truncated: false };
    },
  };
}
