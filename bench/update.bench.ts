/**
 * Time of one PPO minibatch update (2x64 actor, 2x64 critic, 4 observations, 2 actions; and a small CNN on 10x10x4 bytes):
 * gather, normalisation, forward, gradient, backward, clipping, Adam, statistics. Peak = 12 chains of multiply-add in
 * registers, timed in the same rounds; that of two threads at once says what a second thread can bring at most. PyTorch, where
 * there is one, takes its turns in the same rounds: the same networks, settings and gathers, without statistics and without
 * normalising observations.
 *
 *     npx tsx bench/update.bench.ts [--rounds 40] [--sizes 64,256,2048,8192] [--cnn-sizes 64,256] [--hidden 64,64]
 *         [--tfjs auto|none] [--python PATH|none] [--compile] [--json FILE]
 */
import { argv } from 'node:process';
import { type LoadedTensorFlow, loadTensorFlow } from '../src/learner/tensorflow/backend.ts';
import type { PolicySpec } from '../src/policy/policy-spec.ts';
import { type KernelModule, loadKernels } from '../src/simd/loader.ts';
import {
  interleave,
  option,
  printHeader,
  printTable,
  type Timing,
  type Variant,
  writeResults,
} from './harness.ts';
import { labelOf, pairedPeakVariant, peakFlops, peakVariant } from './peak-variants.ts';
import { SMALL_CNN, tensorVariant } from './tensor-variants.ts';
import { startTorch, type TorchNetwork } from './torch-variants.ts';
import { benchSpec, simdVariant } from './update-variants.ts';

const HIDDEN = option('hidden', '64,64').split(',').map(Number);
const sizesOf = (name: string, sizes: string) =>
  option(name, sizes)
    .split(',')
    .filter((size) => size !== '')
    .map(Number);
const SIZES = sizesOf('sizes', '64,256,2048,8192');
const CNN_SIZES = sizesOf('cnn-sizes', '64,256');
const NUM_ROUNDS = Number(option('rounds', '40'));
const SPEC = benchSpec(HIDDEN);
const TIMES = ['best us', 'q1', 'median', 'q3', 'cpu median'];

const timesOf = ({ best, lowerQuartile, median, upperQuartile, cpuMedian }: Omit<Timing, 'samples'>) =>
  [best, lowerQuartile, median, upperQuartile, cpuMedian].map((x) => x.toFixed(1));

/** Multiply-adds times two of forward and backward, per row; activations and loss not counted. */
function flopsPerRow(): number {
  const widths = [SPEC.observationSize, ...HIDDEN];
  return [2, 1].reduce((sum, outputs) => {
    const products = [...HIDDEN, outputs].map((width, k) => widths[k] * width);
    const all = products.reduce((a, b) => a + b, 0);
    return sum + 2 * (3 * all - products[0]); // the first layer passes no gradient on
  }, 0);
}

/** GFLOP/s, and the share of the peak of the same build: best against best, medians against medians. */
function withRates(
  timing: Timing,
  timings: readonly Timing[],
  builds: readonly KernelModule[],
  flops: number,
) {
  const isPeak = timing.name.startsWith('peak');
  const label = timing.name.replace('peak ', '').split(',')[0];
  const build = builds.find((candidate) => labelOf(candidate) === label) ?? builds[0];
  const peak = timings.find(({ name }) => name === `peak ${labelOf(build)}`) ?? timing;
  const work = isPeak ? peakFlops(build) : flops;
  const rate = (of: Timing, operations: number, key: 'best' | 'median' | 'cpuMedian') =>
    operations / of[key] / 1e3;
  const share = (key: 'best' | 'median' | 'cpuMedian') =>
    rate(timing, work, key) / rate(peak, peakFlops(build), key);
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
  if (tensorflow !== null) made.push(...(await tensorVariants(tensorflow, SPEC, rows)));
  for (const kernels of builds) made.push(peakVariant(kernels), await pairedPeakVariant(kernels));
  const torch = HIDDEN.join() === '64,64' ? await torchVariants({ network: 'mlp', rows }) : [];
  const variants = [...made.map(({ variant }) => variant), ...torch];
  const timings = await interleave(variants, { numRounds: NUM_ROUNDS, numWarmups: 15 });
  await Promise.all(made.map(({ stop }) => stop()));
  const results = timings.map((timing) => withRates(timing, timings, builds, flopsPerRow() * rows));
  printTable(
    [`${rows} rows`, ...TIMES, 'GFLOP/s (best)', 'share of peak: best', 'median', 'cpu'],
    results.map((row) => [
      row.name,
      ...timesOf(row),
      row.gflops.toFixed(1),
      `${(100 * row.shareBest).toFixed(0)}%`,
      `${(100 * row.shareMedian).toFixed(0)}%`,
      `${(100 * row.shareCpu).toFixed(0)}%`,
    ]),
  );
  for (const label of builds.map(labelOf)) {
    const [update, peak] = [`${label}, 1 thread`, `peak ${label}`].map((name) => secondThread(timings, name));
    console.log(`second thread, ${label}: ${update}; the peak's: ${peak}`);
  }
  console.log();
  return { rows, timings: results };
}

/** What a second thread brings to the named variant. */
function secondThread(timings: readonly Timing[], name: string): string {
  const [one, two] = [name, `${name.replace(', 1 thread', '')}, 2 threads`].map((wanted) =>
    timings.find((timing) => timing.name === wanted),
  );
  if (one === undefined || two === undefined) return 'not measured';
  return `${(one.median / two.median).toFixed(2)}x by median, ${(one.best / two.best).toFixed(2)}x by best`;
}

/** Captured, where the backend can, and eager. */
async function tensorVariants(tensorflow: LoadedTensorFlow, spec: PolicySpec, rows: number) {
  const kinds = tensorflow.backend === 'node-gpu' ? [true, false] : [false];
  return Promise.all(kinds.map((capture) => tensorVariant(tensorflow, spec, rows, { capture })));
}

/** The small CNN, which the SIMD engine has not. */
async function benchCnnSize(rows: number, tensorflow: LoadedTensorFlow) {
  const made = await tensorVariants(tensorflow, SMALL_CNN, rows);
  const variants = [
    ...made.map(({ variant }) => variant),
    ...(await torchVariants({ network: 'cnn', rows })),
  ];
  const timings = await interleave(variants, { numRounds: NUM_ROUNDS, numWarmups: 5 });
  await Promise.all(made.map(({ stop }) => stop()));
  printTable(
    [`small CNN, ${rows} rows`, ...TIMES],
    timings.map((timing) => [timing.name, ...timesOf(timing)]),
  );
  return { rows, timings: timings.map(({ samples: _, ...timing }) => timing) };
}

/** With one thread and with two, as ours; with `--compile` compiled too, which takes a minute to begin with. */
async function torchVariants(network: TorchNetwork): Promise<Variant[]> {
  if (torch === null) return [];
  const variants: Variant[] = [];
  for (const compiled of argv.includes('--compile') ? [false, true] : [false]) {
    for (const numThreads of [1, 2]) {
      const variant = await torch.variant(network, numThreads, compiled);
      if (variant !== null) variants.push(variant);
    }
  }
  return variants;
}

printHeader(`one minibatch update, ${flopsPerRow()} floating-point operations per row`);
const relaxed = await loadKernels();
const builds = [
  relaxed,
  ...(relaxed.native === null ? [] : [{ ...relaxed, native: null }]),
  await loadKernels({ deterministic: true, native: false }),
];
const tensorflow = option('tfjs', 'auto') === 'none' ? null : await loadTensorFlow({ backend: 'auto' });
if (tensorflow !== null) console.log(`tfjs: ${tensorflow.backend}, ${tensorflow.reason}\n`);
const python = option('python', '');
const started = python === 'none' ? '--python none' : await startTorch(python);
const torch = typeof started === 'string' ? null : started;
console.log(typeof started === 'string' ? `PyTorch: ${started}\n` : `PyTorch ${started.version}\n`);
const sizes = [];
for (const rows of SIZES) sizes.push(await benchSize(rows, builds, tensorflow));
const cnnSizes = [];
if (tensorflow !== null) for (const rows of CNN_SIZES) cnnSizes.push(await benchCnnSize(rows, tensorflow));
torch?.stop();
writeResults({
  bench: 'update',
  flopsPerRow: flopsPerRow(),
  pytorch: torch?.version ?? null,
  tensorflow: tensorflow?.version ?? null,
  sizes,
  cnnSizes,
});
