import { describe, expect, it } from 'vitest';
import { checkObjective, checkScalars } from '../../src/learner/check-objective.ts';
import type { ObjectiveSpec } from '../../src/learner/objective.ts';
import { loadTensorFlow } from '../../src/learner/tensorflow/backend.ts';
import { createTensorObjectiveLearner } from '../../src/learner/tensorflow/objective/learner.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import { createQGradient, qModel, qObjective } from '../algorithm/fixtures/q-objective.ts';
import { openFixture } from '../reference/objective-fixture.ts';

const MODEL: ModelSpec = qModel(3, 2);
const GOOD: ObjectiveSpec = qObjective(3);
const [GROUP] = GOOD.groups;
const [STEP] = GOOD.steps;
const names = (count: number, prefix: string) => Array.from({ length: count }, (_, k) => `${prefix}${k}`);

/** Three networks of which a group has the outer two. */
const THREE: ModelSpec = {
  ...MODEL,
  networks: { q: MODEL.networks.q, p: MODEL.networks.q, r: MODEL.networks.q },
};

/** The network with noisy layers, and without what its target would need for them. */
const NOISY: ModelSpec = {
  ...MODEL,
  networks: { q: { ...MODEL.networks.q, initialDeviation: 0.5 } },
};
const draw = (network: string) => ({ name: 'noise', network });

const BAD: readonly (readonly [string, ObjectiveSpec, string, ModelSpec?])[] = [
  [
    'a learning rate that is no scalar',
    { ...GOOD, scalars: ['tau'] },
    '`learningRate` of group q among the scalars (tau), got learningRate',
  ],
  ['a tau that is no scalar', { ...GOOD, scalars: ['learningRate'] }, '`tau` of step q among the scalars'],
  [
    'a group in two steps',
    { ...GOOD, steps: [STEP, { ...STEP, name: 'again', stats: [] }] },
    'group q in exactly one step, got 2 (q, again)',
  ],
  ['a group in no step', { ...GOOD, steps: [{ ...STEP, groups: [] }] }, 'exactly one step, got 0 (none)'],
  [
    'a group of networks that are no neighbours',
    { ...GOOD, groups: [{ ...GROUP, networks: ['q', 'r'] }] },
    "group q to be neighbours in the model's order (q, p, r), got q, r",
    THREE,
  ],
  ['a noise of plain layers', { ...GOOD, noises: [draw('q')] }, 'noisy layers for the noise noise, got q'],
  [
    'a noise of a target that does not copy deviations',
    { ...GOOD, noises: [draw('target/q')] },
    'its target one of `noise/target/q`',
    NOISY,
  ],
  [
    'noises in several steps',
    { ...GOOD, noises: [draw('q')], steps: [STEP, { ...STEP, name: 'again', stats: [], groups: [] }] },
    'one step in an objective with noises, got 2',
    NOISY,
  ],
  ['a noise twice', { ...GOOD, noises: [draw('q'), draw('q')] }, '`noises`, got noise twice', NOISY],
  [
    'a group of nothing',
    { ...GOOD, groups: [{ ...GROUP, networks: [] }] },
    'at least one network in group q',
  ],
  [
    'a group of a target',
    { ...GOOD, groups: [{ ...GROUP, networks: ['target/q'] }] },
    'group q (q), got target/q',
  ],
  ['a step of an unknown group', { ...GOOD, steps: [{ ...STEP, groups: ['q', 'v'] }] }, 'step q, got v'],
  [
    'a blend of what is no target',
    { ...GOOD, steps: [{ ...STEP, blends: [{ target: 'q', tau: 'tau' }] }] },
    'targets of the model (target/q) in the blends of step q, got q',
  ],
  [
    'a statistic twice',
    { ...GOOD, steps: [{ ...STEP, stats: ['loss', 'loss'] }] },
    '`steps.stats`, got loss twice',
  ],
  [
    'a period of half an update',
    { ...GOOD, steps: [{ ...STEP, every: 0.5 }] },
    '`every` of step q to be an integer',
  ],
];

const TOO_MANY: readonly (readonly [string, ObjectiveSpec, string])[] = [
  [
    'statistics',
    { ...GOOD, steps: [{ ...STEP, stats: names(38, 's') }] },
    'at most 32 statistics of an objective (`stats`), got 38',
  ],
  [
    'scalars',
    { ...GOOD, scalars: [...GOOD.scalars, ...names(31, 's')] },
    'at most 32 scalars of an objective (`scalars`), got 33',
  ],
];

function refusal(message: string) {
  return { code: 'ENGINE_OBJECTIVE', message: expect.stringContaining(message) };
}

const openSimd = (objective: ObjectiveSpec, model = MODEL) =>
  openFixture(model, objective, createQGradient(model, {}), 8);

async function openTensorFlow(objective: ObjectiveSpec, model = MODEL) {
  const tensorflow = await loadTensorFlow({ backend: 'cpu' });
  return createTensorObjectiveLearner({
    tensorflow,
    model,
    objective,
    losses: [],
    maxBatchSize: 8,
    capture: true,
  });
}

describe('an objective', () => {
  it('that is whole is opened by both engines', async () => {
    await (await openSimd(GOOD)).learner.dispose();
    await (await openTensorFlow(GOOD)).dispose();
  });

  for (const [what, objective, message, model] of BAD) {
    it(`with ${what} is refused by both engines`, async () => {
      await expect(openSimd(objective, model)).rejects.toMatchObject(refusal(message));
      await expect(openTensorFlow(objective, model)).rejects.toMatchObject(refusal(message));
    });
  }

  it.each(TOO_MANY)(
    'with more %s than the kernels have places for is refused by them',
    async (_, objective, message) => {
      await expect(openSimd(objective)).rejects.toMatchObject(refusal(message));
      await (await openTensorFlow(objective)).dispose();
    },
  );

  it('is told all that is wrong with it', () => {
    const objective = { ...GOOD, scalars: [], steps: [{ ...STEP, every: 0 }] };
    expect(() => checkObjective(MODEL, objective, null)).toThrow(/learningRate.*\n.*tau.*\n.*every/);
  });
});

describe('an update', () => {
  const update = {
    numUpdates: 1,
    fill() {},
    observationStatistics: null,
    nonFinite: 'stop',
  } as const;

  it.each([
    ['missing', { learningRate: 1e-3 }, '`tau`, got undefined'],
    ['not finite', { learningRate: Number.NaN, tau: 1 }, '`learningRate`, got NaN'],
  ])('whose scalar is %s is refused by both engines', async (_, scalars: Record<string, number>, message) => {
    const refused = { code: 'ENGINE_SCALAR', message: expect.stringContaining(message) };
    for (const learner of [(await openSimd(GOOD)).learner, await openTensorFlow(GOOD)]) {
      await expect(learner.update({ ...update, scalars })).rejects.toMatchObject(refused);
      expect(learner.readOptimizerState().numUpdates).toBe(0);
      await learner.dispose();
    }
  });

  it('may be given scalars that nobody reads', () => {
    expect(() => checkScalars(GOOD, { learningRate: 1, tau: 0, other: Number.NaN })).not.toThrow();
  });
});
