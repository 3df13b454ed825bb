/** Both engines on one objective, from the same parameters over the same batches: their gradients, what they report and where they end. */
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

type Backend = 'cpu' | 'wasm' | 'node-gpu';

/**
 * Gradients of every step within 1e-5: those of the kernels are held to a loss in float64 elsewhere. Then one update and `numUpdates` more: parameters
 * within `tolerance`, statistics of the first within 1e-4, row outputs within 1e-4.
 *
 * @param backend of tfjs.
 */
export async function expectAgreement(
  agreement: Agreement,
  numUpdates: number,
  tolerance: number,
  backend: Backend = 'wasm',
): Promise<void> {
  await expectSameGradients(agreement, backend);
  const { learners, run, dispose } = await openBoth(agreement, backend);
  try {
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
    expect(learners[1].readOptimizerState().steps).toEqual(learners[0].readOptimizerState().steps);
  } finally {
    await dispose();
  }
}

/** Adam's epsilon and step size where its step is the gradient: without moments, and with a divisor that is epsilon alone. */
const WHOLE = 1e6;

/** By one update, whose steps are the gradients: each step sees what the one before it has moved. */
async function expectSameGradients(agreement: Agreement, backend: Backend): Promise<void> {
  const { groups, steps } = agreement.objective;
  const plain = { adamBeta1: 0, adamBeta2: 0, adamEpsilon: WHOLE, weightDecay: 0, maxGradNorm: null };
  const rates = Object.fromEntries(groups.map(({ learningRate }) => [learningRate, WHOLE]));
  const { learners, run, dispose } = await openBoth(
    {
      ...agreement,
      objective: {
        ...agreement.objective,
        groups: groups.map((group) => ({ ...group, ...plain })),
        steps: steps.map((step) => ({ ...step, every: 1 })),
      },
      scalars: { ...agreement.scalars, ...rates },
    },
    backend,
  );
  try {
    const gradients: Float32Array[] = [];
    for (const learner of learners) {
      const before = learner.readParameters().slice();
      await run(learner, 1, 0);
      const after = learner.readParameters();
      gradients.push(before.map((value, k) => value - after[k]));
    }
    const [ours, theirs] = gradients;
    expect(Math.max(...ours.map(Math.abs))).toBeGreaterThan(1e-3); // or this could not fail
    for (const [k, value] of ours.entries())
      expect(Math.abs(theirs[k] - value), `gradient ${k}`).toBeLessThan(1e-5 * (1 + Math.abs(value)));
  } finally {
    await dispose();
  }
}

async function openBoth(agreement: Agreement, backend: Backend) {
  const { model, objective, open, losses, scalars, numRows, batch } = agreement;
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
  for (const learner of learners) learner.writeParameters(parameters);
  return {
    learners,
    async run(learner: ObjectiveLearner, count: number, from: number) {
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
    },
    dispose: () => Promise.all(learners.map((learner) => learner.dispose())),
  };
}
