/** Several runs in one picture: those that differ in their seed alone become one line, with a band around it. */
import { drawPanels, type Line } from './chart.ts';
import type { Column } from './read-progress.ts';
import { COLORS } from './svg.ts';

/** A run's metric, and what it belongs to. */
export interface SeedRun {
  /** Runs of one group differ in their seed alone. */
  readonly group: string;
  readonly column: Column;
}

const NUM_POINTS = 200;

/**
 * One line a group: the mean over its runs at the same number of environment steps, read off between iterations, as far as every run of
 * it went and from where every one has begun; the band goes from the lowest run to the highest.
 */
export function drawSeedCurves(title: string, runs: readonly SeedRun[]): string {
  const groups = [...new Set(runs.map(({ group }) => group))];
  const lines = groups.map((group, k): Line => {
    const columns = runs.filter((run) => run.group === group).map(({ column }) => column);
    const label = `${group} (${columns.length} ${columns.length === 1 ? 'run' : 'runs'})`;
    return { label, color: COLORS[k % COLORS.length], ...bandOf(columns) };
  });
  return drawPanels(title, [{ title: 'over environment steps; band: lowest to highest run', lines }], {
    width: 760,
    height: 440,
    numColumns: 1,
  });
}

/** Mean, lowest and highest of the columns at steps that all of them have. */
export function bandOf(columns: readonly Column[]): Pick<Line, 'x' | 'y' | 'low' | 'high'> {
  const begin = Math.max(...columns.map(({ steps }) => steps[0]));
  const end = Math.min(...columns.map(({ steps }) => steps[steps.length - 1]));
  const numPoints = end > begin ? NUM_POINTS : 1;
  const x = Array.from({ length: numPoints }, (_, k) =>
    numPoints === 1 ? end : begin + ((end - begin) * k) / (numPoints - 1),
  );
  const values = x.map((steps) => columns.map((column) => valueAt(column, steps)));
  const y = values.map((row) => row.reduce((sum, value) => sum + value, 0) / row.length);
  if (columns.length === 1) return { x, y };
  return { x, y, low: values.map((row) => Math.min(...row)), high: values.map((row) => Math.max(...row)) };
}

/** Linear between two iterations; the nearest beyond the ends. */
function valueAt({ steps, values }: Column, at: number): number {
  const above = steps.findIndex((step) => step >= at);
  if (above === 0) return values[0];
  if (above < 0) return values[values.length - 1];
  const share = (at - steps[above - 1]) / (steps[above] - steps[above - 1]);
  return values[above - 1] + share * (values[above] - values[above - 1]);
}
