/**
 * SparseMaze-v0: one reward, at the far end of a maze that is the same in every episode: for exploration.
 *
 * ## Description
 * `size` x `size` cells, joined by passages so that there is exactly one way from each to each. The agent starts in the corner, the goal is the cell
 * with the longest way from there (77 steps with the options as they are). Nothing on the way says whether it is the right one: who walks at random
 * turns round before the end, practically always.
 *
 * ## Action Space
 * `Discrete(4)`: 0 north, 1 east, 2 south, 3 west. A move into a wall changes nothing.
 *
 * ## Observation Space
 * `Discrete(size * size)`: the cell, row * size + column.
 *
 * ## Rewards
 * 1 at the goal, 0 everywhere else.
 *
 * ## Starting State
 * Cell 0, the corner at the top left. Nothing about an episode is random.
 *
 * ## Episode End
 * Terminated at the goal; truncated after `maxEpisodeSteps`.
 *
 * ## Options
 * `size` (10: 2 to 64), `layout` (0: a number that names the maze), `maxEpisodeSteps` (200; null = none).
 *
 * State for `setState`: the cell.
 */
import type { RgbFrame } from '../src/env/env.ts';
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import type { Color } from '../src/env/render/canvas.ts';
import { gridFrame } from '../src/env/render/grid-frame.ts';
import { Discrete } from '../src/env/spaces.ts';

const ENV_ID = 'SparseMaze-v0';
/** Moves: north, east, south, west. */
const ROW_STEP = [-1, 0, 1, 0];
const COLUMN_STEP = [0, 1, 0, -1];

export interface Maze {
  readonly size: number;
  /** Cell that a move leads to: [cell * 4 + move] i32; the same one where a wall stands. */
  readonly next: Int32Array;
  readonly goal: number;
  /** Steps from cell 0 to the goal. */
  readonly distance: number;
}

/** A maze by depth-first search from cell 0: in each cell the next passage is one of the ways to a cell not yet reached. */
export function buildMaze(size: number, layout: number): Maze {
  const numCells = size * size;
  const random = openEnvRandom(layout);
  const next = Int32Array.from({ length: 4 * numCells }, (_, k) => Math.floor(k / 4));
  const depth = new Int32Array(numCells).fill(-1);
  const path = [0];
  depth[0] = 0;
  let goal = 0;
  while (path.length > 0) {
    const cell = path[path.length - 1];
    const moves = [0, 1, 2, 3].filter((move) => depth[neighbour(size, cell, move)] === -1);
    if (moves.length === 0) {
      path.pop();
      continue;
    }
    const move = moves[random.integer(moves.length)];
    const to = neighbour(size, cell, move);
    next[4 * cell + move] = to;
    next[4 * to + ((move + 2) % 4)] = cell;
    depth[to] = path.length;
    if (depth[to] > depth[goal]) goal = to;
    path.push(to);
  }
  return { size, next, goal, distance: depth[goal] };
}

/** The cell beside this one; itself at the border. */
function neighbour(size: number, cell: number, move: number): number {
  const row = Math.floor(cell / size) + ROW_STEP[move];
  const column = (cell % size) + COLUMN_STEP[move];
  return row < 0 || row >= size || column < 0 || column >= size ? cell : row * size + column;
}

/** N walkers in one maze; see the head of this file. */
export const sparseMazeKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, { size: 10, layout: 0, maxEpisodeSteps: 200 });
  checkInteger(ENV_ID, 'size', options.size, 2, 64);
  checkInteger(ENV_ID, 'layout', options.layout, 0, 2 ** 31 - 1);
  const maze = buildMaze(options.size, options.layout);
  const { next, goal } = maze;
  const numCells = options.size ** 2;
  const cells = new Int32Array(numEnvs);
  const results = stepResults(numEnvs);
  const { rewards, terminated } = results;
  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Discrete(numCells),
    actionSpace: new Discrete(4),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n) {
      cells[n] = 0;
    },
    step(n, actions, offset) {
      cells[n] = next[4 * cells[n] + actions[offset]];
      const isGoal = cells[n] === goal;
      rewards[n] = isGoal ? 1 : 0;
      terminated[n] = isGoal ? 1 : 0;
    },
    writeObservation(n, out, offset) {
      out.fill(0, offset, offset + numCells);
      out[offset + cells[n]] = 1;
    },
    render: (n) => drawMaze(maze, cells[n]),
    getState: (n) => cells[n],
    setState(n, state) {
      cells[n] = state as number;
    },
  };
};

const WALL: Color = [70, 70, 80];
const FLOOR: Color = [222, 222, 214];
const GOAL: Color = [60, 180, 75];
const AGENT: Color = [60, 110, 200];

/** Cells with the walls between them: 2 size + 1 a side. */
function drawMaze({ size, next, goal }: Maze, agent: number): RgbFrame {
  const side = 2 * size + 1;
  return gridFrame(side, side, (row, column) => {
    const cell = Math.floor((row - 1) / 2) * size + Math.floor((column - 1) / 2);
    if (row % 2 === 1 && column % 2 === 1)
      return { color: cell === goal ? GOAL : FLOOR, mark: cell === agent ? AGENT : undefined };
    const isBorder = row === 0 || column === 0 || row === side - 1 || column === side - 1;
    if (isBorder || (row % 2 === 0 && column % 2 === 0)) return { color: WALL };
    const isOpen = column % 2 === 0 ? next[4 * cell + 1] !== cell : next[4 * cell + 2] !== cell;
    return { color: isOpen ? FLOOR : WALL };
  });
}

/** Options in, one maze out. */
export const sparseMaze = singleFactory(sparseMazeKernel);
/** N walkers in one thread. */
export const sparseMazeVector = vectorFactory(sparseMazeKernel);
