/** The SIMD engine's learner: the main thread's side of an update. */
import { EngineError, ShapeError, WorkerError } from '../../errors.ts';
import type { RolloutViews } from '../../experience/layout.ts';
import type { Arena } from '../../memory/arena.ts';
import { mlpParameterLayout } from '../../policy/networks/mlp-parameters.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { instantiateKernels, type KernelModule } from '../../simd/kernels.ts';
import { nextTurn } from '../../threads/next-turn.ts';
import type { Learner, UpdatePlan, UpdateStats } from '../learner.ts';
import { describeLargest } from '../non-finite-causes.ts';
import type { OutputGradient } from '../output-gradient.ts';
import {
  ADDRESS_COLUMNS,
  ageClaims,
  endUpdate,
  holderOf,
  Kind,
  kindOf,
  MAX_STATS,
  NonFinite,
  NUM_SUMS,
  Real,
  SEQUENCE_COLUMNS,
  Word,
} from './control.ts';
import { importOutputGradient } from './import-output-gradient.ts';
import { createThreadContext, type ThreadContext } from './items.ts';
import type { SimdLearnerLayout, SimdLearnerOptions } from './layout.ts';
import { waitForPhase, workOnPhase } from './phase-work.ts';
import { openEpoch, runItem } from './phases.ts';
import type { ThreadTeam } from './thread-team.ts';

export interface SimdLearnerSetup {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly spec: PolicySpec;
  readonly options: SimdLearnerOptions;
  readonly layout: SimdLearnerLayout;
  /** Instead of importing the module that the options name; for bundled pages. Helpers are given theirs. */
  readonly outputGradient?: OutputGradient;
  /** Threads that help; null = the main thread alone. */
  readonly team?: ThreadTeam | null;
  /** A phase in which no item is finished for this long ends the update. Default 60 s. */
  readonly stallTimeoutMs?: number;
}

/** After an epoch whose mean approxKl exceeds this multiple of targetKl the rest are skipped (Spinning Up's rule). */
const KL_FACTOR = 1.5;
const TURN_MS = 20; // how long main may keep the event loop from turning; a turn costs 10 us

/**
 * Makes a learner over reserved memory; parameters and moments start at zero, so write the first ones.
 *
 * Gather, forward, output gradient, backward, fixed-order reduction, clipping by global norm and Adam, in blocks of 64 rows;
 * statistics in float64. Results do not depend on the number of threads, to the bit.
 *
 * @throws EngineError `ENGINE_OUTPUT_GRADIENT`. `update` throws EngineError `ENGINE_NON_FINITE`, ShapeError for a plan or
 * rollout that does not fit the layout, WorkerError `WORKER_LEARN_STALLED` when a helper stops in mid-item without dying.
 * Thread: main. Not reentrant. Cost: about 2 us per row and epoch for two 2x64 towers on one thread.
 */
export async function createSimdLearner(setup: SimdLearnerSetup): Promise<Learner> {
  const { arena, kernels, spec, layout, team = null } = setup;
  const outputGradient =
    setup.outputGradient ?? (await importOutputGradient(setup.options.outputGradient, spec));
  const context = createThreadContext({
    ...setup,
    kernels: instantiateKernels(kernels, arena.memory),
    outputGradient,
    threadIndex: 0,
  });
  const parameterLayout = mlpParameterLayout(spec);
  const vector = (address: number) => new Float32Array(arena.buffer, address, layout.parameterCount);
  const parameters = vector(layout.parameters);
  const m = vector(layout.m);
  const v = vector(layout.v);
  const { reals } = context.control;
  const numThreads = 1 + (team?.numHelpers ?? 0);
  const saved = team === null ? null : createStartingPoint([parameters, m, v], reals);
  const update: UpdateSetup = { ...setup, context, team, statNames: outputGradient.statNames };
  return {
    engine: 'simd',
    backend: `${kernels.build} SIMD, ${numThreads} thread${numThreads === 1 ? '' : 's'}`,
    layout: parameterLayout,
    readParameters(out = new Float32Array(layout.parameterCount)) {
      out.set(parameters);
      return out;
    },
    writeParameters(values) {
      checkLength('parameters', values, parameters);
      parameters.set(values);
    },
    readOptimizerState: () => ({ step: reals[Real.ADAM_STEP], m: m.slice(), v: v.slice() }),
    writeOptimizerState(state) {
      checkLength('m', state.m, m);
      checkLength('v', state.v, v);
      reals[Real.ADAM_STEP] = state.step;
      m.set(state.m);
      v.set(state.v);
    },
    async update(rollout, plan) {
      checkPlan(setup, rollout, plan);
      saved?.keep();
      for (;;) {
        writeJob(update, rollout, plan, outputGradient.scalarNames);
        try {
          const stats = await runUpdate(update, () => describeLargest(rollout, parameterLayout, parameters));
          if (stats !== null) return stats;
        } finally {
          await sendHome(update);
        }
        saved?.restore(); // a helper died: its last item may be half done, so begin again with those that are left
      }
    },
    async dispose() {},
  };
}

interface UpdateSetup extends SimdLearnerSetup {
  readonly context: ThreadContext;
  readonly team: ThreadTeam | null;
  readonly statNames: readonly string[];
}

function checkLength(name: string, values: Float32Array, target: Float32Array): void {
  if (values.length === target.length) return;
  throw new ShapeError(
    'SHAPE_PARAMETERS',
    `Expected \`${name}\` to have ${target.length} elements, got ${values.length}. They belong to another network.`,
  );
}

function checkPlan({ arena, layout }: SimdLearnerSetup, rollout: RolloutViews, plan: UpdatePlan): void {
  const { numSamples, maxEpochs, maxMinibatchSize } = layout;
  const samples = rollout.numRows * rollout.rolloutLength;
  const refuse = (problem: string) => {
    throw new ShapeError('SHAPE_UPDATE_PLAN', `${problem}. Reserve the learner for what the plan needs.`);
  };
  if (rollout.observations.buffer !== arena.buffer)
    refuse("Expected the rollout to lie in the learner's arena");
  if (samples !== numSamples) refuse(`Expected a rollout of ${numSamples} samples, got ${samples}`);
  if (plan.numEpochs > maxEpochs) refuse(`Expected at most ${maxEpochs} epochs, got ${plan.numEpochs}`);
  if (!(plan.minibatchSize >= 1 && plan.minibatchSize <= maxMinibatchSize))
    refuse(`Expected \`minibatchSize\` from 1 to ${maxMinibatchSize}, got ${plan.minibatchSize}`);
  const perEpoch = plan.permutations.length / plan.numEpochs;
  if (!(Number.isInteger(perEpoch) && perEpoch >= 1 && perEpoch <= numSamples))
    refuse(
      `Expected the same number of permutation indices for each of ${plan.numEpochs} epochs, from 1 to ${numSamples}, got ${plan.permutations.length} in all`,
    );
}

/** Puts everything that threads must know of this update into shared memory. */
function writeJob(
  { arena, layout, context, team }: UpdateSetup,
  rollout: RolloutViews,
  plan: UpdatePlan,
  scalarNames: readonly string[],
): void {
  const { words, reals, scalars } = context.control;
  ageClaims(words);
  words[Word.NUM_THREADS] = 1 + (team?.numHelpers ?? 0);
  words[Word.MINIBATCH_SIZE] = plan.minibatchSize;
  words[Word.NUM_SAMPLES] = plan.permutations.length / plan.numEpochs;
  words[Word.NON_FINITE_RULE] = NonFinite[plan.nonFinite];
  words[Word.NORMALIZE_OBSERVATIONS] = plan.observationStatistics === null ? 0 : 1;
  words[Word.NUM_RUN] = 0;
  words[Word.NUM_SKIPPED] = 0;
  words[Word.NUM_CLIPPED] = 0;
  words[Word.NUM_FINITE] = 0;
  words[Word.NUM_EPOCHS] = plan.numEpochs;
  words[Word.NORMALIZE_ADVANTAGES] = plan.normalizeAdvantages ? 1 : 0;
  words[Word.NON_FINITE] = 0;
  ADDRESS_COLUMNS.forEach((name, k) => {
    words[Word.ADDRESSES + k] = rollout[name].byteOffset;
  });
  SEQUENCE_COLUMNS.forEach((name, k) => {
    words[Word.SEQUENCE_ADDRESSES + k] = rollout[name].byteOffset;
  });
  words[Word.ROLLOUT_LENGTH] = rollout.rolloutLength;
  reals[Real.LEARNING_RATE] = plan.scalars.learningRate;
  reals[Real.KL_LIMIT] = plan.targetKl === null ? Number.POSITIVE_INFINITY : KL_FACTOR * plan.targetKl;
  reals.fill(0, Real.UPDATE_SUMS, Real.UPDATE_SUMS + NUM_SUMS);
  scalars.set(scalarNames.map((name) => plan.scalars[name]));
  new Int32Array(arena.buffer, layout.permutations, plan.permutations.length).set(plan.permutations);
  if (plan.observationStatistics === null) return;
  const { mean, inverseStd } = plan.observationStatistics;
  new Float32Array(arena.buffer, layout.observationMean, mean.length).set(mean);
  new Float32Array(arena.buffer, layout.observationInverseStd, inverseStd.length).set(inverseStd);
}

/** Parameters and moments as they were when an update began: reduction and Adam work in place, so nothing less can be repeated. */
function createStartingPoint(vectors: readonly Float32Array[], reals: Float64Array) {
  const copies = vectors.map(({ length }) => new Float32Array(length)); // f32 [parameterCount] each
  let step = 0;
  return {
    keep() {
      step = reals[Real.ADAM_STEP];
      copies.forEach((copy, k) => void copy.set(vectors[k]));
    },
    restore() {
      reals[Real.ADAM_STEP] = step;
      copies.forEach((copy, k) => void vectors[k].set(copy));
    },
  };
}

/** null when a helper died and left the update stuck. */
async function runUpdate(setup: UpdateSetup, causes: () => string): Promise<UpdateStats | null> {
  const { context, team, statNames } = setup;
  const { words, reals } = context.control;
  context.arrange(0, 0);
  openEpoch(context, 0);
  team?.start();
  if (!(await workUntilOver(setup))) return null;
  if (words[Word.NON_FINITE]) throw nonFiniteError(setup, causes());
  const count = words[Word.NUM_FINITE];
  const means = Object.fromEntries(statNames.map((name, s) => [name, reals[Real.UPDATE_SUMS + s] / count]));
  means.gradNorm = reals[Real.UPDATE_SUMS + MAX_STATS] / count;
  return {
    means,
    numEpochs: words[Word.EPOCH] + 1,
    numMinibatches: words[Word.NUM_RUN],
    numSkipped: words[Word.NUM_SKIPPED],
    numClipped: words[Word.NUM_CLIPPED],
  };
}

/** Until no helper is inside the update, and signals and messages had their turn. A helper that opens a phase at the very moment it is ended is told again. */
async function sendHome({ context, team }: UpdateSetup): Promise<void> {
  const { words } = context.control;
  let haveLeft = team === null;
  const leaving = team?.finish().finally(() => {
    haveLeft = true;
  });
  leaving?.catch(() => undefined); // awaited below; until then a failure is not unhandled
  do {
    if (kindOf(words, Atomics.load(words, Word.PHASE)) !== Kind.OVER) endUpdate(words);
    await nextTurn();
  } while (!haveLeft);
  await leaving;
}

/**
 * Works as one thread among others until the update is over; turns the event loop now and then. false when nothing moves any more
 * and a helper has died: in the middle of an item, or between the last item of a phase and the opening of the next.
 */
async function workUntilOver(setup: UpdateSetup): Promise<boolean> {
  const { context, team, stallTimeoutMs = 60_000 } = setup;
  const { words } = context.control;
  const isAlive = (helper: number) => team?.isAlive(helper) ?? false;
  const helpers = Array.from({ length: team?.numHelpers ?? 0 }, (_, k) => k + 1).filter(isAlive);
  let turnedAt = performance.now();
  let movedAt = turnedAt;
  for (;;) {
    const phase = Atomics.load(words, Word.PHASE);
    if (kindOf(words, phase) === Kind.OVER) return true;
    workOnPhase(context, phase, runItem);
    const moved = waitForPhase(words, phase, TURN_MS / 2);
    const now = performance.now();
    if (moved) movedAt = now;
    if (now - turnedAt < TURN_MS && moved) continue;
    await nextTurn();
    turnedAt = performance.now();
    if (moved) continue;
    if (!helpers.every(isAlive)) return false;
    if (turnedAt - movedAt > stallTimeoutMs) throw stalledError(holderOfOldestItem(words, phase));
  }
}

/** A helper that holds an unfinished item, or 0. */
function holderOfOldestItem(words: Int32Array, phase: number): number {
  const numItems = Atomics.load(words, Word.NUM_ITEMS);
  for (let item = 0; item < numItems; item++) {
    const holder = holderOf(words, item, phase);
    if (holder > 0) return holder;
  }
  return 0;
}

function stalledError(helper: number): WorkerError {
  const who = helper > 0 ? `Helper thread ${helper}` : 'A helper thread';
  return new WorkerError(
    'WORKER_LEARN_STALLED',
    `${who} has not finished its share of a gradient in time. The update was abandoned; resume from the last checkpoint.`,
    helper - 1,
  );
}

function nonFiniteError({ context, statNames }: UpdateSetup, causes: string): EngineError {
  const { words, reals } = context.control;
  const name = statNames[words[Word.NON_FINITE] - 1] ?? 'gradNorm';
  return new EngineError(
    'ENGINE_NON_FINITE',
    `Expected finite numbers, got ${name} = ${reals[Real.BAD_VALUE]} in epoch ${words[Word.EPOCH]}, minibatch ${words[Word.MINIBATCH]}. ` +
      `The step was not applied. ${causes}`,
  );
}
