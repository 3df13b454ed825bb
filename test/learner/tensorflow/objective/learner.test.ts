import { afterEach, describe, expect, it } from 'vitest';
import { createSacLoss } from '../../../../algorithms/sac/loss.ts';
import { sacModel, sacObjective } from '../../../../algorithms/sac/objective.ts';
import type { ObjectiveUpdate } from '../../../../src/learner/objective-learner.ts';
import { loadTensorFlow } from '../../../../src/learner/tensorflow/backend.ts';
import { createTensorObjectiveLearner } from '../../../../src/learner/tensorflow/objective/learner.ts';
import { openStream } from '../../../../src/random/streams.ts';
import { SHAPE } from '../../../algorithms/sac/sac-reference.ts';
import { batch, SCALARS } from '../../../algorithms/tqc/tqc-fixture.ts';
import { randomModelParameters } from '../../../reference/objective-fixture.ts';

const NUM_ROWS = 12;

const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(close.splice(0).map((end) => end()));
});

async function open(backend: 'cpu' | 'wasm') {
  const tensorflow = await loadTensorFlow({ backend });
  const model = sacModel(SHAPE);
  const objective = sacObjective(SHAPE);
  const losses = createSacLoss(model, {});
  const setup = { tensorflow, model, objective, losses, maxBatchSize: NUM_ROWS, capture: true };
  const learner = createTensorObjectiveLearner(setup);
  learner.writeParameters(randomModelParameters(model, openStream(3, 'parameters')));
  close.push(() => learner.dispose());
  /** @param bad number of an update with a reward that is not finite. */
  const update = (numUpdates: number, bad = -1, changes: Partial<ObjectiveUpdate> = {}) =>
    learner.update({
      numUpdates,
      fill: (k, { columns }) => {
        for (const [name, values] of Object.entries(batch(NUM_ROWS, k))) columns[name].set(values);
        if (k === bad) columns.rewards[3] = Number.NaN;
      },
      scalars: SCALARS,
      observationStatistics: null,
      nonFinite: 'stop',
      ...changes,
    });
  return { tensorflow, learner, update };
}

describe('the TensorFlow learner of an objective', () => {
  it.each(['cpu', 'wasm'] as const)('keeps the updates before one that stopped, on %s', async (backend) => {
    const good = await open(backend);
    await good.update(2);
    const stopped = await open(backend);
    await expect(stopped.update(4, 2)).rejects.toMatchObject({
      code: 'ENGINE_NON_FINITE',
      message: expect.stringContaining('criticLoss = NaN in step critic of update 2'),
    });
    expect(stopped.learner.readParameters()).toEqual(good.learner.readParameters());
    const { m, v, steps } = good.learner.readOptimizerState();
    expect(stopped.learner.readOptimizerState()).toMatchObject({ m, v, steps });
  });

  it('leaves no tensors behind, also where an update fails', async () => {
    const { tensorflow, update } = await open('cpu');
    await update(1);
    const { numTensors } = tensorflow.tf.memory();
    await update(3);
    await expect(update(3, 1)).rejects.toMatchObject({ code: 'ENGINE_NON_FINITE' });
    expect(tensorflow.tf.memory().numTensors).toBe(numTensors);
  });
});
