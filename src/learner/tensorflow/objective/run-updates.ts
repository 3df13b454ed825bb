/** The updates of one call: fill, run the steps that are due, count, look at what came out. */
import type { Tensor, TensorFlow } from '../../../policy/tensor-types.ts';
import { nonFiniteStepError, reportedNames } from '../../non-finite-step.ts';
import type { ObjectiveSpec } from '../../objective.ts';
import type { ObjectiveBatch, ObjectiveStats, ObjectiveUpdate } from '../../objective-learner.ts';
import type { CapturedFunctions } from '../capture/capture-graph.ts';
import type { ObjectiveCounters } from './state.ts';
import { correctionsOf, inputsOf } from './step-inputs.ts';

export interface UpdateRun {
  readonly tf: TensorFlow;
  readonly objective: ObjectiveSpec;
  /** The steps, by index. */
  readonly functions: CapturedFunctions<string>;
  readonly counters: ObjectiveCounters; // moved
  readonly batch: ObjectiveBatch;
  readonly update: ObjectiveUpdate;
  /** What such a batch and the parameters as they were before the call have that is large, for a message. */
  readonly describeCauses: (batch: ObjectiveBatch) => string;
}

/** @throws EngineError `ENGINE_NON_FINITE`; steps before that one were applied and are counted. */
export async function runUpdates(run: UpdateRun): Promise<ObjectiveStats> {
  const { tf, objective, counters, batch, update } = run;
  const tally = createTally();
  for (let k = 0; k < update.numUpdates; k++) {
    update.fill(k, batch);
    counters.numUpdates += 1;
    const inputs = inputsOf(
      tf,
      objective,
      batch,
      update,
      correctionsOf(objective, counters.steps, update.scalars),
    );
    try {
      for (const [s, { name, every }] of objective.steps.entries()) {
        const isChosen = update.steps?.includes(name) !== false;
        if (isChosen && counters.numUpdates % every === 0) await runOneStep(run, inputs, s, k, tally);
      }
    } finally {
      tf.dispose(inputs);
    }
    update.after?.(k, batch);
  }
  return tally.read(update.numUpdates);
}

/** Runs step `s`, counts it, and deals with what is not finite. */
async function runOneStep(
  { tf, objective, functions, counters, batch, update: { nonFinite }, describeCauses }: UpdateRun,
  inputs: readonly Tensor[],
  s: number,
  k: number,
  tally: Tally,
): Promise<void> {
  const step = objective.steps[s];
  const outputs = functions.run(`${s}`, ...inputs);
  const [values, ...rows] = await Promise.all(outputs.map((output) => output.data<'float32'>()));
  tf.dispose(outputs);
  rows.forEach((row, r) => {
    batch.rowOutputs[objective.rowOutputs[r]].set(row);
  });
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0 && nonFinite === 'stop')
    throw nonFiniteStepError(step, bad, values[bad], k, describeCauses(batch));
  if (bad < 0) tally.add(reportedNames(step), values);
  else if (nonFinite === 'skip') tally.numSkipped += 1;
  else tally.numClipped += 1;
  if (bad >= 0 && nonFinite === 'skip') return;
  for (const group of step.groups)
    counters.steps[objective.groups.findIndex(({ name }) => name === group)] += 1;
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
