/** A learning curve as SVG: the mean over seeds, a band from the lowest to the highest, the threshold. */
import { mean } from '../statistics.ts';

export interface Point {
  readonly steps: number;
  /** One value per seed that had one. */
  readonly values: readonly number[];
}

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 16;
const TOP = 36;
const BOTTOM = 44;

export function learningCurve(
  title: string,
  points: readonly Point[],
  threshold: number | null,
  numEpisodes: number,
): string {
  const all = [...points.flatMap(({ values }) => values), ...(threshold === null ? [] : [threshold])];
  const [low, high] = padded(Math.min(...all), Math.max(...all));
  const end = Math.max(...points.map(({ steps }) => steps));
  const x = (steps: number) => LEFT + (steps / end) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const at = (steps: number, value: number) => `${x(steps).toFixed(1)},${y(value).toFixed(1)}`;
  const upper = points.map(({ steps, values }) => at(steps, Math.max(...values)));
  const lower = points.map(({ steps, values }) => at(steps, Math.min(...values))).reverse();
  const middle = points.map(({ steps, values }) => at(steps, mean(values)));
  const text = (cx: number, cy: number, anchor: string, words: string, size = 12) =>
    `<text x="${cx.toFixed(1)}" y="${cy.toFixed(1)}" text-anchor="${anchor}" font-size="${size}" fill="#444">${words}</text>`;
  const rule = (value: number, style: string) =>
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" ${style}/>`;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(WIDTH / 2, 22, 'middle', title, 15),
    ...ticks(low, high).flatMap((value) => [
      rule(value, 'stroke="#ddd"'),
      text(LEFT - 8, y(value) + 4, 'end', String(value)),
    ]),
    ...ticks(0, end).map((steps) => text(x(steps), HEIGHT - BOTTOM + 18, 'middle', thousands(steps))),
    text(
      WIDTH / 2,
      HEIGHT - 8,
      'middle',
      `environment steps; mean of ${numEpisodes.toLocaleString('en-US')} greedy episodes, band: lowest to highest seed`,
    ),
    ...(threshold === null ? [] : [rule(threshold, 'stroke="#c33" stroke-dasharray="5 4"')]),
    `<polygon points="${[...upper, ...lower].join(' ')}" fill="#36c" opacity="0.2"/>`,
    `<polyline points="${middle.join(' ')}" fill="none" stroke="#36c" stroke-width="2"/>`,
    '</svg>',
  ].join('\n')}\n`;
}

function padded(low: number, high: number): readonly [number, number] {
  const margin = (high - low || Math.abs(high) || 1) * 0.05;
  return [low - margin, high + margin];
}

/** About five round values from `low` to `high`. */
export function ticks(low: number, high: number): readonly number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, k) => Number(((first + k) * step).toPrecision(6)));
}

const thousands = (steps: number) => (steps >= 1000 ? `${steps / 1000}k` : String(steps));
