/** A study in pictures, beside its report. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Domain, isSameValue } from '../config/search-space.ts';
import { replaceTextFile } from '../files/durable-files.ts';
import { drawBars } from '../metrics/curves/bars.ts';
import { drawPanels, type Line, type Panel } from '../metrics/curves/chart.ts';
import { type Axis, drawParallelCoordinates, rangeAxis } from '../metrics/curves/parallel-coordinates.ts';
import { readProgress } from '../metrics/curves/read-progress.ts';
import { drawSeedCurves, type SeedRun } from '../metrics/curves/seed-curves.ts';
import { COLORS } from '../metrics/curves/svg.ts';
import { importances } from './importance.ts';
import { metricKey } from './run-metric.ts';
import { rank } from './searchers/tpe.ts';
import type { StudySettings } from './settings.ts';
import { scheduleOf, type Trial } from './trial.ts';
import { seedFolder } from './trial-folder.ts';

const PANEL = { width: 620, height: 300, numColumns: 1 };
/** Trials whose curves are drawn. */
const NUM_CURVES = 6;

/** File names in the order in which a report shows them, each with what it is. */
export const PICTURES = {
  'history.svg': 'Scores in the order of the trials, and the best so far',
  'importance.svg': 'How differently the best tenth is spread along each option (PED-ANOVA)',
  'parallel.svg': 'Values and score of each trial; dark is better',
  'curves.svg': 'Learning curves of the best trials; band: lowest to highest seed',
  'lineage.svg': 'Who went on from whose checkpoint, and the values on the way; the best in blue',
} as const;
export type PictureName = keyof typeof PICTURES;

/** Writes what can be drawn, and removes what an earlier report has and this one does not. @returns what was drawn. */
export async function writePictures(
  folder: string,
  settings: StudySettings,
  trials: readonly Trial[],
  best: Trial | null,
): Promise<PictureName[]> {
  const drawn: Readonly<Record<PictureName, string | null>> = {
    'history.svg': drawHistory(settings, trials),
    'importance.svg': drawImportance(settings, trials),
    'parallel.svg': drawParallel(settings, trials),
    'curves.svg': await drawCurves(folder, settings, trials),
    'lineage.svg': drawLineage(settings, trials, best),
  };
  const names = Object.keys(PICTURES) as PictureName[];
  for (const name of names) {
    const svg = drawn[name];
    if (svg === null) await rm(join(folder, name), { force: true });
    else await replaceTextFile(join(folder, name), svg);
  }
  return names.filter((name) => drawn[name] !== null);
}

const metricOf = ({ score }: Trial, { mode }: StudySettings) =>
  mode === 'max' ? Number(score) : -Number(score);
const scored = (trials: readonly Trial[]) => trials.filter(({ score }) => score !== null);

function drawHistory(settings: StudySettings, trials: readonly Trial[]): string | null {
  const complete = trials.filter(({ state, score }) => state === 'complete' && score !== null);
  const others = scored(trials).filter((trial) => !complete.includes(trial));
  if (complete.length === 0) return null;
  const dots = (label: string, color: string, some: readonly Trial[]): Line => ({
    ...{ label, color, isDots: true, x: some.map(({ number }) => number) },
    y: some.map((trial) => metricOf(trial, settings)),
  });
  let most = Number.NEGATIVE_INFINITY;
  const bests = complete.map(({ score }) => {
    most = Math.max(most, score as number);
    return settings.mode === 'max' ? most : -most;
  });
  const line: Line = {
    label: 'best so far',
    color: COLORS[1],
    x: complete.map(({ number }) => number),
    y: bests,
  };
  const lines = [dots('stopped early', '#bbb', others), dots('complete', COLORS[0], complete), line];
  return drawPanels('History', [{ title: `${settings.metric}, by trial`, lines }], PANEL);
}

function drawImportance(settings: StudySettings, trials: readonly Trial[]): string | null {
  const shares = importances(settings.space, trials);
  if (shares === null) return null;
  return drawBars('Importance', shares);
}

function drawParallel(settings: StudySettings, trials: readonly Trial[]): string | null {
  const some = scored(trials);
  if (some.length < 2) return null;
  const scores = some.map((trial) => metricOf(trial, settings));
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const options = Object.entries(settings.space);
  const axes = [
    ...options.map(([name, domain]) => axisOf(name, domain)),
    rangeAxis(settings.metric, low, high),
  ];
  const ranked = rank(some);
  const rows = some.map((trial, k) => {
    const positions = options.map(([name, domain]) =>
      Object.hasOwn(trial.values, name) ? positionOf(domain, trial.values[name]) : null,
    );
    const score = high === low ? 0 : (scores[k] - low) / (high - low);
    return { positions: [...positions, score], weight: 1 - ranked.indexOf(trial) / ranked.length };
  });
  return drawParallelCoordinates('Parallel coordinates', axes, rows);
}

function axisOf(name: string, domain: Domain): Axis {
  if (domain.kind === 'number') return rangeAxis(name, domain.low, domain.high);
  const marks = domain.choices.map((value) => ({
    position: positionOf(domain, value),
    label: typeof value === 'string' ? value : JSON.stringify(value),
  }));
  return { name, marks };
}

function positionOf(domain: Domain, value: Trial['values'][string]): number {
  if (domain.kind === 'choice') {
    const index = domain.choices.findIndex((other) => isSameValue(other, value));
    return domain.choices.length === 1 ? 0.5 : index / (domain.choices.length - 1);
  }
  const { low, high, isLog } = domain;
  const scale = isLog ? Math.log : (number: number) => number;
  return high === low ? 0.5 : (scale(value as number) - scale(low)) / (scale(high) - scale(low));
}

async function drawCurves(
  folder: string,
  settings: StudySettings,
  trials: readonly Trial[],
): Promise<string | null> {
  const metric = metricKey(settings.metric);
  const runs: SeedRun[] = [];
  for (const trial of rank(scored(trials)).slice(0, NUM_CURVES)) {
    for (let seedIndex = 0; seedIndex < settings.seedsPerTrial; seedIndex++) {
      const columns = await readProgress(seedFolder(folder, trial, seedIndex)).catch(() => null);
      const column = columns?.get(metric);
      if (column !== undefined) runs.push({ group: `trial ${trial.number}`, column });
    }
  }
  return runs.length === 0 ? null : drawSeedCurves(metric, runs);
}

/** One panel for who went on from whom, one for each number that was searched. */
function drawLineage(settings: StudySettings, trials: readonly Trial[], best: Trial | null): string | null {
  if (trials.every(({ clones }) => clones.length === 0)) return null;
  const schedule = best === null ? [] : scheduleOf(trials, best.number, best.numSteps);
  const beginOf = (k: number) => (k === 0 ? 0 : schedule[k - 1].untilSteps);
  const tree = trials.flatMap(({ number, numSteps, clones }): Line[] => [
    { label: '', color: '#bbb', x: [0, numSteps], y: [number, number] },
    ...clones.map(({ source, numSteps: at }) => ({
      label: '',
      color: '#d55e00',
      x: [at, at],
      y: [source, number],
    })),
  ]);
  const path = schedule.map(({ number, untilSteps }, k) => ({
    ...{ label: '', color: COLORS[0], x: [beginOf(k), untilSteps], y: [number, number] },
  }));
  const panels: Panel[] = [{ title: 'trial, over steps', lines: [...tree, ...path] }];
  for (const [name, domain] of Object.entries(settings.space)) {
    if (domain.kind !== 'number') continue;
    const scale = domain.isLog ? Math.log10 : (value: number) => value;
    const lines = trials.map(({ number, numSteps }) =>
      stepsOf(scaled(scheduleOf(trials, number, numSteps), name, scale), '#bbb'),
    );
    const own = stepsOf(scaled(schedule, name, scale), COLORS[0]);
    panels.push({ title: domain.isLog ? `log10 ${name}` : name, lines: [...lines, own] });
  }
  return drawPanels('Lineage', panels, PANEL);
}

type ValueUntil = readonly [untilSteps: number, value: number];

function scaled(
  schedule: ReturnType<typeof scheduleOf>,
  name: string,
  scale: (value: number) => number,
): ValueUntil[] {
  return schedule.flatMap(({ untilSteps, values }) =>
    Object.hasOwn(values, name) ? [[untilSteps, scale(values[name] as number)] as const] : [],
  );
}

/** A value that jumps where it changes. */
function stepsOf(values: readonly ValueUntil[], color: string): Line {
  const x = values.flatMap(([until], k) => [k === 0 ? 0 : values[k - 1][0], until]);
  return { label: '', color, x, y: values.flatMap(([, value]) => [value, value]) };
}
