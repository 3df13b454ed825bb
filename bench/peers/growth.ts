/** Workload 9 as a picture: steps/s against workers, environments, width and depth. */
import { drawPanels, type Line } from '../../src/metrics/curves/chart.ts';
import { COLORS } from '../../src/metrics/curves/svg.ts';
import { median } from '../statistics.ts';
import { type ContestantName, titleOf } from './contestants.ts';
import { stepsPerSecond, timed } from './measures.ts';
import type { RunRecord } from './results.ts';

/** How a variant is named that differs from the base in one quantity, whose value is the first group. */
const QUANTITIES = [
  { title: 'steps/s, by workers', name: /^(\d+) workers$/ },
  { title: 'steps/s, by environments', name: /^(\d+) environments$/ },
  { title: 'steps/s, by width of two hidden layers', name: /^width (\d+)$/ },
  { title: 'steps/s, by number of hidden layers', name: /^depth (\d+)$/ },
] as const;
const SHOWN: readonly ContestantName[] = ['operant', 'sb3'];

/** Medians, with a band from the least to the greatest of the seeds. @returns an SVG; null where workload 9 has not been timed. */
export function drawGrowth(records: readonly RunRecord[]): string | null {
  const own = timed(records).filter(({ workload }) => workload === 9);
  const panels = QUANTITIES.map(({ title, name }) => {
    const lines = SHOWN.map((contestant, k) => growthLine(own, contestant, name, COLORS[k]));
    return { title, lines: lines.filter(({ x }) => x.length > 0) };
  }).filter(({ lines }) => lines.length > 0);
  if (panels.length === 0) return null;
  return drawPanels('Cost growth, CartPole', panels, { width: 380, height: 240, numColumns: 2 });
}

function growthLine(
  records: readonly RunRecord[],
  contestant: ContestantName,
  name: RegExp,
  color: string,
): Line {
  const byValue = new Map<number, number[]>();
  for (const record of records) {
    const value = name.exec(record.variant)?.[1];
    const speed = stepsPerSecond(record);
    if (record.contestant !== contestant || value === undefined || speed === undefined) continue;
    byValue.set(Number(value), [...(byValue.get(Number(value)) ?? []), speed]);
  }
  const x = [...byValue.keys()].sort((first, second) => first - second);
  const speeds = x.map((value) => byValue.get(value) ?? []);
  return {
    label: titleOf(contestant),
    color,
    x,
    y: speeds.map((each) => median(each)),
    low: speeds.map((each) => Math.min(...each)),
    high: speeds.map((each) => Math.max(...each)),
  };
}
