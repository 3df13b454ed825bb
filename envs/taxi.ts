/**
 * Taxi-v4: fetch a passenger and bring them where they want to go.
 *
 * ## Description
 * T. Dietterich, "Hierarchical Reinforcement Learning with the MAXQ Value Function Decomposition" (2000): a 5x5 grid with
 * walls and four stops, R(ed), G(reen), Y(ellow), B(lue). The same rules as Gymnasium's Taxi-v4.
 *
 * ## Action Space
 * `Discrete(6)`: 0 south, 1 north, 2 east, 3 west, 4 pick up, 5 drop off. With `masksActions` the actions that would change
 * nothing are masked.
 *
 * ## Observation Space
 * `Discrete(500)`: ((row * 5 + column) * 5 + passenger) * 4 + destination; passenger 0-3 = waiting at R, G, Y, B, 4 = inside.
 *
 * ## Rewards
 * -1 for every step, -10 for an illegal pick-up or drop-off, +20 for the delivery.
 *
 * ## Starting State
 * Uniform among the 300 states in which the passenger waits somewhere that is not the destination.
 *
 * ## Episode End
 * Terminated by the delivery; truncated after 200 steps.
 *
 * ## Options
 * `masksActions` (false), `isRainy` (false; true: a possible move drifts to its left or right, each with probability
 * (1 - `rainyProbability`) / 2), `rainyProbability` (0.8), `ficklePassenger` (false; true: in a share `fickleProbability` of
 * the episodes the passenger changes the destination on the first move with them inside), `fickleProbability` (0.3),
 * `maxEpisodeSteps` (200; null = none), `resetRng` (`operant`; `numpy` draws Gymnasium's seeded episodes).
 *
 * State for `setState`: `{ state, random, fickle }`.
 */

import type { RgbFrame } from '../src/env/env.ts';
import type { EnvKernelFactory } from '../src/env/env-kernel.ts';
import { checkRange, readEnvOptions } from '../src/env/env-options.ts';
import type { EnvRandom } from '../src/env/env-random.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import type { Color } from '../src/env/render/canvas.ts';
import { gridFrame } from '../src/env/render/grid-frame.ts';
import type { JsonObject } from '../src/json.ts';
import { type Outcome, type TabularTask, tabularKernel } from './tabular.ts';

const ENV_ID = 'Taxi-v4';
const SIZE = 5;
const INSIDE = 4;
const STOPS = [0, 4, 20, 23]; // R, G, Y, B as row * 5 + column
const STOP_NAMES = 'RGYB';
/** Cells with a wall on their east side, as row * 5 + column. */
const WALLS_EAST = new Set([1, 6, 15, 17, 20, 22]);
const MOVES = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
]; // south, north, east, west as [rows, columns]
/** What drifts to the left and to the right of each move, as moves. */
const DRIFTS = [
  [2, 3],
  [3, 2],
  [1, 0],
  [0, 1],
];
const DEFAULTS = {
  masksActions: false,
  isRainy: false,
  rainyProbability: 0.8,
  ficklePassenger: false,
  fickleProbability: 0.3,
  maxEpisodeSteps: 200,
  resetRng: 'operant',
};

interface TaxiState {
  readonly cell: number;
  readonly passenger: number;
  readonly destination: number;
}

/** The task that the options describe, without the fickle passenger. */
export function taxiTask(given?: JsonObject): TabularTask {
  const options = readEnvOptions(ENV_ID, given, DEFAULTS);
  checkRange(ENV_ID, 'rainyProbability', options.rainyProbability, 0, 1);
  const drift = (1 - options.rainyProbability) / 2;
  const outcomes = (code: number, action: number): Outcome[] => {
    const state = decode(code);
    if (action >= 4) return [action === 4 ? pickUp(state) : dropOff(state)];
    const moveTo = (cell: number, probability: number): Outcome => ({
      probability,
      state: encode({ ...state, cell }),
      reward: -1,
      terminated: false,
    });
    const target = move(state.cell, action);
    if (!options.isRainy) return [moveTo(target, 1)];
    if (target === state.cell) {
      return [options.rainyProbability, drift, drift].map((probability) => moveTo(target, probability));
    }
    const sides = DRIFTS[action].map((side) => moveTo(move(state.cell, side), drift));
    return [moveTo(target, options.rainyProbability), ...sides];
  };
  const isStart = (code: number) => {
    const { passenger, destination } = decode(code);
    return passenger !== INSIDE && passenger !== destination;
  };
  return {
    envId: ENV_ID,
    numStates: 500,
    numActions: 6,
    outcomes,
    startProbabilities: Array.from({ length: 500 }, (_, code) => (isStart(code) ? 1 / 300 : 0)),
    maxEpisodeSteps: options.maxEpisodeSteps,
    openRandom: envRandomOpener(ENV_ID, options.resetRng),
  };
}

/** N taxis; see the head of this file. */
export const taxiKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, DEFAULTS);
  checkRange(ENV_ID, 'fickleProbability', options.fickleProbability, 0, 1);
  const kernel = tabularKernel(taxiTask(given), numEnvs);
  const { states } = kernel;
  const isFickle = new Uint8Array(numEnvs);
  return {
    ...kernel,
    masksActions: options.masksActions,
    reset(n, seed) {
      kernel.reset(n, seed);
      const random = kernel.randoms[n] as EnvRandom;
      isFickle[n] = options.ficklePassenger && random.random() < options.fickleProbability ? 1 : 0;
    },
    step(n, actions, offset) {
      const before = decode(states[n]);
      kernel.step(n, actions, offset);
      const after = decode(states[n]);
      if (isFickle[n] === 0 || before.passenger !== INSIDE || after.cell === before.cell) return;
      isFickle[n] = 0;
      const others = [0, 1, 2, 3].filter((stop) => stop !== before.destination);
      const destination = others[(kernel.randoms[n] as EnvRandom).integer(3)];
      states[n] = encode({ ...after, destination });
    },
    writeMask: (n, out, offset) => writeMask(states[n], out, offset),
    getState: (n) => ({ ...(kernel.getState?.(n) as JsonObject), fickle: isFickle[n] }),
    setState(n, saved) {
      kernel.setState?.(n, saved);
      isFickle[n] = (saved as JsonObject).fickle as number;
    },
    render: (n, mode) => (mode === 'ansi' ? taxiText(decode(states[n])) : taxiFrame(decode(states[n]))),
  };
};

/** 1 for the actions that change something; `out[offset .. offset + 5]`. */
export function writeMask(code: number, out: Uint8Array, offset: number): void {
  const { cell, passenger } = decode(code);
  for (let action = 0; action < 4; action++) out[offset + action] = move(cell, action) !== cell ? 1 : 0;
  out[offset + 4] = passenger !== INSIDE && STOPS[passenger] === cell ? 1 : 0;
  out[offset + 5] = passenger === INSIDE && STOPS.includes(cell) ? 1 : 0;
}

function encode({ cell, passenger, destination }: TaxiState): number {
  return (cell * 5 + passenger) * 4 + destination;
}

function decode(code: number): TaxiState {
  return { destination: code % 4, passenger: Math.floor(code / 4) % 5, cell: Math.floor(code / 20) };
}

/** The cell that a move leads to; the same one where a wall or the border is in the way. */
function move(cell: number, action: number): number {
  const row = Math.floor(cell / SIZE) + MOVES[action][0];
  const column = (cell % SIZE) + MOVES[action][1];
  if (row < 0 || row >= SIZE || column < 0 || column >= SIZE) return cell;
  if (action === 2 && WALLS_EAST.has(cell)) return cell;
  if (action === 3 && WALLS_EAST.has(cell - 1)) return cell;
  return row * SIZE + column;
}

function pickUp(state: TaxiState): Outcome {
  const isThere = state.passenger !== INSIDE && STOPS[state.passenger] === state.cell;
  const next = isThere ? { ...state, passenger: INSIDE } : state;
  return { probability: 1, state: encode(next), reward: isThere ? -1 : -10, terminated: false };
}

function dropOff(state: TaxiState): Outcome {
  const stop = STOPS.indexOf(state.cell);
  if (state.passenger !== INSIDE || stop < 0) {
    return { probability: 1, state: encode(state), reward: -10, terminated: false };
  }
  const isDelivery = stop === state.destination;
  return {
    probability: 1,
    state: encode({ ...state, passenger: stop }),
    reward: isDelivery ? 20 : -1,
    terminated: isDelivery,
  };
}

/** The taxi in yellow, green with the passenger inside; the passenger's and the destination's stop in blue and red. */
function taxiFrame({ cell, passenger, destination }: TaxiState): RgbFrame {
  return gridFrame(SIZE, 2 * SIZE - 1, (row, column) => {
    const here = row * SIZE + column / 2;
    if (column % 2 === 1) {
      return { color: WALLS_EAST.has(row * SIZE + (column - 1) / 2) ? [60, 60, 60] : [235, 235, 225] };
    }
    const isWaiting = passenger !== INSIDE && STOPS[passenger] === here;
    const stopColor: Color = STOPS[destination] === here ? [220, 80, 80] : [200, 200, 190];
    const taxi: Color = passenger === INSIDE ? [60, 170, 60] : [230, 190, 40];
    return {
      color: isWaiting ? [80, 110, 220] : STOPS.includes(here) ? stopColor : [235, 235, 225],
      mark: here === cell ? taxi : undefined,
    };
  });
}

function taxiText({ cell, passenger, destination }: TaxiState): string {
  const rows = Array.from({ length: SIZE }, (_, row) => {
    const cells = Array.from({ length: SIZE }, (_, column) => {
      const here = row * SIZE + column;
      const stop = STOPS.indexOf(here);
      const letter = stop >= 0 ? STOP_NAMES[stop] : ' ';
      const taxi = passenger === INSIDE ? '#' : '@';
      return (here === cell ? taxi : letter) + (WALLS_EAST.has(here) ? '|' : ':');
    });
    return `|${cells.join('').slice(0, -1)}|`;
  });
  const where = passenger === INSIDE ? 'in the taxi' : `at ${STOP_NAMES[passenger]}`;
  return ['+---------+', ...rows, '+---------+', `passenger ${where}, to ${STOP_NAMES[destination]}`].join(
    '\n',
  );
}

/** Options in, one taxi out. */
export const taxi = singleFactory(taxiKernel);
/** N taxis in one thread. */
export const taxiVector = vectorFactory(taxiKernel);
