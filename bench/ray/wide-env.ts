/** Nothing happens, in 2 kB a step: what is measured is how it travels. */
import { Box, Discrete, type Env } from '../../src/index.ts';

/** Elements of an observation, 4 bytes each. */
export const WIDTH = 512;
const EPISODE_STEPS = 200;

export default function wideEnv(): Env {
  const observation = new Float32Array(WIDTH); // [WIDTH] f32
  let step = 0;
  return {
    observationSpace: new Box(-1, 1, [WIDTH]),
    actionSpace: new Discrete(2),
    reset() {
      step = 0;
      return { observation };
    },
    step(action) {
      step += 1;
      observation[step % WIDTH] = step / EPISODE_STEPS;
      return { observation, reward: Number(action), terminated: false, truncated: step === EPISODE_STEPS };
    },
  };
}
