/** A picture says what the best action is: the quarter that is lit. Episodes of 8 independent steps. */
import type { Env } from '../../src/env/env.ts';
import { Box, Discrete } from '../../src/env/spaces.ts';
import { openStream } from '../../src/random/streams.ts';
import { PROBE_STEPS, type ProbeOptions } from './probe-env.ts';

const SIDE = 6;

export default ({ actions }: Pick<ProbeOptions, 'actions'>): Env => {
  let random = openStream(0, 'picture');
  let step = 0;
  let quarter = 0;
  const draw = () => {
    quarter = random.integer(4);
    const picture = new Uint8Array(SIDE * SIDE); // [SIDE, SIDE, 1] u8
    for (let y = 0; y < SIDE / 2; y++) {
      const row = (quarter < 2 ? y : y + SIDE / 2) * SIDE + (quarter % 2) * (SIDE / 2);
      picture.fill(255, row, row + SIDE / 2);
    }
    return picture;
  };
  const score = (action: unknown) =>
    actions === 'discrete' ? Number(action === quarter) : -(((action as Float32Array)[0] - quarter / 2) ** 2);
  return {
    observationSpace: new Box(0, 255, [SIDE, SIDE, 1], 'uint8'),
    actionSpace: actions === 'discrete' ? new Discrete(4) : new Box(-2, 2, [2]),
    reset({ seed = 0 } = {}) {
      random = openStream(seed, 'picture');
      step = 0;
      return { observation: draw() };
    },
    step(action) {
      step += 1;
      const reward = score(action);
      return { observation: draw(), reward, terminated: step === PROBE_STEPS, truncated: false };
    },
  };
};
