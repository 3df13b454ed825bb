import { afterEach, describe, expect, it } from 'vitest';
import { createSacGradient } from '../../../../algorithms/sac/gradient.ts';
import { type SacShape, sacModel, sacObjective } from '../../../../algorithms/sac/objective.ts';
import { openStream } from '../../../../src/random/streams.ts';
import { SHAPE } from '../../../algorithms/sac/sac-reference.ts';
import {
  type Columns,
  normals,
  openFixture,
  randomModelParameters,
} from '../../../reference/objective-fixture.ts';

const module = new URL('../../../../algorithms/sac/gradient.ts', import.meta.url).href;
const closedForm = { module, export: 'createSacGradient', options: {} };
const SCALARS = {
  criticLearningRate: 1e-3,
  actorLearningRate: 1e-3,
  temperatureLearningRate: 1e-3,
  tau: 0.05,
  targetEntropy: -2,
  temperature: 0,
};

const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(close.splice(0).map((end) => end()));
});

function batch(k: number, numRows: number): Columns {
  const column = (name: string, size: number) => normals(`${name} ${k}`, size * numRows);
  return {
    observations: column('observations', 3),
    actions: column('actions', 2).map((x) => Math.fround(Math.tanh(x))),
    rewards: column('rewards', 1),
    discounts: column('discounts', 1).map((x) => (x > 1 ? 0 : Math.fround(0.98))),
    nextObservations: column('nextObservations', 3),
    noise: column('noise', 2),
    nextNoise: column('nextNoise', 2),
  };
}

async function open(shape: SacShape, batchSize: number, numHelpers = 0) {
  const model = sacModel(shape);
  const helpers = numHelpers === 0 ? null : { numHelpers, closedForm };
  const fixture = await openFixture(
    model,
    sacObjective(shape),
    createSacGradient(model, {}),
    batchSize,
    helpers,
  );
  fixture.learner.writeParameters(randomModelParameters(model, openStream(3, 'parameters')));
  close.push(() => fixture.learner.dispose());
  const update = (
    numUpdates: number,
    from = 0,
    nonFinite: 'stop' | 'skip' | 'clip' = 'stop',
    spoil?: (columns: Columns) => Columns,
  ) =>
    fixture.learner.update({
      numUpdates,
      fill: (k, { columns, numRows }) => {
        const plain = batch(from + k, numRows);
        fixture.fill(spoil?.(plain) ?? plain, { columns, noises: {} });
      },
      scalars: SCALARS,
      observationStatistics: null,
      nonFinite,
    });
  return { ...fixture, update };
}

/** Parameters, moments and statistics. */
function stateOf({ learner }: Awaited<ReturnType<typeof open>>) {
  return { parameters: learner.readParameters(), optimizer: learner.readOptimizerState() };
}

describe('the SIMD learner of an objective', () => {
  it.each([100, 256])('gives the same bits for 1, 2 and 4 threads, batches of %i', async (batchSize) => {
    const alone = await open(SHAPE, batchSize);
    const stats = await alone.update(12);
    expect(stats.numUpdates).toBe(12);
    for (const numHelpers of [1, 3]) {
      const helped = await open(SHAPE, batchSize, numHelpers);
      const first = await helped.update(5);
      const rest = await helped.update(7, 5);
      expect(first.numUpdates + rest.numUpdates).toBe(12);
      expect(stateOf(helped)).toEqual(stateOf(alone));
    }
  });

  it('runs a step with a period in the updates whose number it divides, also after a restart', async () => {
    const shape = { ...SHAPE, policyDelay: 3 };
    const whole = await open(shape, 40);
    await whole.update(7);
    expect(whole.learner.readOptimizerState().steps).toEqual({ critic: 7, actor: 2, temperature: 2 });
    const first = await open(shape, 40);
    await first.update(2);
    const second = await open(shape, 40);
    second.learner.writeParameters(first.learner.readParameters());
    second.learner.writeOptimizerState(first.learner.readOptimizerState());
    await second.update(5, 2);
    expect(stateOf(second)).toEqual(stateOf(whole));
  });

  it('moves targets by tau after their step', async () => {
    const { learner, update } = await open(SHAPE, 16);
    const before = learner.readNetwork('target/q2');
    await update(1);
    const after = learner.readNetwork('target/q2');
    const source = learner.readNetwork('q2');
    for (let k = 0; k < before.length; k++)
      expect(after[k]).toBeCloseTo(before[k] + SCALARS.tau * (source[k] - before[k]), 6);
    learner.blendTargets(1);
    expect(learner.readNetwork('target/q2')).toEqual(source);
  });

  it('stops at what is not finite, naming it, before the step is applied', async () => {
    const { learner, update } = await open(SHAPE, 48);
    const before = learner.readParameters();
    const spoil = (columns: Columns) => ({
      ...columns,
      rewards: columns.rewards.map((r, i) => (i === 40 ? Number.NaN : r)),
    });
    await expect(update(1, 0, 'stop', spoil)).rejects.toMatchObject({
      code: 'ENGINE_NON_FINITE',
      message: expect.stringContaining('criticLoss = NaN in step critic of update 0'),
    });
    expect(learner.readParameters()).toEqual(before);
  });

  it('leaves out, or clips, a step with something that is not finite', async () => {
    const spoil = (columns: Columns) => ({
      ...columns,
      rewards: columns.rewards.map(() => Number.POSITIVE_INFINITY),
    });
    const skipping = await open(SHAPE, 48);
    const critic = skipping.learner.readNetwork('q1');
    expect(await skipping.update(2, 0, 'skip', spoil)).toMatchObject({ numSkipped: 2, numClipped: 0 });
    expect(skipping.learner.readNetwork('q1')).toEqual(critic);
    expect(skipping.learner.readOptimizerState().steps).toEqual({ critic: 0, actor: 2, temperature: 2 });
    const clipping = await open(SHAPE, 48);
    expect(await clipping.update(1, 0, 'clip', spoil)).toMatchObject({ numSkipped: 0, numClipped: 1 });
    expect(clipping.learner.readParameters().every(Number.isFinite)).toBe(true);
  });

  it('lets the event loop turn between many short updates of one call', async () => {
    const { update } = await open(SHAPE, 16);
    await update(1);
    let numTicks = 0;
    const timer = setInterval(() => {
      numTicks += 1;
    }, 1);
    const spend = (columns: Columns) => {
      for (const end = performance.now() + 0.1; performance.now() < end; );
      return columns;
    };
    await update(1000, 0, 'stop', spend); // 0.1 s at least, each update far below a turn
    clearInterval(timer);
    expect(numTicks).toBeGreaterThan(0);
  });

  it('refuses a batch that it has no place for', async () => {
    const { learner } = await open(SHAPE, 16);
    const update = {
      numUpdates: 1,
      batchSize: 17,
      fill: () => {},
      scalars: SCALARS,
      observationStatistics: null,
    };
    await expect(learner.update({ ...update, nonFinite: 'stop' })).rejects.toMatchObject({
      code: 'SHAPE_BATCH',
    });
  });
});
