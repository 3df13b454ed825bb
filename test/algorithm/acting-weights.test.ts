import { expect, it, onTestFinished } from 'vitest';
import { createActingWeights } from '../../src/algorithm/acting-weights.ts';
import { createObservationScaling } from '../../src/algorithm/observation-statistics.ts';
import { Box } from '../../src/env/spaces.ts';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { actingLayout, actingSpecOf } from '../../src/policy/networks/acting-network.ts';
import { openStream } from '../../src/random/streams.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../../src/weights/weight-buffer.ts';
import { openFixture, randomModelParameters } from '../reference/objective-fixture.ts';
import { createQGradient, qModel, qObjective } from './fixtures/q-objective.ts';

const MODEL = qModel(3, 2);
const CALM = { epsilon: 0, noiseStd: 0, isRandom: false };

async function open() {
  const { learner } = await openFixture(MODEL, qObjective(3), createQGradient(MODEL, {}), 8);
  onTestFinished(() => learner.dispose());
  learner.writeParameters(randomModelParameters(MODEL, openStream(1, 'parameters')));
  const acting = {
    network: 'q',
    distribution: { kind: 'epsilon-greedy', sizes: [2], numAtoms: 1, support: null, dueling: false },
    actionMaskSize: 0,
  } as const;
  const spec = actingSpecOf(MODEL, acting);
  const planner = createArenaPlanner();
  const weightLayout = reserveWeightBuffer(planner, actingLayout(spec).size, 3);
  const arena = createArena(planner);
  const scaling = createObservationScaling(spec, new Box(-1, 1, [3]), false);
  const weights = createActingWeights({ spec, acting, learner, central: null, scaling, arena, weightLayout });
  const buffer = openWeightBuffer(arena.buffer, weightLayout);
  /** What a runner would act with. */
  const published = (version: number) =>
    new Float32Array(arena.buffer, buffer.slotAddress(version), weightLayout.parameterCount).slice();
  const change = (factor: number) => {
    learner.writeParameters(learner.readParameters().map((x) => factor * x));
    weights.noteUpdate();
  };
  return { learner, weights, buffer, published, change };
}

it('publishes the acting network as it is, in both slots, however often it changes', async () => {
  const { learner, weights, published, change } = await open();
  for (const changes of [1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1]) {
    if (changes > 0) change(1.1);
    expect(published(weights.publish())).toEqual(learner.readNetwork('q'));
  }
});

it('tells how each version explores, and explores on as before where nothing is said', async () => {
  const { weights, buffer } = await open();
  expect(buffer.explorationOf(weights.publish())).toEqual(CALM);
  const wild = { epsilon: 0.25, noiseStd: 0.5, isRandom: true };
  const first = weights.publish(wild);
  expect(buffer.explorationOf(weights.publish())).toEqual(wild);
  const last = weights.publish(CALM);
  expect(buffer.explorationOf(last)).toEqual(CALM);
  expect(first).toBe(last - 2);
});

it('moves one version alone where it is told to: the next one, in the same slot, too, is as it was', async () => {
  const { learner, weights, published } = await open();
  const plain = learner.readNetwork('q');
  const move = (parameters: Float32Array) => parameters.set(parameters.map((x) => x + 1));
  const moved = plain.map((x) => x + 1);
  expect(published(weights.publish(CALM, move))).toEqual(moved);
  expect(published(weights.publish(CALM, move))).toEqual(moved); // not twice
  expect(published(weights.publish())).toEqual(plain);
  expect(published(weights.publish(CALM, move))).toEqual(moved);
  expect(published(weights.publish())).toEqual(plain);
  expect(published(weights.publish())).toEqual(plain);
});
