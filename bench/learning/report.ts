/** The Markdown table of `bench:learning`. */
import { machineLine } from '../machine.ts';
import { deviation, mean, meanInterval, median, studentInterval } from '../statistics.ts';
import { type Bar, barOf, type Published, type Reference, titleOf } from './reference.ts';
import { REFERENCES } from './references.ts';
import type { LearningResults, Row } from './results.ts';
import type { Moment } from './run-seed.ts';

const HEADER = [
  '',
  "final score over seeds: mean ± std [95% interval], by Student's t [95% interval]",
  'seeds',
  'worst seed',
  'held against',
  'lower end against that less the margin',
  'beside the best published',
  'steps, s (processor s) a run',
  'threshold',
  'seeds that end above it',
  'greedy mean reaches it',
  'training mean of 100 episodes reaches it',
  'rl-baselines3-zoo (steps)',
  'CleanRL (steps)',
];

const count = (value: number) => Math.round(value).toLocaleString('en-US');
const published = (result: Published | undefined) =>
  result === undefined ? '-' : `${result.mean} ± ${result.std} (${count(result.steps)})`;

/** Three digits behind the point for returns below 2, one for others. */
function show(value: number, scale: number): string {
  return Number.isFinite(value) ? value.toFixed(Math.abs(scale) < 2 ? 3 : 1) : '-';
}

function solvedCell(moments: readonly (Moment | null)[]): string {
  const reached = moments.filter((moment) => moment !== null);
  if (reached.length === 0) return `0 of ${moments.length}`;
  const first = median(reached.map(({ steps }) => steps));
  const time = median(reached.map(({ seconds }) => seconds));
  const slowest = Math.max(...reached.map(({ steps }) => steps));
  return `${reached.length} of ${moments.length}: ${count(first)} steps (at most ${count(slowest)}), ${time.toFixed(1)} s`;
}

export interface Verdict {
  readonly low: number;
  readonly high: number;
  readonly bar: Bar;
  /** The least that the lower end may be. */
  readonly least: number;
  readonly isAbove: boolean;
  readonly studentLow: number;
}

/** Whether the lower end of the interval over seeds lies above the bar less the margin; by the bootstrap, and by Student's t. */
export function judge(finals: readonly number[], reference: Reference): Verdict {
  const [low, high] = meanInterval(finals);
  const bar = barOf(reference);
  const least = bar.mean - reference.margin;
  return { low, high, bar, least, isAbove: low >= least, studentLow: studentInterval(finals)[0] };
}

/** Our interval beside the higher of the two published means, or beside the bar where nothing is published. */
export function standing(finals: readonly number[], reference: Reference): 'better' | 'level' | 'worse' {
  const [low, high] = meanInterval(finals);
  const { zoo, cleanrl } = reference;
  const means = [zoo, cleanrl].flatMap((result) => (result === undefined ? [] : [result.mean]));
  const best = means.length > 0 ? Math.max(...means) : barOf(reference).mean;
  if (low > best) return 'better';
  return high < best ? 'worse' : 'level';
}

function verdictCell(
  { low, least, isAbove, studentLow }: Verdict,
  number: (value: number) => string,
): string {
  const isDoubtful = isAbove && studentLow < least;
  const doubt = isDoubtful ? `; by Student's t ${number(studentLow)} is` : '';
  return `${number(low)} is ${isAbove ? 'not below' : 'BELOW'} ${number(least)}${doubt}`;
}

function tableRow(
  { algorithm, env, variant, threshold, budget, runs }: Row,
  reference: Reference | undefined,
): string {
  const finals = runs.map(({ final }) => final.mean);
  const [low, high] = meanInterval(finals);
  const [studentLow, studentHigh] = studentInterval(finals);
  const number = (value: number) => show(value, mean(finals));
  const verdict = reference && judge(finals, reference);
  const hasThreshold = threshold !== null;
  // Of another score than the return, the threshold says nothing at the end.
  const isComparable = hasThreshold && reference?.score === undefined;
  const cells = [
    `${titleOf(algorithm)} ${env}${variant === undefined ? '' : `, ${variant}`}`,
    `${number(mean(finals))} ± ${number(deviation(finals))} [${number(low)}, ${number(high)}], t [${number(studentLow)}, ${number(studentHigh)}]`,
    String(finals.length),
    number(Math.min(...finals)),
    verdict ? `${number(verdict.bar.mean)}, ${verdict.bar.what}` : '-',
    verdict ? verdictCell(verdict, number) : '-',
    reference ? standing(finals, reference) : '-',
    `${count(budget)}, ${median(runs.map(({ seconds }) => seconds)).toFixed(1)} (${median(runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1)})`,
    hasThreshold ? show(threshold, threshold) : '-',
    isComparable ? `${finals.filter((final) => final >= threshold).length} of ${runs.length}` : '-',
    hasThreshold ? solvedCell(runs.map(({ evaluationSolved }) => evaluationSolved)) : '-',
    hasThreshold ? solvedCell(runs.map(({ trainingSolved }) => trainingSolved)) : '-',
    published(reference?.zoo),
    published(reference?.cleanrl),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Variants say what they end at, and have neither a bar nor a curve of their own. */
export const hasCurve = ({ variant }: Row): boolean => variant === undefined;

function marginLine({ algorithm, env }: Row, reference: Reference | undefined): string[] {
  if (reference === undefined) return [];
  const { margin, why, numEpisodes = 100, score, envOptions, firstSeed } = reference;
  const seeds = firstSeed === undefined ? '' : `; seeds from ${firstSeed} up`;
  const trained = envOptions ? `; trained with ${JSON.stringify(envOptions)}` : '';
  const what = score ? `; the score is the ${score.name}` : '';
  return [
    `- ${titleOf(algorithm)} ${env}: ${margin}; ${why}. ${count(numEpisodes)} episodes an evaluation${trained}${what}${seeds}.`,
  ];
}

type Setting = Pick<Row, 'algorithm' | 'env' | 'budget'>;

/** Of settings that are shipped and have no row, or one over another number of steps: a table is silent about what it does not hold. */
function unmeasuredLines(tuned: readonly Setting[], rows: readonly Row[]): string[] {
  const lines: string[] = [];
  const name = (setting: Setting) => `${titleOf(setting.algorithm)} ${setting.env}`;
  const rowOf = ({ algorithm, env }: Setting) =>
    rows.find((row) => hasCurve(row) && row.algorithm === algorithm && row.env === env);
  const missing = tuned.filter((setting) => rowOf(setting) === undefined);
  const changed = tuned.filter((setting) => (rowOf(setting)?.budget ?? setting.budget) !== setting.budget);
  if (missing.length > 0)
    lines.push(`Tuned, and not measured yet over several seeds: ${missing.map(name).join(', ')}.`);
  if (changed.length > 0) {
    const names = changed.map((setting) => `${name(setting)} (${count(setting.budget)} steps now)`);
    lines.push(`Rows of earlier settings, not measured again yet: ${names.join(', ')}.`);
  }
  return lines;
}

/** @param tuned what there are tuned settings for; what has no row, or one over another number of steps, is named. */
export function learningReport({ machine, rows }: LearningResults, tuned: readonly Setting[] = []): string {
  const references = rows.map((row) => (hasCurve(row) ? REFERENCES[row.algorithm]?.[row.env] : undefined));
  const runs = rows.flatMap((row) => row.runs);
  const loads = runs.flatMap((run) => run.load);
  const numSeeds = [...new Set(rows.map((row) => row.runs.length))].join(', ');
  const commits = [...new Set(runs.map(({ commit }) => commit))].join('; ');
  const curves = rows
    .filter(hasCurve)
    .map(({ algorithm, env }) => `![${algorithm} ${env}](learning-${algorithm}-${env}.svg)`);
  return [
    '# Learning',
    `${machineLine(machine)}. Runs made at: ${commits}. Not run on CUDA.`,
    `Tuned settings as shipped (\`algorithms/*/tuned.ts\`), ${numSeeds} seeds, which were not tuned on: from 0 up where the margins below name no other. The final score is the mean of greedy episodes on fresh seeds after the last step; the spread is over seeds, the first interval a percentile bootstrap over seeds, which with five of them covers the true mean nearer to 84% of the time than 95%, the second Student's, which is wider (it may reach beyond what a score can be); where it says otherwise of the lower end, the table tells. Better than the best published mean (or the bar, where there is none) is a row whose whole bootstrap interval lies above it, worse one whose whole interval lies below, level any other; what others' seeds scatter is not known, so this is of our own luck alone. All seeds end on the same episodes, so the luck of those is in every one of them and not in the interval. Published: rl-baselines3-zoo's is one run, its ± that of evaluation episodes; CleanRL's is three seeds, its ± that of seeds, its episodes those of training. Rows with a name behind the environment have one option more, or others, than the tuned settings (\`bench/learning/variants.ts\`). A greedy mean is looked at twenty times a run. Every run had one thread; seconds are medians, count training alone, and were taken at load averages of ${Math.min(...loads)} to ${Math.max(...loads)} on ${machine.numCores} cores: what a run costs is its processor time. Made by \`npm run bench:learning\`.`,
    [
      `| ${HEADER.join(' | ')} |`,
      `| ${HEADER.map(() => '---').join(' | ')} |`,
      ...rows.map((row, k) => tableRow(row, references[k])),
    ].join('\n'),
    ...unmeasuredLines(tuned, rows),
    'Margins, in units of the score:',
    rows.flatMap((row, k) => marginLine(row, references[k])).join('\n'),
    ...curves,
    '',
  ].join('\n\n');
}
