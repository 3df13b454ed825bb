/**
 * Snake-v1: eat, grow, and do not bite yourself.
 *
 * ## Description
 * A snake on a square board, three cells long at the start. Each apple makes it one cell longer. The cell that the tail
 * leaves in a step may be entered in the same step.
 *
 * ## Action Space
 * `Discrete(3)`, relative to where the snake is heading: 0 straight on, 1 left, 2 right.
 *
 * ## Observation Space
 * `observation: 'view'` (default): `Box(2 * (2 size - 1)^2)` float32 in [0, 1]: the whole board around the head, turned so
 * that the snake heads upwards, as two planes, row by row. First plane: how long a cell stays blocked (steps / (2 size), at
 * most 1; walls 1). Second plane: 1 at the apple.
 * `observation: 'image'`: `Box(size x size x 3)` uint8, a picture of the board: body in green (bright at the head), apple in
 * red.
 *
 * ## Rewards
 * 1 for an apple, -1 for biting itself, a wall, or starving; 0 otherwise. So the return is the apples eaten, minus 1 unless
 * the board was filled.
 *
 * ## Starting State
 * A straight snake near the middle, in a random place and direction; an apple on a random free cell.
 *
 * ## Episode End
 * Terminated by a collision, when no apple was eaten for 2 size^2 steps (hunger), and when the board is full.
 *
 * ## Options
 * `size` (6: 5 to 20), `observation` (`view`), `maxEpisodeSteps` (null = none), `resetRng` (`operant`, `numpy`).
 *
 * State for `setState`: `{ expiry, clock, length, head, heading, apple, hunger, random }`.
 */

import type { RgbFrame } from '../src/env/env.ts';
import { type EnvKernel, type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { checkChoice, checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import type { EnvRandom } from '../src/env/env-random.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { gridFrame } from '../src/env/render/grid-frame.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import type { ObservationArray } from '../src/env/vector-env.ts';
import type { JsonObject, JsonValue } from '../src/json.ts';

const ENV_ID = 'Snake-v1';
const START_LENGTH = 3;
/** Headings: up, right, down, left. */
const ROW_STEP = [-1, 0, 1, 0];
const COLUMN_STEP = [0, 1, 0, -1];
const TURNS = [0, 3, 1];
const FULL = -1;

/**
 * N boards. A cell is blocked while `clock < expiry`; the clock stands still in the step in which an apple is eaten, so
 * that the whole body stays a step longer.
 */
interface Boards {
  readonly size: number;
  readonly expiry: Int32Array; // [numEnvs, size * size] i32
  readonly clock: Int32Array; // [numEnvs] i32
  readonly length: Int32Array; // [numEnvs] i32
  readonly head: Int32Array; // [numEnvs] i32, cell
  readonly heading: Int32Array; // [numEnvs] i32
  readonly apple: Int32Array; // [numEnvs] i32, cell; FULL = no free cell is left
  readonly hunger: Int32Array; // [numEnvs] i32
  readonly randoms: EnvRandom[]; // [numEnvs]
}

/** N snakes; see the head of this file. */
export const snakeKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    size: 6,
    observation: 'view',
    maxEpisodeSteps: null as JsonValue,
    resetRng: 'operant',
  });
  const { size } = options;
  checkInteger(ENV_ID, 'size', size, 5, 20);
  checkChoice(ENV_ID, 'observation', options.observation, ['view', 'image']);
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const boards = makeBoards(numEnvs, size, openRandom);
  const results = stepResults(numEnvs);
  const isImage = options.observation === 'image';
  const viewSize = 2 * (2 * size - 1) ** 2;

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: isImage ? new Box(0, 255, [size, size, 3], 'uint8') : new Box(0, 1, [viewSize]),
    actionSpace: new Discrete(3),
    maxEpisodeSteps: options.maxEpisodeSteps as number | null,
    masksActions: false,
    ...results,
    reset(n, seed) {
      boards.randoms[n] = openRandom(seed);
      startGame(boards, n);
    },
    step: (n, actions, offset) => move(boards, n, actions[offset], results),
    writeObservation: (n, out, offset) => (isImage ? writeImage : writeView)(boards, n, out, offset),
    getState: (n) => saveBoard(boards, n),
    setState: (n, state) => restoreBoard(boards, n, state as JsonObject),
    render: (n, mode) => (mode === 'ansi' ? boardText(boards, n) : boardFrame(boards, n)),
  };
};

function makeBoards(numEnvs: number, size: number, openRandom: (seed: number) => EnvRandom): Boards {
  const make = () => new Int32Array(numEnvs);
  return {
    size,
    expiry: new Int32Array(numEnvs * size * size),
    clock: make(),
    length: make(),
    head: make(),
    heading: make(),
    apple: make(),
    hunger: make(),
    randoms: Array.from({ length: numEnvs }, () => openRandom(0)),
  };
}

function startGame(boards: Boards, n: number): void {
  const { size, expiry, randoms } = boards;
  const random = randoms[n];
  const start = n * size * size;
  expiry.fill(0, start, start + size * size);
  const heading = random.integer(4);
  const row = 2 + random.integer(size - 4);
  const column = 2 + random.integer(size - 4);
  boards.heading[n] = heading;
  boards.head[n] = row * size + column;
  boards.clock[n] = 0;
  boards.length[n] = START_LENGTH;
  boards.hunger[n] = 0;
  for (let k = 0; k < START_LENGTH; k++) {
    const cell = (row - k * ROW_STEP[heading]) * size + column - k * COLUMN_STEP[heading];
    expiry[start + cell] = START_LENGTH - k;
  }
  placeApple(boards, n);
}

function placeApple({ size, expiry, clock, apple, length, randoms }: Boards, n: number): void {
  const start = n * size * size;
  const numFree = size * size - length[n];
  if (numFree === 0) {
    apple[n] = FULL;
    return;
  }
  let index = randoms[n].integer(numFree);
  let cell = 0;
  for (; ; cell++) if (expiry[start + cell] <= clock[n] && index-- === 0) break;
  apple[n] = cell;
}

function move(
  boards: Boards,
  n: number,
  action: number,
  { rewards, terminated }: Pick<EnvKernel, 'rewards' | 'terminated'>,
): void {
  const { size, expiry, clock, length, head, heading, apple, hunger } = boards;
  const start = n * size * size;
  heading[n] = (heading[n] + TURNS[action]) % 4;
  const row = Math.floor(head[n] / size) + ROW_STEP[heading[n]];
  const column = (head[n] % size) + COLUMN_STEP[heading[n]];
  const cell = row * size + column;
  const isOnBoard = row >= 0 && row < size && column >= 0 && column < size;
  const eats = isOnBoard && cell === apple[n];
  rewards[n] = 0;
  terminated[n] = 0;
  if (!eats) clock[n] += 1;
  hunger[n] = eats ? 0 : hunger[n] + 1;
  if (!isOnBoard || expiry[start + cell] > clock[n] || hunger[n] > 2 * size * size) {
    rewards[n] = -1;
    terminated[n] = 1;
    return;
  }
  if (eats) length[n] += 1;
  head[n] = cell;
  expiry[start + cell] = clock[n] + length[n];
  if (!eats) return;
  rewards[n] = 1;
  placeApple(boards, n);
  if (apple[n] === FULL) terminated[n] = 1;
}

function writeView(boards: Boards, n: number, out: ObservationArray, offset: number): void {
  const { size, expiry, clock, head, heading, apple } = boards;
  const start = n * size * size;
  const width = 2 * size - 1;
  const apples = offset + width * width;
  const headRow = Math.floor(head[n] / size);
  const headColumn = head[n] % size;
  // Unit vectors of "ahead" and "to the right" on the board.
  const aheadRow = ROW_STEP[heading[n]];
  const aheadColumn = COLUMN_STEP[heading[n]];
  const scale = 1 / (2 * size);
  let i = 0;
  for (let ahead = size - 1; ahead > -size; ahead--) {
    for (let right = 1 - size; right < size; right++, i++) {
      const row = headRow + ahead * aheadRow + right * aheadColumn;
      const column = headColumn + ahead * aheadColumn - right * aheadRow;
      if (row < 0 || row >= size || column < 0 || column >= size) {
        out[offset + i] = 1;
        out[apples + i] = 0;
        continue;
      }
      const cell = row * size + column;
      const remaining = expiry[start + cell] - clock[n];
      out[offset + i] = remaining <= 0 ? 0 : Math.min(1, remaining * scale);
      out[apples + i] = cell === apple[n] ? 1 : 0;
    }
  }
}

function writeImage(boards: Boards, n: number, out: ObservationArray, offset: number): void {
  const { size, expiry, clock, length, apple } = boards;
  const start = n * size * size;
  for (let cell = 0; cell < size * size; cell++) {
    const remaining = Math.max(0, expiry[start + cell] - clock[n]);
    out[offset + 3 * cell] = cell === apple[n] ? 255 : 0;
    out[offset + 3 * cell + 1] = remaining === 0 ? 0 : 55 + Math.round((200 * remaining) / length[n]);
    out[offset + 3 * cell + 2] = 0;
  }
}

function saveBoard(boards: Boards, n: number): JsonObject {
  const { size, expiry, clock, length, head, heading, apple, hunger, randoms } = boards;
  return {
    expiry: [...expiry.subarray(n * size * size, (n + 1) * size * size)],
    clock: clock[n],
    length: length[n],
    head: head[n],
    heading: heading[n],
    apple: apple[n],
    hunger: hunger[n],
    random: randoms[n].getState(),
  };
}

function restoreBoard(boards: Boards, n: number, state: JsonObject): void {
  boards.expiry.set(state.expiry as number[], n * boards.size * boards.size);
  for (const name of ['clock', 'length', 'head', 'heading', 'apple', 'hunger'] as const) {
    boards[name][n] = state[name] as number;
  }
  boards.randoms[n].setState(state.random as JsonValue);
}

function boardFrame({ size, expiry, clock, head, apple, length }: Boards, n: number): RgbFrame {
  return gridFrame(size, size, (row, column) => {
    const cell = row * size + column;
    const remaining = Math.max(0, expiry[n * size * size + cell] - clock[n]);
    const green = 90 + Math.round((140 * remaining) / length[n]);
    return {
      color: remaining > 0 ? [20, green, 40] : [28, 28, 34],
      mark: cell === apple[n] ? [220, 50, 50] : cell === head[n] ? [240, 240, 120] : undefined,
    };
  });
}

function boardText({ size, expiry, clock, head, apple }: Boards, n: number): string {
  const border = `+${'-'.repeat(size)}+`;
  const rows = Array.from({ length: size }, (_, row) => {
    const cells = Array.from({ length: size }, (_, column) => {
      const cell = row * size + column;
      if (cell === head[n]) return '@';
      if (cell === apple[n]) return '*';
      return expiry[n * size * size + cell] > clock[n] ? 'o' : ' ';
    });
    return `|${cells.join('')}|`;
  });
  return [border, ...rows, border].join('\n');
}

/** Options in, one snake out. */
export const snake = singleFactory(snakeKernel);
/** N snakes in one thread. */
export const snakeVector = vectorFactory(snakeKernel);
