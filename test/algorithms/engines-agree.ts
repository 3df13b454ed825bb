/** Both engines on one objective, from the same parameters over the same batches: what they report and where they end. */
import { expect } from 'vitest';
import type { ObjectiveSpec, OpenObjective } from '../../src/learner/objective.ts';
import type { ObjectiveLearner } from '../../src/learner/objective-learner.ts';
import { loadTensorFlow } from '../../src/learner/tensorflow/backend.ts';
import { createTensorObjectiveLearner } from '../../src/learner/tensorflow/objective/learner.ts';
import type { TensorObjective } from '../../src/learner/tensorflow/objective/tensor-objective.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import { openStream } from '../../src/random/streams.ts';
import { type Columns, openFixture, randomModelParameters } from '../reference/objective-fixture.ts';

export interface Agreement {
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  readonly open: OpenObjective;
  readonly losses: TensorObjective;
  readonly scalars: Readonly<Record<string, number>>;
  readonly numRows: number;
  /** Of update k. */
  readonly batch: (k: number) => Columns;
}

/**
 * One update, then `numUpdates` more: parameters within `tolerance`, statistics of the first within 1e-4, row outputs within 1e-4.
 *
 * @param backend of tfjs.
 */
export async function expectAgreement(
  { model, objective, open, losses, scalars, numRows, batch }: Agreement,
  numUpdates: number,
  tolerance: number,
  backend: 'cpu' | 'wasm' | 'node-gpu' = 'wasm',
): Promise<void> {
  const fixture = await openFixture(model, objective, open, numRows);
  const tensorflow = await loadTensorFlow({ backend });
  const tensors = createTensorObjectiveLearner({
    tensorflow,
    model,
    objective,
    losses,
    maxBatchSize: numRows,
    capture: true,
  });
  const parameters = randomModelParameters(model, openStream(3, 'parameters'), 0.3);
  const learners: readonly ObjectiveLearner[] = [fixture.learner, tensors];
  const run = async (learner: ObjectiveLearner, count: number, from: number) => {
    let rowOutputs: number[][] = [];
    const stats = await learner.update({
      numUpdates: count,
      fill: (k, filled) => fixture.fill(batch(from + k), filled),
      after: (_k, { rowOutputs: outputs }) => {
        rowOutputs = Object.values(outputs).map((values) => [...values]);
      },
      scalars,
      observationStatistics: null,
      nonFinite: 'stop',
    });
    return { stats, rowOutputs };
  };
  try {
    for (const learner of learners) learner.writeParameters(parameters);
    const [kernels, graph] = [await run(learners[0], 1, 0), await run(learners[1], 1, 0)];
    for (const [name, mean] of Object.entries(kernels.stats.means))
      expect(Math.abs(graph.stats.means[name] - mean), name).toBeLessThan(1e-4 * (1 + Math.abs(mean)));
    expect(Object.keys(graph.stats.means).sort()).toEqual(Object.keys(kernels.stats.means).sort());
    kernels.rowOutputs.forEach((values, k) => {
      values.forEach((value, r) => {
        expect(Math.abs(graph.rowOutputs[k][r] - value)).toBeLessThan(1e-4 * (1 + Math.abs(value)));
      });
    });
    for (const learner of learners) await run(learner, numUpdates, 1);
    const [ours, theirs] = learners.map((learner) => learner.readParameters());
    const largest = ours.reduce((worst, value, k) => Math.max(worst, Math.abs(value - theirs[k])), 0);
    expect(largest).toBeLessThan(tolerance);
    expect(tensors.readOptimizerState().steps).toEqual(fixture.learner.readOptimizerState().steps);
  } finally {
    await Promise.all(learners.map((learner) => learner.dispose()));
  }
}
