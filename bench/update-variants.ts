/** Learners of both engines over random rollouts, as variants to time: one unit is one minibatch. */
import { Worker } from 'node:worker_threads';
import { ppoLoss } from '../algorithms/ppo/loss.ts';
import type { Learner, UpdatePlan } from '../src/learner/learner.ts';
import {
  reserveSimdLearner,
  type SimdLearnerLayout,
  type SimdLearnerOptions,
} from '../src/learner/simd/layout.ts';
import { createSimdLearner } from '../src/learner/simd/learner.ts';
import type { ThreadTeam } from '../src/learner/simd/thread-team.ts';
import type { LoadedTensorFlow } from '../src/learner/tensorflow/backend.ts';
import { createTensorFlowLearner } from '../src/learner/tensorflow/learner.ts';
import { type Arena, createArena, createArenaPlanner } from '../src/memory/arena.ts';
import { initializeParameters } from '../src/policy/initialize.ts';
import type { PolicySpec } from '../src/policy/policy-spec.ts';
import { openStream } from '../src/random/streams.ts';
import { initializeRollout, openRollout, type RolloutViews, rolloutLayout } from '../src/rollout/layout.ts';
import { workerExecArgv } from '../src/rollout/worker-url.ts';
import type { KernelModule } from '../src/simd/loader.ts';
import { mlpParameterLayout } from '../src/weights/parameter-layout.ts';
import type { Variant } from './harness.ts';

const LOSS = { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false } as const;

/** 4 observations, 2 actions, separate towers, normalised observations. */
export function benchSpec(hiddenSizes: readonly number[]): PolicySpec {
  return {
    observationSize: 4,
    observationDtype: 'float32',
    observationShape: [4],
    actionMaskSize: 0,
    network: { kind: 'mlp', hiddenSizes, activation: 'tanh', shared: false },
    distribution: { kind: 'categorical', sizes: [2] },
    normalizeObservations: true,
    clipObservation: 10,
    initialization: { orthogonal: true, hiddenGain: Math.SQRT2, policyGain: 0.01, valueGain: 1, logStd: 0 },
  };
}

interface UpdateSetup {
  readonly spec: PolicySpec;
  readonly arena: Arena;
  readonly rollout: RolloutViews;
  readonly plan: UpdatePlan;
  readonly options: SimdLearnerOptions;
  readonly layout: SimdLearnerLayout;
  readonly parameters: Float32Array;
}

/** A random rollout of `rows * count` samples that one epoch of `count` minibatches goes through. */
function makeSetup(spec: PolicySpec, rows: number, count: number, numThreads: number): UpdateSetup {
  const numSamples = rows * count;
  const options: SimdLearnerOptions = {
    maxGradNorm: 0.5,
    maxEpochs: 1,
    maxMinibatchSize: rows,
    outputGradient: {
      module: new URL('../algorithms/ppo/gradient.ts', import.meta.url).href,
      export: 'createOutputGradient',
      options: LOSS,
    },
  };
  const planner = createArenaPlanner();
  const shape = rolloutLayout(spec, 1, numSamples);
  const set = planner.reserve(shape.byteLength);
  const layout = reserveSimdLearner(planner, spec, options, numSamples, numThreads);
  const arena = createArena(planner);
  initializeRollout(arena.buffer, set.offset, shape);
  const rollout = openRollout(arena.buffer, set.offset, shape);
  const stream = openStream(1, 'bench');
  const { observations, values, returns, advantages } = rollout;
  for (const array of [observations, values, returns, advantages])
    for (let i = 0; i < array.length; i++) array[i] = stream.normal();
  rollout.logProbs.fill(Math.log(0.5));
  for (let i = 0; i < numSamples; i++) rollout.actions[i] = stream.integer(2);
  const plan: UpdatePlan = {
    numEpochs: 1,
    minibatchSize: rows,
    permutations: Int32Array.from({ length: numSamples }, (_, i) => (i * 7919) % numSamples),
    scalars: { learningRate: 1e-5, clipRange: 0.2, entropyCoeff: 0.01 },
    normalizeAdvantages: true,
    targetKl: null,
    observationStatistics: { mean: new Float32Array(4), inverseStd: new Float32Array(4).fill(1) },
    nonFinite: 'stop',
  };
  const parameters = initializeParameters(spec, mlpParameterLayout(spec), openStream(1, 'initial'));
  return { spec, arena, rollout, plan, options, layout, parameters };
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

export interface UpdateVariant {
  readonly variant: Variant;
  readonly stop: () => Promise<unknown>;
}

const updates = (name: string, learner: Learner, { rollout, plan }: UpdateSetup, units: number): Variant => ({
  name,
  units,
  run: async () => void (await learner.update(rollout, plan)),
});

export async function simdVariant(
  spec: PolicySpec,
  kernels: KernelModule,
  rows: number,
  numThreads: number,
): Promise<UpdateVariant> {
  const count = Math.max(2, Math.ceil(4096 / rows));
  const setup = makeSetup(spec, rows, count, numThreads);
  const { arena, options, layout } = setup;
  const { team, stop } = await startTeam(kernels, { spec, options, layout }, arena.memory, numThreads - 1);
  const learner = await createSimdLearner({ arena, kernels, spec, options, layout, team });
  learner.writeParameters(setup.parameters);
  const name = `${kernels.build}, ${numThreads} thread${numThreads > 1 ? 's' : ''}`;
  return { variant: updates(name, learner, setup, count), stop };
}

export async function tensorFlowVariant(
  spec: PolicySpec,
  tensorflow: LoadedTensorFlow,
  rows: number,
  capture: boolean,
): Promise<UpdateVariant> {
  // Eager updates take so long that one minibatch is a sample; a captured one shares its upload with others, as in a run.
  const count = capture ? Math.max(2, Math.ceil(4096 / rows)) : 1;
  const setup = makeSetup(spec, rows, count, 1);
  const learner = await createTensorFlowLearner({
    tensorflow,
    spec,
    loss: (tf, outputs, batch, scalars) => ppoLoss(tf, spec, outputs, batch, scalars, LOSS),
    initial: setup.parameters,
    maxGradNorm: 0.5,
    capture,
  });
  const name = `tfjs ${tensorflow.backend}, ${capture ? 'captured' : 'eager'}`;
  const variant = updates(name, learner, setup, count);
  return { variant, stop: () => learner.dispose() };
}
