/**
 * Time of one PPO minibatch update (2x64 actor, 2x64 critic, 4 observations, 2 actions): gather, normalisation, forward,
 * gradient, backward, clipping, Adam, statistics. Peak = 12 chains of multiply-add in registers, timed in the same rounds.
 *
 *     npx tsx bench/update.bench.ts [--rounds 40] [--sizes 64,256,2048,8192] [--hidden 64,64] [--json FILE]
 */
import { Worker } from 'node:worker_threads';
import type { UpdatePlan } from '../src/learner/learner.ts';
import { reserveSimdLearner, type SimdLearnerOptions } from '../src/learner/simd/layout.ts';
import { createSimdLearner } from '../src/learner/simd/learner.ts';
import type { ThreadTeam } from '../src/learner/simd/thread-team.ts';
import { createArena, createArenaPlanner } from '../src/memory/arena.ts';
import { initializeParameters } from '../src/policy/initialize.ts';
import type { PolicySpec } from '../src/policy/policy-spec.ts';
import { openStream } from '../src/random/streams.ts';
import { initializeRollout, openRollout, rolloutLayout } from '../src/rollout/layout.ts';
import { workerExecArgv } from '../src/rollout/worker-url.ts';
import { instantiateKernels, type KernelModule, loadKernels } from '../src/simd/loader.ts';
import { mlpParameterLayout } from '../src/weights/parameter-layout.ts';
import { interleave, option, printHeader, printTable, type Variant, writeResults } from './harness.ts';

const HIDDEN = option('hidden', '64,64').split(',').map(Number);
const SIZES = option('sizes', '64,256,2048,8192').split(',').map(Number);
const NUM_ROUNDS = Number(option('rounds', '40'));
const PEAK_TURNS = 20_000;
const PEAK_FLOPS = 96 * PEAK_TURNS;

const SPEC: PolicySpec = {
  observationSize: 4,
  observationDtype: 'float32',
  observationShape: [4],
  actionMaskSize: 0,
  network: { kind: 'mlp', hiddenSizes: HIDDEN, activation: 'tanh', shared: false },
  distribution: { kind: 'categorical', sizes: [2] },
  normalizeObservations: true,
  clipObservation: 10,
  initialization: { orthogonal: true, hiddenGain: Math.SQRT2, policyGain: 0.01, valueGain: 1, logStd: 0 },
};

/** Multiply-adds times two of forward and backward, per row; activations and loss not counted. */
function flopsPerRow(): number {
  const widths = [SPEC.observationSize, ...HIDDEN];
  return [2, 1].reduce((sum, outputs) => {
    const products = [...HIDDEN, outputs].map((width, k) => widths[k] * width);
    const all = products.reduce((a, b) => a + b, 0);
    return sum + 2 * (3 * all - products[0]); // the first layer passes no gradient on
  }, 0);
}

async function startTeam(kernels: KernelModule, start: object, memory: object, numHelpers: number) {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const workers = Array.from({ length: numHelpers }, (_, k) => {
    const workerData = { start, kernels, memory, threadIndex: k + 1, words };
    return new Worker(new URL('./learn-helper.ts', import.meta.url), {
      workerData,
      execArgv: workerExecArgv(),
    });
  });
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  let numLeft = 0;
  const team: ThreadTeam = {
    numHelpers,
    start() {
      numLeft += numHelpers;
      Atomics.add(words, 0, 1);
      Atomics.notify(words, 0);
    },
    async finish() {
      while (Atomics.load(words, 1) < numLeft) await new Promise((resolve) => setImmediate(resolve));
    },
    isAlive: () => true,
  };
  return { team, stop: () => Promise.all(workers.map((worker) => worker.terminate())) };
}

/** A learner over a random rollout of `rows * count` samples; one unit of work is a minibatch of `rows`. */
async function makeVariant(name: string, kernels: KernelModule, rows: number, numThreads: number) {
  const count = Math.max(2, Math.ceil(4096 / rows));
  const numSamples = rows * count;
  const options: SimdLearnerOptions = {
    maxGradNorm: 0.5,
    maxEpochs: 1,
    maxMinibatchSize: rows,
    outputGradient: {
      module: new URL('../algorithms/ppo/gradient.ts', import.meta.url).href,
      export: 'createOutputGradient',
      options: { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false },
    },
  };
  const planner = createArenaPlanner();
  const shape = rolloutLayout(SPEC, 1, numSamples);
  const set = planner.reserve(shape.byteLength);
  const layout = reserveSimdLearner(planner, SPEC, options, numSamples, numThreads);
  const arena = createArena(planner);
  initializeRollout(arena.buffer, set.offset, shape);
  const rollout = openRollout(arena.buffer, set.offset, shape);
  const stream = openStream(1, 'bench');
  const fill = (array: Float32Array, scale: number) => {
    for (let i = 0; i < array.length; i++) array[i] = scale * stream.normal();
  };
  fill(rollout.observations as Float32Array, 1);
  for (const array of [rollout.values, rollout.returns, rollout.advantages]) fill(array, 1);
  rollout.logProbs.fill(Math.log(0.5));
  for (let i = 0; i < numSamples; i++) rollout.actions[i] = stream.integer(2);
  const permutations = Int32Array.from({ length: numSamples }, (_, i) => (i * 7919) % numSamples);
  const { team, stop } = await startTeam(
    kernels,
    { spec: SPEC, options, layout },
    arena.memory,
    numThreads - 1,
  );
  const learner = await createSimdLearner({ arena, kernels, spec: SPEC, options, layout, team });
  learner.writeParameters(initializeParameters(SPEC, mlpParameterLayout(SPEC), openStream(1, 'initial')));
  const plan: UpdatePlan = {
    numEpochs: 1,
    minibatchSize: rows,
    permutations,
    scalars: { learningRate: 1e-5, clipRange: 0.2, entropyCoeff: 0.01 },
    normalizeAdvantages: true,
    targetKl: null,
    observationStatistics: { mean: new Float32Array(4), inverseStd: new Float32Array(4).fill(1) },
    nonFinite: 'stop',
  };
  const variant: Variant = {
    name,
    units: count,
    run: async () => void (await learner.update(rollout, plan)),
  };
  return { variant, stop };
}

function peakVariant(name: string, kernels: KernelModule): Variant {
  const planner = createArenaPlanner();
  const { peak } = instantiateKernels(kernels, createArena(planner).memory);
  return { name, units: 1, run: () => void peak(PEAK_TURNS) };
}

async function benchSize(rows: number, builds: readonly KernelModule[]) {
  const made = [];
  const peaks: Variant[] = [];
  for (const kernels of builds) {
    peaks.push(peakVariant(`peak ${kernels.build}`, kernels));
    for (const numThreads of [1, 2])
      made.push(await makeVariant(`${kernels.build}, ${numThreads} thread(s)`, kernels, rows, numThreads));
  }
  const variants = [...made.map(({ variant }) => variant), ...peaks];
  const timings = await interleave(variants, { numRounds: NUM_ROUNDS, numWarmups: 15 });
  await Promise.all(made.map(({ stop }) => stop()));
  const rate = (flops: number, microseconds: number) => flops / microseconds / 1e3;
  const flops = flopsPerRow() * rows;
  const rowsOut = timings.map((timing) => {
    const isPeak = timing.name.startsWith('peak');
    const build = timing.name.includes('relaxed') ? 'relaxed' : 'strict';
    const peak = timings.find(({ name }) => name === `peak ${build}`) ?? timing;
    const work = isPeak ? PEAK_FLOPS : flops;
    const share = (of: 'best' | 'median') => rate(work, timing[of]) / rate(PEAK_FLOPS, peak[of]);
    return {
      ...timing,
      gflops: rate(work, timing.best),
      shareBest: share('best'),
      shareMedian: share('median'),
    };
  });
  printTable(
    [`${rows} rows`, 'best us', 'q1', 'median', 'q3', 'GFLOP/s (best)', 'share of peak: best', 'median'],
    rowsOut.map((row) => [
      row.name,
      ...[row.best, row.lowerQuartile, row.median, row.upperQuartile].map((x) => x.toFixed(1)),
      row.gflops.toFixed(1),
      `${(100 * row.shareBest).toFixed(0)}%`,
      `${(100 * row.shareMedian).toFixed(0)}%`,
    ]),
  );
  return { rows, timings: rowsOut.map(({ samples: _, ...row }) => row) };
}

printHeader(`one minibatch update, ${flopsPerRow()} floating-point operations per row`);
const builds = [await loadKernels(), await loadKernels({ deterministic: true })];
const sizes = [];
for (const rows of SIZES) sizes.push(await benchSize(rows, builds));
writeResults({ bench: 'update', flopsPerRow: flopsPerRow(), sizes });
