/** The TensorFlow engine's learner of an objective: any network and loss that tfjs can express, on whichever backend was loaded. */
import type { ModelSpec } from '../../../policy/networks/model.ts';
import type { Tensor } from '../../../policy/tensor-types.ts';
import { checkObjective, checkScalars, checkSteps } from '../../check-objective.ts';
import { describeLargestOfBatch } from '../../non-finite-causes.ts';
import type { ObjectiveSpec } from '../../objective.ts';
import { createBatches } from '../../objective-batch.ts';
import type { ObjectiveBatch, ObjectiveLearner, ObjectiveUpdate } from '../../objective-learner.ts';
import type { LoadedTensorFlow } from '../backend.ts';
import { type CapturedFunctions, captureGraph, eagerFunctions } from '../capture/capture-graph.ts';
import { describeBackend } from '../describe-backend.ts';
import { runUpdates } from './run-updates.ts';
import { createObjectiveState } from './state.ts';
import { type ObjectiveVariables, runStep } from './step-function.ts';
import { inputsOf, splitInputs } from './step-inputs.ts';
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
 * @throws EngineError `ENGINE_OBJECTIVE`. `update`: EngineError `ENGINE_NON_FINITE`, `ENGINE_SCALAR`, `ENGINE_CAPTURE`; ShapeError `SHAPE_BATCH`, `SHAPE_PARAMETERS`.
 * Thread: main. Not reentrant.
 */
export function createTensorObjectiveLearner(setup: TensorObjectiveSetup): ObjectiveLearner {
  const { tensorflow, model, objective, maxBatchSize } = setup;
  const { tf } = tensorflow;
  checkObjective(model, objective, null);
  const batchOf = createBatches(model, objective, maxBatchSize, null);
  let runner: StepRunner | null = null;
  const state = createObjectiveState(tensorflow, model, objective, () => runner?.functions ?? null);
  const { variables, counters } = state;
  const describeCauses = (batch: ObjectiveBatch) =>
    describeLargestOfBatch(batch, state.access.layout, state.access.readParameters());
  return {
    engine: 'tensorflow',
    backend: describeBackend(tensorflow),
    model,
    objective,
    ...state.access,
    async update(update) {
      checkScalars(objective, update.scalars);
      checkSteps(objective, update.steps);
      const batch = batchOf(update.batchSize ?? maxBatchSize);
      runner = openRunner(setup, variables, runner, batch, update);
      try {
        const { functions } = runner;
        return await runUpdates({ tf, objective, functions, counters, batch, update, describeCauses });
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

/** The runner for batches of this size; another is made only when something of it changes. */
function openRunner(
  { tensorflow, model, objective, losses, capture }: TensorObjectiveSetup,
  variables: ObjectiveVariables,
  current: StepRunner | null,
  batch: ObjectiveBatch,
  update: ObjectiveUpdate,
): StepRunner {
  const { tf } = tensorflow;
  const { nonFinite, observationStatistics } = update;
  const key = `${batch.numRows} ${nonFinite} ${observationStatistics !== null}`;
  if (current?.key === key) return current;
  current?.functions.pull();
  current?.functions.dispose();
  const options = { model, objective, losses, variables, nonFinite };
  const ones = new Float32Array(2 * objective.groups.length).fill(1);
  const examples = inputsOf(tf, objective, batch, update, ones);
  const runOf =
    (step: number) =>
    (...tensors: Tensor[]) =>
      runStep(tf, options, step, splitInputs(tensors, objective));
  const steps = objective.steps.map((_, step) => [`${step}`, { fn: runOf(step), examples }] as const);
  const functions = Object.fromEntries(steps);
  const run = capture ? captureGraph(tf, functions, Object.values(variables)) : eagerFunctions(tf, functions);
  tf.dispose(examples);
  return { functions: run, key };
}
