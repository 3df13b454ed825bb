/**
 * TMaze-v0: a sign at the beginning of a corridor says which way to turn at its end.
 *
 * ## Description
 * A corridor of `length` steps runs east from the starting cell to a junction. The sign in the starting cell can be read there alone, and every
 * cell between looks the same: who turns the right way has remembered the sign for `length` steps. Without memory the best return is 0.
 *
 * ## Action Space
 * `Discrete(4)`: 0 north, 1 east, 2 south, 3 west. A move into a wall changes nothing.
 *
 * ## Observation Space
 * `Box(4)` of 0 and 1: the sign says north, the sign says south, a cell of the corridor, the junction. Exactly one is 1.
 *
 * ## Rewards
 * At the junction north and south end the episode: 1 for the way that the sign said, -1 for the other. A move east in the corridor is
 * free, every other one costs `detourCost`: how to walk is learnt at once, what to remember is the task. Mean return 0.9 = right 19 times of 20.
 *
 * ## Starting State
 * The starting cell; the sign is north or south with probability 1/2.
 *
 * ## Episode End
 * Terminated by north or south at the junction; truncated after 2 * `length` + 10 steps.
 *
 * ## Options
 * `length` (30), `detourCost` (0.1), `maxEpisodeSteps` (null = 2 * `length` + 10).
 *
 * Source: Bakker (2002), "Reinforcement learning with long short-term memory", section 5, with other codes and with rewards that leave nothing to explore.
 *
 * State for `setState`: `[position, sign]`, sign 0 = north, 1 = south.
 */
import type { RgbFrame } from '../src/env/env.ts';
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import type { Color } from '../src/env/render/canvas.ts';
import { gridFrame } from '../src/env/render/grid-frame.ts';
import { Box, Discrete } from '../src/env/spaces.ts';

const ENV_ID = 'TMaze-v0';
const Move = { NORTH: 0, EAST: 1, SOUTH: 2, WEST: 3 } as const;
const View = { NORTH_SIGN: 0, SOUTH_SIGN: 1, CORRIDOR: 2, JUNCTION: 3, SIZE: 4 } as const;

/** N mazes; see the head of this file. */
export const tMazeKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, { length: 30, detourCost: 0.1, maxEpisodeSteps: null });
  const { length, detourCost } = options;
  checkInteger(ENV_ID, 'length', length, 1, 10_000);
  const positions = new Int32Array(numEnvs); // cells east of the start
  const signs = new Uint8Array(numEnvs); // 0 = north, 1 = south
  const results = stepResults(numEnvs);
  const { rewards, terminated } = results;

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Box(0, 1, [View.SIZE]),
    actionSpace: new Discrete(4),
    maxEpisodeSteps: options.maxEpisodeSteps ?? 2 * length + 10,
    masksActions: false,
    ...results,
    reset(n, seed) {
      positions[n] = 0;
      signs[n] = openEnvRandom(seed).integer(2);
    },
    step(n, actions, offset) {
      const move = actions[offset];
      const isAtJunction = positions[n] === length;
      const isTurn = move === Move.NORTH || move === Move.SOUTH;
      const wanted = signs[n] === 0 ? Move.NORTH : Move.SOUTH;
      terminated[n] = isAtJunction && isTurn ? 1 : 0;
      if (isAtJunction && isTurn) rewards[n] = move === wanted ? 1 : -1;
      else rewards[n] = move === Move.EAST && !isAtJunction ? 0 : -detourCost;
      if (move === Move.EAST) positions[n] = Math.min(length, positions[n] + 1);
      else if (move === Move.WEST) positions[n] = Math.max(0, positions[n] - 1);
    },
    writeObservation(n, out, offset) {
      for (let k = 0; k < View.SIZE; k++) out[offset + k] = 0;
      const isStart = positions[n] === 0;
      const seen = isStart ? signs[n] : positions[n] === length ? View.JUNCTION : View.CORRIDOR;
      out[offset + seen] = 1;
    },
    render: (n) => drawMaze(length, positions[n], signs[n]),
    getState: (n) => [positions[n], signs[n]],
    setState(n, state) {
      [positions[n], signs[n]] = state as number[];
    },
  };
};

const WALL: Color = [70, 70, 80];
const FLOOR: Color = [222, 222, 214];
const SIGN: Color = [230, 180, 60];
const AGENT: Color = [60, 110, 200];

/** Three rows: the corridor in the middle, the sign above or below its first cell, the two ways at its end. */
function drawMaze(length: number, position: number, sign: number): RgbFrame {
  return gridFrame(
    3,
    length + 1,
    (row, column) => {
      if (row === 1) return { color: FLOOR, mark: column === position ? AGENT : undefined };
      if (column === length) return { color: FLOOR };
      return { color: column === 0 && row === 2 * sign ? SIGN : WALL };
    },
    16,
  );
}

/** Options in, one maze out. */
export const tMaze = singleFactory(tMazeKernel);
/** N mazes in one thread. */
export const tMazeVector = vectorFactory(tMazeKernel);
