/** Pictures of grids: one coloured square per cell. */
import type { RgbFrame } from '../env.ts';
import { type Color, createCanvas } from './canvas.ts';

/**
 * Paints a grid with thin lines between its cells.
 *
 * @param colorOf colour of a cell; `mark`, when given, is a smaller square inside it.
 */
export function gridFrame(
  numRows: number,
  numColumns: number,
  colorOf: (row: number, column: number) => { readonly color: Color; readonly mark?: Color | undefined },
  cellPixels = 32,
): RgbFrame {
  const canvas = createCanvas(numColumns * cellPixels, numRows * cellPixels, [70, 70, 80]);
  for (let row = 0; row < numRows; row++) {
    for (let column = 0; column < numColumns; column++) {
      const { color, mark } = colorOf(row, column);
      const [x, y] = [column * cellPixels, row * cellPixels];
      canvas.rectangle(x + 1, y + 1, cellPixels - 2, cellPixels - 2, color);
      if (mark !== undefined) {
        const inset = Math.round(cellPixels / 4);
        canvas.rectangle(x + inset, y + inset, cellPixels - 2 * inset, cellPixels - 2 * inset, mark);
      }
    }
  }
  return canvas.frame;
}
