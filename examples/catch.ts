import { Box, Discrete, type Env } from '../src/index.ts';

/** A ball falls; a paddle below moves left, stays or moves right. Return 1 for a catch, -1 for a miss. */
export default ({ width = 7, height = 9 } = {}): Env => {
  let ball = 0;
  let paddle = 0;
  let drop = 0;
  const observe = () => Float32Array.of(ball / width, paddle / width, drop / height);
  return {
    observationSpace: new Box(0, 1, [3]),
    actionSpace: new Discrete(3),
    reset({ seed = 0 } = {}) {
      ball = seed % width; // everything random comes from the episode's seed
      paddle = Math.floor(width / 2);
      drop = 0;
      return { observation: observe() };
    },
    step(action) {
      paddle = Math.min(width - 1, Math.max(0, paddle + Number(action) - 1));
      drop += 1;
      const terminated = drop >= height;
      const reward = terminated ? (paddle === ball ? 1 : -1) : 0;
      return { observation: observe(), reward, terminated, truncated: false };
    },
  };
};
