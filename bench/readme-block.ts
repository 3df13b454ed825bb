/** The README's table, from what the benchmark commands wrote. */

import { titleOf } from './learning/reference.ts';
import { REFERENCES } from './learning/references.ts';
import { hasCurve, judge as judgeLearning } from './learning/report.ts';
import type { LearningResults, Row } from './learning/results.ts';
import { machineLine } from './machine.ts';
import { type Comparison, compare, judge, peersAhead } from './peers/comparisons.ts';
import {
  batchUs,
  groupName,
  groups,
  type Measure,
  markdownTable,
  peakMib,
  reachedSeconds,
  ready,
  returnsOf,
  short,
  singleUs,
  solvedSeconds,
  spread,
  stepsPerSecond,
  timed,
  updateMs,
  valuesOf,
  wholeWall,
} from './peers/measures.ts';
import type { Results } from './peers/results.ts';
import { mean, meanInterval, median } from './statistics.ts';

const BEGIN = '<!-- benchmarks: begin -->';
const END = '<!-- benchmarks: end -->';

interface Line {
  readonly workload: number;
  readonly title: string;
  readonly variant: string;
  readonly measure: Measure;
  readonly unit: string;
  readonly what: string;
}

const LINES: readonly Line[] = [
  {
    workload: 1,
    title: "CartPole-v1, rl-baselines3-zoo's settings",
    variant: '',
    measure: stepsPerSecond,
    unit: 'steps/s',
    what: 'steps/s',
  },
  {
    workload: 2,
    title: "CartPole-v1, CleanRL's settings",
    variant: '',
    measure: stepsPerSecond,
    unit: 'steps/s',
    what: 'steps/s',
  },
  {
    workload: 3,
    title: "Pendulum-v1, RLtools' settings, all cores",
    variant: 'all cores',
    measure: stepsPerSecond,
    unit: 'steps/s',
    what: 'steps/s',
  },
  {
    workload: 3,
    title: 'the same, one core',
    variant: 'one core',
    measure: stepsPerSecond,
    unit: 'steps/s',
    what: 'steps/s',
  },
  {
    workload: 4,
    title: "CartPole-v1, RLlib's tuned settings, to a training mean of 450",
    variant: '',
    measure: reachedSeconds,
    unit: 's',
    what: 'time to a training mean of 450',
  },
  {
    workload: 5,
    title: 'CartPole-v1 from nothing to a greedy mean of 475, best settings of each',
    variant: '',
    measure: solvedSeconds,
    unit: 's',
    what: 'time to solve',
  },
  {
    workload: 6,
    title: 'process start to ready for training',
    variant: 'start-up',
    measure: ready,
    unit: 's',
    what: 'process start to ready',
  },
  {
    workload: 6,
    title: 'peak memory after the first iteration',
    variant: 'start-up',
    measure: peakMib,
    unit: 'MiB',
    what: 'peak memory',
  },
  {
    workload: 7,
    title: 'a minibatch update of 256 rows, 2x64 actor and critic',
    variant: 'mlp, 256 rows',
    measure: updateMs,
    unit: 'ms',
    what: 'time of an update',
  },
  {
    workload: 8,
    title: 'one action of a trained policy',
    variant: '',
    measure: singleUs,
    unit: 'us',
    what: 'one observation',
  },
  {
    workload: 8,
    title: '64 actions of a trained policy',
    variant: '',
    measure: batchUs,
    unit: 'us',
    what: '64 observations',
  },
];

/** An off-policy workload's speed, on all cores and on one. */
const offPolicyLines = (workload: number, title: string): readonly Line[] =>
  (['all cores', 'one core'] as const).map((variant) => ({
    ...{ workload, variant, measure: stepsPerSecond, unit: 'steps/s', what: 'steps/s' },
    title: `${title}, ${variant}`,
  }));

const OFF_POLICY_LINES: readonly Line[] = [
  ...offPolicyLines(10, "DQN, CartPole-v1, rl-baselines3-zoo's settings"),
  ...offPolicyLines(11, "SAC, Pendulum-v1, rl-baselines3-zoo's settings"),
  ...offPolicyLines(12, "SAC, Pendulum-v1, RLtools' settings"),
  ...offPolicyLines(14, "TD3, Pendulum-v1, RLtools' settings"),
  {
    workload: 13,
    title: 'DQN, CartPole-v1, process start to a greedy mean of 475 that holds',
    ...{ variant: '', measure: solvedSeconds, unit: 's', what: 'time to solve' },
  },
];

const LATER_LINES: readonly Line[] = [
  {
    workload: 20,
    title: 'APPO, CartPole-v1, two workers, lag free',
    ...{ variant: 'lag free', measure: stepsPerSecond, unit: 'steps/s', what: 'steps/s' },
  },
  ...[
    { workload: 21, env: 'LunarLander-v3' },
    { workload: 22, env: 'HalfCheetah-v5' },
  ].map(({ workload, env }) => ({
    title: `PPO, ${env}, 1,000,000 steps, wall clock (projected where a run was cut short)`,
    ...{ workload, variant: '', measure: wholeWall, unit: 's', what: 'wall clock of all steps' },
  })),
];

/** Where not all of it was measured on the machine that the first line names. */
function machinesNote({ machine, records }: Results): string {
  const elsewhere = timed(records).filter(({ cpu }) => cpu !== machine.cpu);
  return [...new Set(elsewhere.map(({ cpu }) => cpu))]
    .map((cpu) => {
      const workloads = new Set(
        elsewhere.filter((record) => record.cpu === cpu).map(({ workload }) => workload),
      );
      return ` On ${cpu}: workloads ${[...workloads].toSorted((a, b) => a - b).join(', ')} of the report.`;
    })
    .join('');
}

/** `Stable-Baselines3 1,807: 14.3 times (12.4 to 15.2)`, the figure theirs, the ratio how many times better ours is. */
function beside(comparison: Comparison, { measure, workload }: Line, results: Results): string {
  const theirs = timed(results.records).filter(
    (record) => record.workload === workload && groupName(record) === comparison.theirs,
  );
  const name = comparison.theirs.replace(/, (start-up|mlp, 256 rows)/, '');
  return `${name} ${short(median(valuesOf(theirs, measure)))}: ${spread(comparison.ratios)} times`;
}

/** Returns at the end of the same training, ours and theirs. */
function returnsNote({ workload, variant }: Line, { records }: Results): string {
  if ((workload > 3 && workload < 10) || workload === 13 || variant === 'one core') return '';
  const meanReturns = [...groups(records.filter((record) => record.workload === workload))].flatMap(
    ([name, group]) => {
      const returns = returnsOf(group);
      return returns.length === 0 ? [] : [{ name, mean: mean(returns) }];
    },
  );
  const [own] = meanReturns.filter(({ name }) => name === groupName({ contestant: 'operant', variant }));
  const theirs = meanReturns.filter(({ name }) => !name.startsWith('Operant'));
  if (own === undefined || theirs.length === 0) return '';
  const others = theirs.map(({ name, mean }) => `${name} ${mean.toFixed(1)}`).join(', ');
  return `; final return ${own.mean.toFixed(1)}, ${others}`;
}

function peerRow(line: Line, results: Results, comparisons: readonly Comparison[]): string[][] {
  const own = timed(results.records).filter(
    ({ workload, contestant, variant }) =>
      workload === line.workload && contestant === 'operant' && variant === line.variant,
  );
  const values = valuesOf(own, line.measure);
  if (values.length === 0) return [];
  const against = comparisons.filter(
    ({ workload, what, ours }) =>
      workload === line.workload &&
      what === line.what &&
      ours === groupName({ contestant: 'operant', variant: line.variant }),
  );
  const others = against.map((comparison) => beside(comparison, line, results)).join('; ');
  return [[line.title, `${spread(values)} ${line.unit}`, `${others}${returnsNote(line, results)}`]];
}

function learningRow({ algorithm, env, budget, runs }: Row): string[] {
  const finals = runs.map(({ final }) => final.mean);
  const [low, high] = meanInterval(finals);
  const digits = Math.abs(mean(finals)) < 2 ? 3 : 1;
  const show = (value: number) => value.toFixed(digits);
  const reference = REFERENCES[algorithm]?.[env];
  const what = reference?.score === undefined ? '' : `; ${reference.score.name}`;
  const verdict = reference && judgeLearning(finals, reference);
  const bar = verdict && `${show(verdict.bar.mean)}, ${verdict.bar.what}`;
  const margin = reference?.margin ? ` by more than ${reference.margin}` : '';
  const below = verdict && !verdict.isAbove ? `; ours is below it${margin}` : '';
  return [
    `${titleOf(algorithm)} ${env}, ${budget.toLocaleString('en-US')} steps${what}`,
    `${show(mean(finals))} [${show(low)}, ${show(high)}], ${runs.length} seeds`,
    bar === undefined ? '-' : `${bar}${below}`,
  ];
}

const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n');

/** Everything between the README's two marks. */
export function readmeBlock(peers: Results, learning: LearningResults): string {
  const comparisons = compare(peers.records);
  const ahead = peersAhead(comparisons);
  const missed = judge(peers)
    .filter(({ isMet }) => isMet === false)
    .map(({ workload, aim, found }) => `Workload ${workload}: ${aim}; found ${found}.`);
  const parts = [
    `${machineLine(peers.machine)}. Load when a timing run began: ${spread(timed(peers.records).map(({ load }) => load))}.${machinesNote(peers)} Medians (smallest to largest); "times" is how many times better ours is. The whole reports: [peers](bench/results/peers.md), [learning](bench/results/learning.md).`,
    markdownTable(
      ['', 'Operant', 'beside it'],
      [...LINES, ...OFF_POLICY_LINES, ...LATER_LINES].flatMap((line) => peerRow(line, peers, comparisons)),
    ),
    'What is learnt: the mean of greedy episodes after the last step, over seeds, with a bootstrap interval (nominally 95%; of five seeds nearer to 84%).',
    markdownTable(['', 'Operant', 'held against'], learning.rows.filter(hasCurve).map(learningRow)),
    ...(ahead.length === 0 ? [] : ['Where a peer is ahead:', list(ahead)]),
    ...(missed.length === 0 ? [] : ['Aims of ours that are missed:', list(missed)]),
  ];
  return parts.join('\n\n');
}

/** @throws Error when the marks are not there. */
export function withBlock(readme: string, block: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md needs the lines ${BEGIN} and ${END}.`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${block}\n${readme.slice(end)}`;
}
