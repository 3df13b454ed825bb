/** A player of ConnectFour-v0 that looks one move ahead: it wins where it can, else stops the other from winning with the next move, else plays anywhere. */
import type { ScriptedPolicy } from '../../src/rollout/agents/scripted-batch.ts';

const NUM_ROWS = 6;
const NUM_COLUMNS = 7;
const LINE_LENGTH = 4;
const DIRECTIONS = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
] as const;

export const play: ScriptedPolicy = (observation, { actionMask, random }) => {
  const board = observation as Float32Array; // [rows, columns, 2] f32, row 0 on top: own stones, the other's
  const columns = Array.from({ length: NUM_COLUMNS }, (_, column) => column).filter(
    (column) => actionMask?.[column] === 1,
  );
  for (const whose of [0, 1]) {
    const wins = columns.filter((column) => isLine(board, whose, column));
    if (wins.length > 0) return wins[Math.floor(random() * wins.length)];
  }
  return columns[Math.floor(random() * columns.length)];
};

/** Whether a stone of `whose` dropped into a column makes a line. */
function isLine(board: ArrayLike<number>, whose: number, column: number): boolean {
  const at = (row: number, col: number) => 2 * (row * NUM_COLUMNS + col);
  let row = NUM_ROWS - 1;
  while (row > 0 && board[at(row, column)] + board[at(row, column) + 1] > 0) row -= 1;
  const count = (down: number, right: number): number => {
    let [r, c, length] = [row + down, column + right, 0];
    while (r >= 0 && r < NUM_ROWS && c >= 0 && c < NUM_COLUMNS && board[at(r, c) + whose] === 1) {
      length += 1;
      r += down;
      c += right;
    }
    return length;
  };
  return DIRECTIONS.some(([down, right]) => 1 + count(down, right) + count(-down, -right) >= LINE_LENGTH);
}
