/**
 * Time of a critic's update in the kernels alone: observation and action side by side through dense layers with relu to one value,
 * gradients of weights or of inputs alone, Adam, target blend. Shares are of the peak kernel of as many threads, timed in the same
 * rounds. With two threads each has half of the blocks and of the parameters, and they meet once a sample: what a
 * learner's phases cost beside that is not in here.
 *
 *     npm run bench:critic -- [--rounds 60] [--cases 4-256-256-1:256,23-256-256-1:256] [--kernels native,relaxed,avx2,strict]
 *         [--phases 'forward,update'] [--threads 1,2] [--json FILE]
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createArena, createArenaPlanner } from '../src/memory/arena.ts';
import { openStream } from '../src/random/streams.ts';
import { instantiateKernels, type KernelModule, loadKernels } from '../src/simd/loader.ts';
import { loaderArgv } from '../src/threads/exec-argv.ts';
import { criticFlops, planCritic } from './critic-network.ts';
import { createPhases, PHASES, type Phase } from './critic-phases.ts';
import {
  type HeldVariant,
  interleave,
  longer,
  option,
  printHeader,
  printTable,
  type Timing,
  turnsOf,
  writeResults,
} from './harness.ts';
import { labelOf, pairedPeakVariant, peakFlops, peakVariant } from './peak-variants.ts';

const DEFAULT_CASES = [
  '4-256-256-1:256',
  '23-256-256-1:256',
  ...['4-64-64-1', '4-256-256-1'].flatMap((widths) => [32, 64, 100].map((rows) => `${widths}:${rows}`)),
].join();
const NUM_ROUNDS = Number(option('rounds', '60'));
const WANTED = option('phases', PHASES.join()).split(',');
const NUM_THREADS = option('threads', '1,2').split(',').map(Number);

interface Case {
  readonly widths: readonly number[];
  readonly rows: number;
}

const parseCase = (text: string): Case => {
  const [widths, rows] = text.split(':');
  return { widths: widths.split('-').map(Number), rows: Number(rows) };
};

/** Multiply-adds times two; 0 for what has none. */
function operations(phase: Phase, { widths, rows }: Case): number {
  const { forward, backwardWeights, backwardInputs } = criticFlops(widths);
  const perRow: Partial<Record<Phase, number>> = {
    forward,
    'backward with weights': backwardWeights,
    'backward of inputs': backwardInputs,
    update: forward + backwardWeights,
  };
  return rows * (perRow[phase] ?? 0);
}

const threadsLabel = (numThreads: number) => (numThreads > 1 ? `, ${numThreads} threads` : '');

/** All phases on one or two threads. */
async function criticVariants(
  kernels: KernelModule,
  given: Case,
  numThreads: number,
): Promise<HeldVariant[]> {
  const planner = createArenaPlanner();
  const { layout, write } = planCritic(planner, given.widths, numThreads);
  const { memory, buffer } = createArena(planner);
  const stream = openStream(1, 'critic');
  const values = new Float32Array(buffer, 1024, (buffer.byteLength - 1024) / 4);
  for (let k = 0; k < values.length; k++) values[k] = 0.05 * stream.normal();
  new Float32Array(buffer, layout.v, layout.parameterCount).fill(1);
  write(buffer);
  const words = new Int32Array(new SharedArrayBuffer(16)); // as critic-helper.ts
  const share = (thread: number) => ({ rows: given.rows, thread, numThreads });
  const workers = Array.from({ length: numThreads - 1 }, (_, k) => {
    const workerData = { kernels, memory, layout, words, ...share(k + 1) };
    return new Worker(new URL('./critic-helper.ts', import.meta.url), {
      workerData,
      execArgv: loaderArgv(),
    });
  });
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const phases = createPhases(instantiateKernels(kernels, memory), layout, share(0));
  const stop = () => Promise.all(workers.map((worker) => worker.terminate()));
  return PHASES.filter((phase) => WANTED.includes(phase)).map((phase) => {
    const run = phases[phase];
    const units = turnsOf(run);
    const runAll = () => {
      words[2] = PHASES.indexOf(phase);
      words[3] = units;
      const sample = Atomics.add(words, 0, 1) + 1;
      Atomics.notify(words, 0);
      for (let k = 0; k < units; k++) run();
      while (Atomics.load(words, 1) < sample * workers.length); // done when the later one is
    };
    const name = `${labelOf(kernels)}${threadsLabel(numThreads)}: ${phase}`;
    return { variant: { name, units, run: runAll }, stop };
  });
}

async function benchCase(builds: readonly KernelModule[], given: Case) {
  const made: HeldVariant[] = [];
  const peaks: HeldVariant[] = [];
  for (const kernels of builds) {
    for (const numThreads of NUM_THREADS) {
      peaks.push(numThreads > 1 ? await pairedPeakVariant(kernels) : longer(peakVariant(kernels)));
      made.push(...(await criticVariants(kernels, given, numThreads)));
    }
  }
  const variants = [...made, ...peaks].map(({ variant }) => variant);
  const timings = await interleave(variants, { numRounds: NUM_ROUNDS, numWarmups: 5 });
  await Promise.all([...made, ...peaks].map(({ stop }) => stop()));
  const results = timings.flatMap((timing) => withShare(timing, timings, builds, given));
  printTable(
    [
      `${given.widths.join('-')}, ${given.rows} rows`,
      'best us',
      'median',
      'GFLOP/s (best)',
      'share of peak: best',
      'median',
    ],
    results.map(({ name, best, median, gflops, shareBest, shareMedian }) => [
      name,
      best.toFixed(1),
      median.toFixed(1),
      gflops > 0 ? gflops.toFixed(1) : '',
      gflops > 0 ? `${(100 * shareBest).toFixed(0)}%` : '',
      gflops > 0 ? `${(100 * shareMedian).toFixed(0)}%` : '',
    ]),
  );
  return { ...given, timings: results };
}

function withShare(timing: Timing, timings: readonly Timing[], builds: readonly KernelModule[], given: Case) {
  const [label, phase] = timing.name.split(': ') as [string, Phase | undefined];
  if (phase === undefined) return [];
  const build = builds.find((candidate) => label.replace(/,.*/, '') === labelOf(candidate)) ?? builds[0];
  const peak = timings.find(({ name }) => name === `peak ${label}`) ?? timing;
  const work = operations(phase, given);
  const rate = (key: 'best' | 'median') => work / timing[key] / 1e3;
  const share = (key: 'best' | 'median') => rate(key) / (peakFlops(build) / peak[key] / 1e3);
  const { samples: _, ...rest } = timing;
  return [{ ...rest, gflops: rate('best'), shareBest: share('best'), shareMedian: share('median') }];
}

async function wantedBuilds(): Promise<KernelModule[]> {
  const relaxed = await loadKernels();
  const builds: Record<string, KernelModule> = {
    ...(relaxed.native === null ? {} : { native: relaxed }),
    ...(relaxed.native?.numLanes === 16
      ? { avx2: { ...relaxed, native: { ...relaxed.native, numLanes: 8 } } }
      : {}),
    relaxed: { ...relaxed, native: null },
    strict: await loadKernels({ deterministic: true, native: false }),
  };
  const wanted = option('kernels', 'native,relaxed').split(',');
  return Object.keys(builds)
    .filter((name) => wanted.includes(name))
    .map((name) => builds[name]);
}

printHeader("a critic's update, kernels alone");
const builds = await wantedBuilds();
const cases = [];
for (const text of option('cases', DEFAULT_CASES).split(','))
  cases.push(await benchCase(builds, parseCase(text)));
writeResults({ bench: 'critic', cases });
