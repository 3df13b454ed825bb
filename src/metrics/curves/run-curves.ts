/** `curves.svg` of a run folder: what a run's metrics did, in one picture. */
import { drawPanels, type Line, type Panel } from './chart.ts';
import type { Column, Columns } from './read-progress.ts';
import { COLORS } from './svg.ts';
import { thinOut } from './thin-out.ts';

const MAX_POINTS = 300;
const RETURN = 'rollout/episodeReturnMean';
const EVALUATED = 'evaluation/episodeReturnMean';

/**
 * Returns first (training's mean, and evaluation's with its interval), then episode lengths, then what the algorithm and the environment
 * tell. Time and counts are left to the tables.
 *
 * @returns null for a run without a metric to draw.
 */
export function drawRunCurves(title: string, columns: Columns): string | null {
  const others = [...columns.keys()].filter(
    (key) => /^(train|env|user|replay)\//.test(key) && !/\/num[A-Z]/.test(key),
  );
  const keys = ['rollout/episodeLengthMean', ...others].filter((key) => columns.has(key));
  const returns = returnPanel(columns);
  const panels: Panel[] = [
    ...(returns.lines.length === 0 ? [] : [returns]),
    ...keys.map((key) => ({ title: key, lines: [line('', COLORS[0], columns.get(key) as Column)] })),
  ];
  if (panels.length === 0) return null;
  return drawPanels(`${title}, over environment steps`, panels, { width: 400, height: 230, numColumns: 3 });
}

function returnPanel(columns: Columns): Panel {
  const trained = columns.get(RETURN);
  const evaluated = columns.get(EVALUATED);
  const low = columns.get('evaluation/episodeReturnLow');
  const high = columns.get('evaluation/episodeReturnHigh');
  const hasBand = low?.values.length === evaluated?.values.length && low !== undefined && high !== undefined;
  return {
    title: 'mean return',
    lines: [
      ...(trained === undefined ? [] : [line('training', COLORS[0], trained)]),
      ...(evaluated === undefined
        ? []
        : [
            {
              ...line('evaluation', COLORS[1], evaluated),
              ...(hasBand
                ? { low: thinOut(low, MAX_POINTS).values, high: thinOut(high, MAX_POINTS).values }
                : {}),
            },
          ]),
    ],
  };
}

function line(label: string, color: string, column: Column): Line {
  const { steps, values } = thinOut(column, MAX_POINTS);
  return { label, color, x: steps, y: values };
}
