/** The SIMD engine's learner of an objective: the main thread's side. */
import { type EngineError, ShapeError, WorkerError } from '../../../errors.ts';
import type { Arena } from '../../../memory/arena.ts';
import { type ModelSpec, modelLayout } from '../../../policy/networks/model.ts';
import { instantiateKernels, type KernelModule } from '../../../simd/kernels.ts';
import { nextTurn } from '../../../threads/next-turn.ts';
import { checkScalars, checkSteps } from '../../check-objective.ts';
import { describeLargestOfBatch } from '../../non-finite-causes.ts';
import { nonFiniteStepError } from '../../non-finite-step.ts';
import type { ObjectiveSpec, OpenObjective } from '../../objective.ts';
import { createBatches } from '../../objective-batch.ts';
import type {
  ObjectiveLearner,
  ObjectiveOptimizerState,
  ObjectiveStats,
  ObjectiveUpdate,
} from '../../objective-learner.ts';
import { blendTargets } from '../../target-blend.ts';
import {
  ageClaims,
  Word as ControlWord,
  endUpdate,
  kindOf,
  MAX_STATS,
  NonFinite,
  openPhase,
} from '../control.ts';
import { waitForPhase, workOnPhase } from '../phase-work.ts';
import type { ThreadTeam } from '../thread-team.ts';
import { createObjectiveThread, type ObjectiveThread } from './items.ts';
import { createPerturbation } from './perturbation.ts';
import { openStep, runItem } from './phases.ts';
import { GroupReal } from './reals.ts';
import type { ObjectiveLayout } from './regions.ts';
import { ObjectiveKind as Kind, ObjectiveWord as Word } from './words.ts';

export interface SimdObjectiveSetup {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  readonly open: OpenObjective;
  readonly layout: ObjectiveLayout;
  /** Threads that help; null = the main thread alone. They stay inside between updates, until `dispose`. */
  readonly team?: ThreadTeam | null;
  /** A phase in which no item is finished for this long ends the update. Default 60 s. */
  readonly stallTimeoutMs?: number;
}

const TURN_MS = 20; // how long main may keep the event loop from turning; a turn costs 10 us

type Running = SimdObjectiveSetup & { readonly thread: ObjectiveThread };

/**
 * Makes a learner over reserved memory; parameters and moments start at zero, so write the first ones.
 *
 * Blocks of at most 64 rows go through a step's networks forward and back in one piece; gradients are summed over groups of blocks in a
 * fixed order, clipped by each group's norm and stepped by Adam. Results do not depend on the number of threads, to the bit.
 *
 * Helper threads run no code of a user's. One that is lost all the same in the middle of an update ends it with an error: sums and steps
 * are made in place, so the update cannot be repeated.
 *
 * @throws `update`: EngineError `ENGINE_NON_FINITE`, `ENGINE_SCALAR`, ShapeError `SHAPE_BATCH`, WorkerError `WORKER_LEARN_STALLED`.
 * Thread: main. Not reentrant. Several updates of one call cost no turn of the event loop but one every 20 ms.
 */
export function createSimdObjectiveLearner(setup: SimdObjectiveSetup): ObjectiveLearner {
  const { arena, kernels, model, objective, layout, team = null } = setup;
  const instance = instantiateKernels(kernels, arena.memory);
  const thread = createObjectiveThread({ ...setup, kernels: instance, threadIndex: 0 });
  const { words } = thread.control;
  const numThreads = 1 + (team?.numHelpers ?? 0);
  words[Word.NUM_THREADS] = numThreads;
  const counters = { numUpdates: 0 };
  const running: Running = { ...setup, thread };
  const access = parameterAccess(setup, thread, counters);
  const columns = layout.columns.map(({ address }) => address);
  const noises = layout.noises.map(({ factors }) => factors);
  const memory = { buffer: arena.buffer, columns, noises, rowOutputs: layout.rowOutputs };
  const batchOf = createBatches(model, objective, layout.maxBatchSize, memory);
  const perturb = createPerturbation(model, layout, instance, arena.buffer);
  let hasHelpers = false;
  return {
    engine: 'simd',
    backend: `${kernels.build} SIMD, ${numThreads} thread${numThreads === 1 ? '' : 's'}`,
    model,
    objective,
    ...access,
    async update(update) {
      checkScalars(objective, update.scalars);
      checkSteps(objective, update.steps);
      const batch = batchOf(update.batchSize ?? layout.maxBatchSize);
      begin(running, update, batch.numRows);
      if (!hasHelpers) callHelpers(running);
      hasHelpers = true;
      let turnedAt = performance.now();
      for (let k = 0; k < update.numUpdates; k++) {
        update.fill(k, batch);
        perturb();
        counters.numUpdates += 1;
        openUpdate(running, counters.numUpdates, update.steps);
        const working = workUntilDone(running, turnedAt);
        if (working !== null) await working;
        if (words[Word.NON_FINITE]) {
          const causes = describeLargestOfBatch(batch, access.layout, access.readParameters());
          throw nonFiniteError(running, k, causes);
        }
        update.after?.(k, batch);
        if (performance.now() - turnedAt <= TURN_MS) continue;
        await nextTurn();
        turnedAt = performance.now();
      }
      return readStats(running, update.numUpdates);
    },
    async dispose() {
      endUpdate(words);
      await team?.finish();
    },
  };
}

type ParameterAccess = Omit<
  ObjectiveLearner,
  'engine' | 'backend' | 'model' | 'objective' | 'update' | 'dispose'
>;

/** Reading and writing parameters and moments, which lie in the arena. */
function parameterAccess(
  { arena, model, objective, layout }: SimdObjectiveSetup,
  { reals, index }: ObjectiveThread,
  counters: { numUpdates: number },
): ParameterAccess {
  const parameterLayout = modelLayout(model);
  const vector = (address: number, length: number) => new Float32Array(arena.buffer, address, length);
  const parameters = vector(layout.parameters, parameterLayout.size);
  const m = vector(layout.m, layout.trainedSize);
  const v = vector(layout.v, layout.trainedSize);
  const networks = Object.fromEntries(
    Object.entries(parameterLayout.ranges).map(([name, { offset, size }]) => [
      name,
      parameters.subarray(offset, offset + size),
    ]),
  );
  const stepOf = (g: number) => index.group(g) + GroupReal.STEP;
  return {
    layout: parameterLayout,
    readParameters(out = new Float32Array(parameters.length)) {
      out.set(parameters);
      return out;
    },
    readNetwork(name, out) {
      const part = networks[name];
      if (out === undefined) return part.slice();
      out.set(part);
      return out;
    },
    writeParameters(values) {
      checkLength('parameters', values, parameters);
      parameters.set(values);
    },
    readOptimizerState: () => ({
      numUpdates: counters.numUpdates,
      steps: Object.fromEntries(objective.groups.map(({ name }, g) => [name, reals[stepOf(g)]])),
      m: m.slice(),
      v: v.slice(),
    }),
    writeOptimizerState(state: ObjectiveOptimizerState) {
      checkLength('m', state.m, m);
      checkLength('v', state.v, v);
      counters.numUpdates = state.numUpdates;
      for (const [g, { name }] of objective.groups.entries()) reals[stepOf(g)] = state.steps[name];
      m.set(state.m);
      v.set(state.v);
    },
    blendTargets: (tau) => blendTargets(parameterLayout, model, parameters, tau),
  };
}

function checkLength(name: string, values: Float32Array, target: Float32Array): void {
  if (values.length === target.length) return;
  throw new ShapeError(
    'SHAPE_PARAMETERS',
    `Expected \`${name}\` to have ${target.length} elements, got ${values.length}. They belong to another model.`,
  );
}

/** Helpers stay until the phase is OVER, so it must not be that when they come. */
function callHelpers({ thread, team }: Running): void {
  openPhase(thread.control.words, Kind.WAIT, 0);
  team?.start();
}

/** What holds for all updates of a call. */
function begin({ arena, layout, thread }: Running, update: ObjectiveUpdate, numRows: number): void {
  const { control, reals, index, objective } = thread;
  const { words, scalars } = control;
  ageClaims(words);
  words[Word.NON_FINITE_RULE] = NonFinite[update.nonFinite];
  words[Word.NON_FINITE] = 0;
  words[Word.NUM_ROWS] = numRows;
  words[Word.NUM_SKIPPED] = 0;
  words[Word.NUM_CLIPPED] = 0;
  for (let k = 0; k < objective.scalars.length; k++) scalars[k] = update.scalars[objective.scalars[k]];
  for (let step = 0; step < objective.steps.length; step++)
    reals.fill(0, index.stepSums(step), index.stepSums(step) + MAX_STATS + 1);
  for (let g = 0; g < objective.groups.length; g++) reals[index.group(g) + GroupReal.NORM_SUM] = 0;
  const statistics = update.observationStatistics;
  words[Word.IS_NORMALIZED] = statistics === null ? 0 : 1;
  if (statistics === null) return;
  const { mean, inverseStd } = statistics;
  new Float32Array(arena.buffer, layout.observationMean, mean.length).set(mean);
  new Float32Array(arena.buffer, layout.observationInverseStd, inverseStd.length).set(inverseStd);
}

/** Opens the first of the chosen steps that is due in update number `number` = 1, 2, ... */
function openUpdate({ thread }: Running, number: number, chosen: ObjectiveUpdate['steps']): void {
  const { words } = thread.control;
  let due = 0;
  const { steps } = thread.objective;
  for (let step = 0; step < steps.length; step++) {
    const { name, every } = steps[step];
    if (number % every === 0 && chosen?.includes(name) !== false) due |= 1 << step;
  }
  words[Word.DUE] = due;
  openStep(thread, 0);
}

/** Works as one thread among others until the update is done; null when it was done soon after `turnedAt`, the loop's last turn. */
function workUntilDone(running: Running, turnedAt: number): Promise<void> | null {
  const { words } = running.thread.control;
  for (;;) {
    const phase = Atomics.load(words, ControlWord.PHASE);
    if (kindOf(words, phase) === Kind.WAIT) return null;
    workOnPhase(running.thread, phase, runItem);
    if (!waitForPhase(words, phase, TURN_MS / 2) || performance.now() - turnedAt > TURN_MS)
      return workPatiently(running);
  }
}

/** The same for a long update, or one in which a helper keeps everybody waiting: turns the event loop, looks whether helpers live. */
async function workPatiently({ thread, team = null, stallTimeoutMs = 60_000 }: Running): Promise<void> {
  const { words } = thread.control;
  let movedAt = performance.now();
  for (;;) {
    const phase = Atomics.load(words, ControlWord.PHASE);
    if (kindOf(words, phase) === Kind.WAIT) return;
    workOnPhase(thread, phase, runItem);
    const hasMoved = waitForPhase(words, phase, TURN_MS / 2);
    if (hasMoved) movedAt = performance.now();
    await nextTurn();
    if (hasMoved) continue;
    const stalledMs = performance.now() - movedAt;
    const lost = Array.from({ length: team?.numHelpers ?? 0 }, (_, k) => k + 1).filter(
      (k) => !team?.isAlive(k),
    );
    if (lost.length > 0 || stalledMs > stallTimeoutMs) throw stalledError(lost[0] ?? 0);
  }
}

function stalledError(helper: number): WorkerError {
  const who =
    helper > 0 ? `Learner thread ${helper} was lost` : 'A learner thread has not finished its share';
  return new WorkerError(
    'WORKER_LEARN_STALLED',
    `${who} in the middle of an update, which was abandoned. Resume from the last checkpoint.`,
    helper - 1,
  );
}

/** Means over the updates of the call whose step was finite. */
function readStats({ thread }: Running, numUpdates: number): ObjectiveStats {
  const { control, reals, index, objective, work } = thread;
  const { words } = control;
  const means: Record<string, number> = {};
  for (let step = 0; step < objective.steps.length; step++) {
    const { stats } = objective.steps[step];
    const { groups, normNames } = work[step];
    const sums = index.stepSums(step);
    const count = reals[sums + MAX_STATS];
    if (count === 0) continue;
    for (let s = 0; s < stats.length; s++) means[stats[s]] = reals[sums + s] / count;
    for (let k = 0; k < groups.length; k++)
      means[normNames[k]] = reals[index.group(groups[k]) + GroupReal.NORM_SUM] / count;
  }
  return { means, numUpdates, numSkipped: words[Word.NUM_SKIPPED], numClipped: words[Word.NUM_CLIPPED] };
}

function nonFiniteError({ thread }: Running, update: number, causes: string): EngineError {
  const { control, reals, index, objective } = thread;
  const step = objective.steps[control.words[Word.STEP]];
  return nonFiniteStepError(step, control.words[Word.NON_FINITE] - 1, reals[index.badValue], update, causes);
}
