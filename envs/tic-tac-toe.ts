/**
 * TicTacToe-v0: three in a row on a board of three by three; two players in turn.
 *
 * ## Agents
 * `x`, who begins, and `o`, in turn. Both have the same spaces, so that one policy may play both.
 *
 * ## Action Space
 * `Discrete(9)`: the cell, row * 3 + column from the top left. Taken cells are masked.
 *
 * ## Observation Space
 * `Box(3, 3, 2)` of 0 and 1: whether a cell is the mover's own, and whether it is the other's.
 *
 * ## Central State
 * 19 of 0 and 1: for each cell whether it is X's and whether it is O's; whether O moves.
 *
 * ## Rewards
 * At the end, 1 for who has won and -1 for the other; 0 for both in a draw. The same as `info.outcome`.
 *
 * ## Episode End
 * Terminated by a line or a full board. Between perfect players it is a draw.
 *
 * State for `setState`: `{ cells, mover }`.
 */
import type { AgentsKernelFactory } from '../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../src/env/agents/kernel-multi-agent-env.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { type BoardGame, boardGameKernel } from './board-game.ts';

const GAME: BoardGame = {
  envId: 'TicTacToe-v0',
  players: ['x', 'o'],
  numRows: 3,
  numColumns: 3,
  lineLength: 3,
  hasGravity: false,
  marks: ['X', 'O'],
  colors: [
    [200, 60, 50],
    [50, 90, 170],
  ],
};

/** N boards; see the head of this file. */
export const ticTacToeKernel: AgentsKernelFactory = (numEnvs, given) => {
  readEnvOptions(GAME.envId, given, {});
  return boardGameKernel(GAME, numEnvs);
};

/** Options in, one board out. */
export const ticTacToe = multiAgentFactory(ticTacToeKernel);
