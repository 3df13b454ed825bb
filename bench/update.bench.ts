/**
 * Time of one PPO minibatch update (2x64 actor, 2x64 critic, 4 observations, 2 actions): gather, normalisation, forward,
 * gradient, backward, clipping, Adam, statistics. Peak = 12 chains of multiply-add in registers, timed in the same rounds.
 *
 *     npx tsx bench/update.bench.ts [--rounds 40] [--sizes 64,256,2048,8192] [--hidden 64,64] [--tfjs auto|none] [--json FILE]
 */
import { type LoadedTensorFlow, loadTensorFlow } from '../src/learner/tensorflow/backend.ts';
import { createArena, createArenaPlanner } from '../src/memory/arena.ts';
import { instantiateKernels, type KernelModule, loadKernels } from '../src/simd/loader.ts';
import {
  interleave,
  option,
  printHeader,
  printTable,
  type Timing,
  type Variant,
  writeResults,
} from './harness.ts';
import { benchSpec, simdVariant, tensorFlowVariant } from './update-variants.ts';

const HIDDEN = option('hidden', '64,64').split(',').map(Number);
const SIZES = option('sizes', '64,256,2048,8192').split(',').map(Number);
const NUM_ROUNDS = Number(option('rounds', '40'));
const PEAK_TURNS = 20_000;
const PEAK_FLOPS = 96 * PEAK_TURNS;
const SPEC = benchSpec(HIDDEN);

/** Multiply-adds times two of forward and backward, per row; activations and loss not counted. */
function flopsPerRow(): number {
  const widths = [SPEC.observationSize, ...HIDDEN];
  return [2, 1].reduce((sum, outputs) => {
    const products = [...HIDDEN, outputs].map((width, k) => widths[k] * width);
    const all = products.reduce((a, b) => a + b, 0);
    return sum + 2 * (3 * all - products[0]); // the first layer passes no gradient on
  }, 0);
}

function peakVariant(name: string, kernels: KernelModule): Variant {
  const { peak } = instantiateKernels(kernels, createArena(createArenaPlanner()).memory);
  return { name, units: 1, run: () => void peak(PEAK_TURNS) };
}

/** GFLOP/s, and the share of the peak of the same build: best against best, medians against medians. */
function withRates(timing: Timing, timings: readonly Timing[], flops: number) {
  const [build] = timing.name.split(/[ ,]/).filter((word) => word === 'relaxed' || word === 'strict');
  const peak = timings.find(({ name }) => name === `peak ${build ?? 'relaxed'}`) ?? timing;
  const work = timing.name.startsWith('peak') ? PEAK_FLOPS : flops;
  const rate = (of: Timing, operations: number, key: 'best' | 'median' | 'cpuMedian') =>
    operations / of[key] / 1e3;
  const share = (key: 'best' | 'median' | 'cpuMedian') =>
    rate(timing, work, key) / rate(peak, PEAK_FLOPS, key);
  const { samples: _, ...rest } = timing;
  return {
    ...rest,
    gflops: rate(timing, work, 'best'),
    shareBest: share('best'),
    shareMedian: share('median'),
    shareCpu: share('cpuMedian'),
  };
}

async function benchSize(rows: number, builds: readonly KernelModule[], tensorflow: LoadedTensorFlow | null) {
  const made = [];
  for (const kernels of builds)
    for (const numThreads of [1, 2]) made.push(await simdVariant(SPEC, kernels, rows, numThreads));
  if (tensorflow?.backend === 'node-gpu') made.push(await tensorFlowVariant(SPEC, tensorflow, rows, true));
  if (tensorflow !== null) made.push(await tensorFlowVariant(SPEC, tensorflow, rows, false));
  const peaks = builds.map((kernels) => peakVariant(`peak ${kernels.build}`, kernels));
  const variants = [...made.map(({ variant }) => variant), ...peaks];
  const timings = await interleave(variants, { numRounds: NUM_ROUNDS, numWarmups: 15 });
  await Promise.all(made.map(({ stop }) => stop()));
  const results = timings.map((timing) => withRates(timing, timings, flopsPerRow() * rows));
  printTable(
    [
      `${rows} rows`,
      'best us',
      'q1',
      'median',
      'q3',
      'cpu median',
      'GFLOP/s (best)',
      'share of peak: best',
      'median',
      'cpu',
    ],
    results.map((row) => [
      row.name,
      ...[row.best, row.lowerQuartile, row.median, row.upperQuartile, row.cpuMedian].map((x) => x.toFixed(1)),
      row.gflops.toFixed(1),
      `${(100 * row.shareBest).toFixed(0)}%`,
      `${(100 * row.shareMedian).toFixed(0)}%`,
      `${(100 * row.shareCpu).toFixed(0)}%`,
    ]),
  );
  return { rows, timings: results };
}

printHeader(`one minibatch update, ${flopsPerRow()} floating-point operations per row`);
const builds = [await loadKernels(), await loadKernels({ deterministic: true })];
const tensorflow = option('tfjs', 'auto') === 'none' ? null : await loadTensorFlow({ backend: 'auto' });
if (tensorflow !== null) console.log(`tfjs: ${tensorflow.backend}, ${tensorflow.reason}\n`);
const sizes = [];
for (const rows of SIZES) sizes.push(await benchSize(rows, builds, tensorflow));
writeResults({ bench: 'update', flopsPerRow: flopsPerRow(), sizes });
