/**
 * CliffWalking-v1: walk along a cliff to the goal; the short way is the dangerous one.
 *
 * ## Description
 * Example 6.6 of Sutton and Barto, "Reinforcement Learning" (2018): a 4x12 grid, start at the lower left, goal at the lower
 * right, a cliff between them. Stepping off it costs 100 and leads back to the start. The same rules as Gymnasium's
 * CliffWalking-v1 (and CliffWalkingSlippery-v1).
 *
 * ## Action Space
 * `Discrete(4)`: 0 up, 1 right, 2 down, 3 left.
 *
 * ## Observation Space
 * `Discrete(48)`: row * 12 + column.
 *
 * ## Rewards
 * -1 for every step, -100 for one off the cliff.
 *
 * ## Starting State
 * 36, the lower left corner.
 *
 * ## Episode End
 * Terminated at 47, the lower right corner. Gymnasium has no limit; here 1000 steps, so that a learner sees an end.
 *
 * ## Options
 * `isSlippery` (false; true: a third of the moves go to each side), `maxEpisodeSteps` (1000; null = none), `resetRng`
 * (`operant`; `numpy` draws Gymnasium's seeded episodes). The best policy of the dry cliff scores -13.
 *
 * State for `setState`: `{ state, random }`.
 */
import type { EnvKernelFactory } from '../src/env/env-kernel.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import type { JsonObject } from '../src/json.ts';
import { drawGrid } from './frozen-lake.ts';
import { type Outcome, type TabularTask, tabularKernel } from './tabular.ts';

const ENV_ID = 'CliffWalking-v1';
const NUM_ROWS = 4;
const NUM_COLUMNS = 12;
const START = 36;
const GOAL = 47;
const MOVES = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
]; // up, right, down, left as [rows, columns]
const MAP = ['............', '............', '............', 'SCCCCCCCCCCG'];

/** The cliff that the options describe. */
export function cliffWalkingTask(given?: JsonObject): TabularTask {
  const options = readEnvOptions(ENV_ID, given, {
    isSlippery: false,
    maxEpisodeSteps: 1000,
    resetRng: 'operant',
  });
  const turns = options.isSlippery ? [3, 0, 1] : [0];
  return {
    envId: ENV_ID,
    numStates: NUM_ROWS * NUM_COLUMNS,
    numActions: 4,
    outcomes: (state, action) =>
      turns.map((turn) => arrive(state, MOVES[(action + turn) % 4], 1 / turns.length)),
    startProbabilities: Array.from({ length: NUM_ROWS * NUM_COLUMNS }, (_, state) =>
      state === START ? 1 : 0,
    ),
    maxEpisodeSteps: options.maxEpisodeSteps,
    openRandom: envRandomOpener(ENV_ID, options.resetRng),
  };
}

function arrive(state: number, [rows, columns]: readonly number[], probability: number): Outcome {
  const row = Math.min(Math.max(Math.floor(state / NUM_COLUMNS) + rows, 0), NUM_ROWS - 1);
  const column = Math.min(Math.max((state % NUM_COLUMNS) + columns, 0), NUM_COLUMNS - 1);
  const next = row * NUM_COLUMNS + column;
  if (next > START && next < GOAL) return { probability, state: START, reward: -100, terminated: false };
  return { probability, state: next, reward: -1, terminated: next === GOAL };
}

/** N cliffs; see the head of this file. */
export const cliffWalkingKernel: EnvKernelFactory = (numEnvs, given) => {
  const kernel = tabularKernel(cliffWalkingTask(given), numEnvs);
  return { ...kernel, render: (n, mode) => drawGrid(MAP, kernel.states[n], mode) };
};

/** Options in, one cliff out. */
export const cliffWalking = singleFactory(cliffWalkingKernel);
/** N cliffs in one thread. */
export const cliffWalkingVector = vectorFactory(cliffWalkingKernel);
