/** The Markdown report of the peer benchmarks. */
import { machineLine } from '../machine.ts';
import { compare, judge, peersAhead, type Verdict } from './comparisons.ts';
import { titleOf } from './contestants.ts';
import type { Costs } from './costs.ts';
import { markdownTable, short, spread, timed } from './measures.ts';
import type { Results, RunRecord } from './results.ts';
import { TABLES } from './tables.ts';
import { WORKLOADS } from './workloads.ts';

const HOW = [
  'Medians, with the smallest and largest in brackets. Ratios are taken seed by seed. Runs were interleaved. Seconds count from the start of the process; evaluation is outside of the clock except in workload 5.',
  'Python was told to keep no compiled files (`PYTHONDONTWRITEBYTECODE`) where rounds of commits before 03e51ca ran, which was noticed late: `process start to end` of theirs has its libraries compiled anew in it there, and so is longer than a user would see. Steps/s are not touched, and workloads 4, 5, 6 and 19 were measured again.',
  'Speed comes from rounds that are meant to have the machine to themselves (each table tells the load that they found); long ones of the peers end there as soon as their steps/s is known (30 s from their start; no `process start to end` then). Returns do not depend on the load and come from all rounds. RLlib, Sample Factory and reinforce-js are not trained to the end in workloads 1 and 3.',
  "SBX' compilation is inside the clock, as a user waits for it; it knows no value clipping and clips actor and critic apart. Libraries keep their own initialisation. RLtools' observation normalisation is declared in its example but not read there, so nobody normalises in workload 3; where a timing round cuts SBX short there, compiling weighs more than in a whole run. Sample Factory starts its processes within its training call, so its clock has that in it. In workload 4 RLlib's KL penalty is the exact divergence and ours an estimate of it, see algorithms/ppo/README.md. Ratios of workloads 4 and 5 are of seeds on which both got there; an aim counts a seed of ours that did not as never.",
  'In workload 20 all learn at a constant rate, in updates of whole fragments, by V-trace; Sample Factory, whose V-trace fails, by GAE with lambda 1. It has neither a target policy nor a buffer of fragments (its passes are over each new one), and its clock runs from the end of its first update; RLlib does not normalise advantages. Processor time there is that of all processes of a contestant. In workloads 21 and 22 the wall clock of a run that was cut short is projected: its start, and all steps at its steps/s.',
  'Intervals are percentile bootstraps over seeds, which with five of them cover the true mean nearer to 84% of the time than 95%.',
  'Made by `npm run bench:peers`.',
];

const WORDS = { true: 'met', false: '**not met**', null: 'not measured' } as const;

function aimsTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ workload, aim, found, isMet }) => [
    String(workload),
    aim,
    found,
    WORDS[`${isMet}`],
  ]);
  return markdownTable(['workload', 'aim', 'found', ''], rows);
}

/** The three largest, with what they take of the main thread's time. */
export function costsLine({ seconds, costs }: Costs): string {
  const largest = costs.slice(0, 3).map((cost) => {
    const share = Math.round((100 * cost.seconds) / seconds);
    return `${cost.category} ${short(cost.seconds)} s (${share}%)`;
  });
  return `Our largest costs, of ${short(seconds)} s on the main thread in one profiled run: ${largest.join('; ')}.`;
}

/** Where speed was measured, and where (else) the returns come from. */
function provenance(records: readonly RunRecord[]): string {
  const commits = (of: readonly RunRecord[]) => [...new Set(of.map(({ commit }) => commit))].join(', ');
  const machines = (of: readonly RunRecord[]) => [...new Set(of.map(({ cpu }) => cpu))].join(' and ');
  const counted = timed(records);
  const others = records.filter(({ purpose }) => purpose === 'learning');
  const loads =
    counted.length === 0
      ? 'No timing run yet.'
      : `Load when a timing run began: ${spread(counted.map(({ load }) => load))}; commit ${commits(counted)}, on ${machines(counted)}.`;
  return others.length === 0
    ? loads
    : `${loads} Learning runs: commit ${commits(others)}, on ${machines(others)}.`;
}

function blasLine({ chosen, stepsPerSecond }: NonNullable<Results['blas']>): string {
  const name = (core: string) => (core === '' ? 'its own choice' : core);
  const rates = Object.entries(stepsPerSecond).map(([core, rate]) => `${name(core)} ${short(rate)} steps/s`);
  return `RLtools runs with OpenBLAS' kernels for ${name(chosen)}, the fastest of those tried on one core in workload 3: ${rates.join('; ')}.`;
}

export function peersReport(results: Results): string {
  const { machine, peers, threads, blas, records, costs } = results;
  const verdicts = judge(results);
  const sections = WORKLOADS.flatMap(({ id, title }) => {
    const own = records.filter(({ workload }) => workload === id);
    if (own.length === 0) return [];
    const aims = verdicts
      .filter(({ workload, isMet }) => workload === id && isMet !== null)
      .map(({ aim, found, isMet }) => `Aim: ${aim}; found ${found}: ${WORDS[`${isMet}`]}.`);
    const spent = costs[id] === undefined ? [] : [costsLine(costs[id])];
    return [[`## ${id}. ${title}`, TABLES[id](own), ...aims, ...spent, provenance(own)].join('\n\n')];
  });
  const comparisons = compare(records);
  const ahead = peersAhead(comparisons).map((line) => `- ${line}`);
  const nobody = comparisons.length === 0 ? 'Nothing was compared.' : 'Nowhere in these runs.';
  const tuned = Object.entries(threads).map(([name, { chosen, stepsPerSecond: tried }]) => {
    const counts = Object.entries(tried).map(([count, rate]) => `${count}: ${short(rate)} steps/s`);
    return `- ${titleOf(name)}: ${chosen} (${counts.join('; ')})`;
  });
  const installed = peers.map(({ title, versions, problem }) => [
    title,
    problem === null ? versions : `not here: ${problem}`,
  ]);
  return [
    '# Operant and its peers',
    `${machineLine(machine)}. Not run on CUDA.`,
    ...HOW,
    '## The aims',
    aimsTable(verdicts),
    '## Where a peer is ahead',
    ahead.length === 0 ? nobody : ahead.join('\n'),
    ...sections,
    '## Peers',
    markdownTable(['', 'what ran'], installed),
    ...(tuned.length > 0
      ? ['Threads of their libraries, tuned on a short run of workload 1:', tuned.join('\n')]
      : []),
    ...(blas === undefined ? [] : [blasLine(blas)]),
    '',
  ].join('\n\n');
}
