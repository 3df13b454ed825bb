/**
 * ConnectFour-v0: four in a line on an upright board; two players drop stones in turn.
 *
 * ## Agents
 * `red`, who begins, and `yellow`, in turn. Both have the same spaces, so that one policy may play both.
 *
 * ## Action Space
 * `Discrete(columns)`: the column, from the left. Full columns are masked.
 *
 * ## Observation Space
 * `Box(rows, columns, 2)` of 0 and 1, row 0 on top: whether a cell is the mover's own, and whether it is the other's.
 *
 * ## Rewards
 * At the end, 1 for who has won and -1 for the other; 0 for both in a draw. The same as `info.outcome`.
 *
 * ## Episode End
 * Terminated by four in a line or a full board. On 6 x 7 the first player wins with perfect play, from the middle column.
 *
 * ## Options
 * `rows` (6), `columns` (7).
 *
 * State for `setState`: `{ cells, mover }`.
 */
import type { AgentsKernelFactory } from '../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../src/env/agents/kernel-multi-agent-env.ts';
import { checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import { boardGameKernel } from './board-game.ts';

const ENV_ID = 'ConnectFour-v0';

/** N boards; see the head of this file. */
export const connectFourKernel: AgentsKernelFactory = (numEnvs, given) => {
  const { rows, columns } = readEnvOptions(ENV_ID, given, { rows: 6, columns: 7 });
  checkInteger(ENV_ID, 'rows', rows, 1, 100);
  checkInteger(ENV_ID, 'columns', columns, 1, 100);
  return boardGameKernel(
    {
      envId: ENV_ID,
      players: ['red', 'yellow'],
      numRows: rows,
      numColumns: columns,
      lineLength: 4,
      hasGravity: true,
      marks: ['R', 'Y'],
      colors: [
        [205, 60, 50],
        [235, 195, 60],
      ],
    },
    numEnvs,
  );
};

/** Options in, one board out. */
export const connectFour = multiAgentFactory(connectFourKernel);
