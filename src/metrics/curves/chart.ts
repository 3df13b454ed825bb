/** Line charts as SVG: axes, lines, bands, a legend; nothing is fetched and nothing is run. */

/** A line over [0, ...) with an optional band around it; as many numbers of each. */
export interface Line {
  /** Empty = not in the legend. */
  readonly label: string;
  readonly color: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly low?: readonly number[];
  readonly high?: readonly number[];
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** Told apart by people who see few colours, too (Okabe and Ito 2008). */
export const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#555555'];

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
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${fullWidth}" height="${fullHeight}" viewBox="0 0 ${fullWidth} ${fullHeight}" font-family="sans-serif">`,
    `<rect width="${fullWidth}" height="${fullHeight}" fill="#fff"/>`,
    text(12, 22, 'start', title, 15),
    ...drawn,
    '</svg>',
  ].join('\n')}\n`;
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

function drawLine({ x, y, low, high, color }: Line, at: (x: number, y: number) => string): readonly string[] {
  const points = x.map((step, k) => at(step, y[k])).join(' ');
  // One point is no line: a dot.
  const mark =
    x.length === 1
      ? `<circle cx="${points.split(',')[0]}" cy="${points.split(',')[1]}" r="3" fill="${color}"/>`
      : `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="1.6"/>`;
  if (low === undefined || high === undefined) return [mark];
  const outline = [
    ...x.map((step, k) => at(step, high[k])),
    ...x.map((step, k) => at(step, low[k])).reverse(),
  ];
  return [`<polygon points="${outline.join(' ')}" fill="${color}" opacity="0.18"/>`, mark];
}

function drawLegend(lines: readonly Line[], right: number, height: number): readonly string[] {
  const named = lines.filter(({ label }) => label !== '');
  return named.map(({ label, color }, k) => {
    const y = height - MARGIN.bottom - 8 - LEGEND_LINE * (named.length - 1 - k);
    return `<text x="${right - 4}" y="${y}" text-anchor="end" font-size="11" fill="${color}">${escaped(label)}</text>`;
  });
}

function text(x: number, y: number, anchor: string, words: string, size = 11): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="${size}" fill="#333">${escaped(words)}</text>`;
}

/** Names come from people. */
function escaped(words: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return words.replace(/[&<>"]/g, (letter) => entities[letter]);
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

/** `20k`, `1.5M`, `0.002`. */
function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(4))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(4))}k`;
  if (size !== 0 && size < 1e-3) return Number(value.toPrecision(3)).toExponential();
  return String(Number(value.toPrecision(4)));
}

// Spread into Math.min, a long run's numbers are more arguments than a call takes.
const least = (values: readonly number[]) =>
  values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const greatest = (values: readonly number[]) =>
  values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
