/** The Markdown table of `bench:learning`. */
import { type Machine, machineLine } from '../machine.ts';
import { deviation, mean, meanInterval, median } from '../statistics.ts';
import { PUBLISHED, type Published } from './published.ts';
import type { Moment, SeedRun } from './run-seed.ts';

export interface Row {
  readonly algorithm: string;
  readonly env: string;
  readonly threshold: number | null;
  readonly budget: number;
  readonly runs: readonly (SeedRun & { readonly load: number })[];
}

export interface LearningResults {
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

const steps = (value: number) => Math.round(value).toLocaleString('en-US');
const published = (result: Published['zoo']) =>
  result === undefined ? '-' : `${result.mean} ± ${result.std} (${steps(result.steps)})`;

const solvedCell = (moments: readonly (Moment | null)[]): string => {
  const reached = moments.filter((moment) => moment !== null);
  if (reached.length === 0) return `0 of ${moments.length}`;
  const [first, time] = [
    median(reached.map((moment) => moment.steps)),
    median(reached.map(({ seconds }) => seconds)),
  ];
  const slowest = Math.max(...reached.map((moment) => moment.steps));
  return `${reached.length} of ${moments.length}: ${steps(first)} steps (at most ${steps(slowest)}), ${time.toFixed(1)} s`;
};

/** Whether the lower end of the interval lies above the published mean less the margin. */
function verdict(row: Row): string {
  const known = PUBLISHED[row.algorithm]?.[row.env];
  if (known === undefined) return '-';
  const bar = (known.zoo ?? known.cleanrl ?? { mean: -Infinity }).mean - known.margin;
  const [low] = meanInterval(row.runs.map(({ finalReturns }) => mean(finalReturns)));
  return `${low.toFixed(1)} ${low >= bar ? 'is above' : 'is BELOW'} ${bar.toFixed(1)}`;
}

function tableRow(row: Row): string {
  const { algorithm, env, threshold, budget, runs } = row;
  const finals = runs.map(({ finalReturns }) => mean(finalReturns));
  const [low, high] = meanInterval(finals);
  const known = PUBLISHED[algorithm]?.[env];
  const cells = [
    `${algorithm.toUpperCase()} ${env}`,
    `${mean(finals).toFixed(1)} ± ${deviation(finals).toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`,
    `${Math.min(...finals).toFixed(1)}`,
    `${steps(budget)}`,
    threshold === null ? '-' : String(threshold),
    threshold === null ? '-' : solvedCell(runs.map(({ trainingSolved }) => trainingSolved)),
    threshold === null ? '-' : solvedCell(runs.map(({ evaluationSolved }) => evaluationSolved)),
    published(known?.zoo),
    published(known?.cleanrl),
    verdict(row),
  ];
  return `| ${cells.join(' | ')} |`;
}

export function learningReport({ machine, rows }: LearningResults): string {
  const header = [
    '',
    'final return over seeds: mean ± std [95% interval]',
    'worst seed',
    'steps',
    'threshold',
    'training mean of 100 episodes reaches it',
    'greedy mean of 100 episodes reaches it',
    'rl-baselines3-zoo (steps)',
    'CleanRL (steps)',
    'lower end against published less margin',
  ];
  const margins = rows.flatMap(({ algorithm, env }) => {
    const known = PUBLISHED[algorithm]?.[env];
    return known === undefined ? [] : [`- ${algorithm.toUpperCase()} ${env}: ${known.margin}; ${known.why}.`];
  });
  const curves = rows.map(({ algorithm, env }) => `![${algorithm} ${env}](learning-${algorithm}-${env}.svg)`);
  const numSeeds = [...new Set(rows.map(({ runs }) => runs.length))].join(', ');
  return [
    '# Learning',
    `${machineLine(machine)}. Not run on CUDA.`,
    `Tuned settings as shipped (\`algorithms/*/tuned.ts\`), ${numSeeds} seeds from 0 up, which were not tuned on. The final return is the mean of 100 greedy episodes on fresh seeds after the last step; the spread is over seeds. Seconds count training alone. A greedy mean is looked at twenty times a run. Made by \`npm run bench:learning\`.`,
    [`| ${header.join(' | ')} |`, `| ${header.map(() => '---').join(' | ')} |`, ...rows.map(tableRow)].join(
      '\n',
    ),
    ...(margins.length > 0 ? ['Margins, in units of return:', margins.join('\n')] : []),
    ...curves,
    '',
  ].join('\n\n');
}
