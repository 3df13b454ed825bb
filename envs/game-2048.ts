/**
 * Game2048-v1: slide tiles, merge equal ones, and make them as large as you can.
 *
 * ## Description
 * The puzzle of G. Cirulli (2014) by its rules: a 4x4 board of powers of two. A move slides all tiles one way; two equal
 * ones that meet become their sum, once per move. Then a 2 (or, one time in ten, a 4) appears on a random free cell.
 *
 * ## Action Space
 * `Discrete(4)`: 0 up, 1 right, 2 down, 3 left. Moves that change nothing are masked; taken all the same, they change
 * nothing and cost nothing.
 *
 * ## Observation Space
 * `observation: 'one-hot'` (default): `Box(256)` float32, for each cell, row by row, 16 numbers: 1 at the exponent of its tile
 * (0 = empty, 1 = 2, 2 = 4, ...). `observation: 'exponents'`: `Box(4x4x1)` uint8, the exponents.
 *
 * ## Rewards
 * The sum of the tiles made by merging, divided by `rewardScale` (100).
 *
 * ## Starting State
 * Two tiles.
 *
 * ## Episode End
 * Terminated when no move changes the board. Metrics of a finished game: `score`, `largestTile`.
 *
 * ## Options
 * `observation` (`one-hot`), `rewardScale` (100), `maxEpisodeSteps` (null = none), `resetRng` (`operant`, `numpy`).
 *
 * State for `setState`: `{ board, score, random }`, the board as exponents.
 */

import type { RgbFrame } from '../src/env/env.ts';
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { checkChoice, checkRange, readEnvOptions } from '../src/env/env-options.ts';
import type { EnvRandom } from '../src/env/env-random.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { type Color, createCanvas } from '../src/env/render/canvas.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import type { JsonObject, JsonValue } from '../src/json.ts';

const ENV_ID = 'Game2048-v1';
const NUM_CELLS = 16;
const NUM_EXPONENTS = 16;
/** LINES[action][line] = its four cells, from the side towards which tiles slide. */
const LINES = [
  [0, 1, 2, 3].map((k) => [k, k + 4, k + 8, k + 12]),
  [0, 4, 8, 12].map((k) => [k + 3, k + 2, k + 1, k]),
  [0, 1, 2, 3].map((k) => [k + 12, k + 8, k + 4, k]),
  [0, 4, 8, 12].map((k) => [k, k + 1, k + 2, k + 3]),
];

/** N boards; see the head of this file. */
export const game2048Kernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    observation: 'one-hot',
    rewardScale: 100,
    maxEpisodeSteps: null as JsonValue,
    resetRng: 'operant',
  });
  checkChoice(ENV_ID, 'observation', options.observation, ['one-hot', 'exponents']);
  checkRange(ENV_ID, 'rewardScale', options.rewardScale, 1e-3, 1e9);
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const boards = Array.from({ length: numEnvs }, () => new Uint8Array(NUM_CELLS)); // exponents
  const scores = new Float64Array(numEnvs);
  const randoms = boards.map(() => openRandom(0));
  const results = stepResults(numEnvs);
  const isOneHot = options.observation === 'one-hot';

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: isOneHot
      ? new Box(0, 1, [NUM_CELLS * NUM_EXPONENTS])
      : new Box(0, NUM_EXPONENTS, [4, 4, 1], 'uint8'),
    actionSpace: new Discrete(4),
    maxEpisodeSteps: options.maxEpisodeSteps as number | null,
    masksActions: true,
    ...results,
    reset(n, seed) {
      randoms[n] = openRandom(seed);
      scores[n] = 0;
      boards[n].fill(0);
      addTile(boards[n], randoms[n]);
      addTile(boards[n], randoms[n]);
    },
    step(n, actions, offset) {
      const board = boards[n];
      const action = actions[offset];
      const changes = canSlide(board, action);
      const points = changes ? slide(board, action) : 0;
      if (changes) addTile(board, randoms[n]);
      scores[n] += points;
      results.rewards[n] = points / options.rewardScale;
      results.terminated[n] = LINES.some((_, next) => canSlide(board, next)) ? 0 : 1;
    },
    writeObservation(n, out, offset) {
      if (!isOneHot) {
        out.set(boards[n], offset);
        return;
      }
      out.fill(0, offset, offset + NUM_CELLS * NUM_EXPONENTS);
      for (let cell = 0; cell < NUM_CELLS; cell++) {
        out[offset + cell * NUM_EXPONENTS + Math.min(boards[n][cell], NUM_EXPONENTS - 1)] = 1;
      }
    },
    writeMask(n, out, offset) {
      for (let action = 0; action < 4; action++) out[offset + action] = canSlide(boards[n], action) ? 1 : 0;
    },
    reportMetrics(n, onMetric) {
      if (results.terminated[n] === 0) return;
      onMetric(n, 'score', scores[n]);
      onMetric(n, 'largestTile', 2 ** boards[n].reduce((a, b) => Math.max(a, b)));
    },
    getState: (n) => ({ board: [...boards[n]], score: scores[n], random: randoms[n].getState() }),
    setState(n, state) {
      const { board, score, random } = state as JsonObject;
      boards[n].set(board as number[]);
      scores[n] = score as number;
      randoms[n].setState(random as JsonValue);
    },
    render: (n, mode) => (mode === 'ansi' ? boardText(boards[n]) : boardFrame(boards[n])),
  };
};

function addTile(board: Uint8Array, random: EnvRandom): void {
  let numFree = 0;
  for (let cell = 0; cell < NUM_CELLS; cell++) if (board[cell] === 0) numFree += 1;
  let index = random.integer(numFree);
  const exponent = random.integer(10) === 0 ? 2 : 1;
  for (let cell = 0; cell < NUM_CELLS; cell++) {
    if (board[cell] === 0 && index-- === 0) {
      board[cell] = exponent;
      return;
    }
  }
}

/** Whether a move changes the board: a tile behind a free cell, or two equal neighbours. */
export function canSlide(board: Uint8Array, action: number): boolean {
  for (const line of LINES[action]) {
    for (let k = 1; k < 4; k++) {
      const tile = board[line[k]];
      if (tile !== 0 && (board[line[k - 1]] === 0 || board[line[k - 1]] === tile)) return true;
    }
  }
  return false;
}

/** Slides and merges in place; returns the sum of the merged tiles. */
export function slide(board: Uint8Array, action: number): number {
  let points = 0;
  for (const line of LINES[action]) {
    let target = 0;
    let canMerge = false;
    for (let k = 0; k < 4; k++) {
      const tile = board[line[k]];
      if (tile === 0) continue;
      board[line[k]] = 0;
      if (canMerge && board[line[target - 1]] === tile) {
        board[line[target - 1]] = tile + 1;
        points += 2 ** (tile + 1);
        canMerge = false;
      } else {
        board[line[target]] = tile;
        target += 1;
        canMerge = true;
      }
    }
  }
  return points;
}

/** 64 pixels a cell, the warmer the larger. */
function boardFrame(board: Uint8Array): RgbFrame {
  const canvas = createCanvas(256, 256, [120, 112, 104]);
  board.forEach((exponent, cell) => {
    const [x, y] = [(cell % 4) * 64, Math.floor(cell / 4) * 64];
    const heat = Math.min(1, exponent / 11);
    const color: Color =
      exponent === 0 ? [200, 192, 180] : [238, Math.round(228 - 150 * heat), Math.round(218 - 190 * heat)];
    canvas.rectangle(x + 3, y + 3, 58, 58, color);
    if (exponent === 0) return;
    const text = String(2 ** exponent);
    const scale = text.length > 3 ? 3 : 4;
    canvas.digits(
      text,
      x + 32 - 2 * scale * text.length + scale / 2,
      y + 32 - 2.5 * scale,
      scale,
      [60, 50, 45],
    );
  });
  return canvas.frame;
}

function boardText(board: Uint8Array): string {
  const rows = [0, 4, 8, 12].map((start) =>
    [...board.subarray(start, start + 4)]
      .map((exponent) => (exponent === 0 ? '.' : String(2 ** exponent)).padStart(6))
      .join(''),
  );
  return rows.join('\n');
}

/** Options in, one board out. */
export const game2048 = singleFactory(game2048Kernel);
/** N boards in one thread. */
export const game2048Vector = vectorFactory(game2048Kernel);
