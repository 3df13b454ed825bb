/** Games of two players who put stones on a board in turn until one has enough of them in a line: tic-tac-toe, connect four. */
import {
  AgentEnd,
  type AgentsKernel,
  clearResults,
  type SeatResults,
  seatResults,
} from '../src/env/agents/agents-kernel.ts';
import type { Color } from '../src/env/render/canvas.ts';
import { gridFrame } from '../src/env/render/grid-frame.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import type { ObservationArray } from '../src/env/vector-env.ts';
import type { JsonObject } from '../src/json.ts';

export interface BoardGame {
  readonly envId: string;
  readonly players: readonly [string, string];
  readonly numRows: number;
  readonly numColumns: number;
  /** Stones in a line that win. */
  readonly lineLength: number;
  /** An action is a column, and a stone falls to its lowest empty row; else an action is a cell, row * numColumns + column. */
  readonly hasGravity: boolean;
  /** Of the two players, in text and in pictures. */
  readonly marks: readonly [string, string];
  readonly colors: readonly [Color, Color];
}

const DIRECTIONS = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
] as const;
const EMPTY_COLOR: Color = [225, 225, 215];

/**
 * N boards. Whoever moves sees, for each cell, whether it is theirs and whether it is the other's: f32 [numRows, numColumns, 2], row 0 on
 * top. The central state: the stones of the first and of the second player, and who moves, f32 [2 * cells + 1]. Reward 1 for who wins, -1 for who loses, at the end; 0 for a draw. State for `setState`: `{ cells, mover }`.
 */
export function boardGameKernel(game: BoardGame, numEnvs: number): AgentsKernel {
  const { numRows, numColumns, hasGravity } = game;
  const numCells = numRows * numColumns;
  const cells = new Uint8Array(numEnvs * numCells); // [numEnvs, numCells] u8: 0 = empty, 1 and 2 = the players'
  const movers = new Uint8Array(numEnvs); // [numEnvs] u8
  const numStones = new Int32Array(numEnvs); // [numEnvs] i32
  const results = seatResults(2);
  const numActions = hasGravity ? numColumns : numCells;
  const spaces = {
    observationSpace: new Box(0, 1, [numRows, numColumns, 2]),
    actionSpace: new Discrete(numActions),
    masksActions: true,
  };
  /** For each cell, whether it is player s's and whether it is the other's. */
  const writeStones = (n: number, s: number, out: ObservationArray, offset: number) => {
    for (let cell = 0; cell < numCells; cell++) {
      const owner = cells[n * numCells + cell];
      out[offset + 2 * cell] = owner === s + 1 ? 1 : 0;
      out[offset + 2 * cell + 1] = owner === 2 - s ? 1 : 0;
    }
  };
  return {
    envId: game.envId,
    numEnvs,
    seats: game.players.map((name) => ({ name, ...spaces })),
    results,
    maxEpisodeSteps: null,
    reset(n) {
      cells.fill(0, n * numCells, (n + 1) * numCells);
      movers[n] = 0;
      numStones[n] = 0;
      clearResults(results);
      results.acting[0] = 1;
    },
    step(n, actions, offset) {
      clearResults(results);
      const mover = movers[n];
      const cell = cellOf(game, cells, n * numCells, actions[offset + mover]);
      cells[n * numCells + cell] = mover + 1;
      numStones[n] += 1;
      movers[n] = 1 - mover;
      if (isLine(game, cells, n * numCells, cell)) finish(results, mover);
      else if (numStones[n] === numCells) finish(results, null);
      else results.acting[1 - mover] = 1;
    },
    writeObservation: writeStones,
    stateSize: 2 * numCells + 1,
    writeState(n, out, offset) {
      writeStones(n, 0, out, offset);
      out[offset + 2 * numCells] = movers[n];
    },
    writeMask(n, _s, out, offset) {
      for (let action = 0; action < numActions; action++)
        out[offset + action] = cells[n * numCells + action] === 0 ? 1 : 0; // with gravity: whether the top row is empty
    },
    getState: (n) => ({ cells: [...cells.subarray(n * numCells, (n + 1) * numCells)], mover: movers[n] }),
    setState(n, state) {
      const { cells: saved, mover } = state as JsonObject;
      cells.set(saved as number[], n * numCells);
      movers[n] = mover as number;
      numStones[n] = (saved as number[]).filter((owner) => owner !== 0).length;
      clearResults(results);
      results.acting[movers[n]] = 1;
    },
    render: (n, mode) => draw(game, cells.subarray(n * numCells, (n + 1) * numCells), mode),
  };
}

/** @param winner null = a draw. */
function finish(results: SeatResults, winner: number | null): void {
  results.episodeEnd = AgentEnd.TERMINATED;
  for (const s of [0, 1]) {
    results.outcomes[s] = winner === null ? 0 : s === winner ? 1 : -1;
    results.rewards[s] = results.outcomes[s];
  }
}

/** The cell that an action fills. Masks keep full columns and cells from being chosen. */
function cellOf(
  { hasGravity, numRows, numColumns }: BoardGame,
  cells: Uint8Array,
  base: number,
  action: number,
): number {
  if (!hasGravity) return action;
  let cell = action + (numRows - 1) * numColumns;
  while (cell >= numColumns && cells[base + cell] !== 0) cell -= numColumns;
  return cell;
}

/** Whether the stone on `cell` stands in a line that is long enough. */
function isLine(game: BoardGame, cells: Uint8Array, base: number, cell: number): boolean {
  for (const [down, right] of DIRECTIONS) {
    const length =
      1 +
      stonesFrom(game, cells, base, cell, down, right) +
      stonesFrom(game, cells, base, cell, -down, -right);
    if (length >= game.lineLength) return true;
  }
  return false;
}

/** Stones of the same player that follow `cell` in a direction. */
function stonesFrom(
  { numRows, numColumns }: BoardGame,
  cells: Uint8Array,
  base: number,
  cell: number,
  down: number,
  right: number,
): number {
  const owner = cells[base + cell];
  let row = Math.floor(cell / numColumns) + down;
  let column = (cell % numColumns) + right;
  let count = 0;
  while (row >= 0 && row < numRows && column >= 0 && column < numColumns) {
    if (cells[base + row * numColumns + column] !== owner) break;
    count += 1;
    row += down;
    column += right;
  }
  return count;
}

function draw(
  { numRows, numColumns, marks, colors }: BoardGame,
  cells: Uint8Array,
  mode: 'rgb' | 'ansi' = 'rgb',
) {
  if (mode === 'ansi') {
    const line = (row: number) =>
      Array.from(cells.subarray(row * numColumns, (row + 1) * numColumns), (owner) =>
        owner === 0 ? '.' : marks[owner - 1],
      );
    return Array.from({ length: numRows }, (_, row) => line(row).join(' ')).join('\n');
  }
  return gridFrame(numRows, numColumns, (row, column) => {
    const owner = cells[row * numColumns + column];
    return { color: EMPTY_COLOR, mark: owner === 0 ? undefined : colors[owner - 1] };
  });
}
