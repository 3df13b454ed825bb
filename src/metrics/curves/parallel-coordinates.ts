/** Parallel coordinates: one line a row, across one axis a quantity. */
import { short, svgDocument, text } from './svg.ts';

/** Positions in [0, 1] from the bottom up, with the words beside them. */
export interface Axis {
  readonly name: string;
  readonly marks: readonly { readonly position: number; readonly label: string }[];
}

export interface ParallelRow {
  /** On each axis; null where the row has none. */
  readonly positions: readonly (number | null)[];
  /** 0 is drawn pale and first, 1 dark and last. */
  readonly weight: number;
}

const HEIGHT = 340;
const COLUMN = 130;
const TOP = 64;
const BOTTOM = 24;

export function drawParallelCoordinates(
  title: string,
  axes: readonly Axis[],
  rows: readonly ParallelRow[],
): string {
  const toX = (k: number) => 50 + COLUMN * k;
  const toY = (position: number) => TOP + (1 - position) * (HEIGHT - TOP - BOTTOM);
  const lines = rows
    .toSorted((a, b) => a.weight - b.weight)
    .map(({ positions, weight }) => {
      const points = positions.flatMap((position, k) =>
        position === null ? [] : [`${toX(k).toFixed(1)},${toY(position).toFixed(1)}`],
      );
      const color = `hsl(205 90% ${(85 - 55 * weight).toFixed(0)}%)`;
      return `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="${(0.8 + 1.4 * weight).toFixed(1)}"/>`;
    });
  const drawn = axes.flatMap(({ name, marks }, k) => [
    `<line x1="${toX(k)}" x2="${toX(k)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#999"/>`,
    text(toX(k), TOP - 12, 'middle', name),
    ...marks.map(({ position, label }) => text(toX(k) + 4, toY(position) + 4, 'start', label, 10)),
  ]);
  return svgDocument(title, 100 + COLUMN * (axes.length - 1) + 30, HEIGHT, [...lines, ...drawn]);
}

/** An axis with its ends marked. */
export function rangeAxis(name: string, low: number, high: number): Axis {
  const marks = [
    { position: 0, label: short(low) },
    { position: 1, label: short(high) },
  ];
  return { name, marks: low === high ? marks.slice(0, 1) : marks };
}
