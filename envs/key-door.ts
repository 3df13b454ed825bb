/**
 * KeyDoor-v1: find the key, open the door, walk to the goal, seeing only what lies ahead.
 *
 * ## Description
 * A square grid with a border, divided by a wall with one locked door. The agent and the key are on one side, the goal is on
 * the other. Every episode has a layout of its own: where wall, door, key, goal and agent are, and how the whole is turned.
 *
 * ## Action Space
 * `Discrete(4)`: 0 turn left, 1 turn right, 2 go forward, 3 use: takes a key that lies in front, or opens a door in front
 * when the agent has the key.
 *
 * ## Observation Space
 * `Box(109)` float32 in [0, 1]: the 5x5 cells in front of the agent (it stands in the middle of the last row), row by row from
 * the farthest, each as four numbers (wall, closed door, key, goal); then what was reached, one-hot (nothing, has the key,
 * door is open); the compass, one-hot (north, east, south, west); row and column, divided by size - 1. Walls do not hide what
 * is behind them.
 *
 * ## Rewards
 * 0.25 for taking the key, 0.25 for opening the door, 1 at the goal; -0.5 / `maxEpisodeSteps` for every step.
 *
 * ## Starting State
 * A random layout. `split` divides the layouts by a hash of all that is in them: `train` leaves a fifth of them out, `test` has
 * only those, `all` has both. So a policy can be tested on layouts that it cannot have seen.
 *
 * ## Episode End
 * Terminated at the goal; truncated after 200 steps.
 *
 * ## Options
 * `size` (8: 6 to 16, border included), `split` (`all`), `maxEpisodeSteps` (200; null = none), `resetRng` (`operant`,
 * `numpy`).
 *
 * State for `setState`: `{ grid, agent, heading, progress }`.
 */

import type { RgbFrame } from '../src/env/env.ts';
import { type EnvKernel, type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { checkChoice, checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import type { EnvRandom } from '../src/env/env-random.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import type { Color } from '../src/env/render/canvas.ts';
import { gridFrame } from '../src/env/render/grid-frame.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import type { ObservationArray } from '../src/env/vector-env.ts';
import type { JsonObject } from '../src/json.ts';

const ENV_ID = 'KeyDoor-v1';
const VIEW = 5;
const NUM_PLANES = 4;
const OBSERVATION_SIZE = VIEW * VIEW * NUM_PLANES + 3 + 4 + 2;
/** Cells; those from WALL on are seen as plane cell - 1. */
const FREE = 0;
const WALL = 1;
const DOOR = 2;
const KEY = 3;
const GOAL = 4;
/** Free, wall, door, key, goal. */
const CELL_COLORS: readonly Color[] = [
  [40, 40, 46],
  [110, 110, 118],
  [150, 95, 40],
  [230, 205, 60],
  [60, 180, 75],
];
const SYMBOLS = [' ', '#', 'D', 'k', 'G'];
/** Headings: north, east, south, west. */
const ROW_STEP = [-1, 0, 1, 0];
const COLUMN_STEP = [0, 1, 0, -1];
const ARROWS = '^>v<';
const HAS_KEY = 1;
const DOOR_OPEN = 2;

interface Worlds {
  readonly size: number;
  readonly grids: Uint8Array; // [numEnvs, size * size] u8
  readonly agent: Int32Array; // [numEnvs] i32, cell
  readonly heading: Int32Array; // [numEnvs] i32
  readonly progress: Int32Array; // [numEnvs] i32, 0, HAS_KEY or DOOR_OPEN
}

/** N worlds; see the head of this file. */
export const keyDoorKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    size: 8,
    split: 'all',
    maxEpisodeSteps: 200,
    resetRng: 'operant',
  });
  checkInteger(ENV_ID, 'size', options.size, 6, 16);
  checkChoice(ENV_ID, 'split', options.split, ['all', 'train', 'test']);
  const { size } = options;
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const worlds: Worlds = {
    size,
    grids: new Uint8Array(numEnvs * size * size),
    agent: new Int32Array(numEnvs),
    heading: new Int32Array(numEnvs),
    progress: new Int32Array(numEnvs),
  };
  const results = stepResults(numEnvs);
  const stepCost = 0.5 / (options.maxEpisodeSteps ?? 200);

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Box(0, 1, [OBSERVATION_SIZE]),
    actionSpace: new Discrete(4),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      const random = openRandom(seed);
      do drawLayout(worlds, n, random);
      while (options.split !== 'all' && splitOf(worlds, n) !== options.split);
    },
    step: (n, actions, offset) => act(worlds, n, actions[offset], stepCost, results),
    writeObservation: (n, out, offset) => writeView(worlds, n, out, offset),
    getState: (n) => ({
      grid: [...worlds.grids.subarray(n * size * size, (n + 1) * size * size)],
      agent: worlds.agent[n],
      heading: worlds.heading[n],
      progress: worlds.progress[n],
    }),
    setState(n, state) {
      const { grid, agent, heading, progress } = state as JsonObject;
      worlds.grids.set(grid as number[], n * size * size);
      worlds.agent[n] = agent as number;
      worlds.heading[n] = heading as number;
      worlds.progress[n] = progress as number;
    },
    render: (n, mode) => (mode === 'ansi' ? worldText(worlds, n) : worldFrame(worlds, n)),
  };
};

/** Draws a world with the wall upright and the agent on its left, then turns or mirrors it one of eight ways. */
function drawLayout({ size, grids, agent, heading, progress }: Worlds, n: number, random: EnvRandom): void {
  const inner = size - 2;
  const wallColumn = 2 + random.integer(size - 4);
  const doorRow = 1 + random.integer(inner);
  const cellLeft = () => [1 + random.integer(inner), 1 + random.integer(wallColumn - 1)] as const;
  const keyAt = cellLeft();
  let agentAt = cellLeft();
  while (agentAt[0] === keyAt[0] && agentAt[1] === keyAt[1]) agentAt = cellLeft();
  const goalAt = [1 + random.integer(inner), wallColumn + 1 + random.integer(size - 2 - wallColumn)] as const;
  const turn = random.integer(8);
  const place = ([row, column]: readonly [number, number]) => {
    const [r, c] = turn & 1 ? [column, row] : [row, column];
    const [r2, c2] = [turn & 2 ? size - 1 - r : r, turn & 4 ? size - 1 - c : c];
    return r2 * size + c2;
  };
  const grid = grids.subarray(n * size * size, (n + 1) * size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const isBorder = row === 0 || row === size - 1 || column === 0 || column === size - 1;
      grid[place([row, column])] = isBorder || column === wallColumn ? WALL : FREE;
    }
  }
  grid[place([doorRow, wallColumn])] = DOOR;
  grid[place(keyAt)] = KEY;
  grid[place(goalAt)] = GOAL;
  agent[n] = place(agentAt);
  heading[n] = random.integer(4);
  progress[n] = 0;
}

/** FNV-1a over the grid and the agent's cell. */
function splitOf({ size, grids, agent }: Worlds, n: number): 'train' | 'test' {
  let hash = 0x811c9dc5;
  for (let i = n * size * size; i < (n + 1) * size * size; i++) {
    hash = Math.imul(hash ^ grids[i], 0x01000193);
  }
  hash = Math.imul(hash ^ agent[n], 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % 5 === 0 ? 'test' : 'train';
}

function act(
  { size, grids, agent, heading, progress }: Worlds,
  n: number,
  action: number,
  stepCost: number,
  { rewards, terminated }: Pick<EnvKernel, 'rewards' | 'terminated'>,
): void {
  rewards[n] = -stepCost;
  terminated[n] = 0;
  if (action < 2) {
    heading[n] = (heading[n] + (action === 0 ? 3 : 1)) % 4;
    return;
  }
  const ahead = agent[n] + ROW_STEP[heading[n]] * size + COLUMN_STEP[heading[n]];
  const i = n * size * size + ahead;
  if (action === 2) {
    if (grids[i] !== FREE && grids[i] !== GOAL) return;
    agent[n] = ahead;
    if (grids[i] === FREE) return;
    rewards[n] += 1;
    terminated[n] = 1;
    return;
  }
  const takesKey = grids[i] === KEY;
  const opensDoor = grids[i] === DOOR && progress[n] === HAS_KEY;
  if (!takesKey && !opensDoor) return;
  grids[i] = FREE;
  progress[n] = takesKey ? HAS_KEY : DOOR_OPEN;
  rewards[n] += 0.25;
}

function writeView(
  { size, grids, agent, heading, progress }: Worlds,
  n: number,
  out: ObservationArray,
  offset: number,
): void {
  out.fill(0, offset, offset + OBSERVATION_SIZE);
  const agentRow = Math.floor(agent[n] / size);
  const agentColumn = agent[n] % size;
  const aheadRow = ROW_STEP[heading[n]];
  const aheadColumn = COLUMN_STEP[heading[n]];
  let i = offset;
  for (let ahead = VIEW - 1; ahead >= 0; ahead--) {
    for (let right = -2; right <= 2; right++, i += NUM_PLANES) {
      const row = agentRow + ahead * aheadRow + right * aheadColumn;
      const column = agentColumn + ahead * aheadColumn - right * aheadRow;
      const isOnGrid = row >= 0 && row < size && column >= 0 && column < size;
      const cell = isOnGrid ? grids[n * size * size + row * size + column] : WALL;
      if (cell !== FREE) out[i + cell - 1] = 1;
    }
  }
  out[i + progress[n]] = 1;
  out[i + 3 + heading[n]] = 1;
  out[i + 7] = agentRow / (size - 1);
  out[i + 8] = agentColumn / (size - 1);
}

/** The agent is red, or orange with the key; a bright cell lies in front of it. */
function worldFrame({ size, grids, agent, heading, progress }: Worlds, n: number): RgbFrame {
  const ahead = agent[n] + ROW_STEP[heading[n]] * size + COLUMN_STEP[heading[n]];
  return gridFrame(size, size, (row, column) => {
    const cell = row * size + column;
    const color = CELL_COLORS[grids[n * size * size + cell]];
    const lit = color.map((x) => Math.min(255, x + 50)) as unknown as Color;
    const agentColor: Color = progress[n] === HAS_KEY ? [255, 150, 40] : [220, 60, 60];
    return { color: cell === ahead ? lit : color, mark: cell === agent[n] ? agentColor : undefined };
  });
}

function worldText({ size, grids, agent, heading, progress }: Worlds, n: number): string {
  const rows = Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => {
      const cell = row * size + column;
      return cell === agent[n] ? ARROWS[heading[n]] : SYMBOLS[grids[n * size * size + cell]];
    }).join(''),
  );
  return [...rows, ['looks for the key', 'has the key', 'door is open'][progress[n]]].join('\n');
}

/** Options in, one world out. */
export const keyDoor = singleFactory(keyDoorKernel);
/** N worlds in one thread. */
export const keyDoorVector = vectorFactory(keyDoorKernel);
