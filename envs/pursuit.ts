/**
 * Pursuit-v0: pursuers on a grid catch evaders that run about at random; it takes several to catch one.
 *
 * ## Agents
 * `pursuer_0`, `pursuer_1`, ..., all in every step, with the same spaces.
 *
 * ## Action Space
 * `Discrete(5)`: stay, up, right, down, left. Who walks into the wall stays; a cell holds any number of pursuers and evaders.
 *
 * ## Observation Space
 * `Box(2 * view + 1, 2 * view + 1, 3)`, the cells around, row by row from above: whether a cell lies outside, how many other pursuers are there, how many
 * evaders.
 *
 * ## Central State
 * Row and column of each pursuer, then row, column and whether it is still free of each evader; rows and columns from 0 to 1.
 *
 * ## Dynamics
 * Pursuers move, then each free evader to a cell beside it or nowhere, alike likely (into the wall: nowhere). An evader is caught, and gone, when `numCatchers` or
 * more pursuers stand on its cell or on the four beside it.
 *
 * ## Rewards
 * 1 for each of those who catch an evader, 0.05 for each evader that one stands beside without its being caught, -0.02 a step.
 *
 * ## Beginning
 * Everybody in cells that are drawn.
 *
 * ## Episode End
 * Terminated when no evader is left, truncated after 200 steps. Random play catches few.
 *
 * ## Options
 * `size` (8), `numPursuers` (4), `numEvaders` (3), `numCatchers` (2), `view` (3), `maxEpisodeSteps` (200).
 *
 * State for `setState`: `{ pursuers, evaders, random }`: cells, row * size + column, -1 = caught; the state of the stream.
 */
import {
  AgentEnd,
  type AgentsKernelFactory,
  clearResults,
  type SeatResults,
  seatResults,
} from '../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../src/env/agents/kernel-multi-agent-env.ts';
import { checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import { type EnvRandom, openEnvRandom } from '../src/env/env-random.ts';
import type { Color } from '../src/env/render/canvas.ts';
import { gridFrame } from '../src/env/render/grid-frame.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import type { ObservationArray } from '../src/env/vector-env.ts';
import type { JsonObject, JsonValue } from '../src/json.ts';

const ENV_ID = 'Pursuit-v0';
const NUM_CHANNELS = 3;
const NUM_MOVES = 5;
/** Rows down, columns to the right: stay, up, right, down, left. */
const DOWN = [0, -1, 0, 1, 0];
const RIGHT = [0, 0, 1, 0, -1];
const CATCH_REWARD = 1;
const BESIDE_REWARD = 0.05;
const STEP_REWARD = -0.02;
const CAUGHT = -1;

interface Grids {
  readonly size: number;
  readonly view: number;
  readonly numPursuers: number; // P
  readonly numEvaders: number; // E
  readonly numCatchers: number;
  readonly pursuers: Int32Array; // [N, P] i32, row * size + column
  readonly evaders: Int32Array; // [N, E] i32, -1 = caught
  readonly randoms: EnvRandom[]; // [N]
  readonly results: SeatResults;
}

/** N grids; see the head of this file. */
export const pursuitKernel: AgentsKernelFactory = (numEnvs, given) => {
  const grids = createGrids(numEnvs, given);
  const { size, view, numPursuers, numEvaders, pursuers, evaders, randoms, results } = grids;
  const width = 2 * view + 1;
  const spaces = {
    observationSpace: new Box(0, Math.max(1, numPursuers, numEvaders), [width, width, NUM_CHANNELS]),
    actionSpace: new Discrete(NUM_MOVES),
  };
  return {
    envId: ENV_ID,
    numEnvs,
    seats: Array.from({ length: numPursuers }, (_, s) => ({ name: `pursuer_${s}`, ...spaces })),
    results,
    maxEpisodeSteps: grids.maxEpisodeSteps,
    reset(n, seed) {
      randoms[n] = openEnvRandom(seed);
      for (let s = 0; s < numPursuers; s++) pursuers[n * numPursuers + s] = randoms[n].integer(size * size);
      for (let e = 0; e < numEvaders; e++) evaders[n * numEvaders + e] = randoms[n].integer(size * size);
      everybodyActs(results);
    },
    step(n, actions, offset) {
      for (let s = 0; s < numPursuers; s++) {
        const k = n * numPursuers + s;
        pursuers[k] = walk(size, pursuers[k], actions[offset + s]);
      }
      for (let e = n * numEvaders; e < (n + 1) * numEvaders; e++)
        if (evaders[e] !== CAUGHT) evaders[e] = walk(size, evaders[e], randoms[n].integer(NUM_MOVES));
      everybodyActs(results);
      catchEvaders(grids, n);
    },
    writeObservation: (n, s, out, offset) => writeView(grids, n, s, out, offset),
    stateSize: 2 * numPursuers + 3 * numEvaders,
    writeState: (n, out, offset) => writeAll(grids, n, out, offset),
    getState: (n) => ({
      pursuers: [...pursuers.subarray(n * numPursuers, (n + 1) * numPursuers)],
      evaders: [...evaders.subarray(n * numEvaders, (n + 1) * numEvaders)],
      random: randoms[n].getState(),
    }),
    setState(n, state) {
      const saved = state as JsonObject;
      pursuers.set(saved.pursuers as number[], n * numPursuers);
      evaders.set(saved.evaders as number[], n * numEvaders);
      randoms[n].setState(saved.random as JsonValue);
      everybodyActs(results);
    },
    render: (n, mode) => draw(grids, n, mode),
  };
};

function createGrids(numEnvs: number, given: JsonObject | undefined) {
  const options = readEnvOptions(ENV_ID, given, {
    size: 8,
    numPursuers: 4,
    numEvaders: 3,
    numCatchers: 2,
    view: 3,
    maxEpisodeSteps: 200 as number | null,
  });
  const { numPursuers, numEvaders } = options;
  checkInteger(ENV_ID, 'size', options.size, 2, 100);
  checkInteger(ENV_ID, 'numPursuers', numPursuers, 1, 100);
  checkInteger(ENV_ID, 'numEvaders', numEvaders, 1, 100);
  checkInteger(ENV_ID, 'numCatchers', options.numCatchers, 1, numPursuers);
  checkInteger(ENV_ID, 'view', options.view, 1, 20);
  return {
    ...options,
    pursuers: new Int32Array(numEnvs * numPursuers),
    evaders: new Int32Array(numEnvs * numEvaders),
    randoms: Array.from({ length: numEnvs }, () => openEnvRandom(0)),
    results: seatResults(numPursuers),
  };
}

function everybodyActs(results: SeatResults): void {
  clearResults(results);
  results.acting.fill(1);
}

function walk(size: number, cell: number, move: number): number {
  const row = Math.floor(cell / size) + DOWN[move];
  const column = (cell % size) + RIGHT[move];
  return row < 0 || row >= size || column < 0 || column >= size ? cell : row * size + column;
}

function isBeside(size: number, a: number, b: number): boolean {
  const rows = Math.abs(Math.floor(a / size) - Math.floor(b / size));
  return rows + Math.abs((a % size) - (b % size)) <= 1;
}

function catchEvaders({ size, numCatchers, ...grids }: Grids, n: number): void {
  const { numPursuers, numEvaders, pursuers, evaders, results } = grids;
  results.rewards.fill(STEP_REWARD);
  let numFree = 0;
  for (let e = n * numEvaders; e < (n + 1) * numEvaders; e++) {
    if (evaders[e] === CAUGHT) continue;
    let numBeside = 0;
    for (let s = 0; s < numPursuers; s++)
      if (isBeside(size, pursuers[n * numPursuers + s], evaders[e])) numBeside += 1;
    const reward = numBeside >= numCatchers ? CATCH_REWARD : BESIDE_REWARD;
    for (let s = 0; s < numPursuers; s++)
      if (isBeside(size, pursuers[n * numPursuers + s], evaders[e])) results.rewards[s] += reward;
    if (numBeside >= numCatchers) evaders[e] = CAUGHT;
    else numFree += 1;
  }
  if (numFree > 0) return;
  results.episodeEnd = AgentEnd.TERMINATED;
  results.acting.fill(0);
}

function writeView(grids: Grids, n: number, s: number, out: ObservationArray, offset: number): void {
  const { size, view, numPursuers, numEvaders, pursuers, evaders } = grids;
  const width = 2 * view + 1;
  const own = pursuers[n * numPursuers + s];
  const [top, left] = [Math.floor(own / size) - view, (own % size) - view];
  for (let row = 0; row < width; row++)
    for (let column = 0; column < width; column++) {
      const k = offset + NUM_CHANNELS * (row * width + column);
      const isOutside = top + row < 0 || top + row >= size || left + column < 0 || left + column >= size;
      out[k] = isOutside ? 1 : 0;
      out[k + 1] = 0;
      out[k + 2] = 0;
    }
  const add = (cell: number, channel: number) => {
    const [row, column] = [Math.floor(cell / size) - top, (cell % size) - left];
    if (row >= 0 && row < width && column >= 0 && column < width)
      out[offset + NUM_CHANNELS * (row * width + column) + channel] += 1;
  };
  for (let other = 0; other < numPursuers; other++)
    if (other !== s) add(pursuers[n * numPursuers + other], 1);
  for (let e = n * numEvaders; e < (n + 1) * numEvaders; e++) if (evaders[e] !== CAUGHT) add(evaders[e], 2);
}

function writeAll({ size, ...grids }: Grids, n: number, out: Float32Array, offset: number): void {
  const { numPursuers, numEvaders, pursuers, evaders } = grids;
  let next = offset;
  for (let s = 0; s < numPursuers; s++) {
    const cell = pursuers[n * numPursuers + s];
    out[next++] = Math.floor(cell / size) / (size - 1);
    out[next++] = (cell % size) / (size - 1);
  }
  for (let e = 0; e < numEvaders; e++) {
    const cell = evaders[n * numEvaders + e];
    out[next++] = cell === CAUGHT ? 0 : Math.floor(cell / size) / (size - 1);
    out[next++] = cell === CAUGHT ? 0 : (cell % size) / (size - 1);
    out[next++] = cell === CAUGHT ? 0 : 1;
  }
}

const FLOOR: Color = [225, 225, 215];
const PURSUER: Color = [60, 90, 180];
const EVADER: Color = [205, 70, 60];

function draw({ size, ...grids }: Grids, n: number, mode: 'rgb' | 'ansi' = 'rgb') {
  const pursuers = grids.pursuers.subarray(n * grids.numPursuers, (n + 1) * grids.numPursuers);
  const evaders = grids.evaders.subarray(n * grids.numEvaders, (n + 1) * grids.numEvaders);
  if (mode === 'ansi') {
    const mark = (cell: number) => (evaders.includes(cell) ? 'E' : pursuers.includes(cell) ? 'P' : '.');
    const line = (row: number) => Array.from({ length: size }, (_, column) => mark(row * size + column));
    return Array.from({ length: size }, (_, row) => line(row).join(' ')).join('\n');
  }
  return gridFrame(size, size, (row, column) => {
    const cell = row * size + column;
    return {
      color: pursuers.includes(cell) ? PURSUER : FLOOR,
      mark: evaders.includes(cell) ? EVADER : undefined,
    };
  });
}

/** Options in, one grid out. */
export const pursuit = multiAgentFactory(pursuitKernel);
