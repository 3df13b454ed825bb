/** 36x36 grey pictures that cost nothing to make, for the convolutional update of workload 7. */
import { Box, Discrete } from '../../dist/src/index.js';

export default () => {
  const picture = new Uint8Array(36 * 36).fill(128);
  let step = 0;
  return {
    observationSpace: new Box(0, 255, [36, 36, 1], 'uint8'),
    actionSpace: new Discrete(3),
    reset() {
      step = 0;
      return { observation: picture };
    },
    step(action) {
      step += 1;
      return { observation: picture, reward: action - 1, terminated: step === 50, truncated: false };
    },
  };
};
