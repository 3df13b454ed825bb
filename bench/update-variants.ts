/** Learners of the SIMD engine over random rollouts, as variants to time: one unit is one minibatch. */
import { Worker } from 'node:worker_threads';
import {
  initializeRollout,
  openRollout,
  type RolloutViews,
  rolloutLayout,
} from '../src/experience/layout.ts';
import type { UpdatePlan } from '../src/learner/learner.ts';
import {
  reserveSimdLearner,
  type SimdLearnerLayout,
  type SimdLearnerOptions,
} from '../src/learner/simd/layout.ts';
import { createSimdLearner } from '../src/learner/simd/learner.ts';
import type { ThreadTeam } from '../src/learner/simd/thread-team.ts';
import { type Arena, createArena, createArenaPlanner } from '../src/memory/arena.ts';
import { initializeParameters } from '../src/policy/initialize.ts';
import { mlpParameterLayout } from '../src/policy/networks/mlp-parameters.ts';
import type { PolicySpec } from '../src/policy/policy-spec.ts';
import { openStream } from '../src/random/streams.ts';
import type { KernelModule } from '../src/simd/loader.ts';
import { loaderArgv } from '../src/threads/exec-argv.ts';
import type { HeldVariant } from './harness.ts';
import { type Passes, passesOf, unitsOf } from './passes.ts';
import { labelOf } from './peak-variants.ts';
import { LOSS, planOf, specOf } from './tensor-variants.ts';

/** 4 observations, 2 actions, separate towers, normalised observations. */
export function benchSpec(hiddenSizes: readonly number[]): PolicySpec {
  return {
    ...specOf([4], { kind: 'categorical', sizes: [2] }),
    network: { kind: 'mlp', hiddenSizes, activation: 'tanh', shared: false },
    normalizeObservations: true,
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

/** A random rollout, and the plan of an update over it. */
function makeSetup(spec: PolicySpec, rows: number, passes: Passes, numThreads: number): UpdateSetup {
  const numSamples = rows * passes.numMinibatches;
  const options: SimdLearnerOptions = {
    maxGradNorm: 0.5,
    maxEpochs: passes.numEpochs,
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
  const plan = planOf(spec, rows, passes);
  const parameters = initializeParameters(spec, mlpParameterLayout(spec), openStream(1, 'initial'));
  return { spec, arena, rollout, plan, options, layout, parameters };
}

async function startTeam(kernels: KernelModule, start: object, memory: object, numHelpers: number) {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const workers = Array.from({ length: numHelpers }, (_, k) => {
    const workerData = { start, kernels, memory, threadIndex: k + 1, words };
    return new Worker(new URL('./learn-helper.ts', import.meta.url), {
      workerData,
      execArgv: loaderArgv(),
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

export async function simdVariant(
  spec: PolicySpec,
  kernels: KernelModule,
  rows: number,
  numThreads: number,
): Promise<HeldVariant> {
  const passes = passesOf(rows);
  const setup = makeSetup(spec, rows, passes, numThreads);
  const { arena, options, layout } = setup;
  const { team, stop } = await startTeam(kernels, { spec, options, layout }, arena.memory, numThreads - 1);
  const learner = await createSimdLearner({ arena, kernels, spec, options, layout, team });
  learner.writeParameters(setup.parameters);
  const name = `${labelOf(kernels)}, ${numThreads} thread${numThreads > 1 ? 's' : ''}`;
  const run = async () => void (await learner.update(setup.rollout, setup.plan));
  return { variant: { name, units: unitsOf(passes), run }, stop };
}
