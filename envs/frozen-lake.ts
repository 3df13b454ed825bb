/**
 * FrozenLake-v1: cross a frozen lake to the goal without falling into a hole, on ice that may send you sideways.
 *
 * ## Description
 * A grid of S (start), F (frozen), H (hole) and G (goal). The same rules as Gymnasium's FrozenLake-v1; `FrozenLake8x8-v1` is
 * the larger map with a limit of 200 steps.
 *
 * ## Action Space
 * `Discrete(4)`: 0 left, 1 down, 2 right, 3 up.
 *
 * ## Observation Space
 * `Discrete(rows * columns)`: row * columns + column.
 *
 * ## Rewards
 * `rewardSchedule`: [goal, hole, frozen], by default [1, 0, 0].
 *
 * ## Starting State
 * On S (one of them at random).
 *
 * ## Episode End
 * Terminated in a hole or at the goal; truncated after 100 steps (8x8: 200).
 *
 * ## Options
 * `map` (`4x4`, `8x8`, or rows such as ["SFF", "FHF", "FFG"]), `isSlippery` (true: with probability `successRate` the move
 * goes where it should, else to either side of that), `successRate` (1/3), `rewardSchedule`, `maxEpisodeSteps` (100; null =
 * none), `resetRng` (`operant`; `numpy` draws Gymnasium's seeded episodes). The best policy reaches the goal in 0.74 of the
 * episodes on the slippery 4x4 map, and in 0.91 on 8x8.
 *
 * State for `setState`: `{ state, random }`.
 */

import type { EnvKernelFactory } from '../src/env/env-kernel.ts';
import { checkRange, readEnvOptions } from '../src/env/env-options.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import type { Color } from '../src/env/render/canvas.ts';
import { gridFrame } from '../src/env/render/grid-frame.ts';
import { ConfigError } from '../src/errors.ts';
import type { JsonObject, JsonValue } from '../src/json.ts';
import { type Outcome, type TabularTask, tabularKernel } from './tabular.ts';

const ENV_ID = 'FrozenLake-v1';
const MAPS: Readonly<Record<string, readonly string[]>> = {
  '4x4': ['SFFF', 'FHFH', 'FFFH', 'HFFG'],
  '8x8': ['SFFFFFFF', 'FFFFFFFF', 'FFFHFFFF', 'FFFFFHFF', 'FFFHFFFF', 'FHHFFFHF', 'FHFFHFHF', 'FFFHFFFG'],
};
const MOVES = [
  [0, -1],
  [1, 0],
  [0, 1],
  [-1, 0],
]; // left, down, right, up as [rows, columns]

/** The lake that the options describe. */
export function frozenLakeTask(given?: JsonObject): TabularTask & { readonly rows: readonly string[] } {
  const options = readEnvOptions(ENV_ID, given, {
    map: null as JsonValue,
    isSlippery: true,
    successRate: 1 / 3,
    rewardSchedule: [1, 0, 0] as readonly number[],
    maxEpisodeSteps: 100,
    resetRng: 'operant',
  });
  checkRange(ENV_ID, 'successRate', options.successRate, 0, 1);
  const rows = readMap(options.map ?? '4x4');
  const [numRows, numColumns] = [rows.length, rows[0].length];
  const letters = rows.join('');
  const numStarts = [...letters].filter((letter) => letter === 'S').length;
  const sideways = (1 - options.successRate) / 2;

  const arrive = (state: number, direction: number, probability: number): Outcome => {
    const row = Math.floor(state / numColumns) + MOVES[direction][0];
    const column = (state % numColumns) + MOVES[direction][1];
    const isOnMap = row >= 0 && row < numRows && column >= 0 && column < numColumns;
    const next = isOnMap ? row * numColumns + column : state;
    const reward = options.rewardSchedule[{ G: 0, H: 1 }[letters[next]] ?? 2];
    return { probability, state: next, reward, terminated: isEnd(letters[next]) };
  };
  return {
    envId: ENV_ID,
    rows,
    numStates: letters.length,
    numActions: 4,
    outcomes(state, action) {
      if (isEnd(letters[state])) return [{ probability: 1, state, reward: 0, terminated: true }];
      if (!options.isSlippery) return [arrive(state, action, 1)];
      return [3, 0, 1].map((turn) =>
        arrive(state, (action + turn) % 4, turn === 0 ? options.successRate : sideways),
      );
    },
    startProbabilities: [...letters].map((letter) => (letter === 'S' ? 1 / numStarts : 0)),
    maxEpisodeSteps: options.maxEpisodeSteps,
    openRandom: envRandomOpener(ENV_ID, options.resetRng),
  };
}

/** N lakes; see the head of this file. */
export const frozenLakeKernel: EnvKernelFactory = (numEnvs, given) => {
  const task = frozenLakeTask(given);
  const kernel = tabularKernel(task, numEnvs);
  return {
    ...kernel,
    render: (n, mode) => drawGrid(task.rows, kernel.states[n], mode),
  };
};

const COLORS: Readonly<Record<string, Color>> = {
  S: [190, 215, 235],
  F: [220, 235, 245],
  H: [40, 70, 110],
  G: [240, 200, 80],
  '.': [225, 225, 215],
  C: [120, 60, 50],
};

/** A map as text, or as a picture with the player in red. */
export function drawGrid(rows: readonly string[], state: number, mode: 'rgb' | 'ansi' = 'rgb') {
  const numColumns = rows[0].length;
  if (mode === 'ansi') return gridText(rows, state);
  return gridFrame(rows.length, numColumns, (row, column) => ({
    color: COLORS[rows[row][column]],
    mark: row * numColumns + column === state ? [200, 50, 50] : undefined,
  }));
}

/** A map with the player in brackets. */
function gridText(rows: readonly string[], state: number): string {
  const numColumns = rows[0].length;
  return rows
    .map((row, r) =>
      [...row].map((cell, c) => (r * numColumns + c === state ? `[${cell}]` : ` ${cell} `)).join(''),
    )
    .join('\n');
}

function isEnd(letter: string): boolean {
  return letter === 'G' || letter === 'H';
}

function readMap(map: JsonValue): readonly string[] {
  if (typeof map === 'string' && map in MAPS) return MAPS[map];
  const rows = Array.isArray(map) ? (map as string[]) : [];
  const isMap =
    rows.length > 0 &&
    rows.every((row) => /^[SFHG]+$/.test(row) && row.length === rows[0].length) &&
    rows.some((row) => row.includes('S'));
  if (isMap) return rows;
  throw new ConfigError(
    'CONFIG_ENV_OPTION',
    `Expected option \`map\` of ${ENV_ID} to be 4x4, 8x8 or equally long rows of the letters S, F, H and G with at least ` +
      `one S, got ${JSON.stringify(map)}.`,
  );
}

/** Options in, one lake out. */
export const frozenLake = singleFactory(frozenLakeKernel);
/** N lakes in one thread. */
export const frozenLakeVector = vectorFactory(frozenLakeKernel);
