/** The TensorFlow engine's learner of an objective: any network and loss that tfjs can express, on whichever backend was loaded. */
import { EngineError, ShapeError } from '../../../errors.ts';
import type { ModelSpec } from '../../../policy/networks/model.ts';
import type { Tensor, TensorFlow } from '../../../policy/tensor-types.ts';
import type { ObjectiveSpec } from '../../objective.ts';
import type {
  ObjectiveBatch,
  ObjectiveLearner,
  ObjectiveStats,
  ObjectiveUpdate,
} from '../../objective-learner.ts';
import type { LoadedTensorFlow } from '../backend.ts';
import { type CapturedFunctions, captureGraph } from '../capture/capture-graph.ts';
import { createObjectiveState, type ObjectiveCounters } from './state.ts';
import { type ObjectiveVariables, runStep, type StepInputs } from './step-function.ts';
import type { TensorObjective } from './tensor-objective.ts';

export interface TensorObjectiveSetup {
  readonly tensorflow: LoadedTensorFlow;
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  readonly losses: TensorObjective;
  readonly maxBatchSize: number;
  /** Whether steps run as captured graphs on the native binding; other backends always run eagerly. */
  readonly capture: boolean;
}

/** What runs the steps of batches of one size, under one rule for what is not finite. */
interface StepRunner {
  readonly functions: CapturedFunctions<string>;
  readonly key: string;
}

/**
 * Makes a learner; parameters and moments start at zero, so write the first ones.
 *
 * Parameters and Adam's moments are one tensor each. A step is one session call of a captured graph on the native binding, and some
 * hundred operations elsewhere. Every array that goes in or out is copied.
 *
 * @throws `update`: EngineError `ENGINE_NON_FINITE`, `ENGINE_CAPTURE`; ShapeError `SHAPE_BATCH`, `SHAPE_PARAMETERS`.
 * Thread: main. Not reentrant.
 */
export function createTensorObjectiveLearner(setup: TensorObjectiveSetup): ObjectiveLearner {
  const { tensorflow, model, objective, maxBatchSize } = setup;
  const batches = new Map<number, ObjectiveBatch>();
  let runner: StepRunner | null = null;
  const state = createObjectiveState(tensorflow, model, objective, () => runner?.functions ?? null);
  return {
    engine: 'tensorflow',
    backend: describeBackend(tensorflow),
    model,
    objective,
    ...state.access,
    async update(update) {
      const numRows = update.batchSize ?? maxBatchSize;
      const batch = batches.get(numRows) ?? createBatch(objective, numRows, maxBatchSize);
      batches.set(numRows, batch);
      runner = openRunner(setup, state.variables, runner, batch, update);
      try {
        return await runUpdates(setup, runner, state.counters, batch, update);
      } finally {
        await state.fetchWhatMoved();
      }
    },
    async dispose() {
      runner?.functions.dispose();
      state.dispose();
    },
  };
}

function describeBackend({ backend, version, gpu }: LoadedTensorFlow): string {
  return `${backend} (${backend === 'node-gpu' ? 'TensorFlow' : 'tfjs'} ${version}, ${gpu ? 'GPU' : 'CPU'})`;
}

function createBatch(objective: ObjectiveSpec, numRows: number, maxBatchSize: number): ObjectiveBatch {
  if (!(numRows >= 1 && numRows <= maxBatchSize)) {
    throw new ShapeError(
      'SHAPE_BATCH',
      `Expected a batch of 1 to ${maxBatchSize} rows, which the learner was made for, got ${numRows}.`,
    );
  }
  const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
  const columns = objective.columns.map(({ name, dtype, size }) => [name, new arrays[dtype](numRows * size)]);
  const outputs = objective.rowOutputs.map((name) => [name, new Float32Array(numRows)]);
  return { numRows, columns: Object.fromEntries(columns), rowOutputs: Object.fromEntries(outputs) };
}

/** The batch's columns and all that a step is given, as tensors; fresh arrays, since tfjs keeps a reference. */
function inputsOf(
  { tensorflow: { tf }, objective }: TensorObjectiveSetup,
  { numRows, columns }: ObjectiveBatch,
  { scalars, observationStatistics }: ObjectiveUpdate,
  corrections: Float32Array,
): Tensor[] {
  const rows = objective.columns.map(({ name, dtype, size }) => {
    const data = dtype === 'float32' ? columns[name].slice() : Int32Array.from(columns[name]);
    return tf.tensor2d(data, [numRows, size], dtype === 'float32' ? 'float32' : 'int32');
  });
  const statistics =
    observationStatistics === null
      ? []
      : [observationStatistics.mean, observationStatistics.inverseStd].map((values) =>
          tf.tensor1d(values.slice(), 'float32'),
        );
  const numbers = objective.scalars.map((name) => scalars[name]);
  return [
    ...rows,
    ...statistics,
    tf.tensor1d(numbers, 'float32'),
    tf.tensor2d(corrections, [objective.groups.length, 2], 'float32'),
  ];
}

function splitInputs(tensors: readonly Tensor[], numColumns: number): StepInputs {
  const rest = tensors.slice(numColumns);
  const [mean, inverseStd] = rest;
  return {
    columns: tensors.slice(0, numColumns),
    statistics: rest.length === 4 ? { mean, inverseStd } : null,
    scalars: rest[rest.length - 2],
    corrections: rest[rest.length - 1],
  };
}

/** For each group, what Adam's step number t = 1 + steps so far makes of learning rate and epsilon; in float64. */
function correctionsOf(
  { groups }: ObjectiveSpec,
  steps: readonly number[],
  scalars: ObjectiveUpdate['scalars'],
) {
  const corrections = new Float32Array(2 * groups.length);
  groups.forEach(({ learningRate, adamBeta1, adamBeta2, adamEpsilon }, g) => {
    const t = steps[g] + 1;
    const correction = Math.sqrt(1 - adamBeta2 ** t);
    corrections[2 * g] = (scalars[learningRate] * correction) / (1 - adamBeta1 ** t);
    corrections[2 * g + 1] = adamEpsilon * correction;
  });
  return corrections;
}

/** The runner for batches of this size; another is made only when something of it changes. */
function openRunner(
  setup: TensorObjectiveSetup,
  variables: ObjectiveVariables,
  current: StepRunner | null,
  batch: ObjectiveBatch,
  update: ObjectiveUpdate,
): StepRunner {
  const { tensorflow, model, objective, losses, capture } = setup;
  const { tf } = tensorflow;
  const isNormalized = update.observationStatistics !== null;
  const key = `${batch.numRows} ${update.nonFinite} ${isNormalized}`;
  if (current?.key === key) return current;
  current?.functions.pull();
  current?.functions.dispose();
  const options = { model, objective, losses, variables, nonFinite: update.nonFinite, isNormalized };
  const numColumns = objective.columns.length;
  const examples = inputsOf(setup, batch, update, new Float32Array(2 * objective.groups.length).fill(1));
  const functions = Object.fromEntries(
    objective.steps.map((_, step) => [
      `${step}`,
      {
        fn: (...tensors: Tensor[]) => runStep(tf, options, step, splitInputs(tensors, numColumns)),
        examples,
      },
    ]),
  );
  const isCaptured = capture && tensorflow.backend === 'node-gpu';
  const captured = isCaptured ? captureGraph(tf, functions, Object.values(variables)) : eager(tf, functions);
  tf.dispose(examples);
  return { functions: captured, key };
}

/** The same functions, operation by operation. */
function eager(
  tf: TensorFlow,
  functions: Readonly<Record<string, { readonly fn: (...inputs: Tensor[]) => readonly Tensor[] }>>,
): CapturedFunctions<string> {
  return {
    captured: false,
    run: (name, ...inputs) => tf.tidy(() => [...functions[name].fn(...inputs)]),
    pull() {},
    push() {},
    dispose() {},
  };
}

async function runUpdates(
  setup: TensorObjectiveSetup,
  runner: StepRunner,
  counters: ObjectiveCounters,
  batch: ObjectiveBatch,
  update: ObjectiveUpdate,
): Promise<ObjectiveStats> {
  const tally = createTally();
  for (let k = 0; k < update.numUpdates; k++) {
    update.fill(k, batch);
    counters.numUpdates += 1;
    for (const [s, { every }] of setup.objective.steps.entries()) {
      if (counters.numUpdates % every === 0)
        await runOneStep(setup, runner, counters.steps, batch, update, s, k, tally);
    }
    update.after?.(k, batch);
  }
  return tally.read(update.numUpdates);
}

/** Runs one step, counts it, and deals with what is not finite. @param steps Adam's counters by group, moved. */
async function runOneStep(
  setup: TensorObjectiveSetup,
  { functions }: StepRunner,
  steps: number[],
  batch: ObjectiveBatch,
  update: ObjectiveUpdate,
  s: number,
  k: number,
  tally: Tally,
): Promise<void> {
  const { objective, tensorflow } = setup;
  const { groups, stats, name } = objective.steps[s];
  const inputs = inputsOf(setup, batch, update, correctionsOf(objective, steps, update.scalars));
  const outputs = functions.run(`${s}`, ...inputs);
  const [values, ...rows] = await Promise.all(outputs.map((output) => output.data<'float32'>()));
  tensorflow.tf.dispose([...inputs, ...outputs]);
  rows.forEach((row, r) => {
    batch.rowOutputs[objective.rowOutputs[r]].set(row);
  });
  const keys = [...stats, ...groups.map((group) => `gradNorm/${group}`)];
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0 && update.nonFinite === 'stop') throw nonFiniteError(keys[bad], values[bad], name, k);
  if (bad < 0) tally.add(keys, values);
  else if (update.nonFinite === 'skip') tally.numSkipped += 1;
  else tally.numClipped += 1;
  if (bad >= 0 && update.nonFinite === 'skip') return;
  for (const group of groups) steps[objective.groups.findIndex((each) => each.name === group)] += 1;
}

interface Tally {
  numSkipped: number;
  numClipped: number;
  add(keys: readonly string[], values: ArrayLike<number>): void;
  read(numUpdates: number): ObjectiveStats;
}

function createTally(): Tally {
  const sums: Record<string, { sum: number; count: number }> = {};
  return {
    numSkipped: 0,
    numClipped: 0,
    add(keys, values) {
      keys.forEach((key, i) => {
        sums[key] ??= { sum: 0, count: 0 };
        sums[key].sum += values[i];
        sums[key].count += 1;
      });
    },
    read(numUpdates) {
      const means = Object.fromEntries(
        Object.entries(sums).map(([key, { sum, count }]) => [key, sum / count]),
      );
      return { means, numUpdates, numSkipped: this.numSkipped, numClipped: this.numClipped };
    },
  };
}

function nonFiniteError(name: string, value: number, step: string, update: number): EngineError {
  return new EngineError(
    'ENGINE_NON_FINITE',
    `Expected finite numbers, got ${name} = ${value} in step ${step} of update ${update}. ` +
      'The step was not applied. Look at rewards and observations, lower the learning rate, or set `nonFinite` to skip or clip.',
  );
}
