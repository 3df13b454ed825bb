/** Line charts as SVG: axes, lines, bands, dots, a legend. */
import { escaped, short, svgDocument, text } from './svg.ts';

/** A line over [0, ...) with an optional band around it; as many numbers of each. */
export interface Line {
  /** Empty = not in the legend. */
  readonly label: string;
  readonly color: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  /** A dot at each of its points, and nothing between them. @defaultValue false */
  readonly isDots?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

const MARGIN = { left: 58, right: 12, top: 30, bottom: 30 };
const LEGEND_LINE = 14;

/** Panels in rows of `numColumns`, all of one size, under a title. */
export function drawPanels(
  title: string,
  panels: readonly Panel[],
  {
    width,
    height,
    numColumns,
  }: { readonly width: number; readonly height: number; readonly numColumns: number },
): string {
  const head = 34;
  const numRows = Math.ceil(panels.length / numColumns);
  const [fullWidth, fullHeight] = [width * Math.min(numColumns, panels.length), head + height * numRows];
  const drawn = panels.map((panel, k) => {
    const [x, y] = [width * (k % numColumns), head + height * Math.floor(k / numColumns)];
    return `<g transform="translate(${x} ${y})">\n${drawPanel(panel, width, height)}\n</g>`;
  });
  return svgDocument(title, fullWidth, fullHeight, drawn);
}

function drawPanel({ title, lines }: Panel, width: number, height: number): string {
  const all = lines.flatMap(({ y, low = [], high = [] }) => [...y, ...low, ...high]);
  const [low, high] = padded(least(all), greatest(all));
  const end = greatest(lines.flatMap(({ x }) => x)) || 1;
  const toX = (x: number) => MARGIN.left + (x / end) * (width - MARGIN.left - MARGIN.right);
  const toY = (y: number) => MARGIN.top + ((high - y) / (high - low)) * (height - MARGIN.top - MARGIN.bottom);
  const at = (x: number, y: number) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`;
  const right = width - MARGIN.right;
  return [
    text(MARGIN.left, 18, 'start', title, 12),
    ...ticks(low, high).flatMap((value) => [
      `<line x1="${MARGIN.left}" x2="${right}" y1="${toY(value).toFixed(1)}" y2="${toY(value).toFixed(1)}" stroke="#e4e4e4"/>`,
      text(MARGIN.left - 6, toY(value) + 4, 'end', short(value)),
    ]),
    ...ticks(0, end).map((value) => text(toX(value), height - 12, 'middle', short(value))),
    ...lines.flatMap((line) => drawLine(line, at)),
    ...drawLegend(lines, right, height),
  ].join('\n');
}

function drawLine(
  { x, y, low, high, color, isDots = false }: Line,
  at: (x: number, y: number) => string,
): readonly string[] {
  if (x.length === 0) return [];
  if (isDots) return x.map((step, k) => dot(at(step, y[k]), color));
  const points = x.map((step, k) => at(step, y[k])).join(' ');
  // One point is no line: a dot.
  const mark =
    x.length === 1
      ? dot(points, color)
      : `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="1.6"/>`;
  if (low === undefined || high === undefined) return [mark];
  const outline = [
    ...x.map((step, k) => at(step, high[k])),
    ...x.map((step, k) => at(step, low[k])).reverse(),
  ];
  return [`<polygon points="${outline.join(' ')}" fill="${color}" opacity="0.18"/>`, mark];
}

function dot(point: string, color: string): string {
  const [x, y] = point.split(',');
  return `<circle cx="${x}" cy="${y}" r="3" fill="${color}"/>`;
}

function drawLegend(lines: readonly Line[], right: number, height: number): readonly string[] {
  const named = lines.filter(({ label }) => label !== '');
  return named.map(({ label, color }, k) => {
    const y = height - MARGIN.bottom - 8 - LEGEND_LINE * (named.length - 1 - k);
    return `<text x="${right - 4}" y="${y}" text-anchor="end" font-size="11" fill="${color}">${escaped(label)}</text>`;
  });
}

function padded(low: number, high: number): readonly [number, number] {
  const margin = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - margin, high + margin];
}

/** About four round values from `low` to `high`. */
export function ticks(low: number, high: number): readonly number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, k) => Number(((first + k) * step).toPrecision(6)));
}

// Spread into Math.min, a long run's numbers are more arguments than a call takes.
const least = (values: readonly number[]) =>
  values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const greatest = (values: readonly number[]) =>
  values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
