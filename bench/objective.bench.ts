/**
 * Time of one whole update of SAC in the SIMD engine, and its share of the kernels' peak: policy, critics, targets, temperature, losses,
 * Adam, blends; the batch is there and stays the same. Operations: multiply-adds of all passes times two (an actor's step needs no gradient of
 * the critics' weights), 12 an optimized parameter and 3 a target's.
 *
 *     npm run bench:objective -- [--rounds 40] [--cases 3/1-256-256:256,3/1-64-64:100,17/6-256-256:256] [--kernels native,relaxed]
 *         [--threads 1,2] [--dropout 0.01] [--json FILE]
 *
 * `--dropout` is that of the critics; 0, the default, is none.
 */
import { createSacGradient } from '../algorithms/sac/gradient.ts';
import { type SacShape, sacModel, sacObjective } from '../algorithms/sac/objective.ts';
import { fillDropoutSeeds } from '../src/learner/dropout.ts';
import { reserveObjective } from '../src/learner/simd/objective/layout.ts';
import { createSimdObjectiveLearner } from '../src/learner/simd/objective/learner.ts';
import { createArena, createArenaPlanner } from '../src/memory/arena.ts';
import { openStream } from '../src/random/streams.ts';
import { type KernelModule, loadKernels } from '../src/simd/loader.ts';
import { createJobThreads } from '../src/threads/job-threads.ts';
import { criticFlops } from './critic-network.ts';
import {
  type HeldVariant,
  interleave,
  longer,
  option,
  printHeader,
  printTable,
  writeResults,
} from './harness.ts';
import { labelOf, pairedPeakVariant, peakFlops, peakVariant } from './peak-variants.ts';

const CASES = option('cases', '3/1-256-256:256,3/1-64-64:100,17/6-256-256:256').split(',');
const NUM_ROUNDS = Number(option('rounds', '40'));
const NUM_THREADS = option('threads', '1,2').split(',').map(Number);
const DROPOUT = Number(option('dropout', '0'));
const NUM_UPDATES = 20; // of a sample
const SCALARS = {
  criticLearningRate: 1e-9, // all but nothing is learnt: a batch that stays the same is soon learnt by heart
  actorLearningRate: 1e-9,
  temperatureLearningRate: 1e-9,
  tau: 0.005,
  targetEntropy: -1,
  temperature: 0,
};

interface Case {
  readonly text: string;
  readonly shape: SacShape;
  readonly rows: number;
  readonly flops: number;
}

function parseCase(text: string): Case {
  const [spaces, rest] = [text.slice(0, text.indexOf('-')), text.slice(text.indexOf('-') + 1)];
  const [observationSize, actionSize] = spaces.split('/').map(Number);
  const [hidden, rowsText] = rest.split(':');
  const hiddenSizes = hidden.split('-').map(Number);
  const rows = Number(rowsText);
  const trunk = { kind: 'mlp', hiddenSizes, activation: 'relu', layerNorm: false } as const;
  const shape: SacShape = {
    observation: { size: observationSize, dtype: 'float32', shape: [observationSize], isNormalized: false },
    clipObservation: 10,
    actionSize,
    actorTrunk: trunk,
    criticTrunk: DROPOUT > 0 ? { ...trunk, dropout: DROPOUT } : trunk,
    numCritics: 2,
    criticOutputs: 1,
    initialLogTemperature: 0,
    policyDelay: 1,
    maxGradNorm: null,
    adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 },
  };
  const actor = [observationSize, ...hiddenSizes, 2 * actionSize];
  const critic = [observationSize + actionSize, ...hiddenSizes, 1];
  const [a, c] = [criticFlops(actor), criticFlops(critic)];
  const criticStep = a.forward + 2 * (c.forward + c.forward + c.backwardWeights);
  const actorStep = a.forward + a.backwardWeights + 2 * (c.forward + c.backwardInputs);
  const count = (widths: readonly number[]) =>
    widths.slice(1).reduce((sum, outputs, k) => sum + (widths[k] + 1) * outputs, 0);
  const optimizer = 12 * (count(actor) + 2 * count(critic)) + 3 * 2 * count(critic);
  return { text, shape, rows, flops: rows * (criticStep + actorStep) + optimizer };
}

async function sacVariant(
  kernels: KernelModule,
  { shape, rows }: Case,
  numThreads: number,
): Promise<HeldVariant> {
  const model = sacModel(shape);
  const objective = sacObjective(shape);
  const open = createSacGradient(model, {});
  const planner = createArenaPlanner();
  const layout = reserveObjective(planner, model, objective, open, rows, numThreads);
  const arena = createArena(planner);
  const module = new URL('../algorithms/sac/gradient.ts', import.meta.url).href;
  const closedForm = { module, export: 'createSacGradient', options: {} };
  const job = {
    module: new URL('../src/learner/simd/objective/participate.ts', import.meta.url).href,
    export: 'createObjectiveHelper',
    start: { model, objective, closedForm, layout },
  };
  const team = numThreads > 1 ? createJobThreads(numThreads - 1, job, kernels, arena) : null;
  const learner = createSimdObjectiveLearner({ arena, kernels, model, objective, open, layout, team });
  const stream = openStream(1, 'objective');
  learner.writeParameters(Float32Array.from({ length: learner.layout.size }, () => 0.05 * stream.normal()));
  let isFilled = false;
  const update = (numUpdates: number) =>
    learner.update({
      numUpdates,
      fill: (_k, { columns }) => {
        if (isFilled) return; // drawing normals takes as long as a hundredth of the updates
        isFilled = true;
        for (const values of Object.values(columns))
          for (let i = 0; i < values.length; i++) values[i] = 0.5 * stream.normal();
        columns.discounts.fill(0.99);
        fillDropoutSeeds(stream, { columns });
      },
      scalars: SCALARS,
      observationStatistics: null,
      nonFinite: 'stop',
    });
  await update(NUM_UPDATES);
  const run = async () => void (await update(NUM_UPDATES));
  const name = `${labelOf(kernels)}${numThreads > 1 ? `, ${numThreads} threads` : ''}`;
  return { variant: { name, units: NUM_UPDATES, run }, stop: () => learner.dispose() };
}

async function benchCase(builds: readonly KernelModule[], given: Case) {
  const made: HeldVariant[] = [];
  for (const kernels of builds) {
    for (const numThreads of NUM_THREADS) {
      made.push(await sacVariant(kernels, given, numThreads));
      made.push(numThreads > 1 ? await pairedPeakVariant(kernels) : longer(peakVariant(kernels)));
    }
  }
  const timings = await interleave(
    made.map(({ variant }) => variant),
    { numRounds: NUM_ROUNDS, numWarmups: 5 },
  );
  await Promise.all(made.map(({ stop }) => stop()));
  const results = timings.flatMap((timing) => {
    const peak = timings.find(({ name }) => name === `peak ${timing.name}`);
    const build = builds.find((candidate) => timing.name.replace(/,.*/, '') === labelOf(candidate));
    if (peak === undefined || build === undefined) return [];
    const share = (key: 'best' | 'median') => (given.flops / timing[key] / peakFlops(build)) * peak[key];
    const { samples: _, ...rest } = timing;
    return [{ ...rest, shareBest: share('best'), shareMedian: share('median') }];
  });
  printTable(
    [
      `SAC ${given.text}, ${(given.flops / 1e6).toFixed(1)} MFLOP`,
      'best us',
      'median',
      'cpu median',
      'share: best',
      'median',
    ],
    results.map(({ name, best, median, cpuMedian, shareBest, shareMedian }) => [
      name,
      ...[best, median, cpuMedian].map((x) => x.toFixed(1)),
      `${(100 * shareBest).toFixed(0)}%`,
      `${(100 * shareMedian).toFixed(0)}%`,
    ]),
  );
  return { case: given.text, flops: given.flops, timings: results };
}

printHeader('one update of SAC');
const relaxed = await loadKernels();
const all: Record<string, KernelModule> = { native: relaxed, relaxed: { ...relaxed, native: null } };
const wanted = option('kernels', 'native,relaxed').split(',');
const builds = wanted.filter((name) => name !== 'native' || relaxed.native !== null).map((name) => all[name]);
const cases = [];
for (const text of CASES) cases.push(await benchCase(builds, parseCase(text)));
writeResults({ bench: 'objective', cases });
