import { beforeAll, describe, expect, it } from 'vitest';
import { initializeRollout, openRollout, rolloutLayout } from '../../../src/experience/layout.ts';
import type { Learner } from '../../../src/learner/learner.ts';
import type { SimdLearnerOptions } from '../../../src/learner/simd/layout.ts';
import { createSimdLearner } from '../../../src/learner/simd/learner.ts';
import { createArena, createArenaPlanner } from '../../../src/memory/arena.ts';
import { type KernelModule, loadKernels } from '../../../src/simd/loader.ts';
import { categorical, gaussian, makeSpec } from '../../reference/policy-specs.ts';
import { gradientReference, lossReference } from '../../reference/ppo-reference.ts';
import {
  type Fixture,
  lastGradient,
  learnerOptions,
  makeFixture,
  makePlan,
  referenceBatch,
} from '../../reference/rollout-fixture.ts';

let kernels: KernelModule;
beforeAll(async () => {
  kernels = await loadKernels();
}, 120_000);

async function makeLearner(fixture: Fixture, options: SimdLearnerOptions): Promise<Learner> {
  const learner = await createSimdLearner({ ...fixture, options, kernels });
  learner.writeParameters(fixture.parameters);
  return learner;
}

const SCALARS = { learningRate: 1e-2, clipRange: 0.2, entropyCoeff: 0.01 };
const REFERENCE = {
  clipRange: 0.2,
  entropyCoeff: 0.01,
  valueCoeff: 0.5,
  valueLoss: 'mse' as const,
  valueClipRange: null,
  valueErrorBound: Number.POSITIVE_INFINITY,
  klPenaltyCoeff: 0,
};

describe('createSimdLearner', () => {
  it('steps like a slow reference: minibatches in order, clipping, Adam', async () => {
    const spec = makeSpec(gaussian(2), { hiddenSizes: [12, 9], normalize: true });
    const options = learnerOptions({ maxGradNorm: 0.5, adamBeta1: 0.8, adamBeta2: 0.99, adamEpsilon: 1e-4 });
    const fixture = makeFixture(spec, 2, 45, options);
    const learner = await makeLearner(fixture, options);
    const plan = makePlan(fixture, { numEpochs: 3, minibatchSize: 40, scalars: SCALARS });
    const stats = await learner.update(fixture.rollout, plan);
    expect(stats).toMatchObject({ numEpochs: 3, numMinibatches: 9, numSkipped: 0 });

    const p = Float64Array.from(fixture.parameters);
    const m = new Float64Array(p.length);
    const v = new Float64Array(p.length);
    const norms: number[] = [];
    const losses: number[] = [];
    for (let t = 1; t <= 9; t++) {
      const epoch = Math.floor((t - 1) / 3);
      const start = epoch * 90 + ((t - 1) % 3) * 40;
      const end = Math.min(start + 40, (epoch + 1) * 90);
      const batch = referenceBatch(fixture, plan.permutations.subarray(start, end));
      losses.push(lossReference(spec, p, batch, REFERENCE).valueLoss);
      const g = gradientReference(spec, p, batch, REFERENCE);
      const norm = Math.sqrt(g.reduce((sum, x) => sum + x * x, 0));
      norms.push(norm);
      const scale = Math.min(1, 0.5 / (norm + 1e-6));
      for (let k = 0; k < p.length; k++) {
        const clipped = g[k] * scale;
        m[k] = 0.8 * m[k] + 0.2 * clipped;
        v[k] = 0.99 * v[k] + 0.01 * clipped * clipped;
        p[k] -= (1e-2 * (m[k] / (1 - 0.8 ** t))) / (Math.sqrt(v[k] / (1 - 0.99 ** t)) + 1e-4);
      }
    }
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(stats.means.gradNorm).toBeCloseTo(mean(norms), 4);
    expect(stats.means.valueLoss).toBeCloseTo(mean(losses), 4);
    expect(Math.max(...norms)).toBeGreaterThan(0.5); // or clipping was not tested
    const parameters = learner.readParameters();
    const state = learner.readOptimizerState();
    expect(state.step).toBe(9);
    for (let k = 0; k < p.length; k++) {
      expect(Math.abs(parameters[k] - p[k])).toBeLessThan(2e-4);
      expect(Math.abs(state.m[k] - m[k])).toBeLessThan(1e-5);
    }
  });

  it('continues exactly from a written state', async () => {
    const spec = makeSpec(categorical(3), { shared: true });
    const options = learnerOptions();
    const fixture = makeFixture(spec, 2, 50, options);
    const plan = makePlan(fixture, { numEpochs: 2, minibatchSize: 30 });
    const whole = await makeLearner(fixture, options);
    await whole.update(fixture.rollout, plan);
    const parameters = whole.readParameters();
    const state = whole.readOptimizerState();
    const first = await whole.update(fixture.rollout, plan);
    const expected = whole.readParameters();

    const again = await makeLearner(makeFixture(spec, 2, 50, options), options);
    const other = makeFixture(spec, 2, 50, options);
    const resumed = await makeLearner(other, options);
    resumed.writeParameters(parameters);
    resumed.writeOptimizerState(state);
    const second = await resumed.update(other.rollout, plan);
    expect(resumed.readParameters()).toEqual(expected);
    expect(resumed.readOptimizerState()).toEqual(whole.readOptimizerState());
    expect(second).toEqual(first);
    expect(again.readParameters()).not.toEqual(expected);
  });

  it('does not normalise advantages when the plan does not', async () => {
    const spec = makeSpec(categorical(2), { hiddenSizes: [8] });
    const options = learnerOptions();
    const fixture = makeFixture(spec, 1, 30, options);
    const learner = await makeLearner(fixture, options);
    const plan = makePlan(fixture, { normalizeAdvantages: false });
    await learner.update(fixture.rollout, plan);
    const batch = referenceBatch(fixture, plan.permutations, false);
    const expected = gradientReference(spec, fixture.parameters, batch, REFERENCE);
    const gradient = lastGradient(fixture);
    for (let k = 0; k < gradient.length; k++) expect(gradient[k]).toBeCloseTo(expected[k], 4);
  });

  it('normalises advantages over the samples of the plan: holes between them are no zeros', async () => {
    const spec = makeSpec(categorical(2), { hiddenSizes: [8] });
    const options = learnerOptions();
    const fixture = makeFixture(spec, 1, 6, options);
    fixture.rollout.advantages.set([1, 50, 2, -7, 3, 0]);
    const learner = await makeLearner(fixture, options);
    const samples = Int32Array.of(0, 2, 4);
    await learner.update(fixture.rollout, makePlan(fixture, { permutations: samples, minibatchSize: 3 }));
    const advantages = [-1.2247448714, 0, 1.2247448714];
    const batch = { ...referenceBatch(fixture, samples, false), advantages };
    const expected = gradientReference(spec, fixture.parameters, batch, REFERENCE);
    const gradient = lastGradient(fixture);
    for (let k = 0; k < gradient.length; k++) expect(gradient[k]).toBeCloseTo(expected[k], 4);
    const withHoles = { ...batch, advantages: [0, 0.866, 1.732] };
    const other = gradientReference(spec, fixture.parameters, withHoles, REFERENCE);
    expect(Math.max(...gradient.map((value, k) => Math.abs(value - other[k])))).toBeGreaterThan(1e-2);
  });

  it('stops after the epoch whose mean KL passes 1.5 targetKl', async () => {
    const spec = makeSpec(categorical(3));
    const options = learnerOptions();
    const fixture = makeFixture(spec, 1, 128, options);
    const epochsWith = async (targetKl: number | null) => {
      const learner = await makeLearner(fixture, options);
      learner.writeOptimizerState({
        step: 0,
        m: new Float32Array(fixture.parameters.length),
        v: new Float32Array(fixture.parameters.length),
      });
      const plan = makePlan(fixture, { numEpochs: 4, minibatchSize: 64, targetKl, scalars: SCALARS });
      return learner.update(fixture.rollout, plan);
    };
    expect((await epochsWith(null)).numEpochs).toBe(4);
    const stopped = await epochsWith(1e-6);
    expect(stopped).toMatchObject({ numEpochs: 1, numMinibatches: 2 });
    const kl = stopped.means.approxKl;
    expect((await epochsWith(kl / 1.51)).numEpochs).toBe(1);
    expect((await epochsWith(kl / 1.49)).numEpochs).toBeGreaterThan(1);
  });

  it('refuses non-finite numbers, or skips their minibatch', async () => {
    const spec = makeSpec(categorical(2), { hiddenSizes: [8] });
    const options = learnerOptions();
    const fixture = makeFixture(spec, 1, 64, options);
    fixture.rollout.returns[5] = Number.NaN;
    const learner = await makeLearner(fixture, options);
    const plan = makePlan(fixture, { minibatchSize: 16 });
    const badMinibatch = Math.floor(plan.permutations.indexOf(5) / 16);
    await expect(learner.update(fixture.rollout, plan)).rejects.toMatchObject({
      code: 'ENGINE_NON_FINITE',
      message: expect.stringMatching(`valueLoss = NaN in epoch 0, minibatch ${badMinibatch}`),
    });
    expect(learner.readOptimizerState().step).toBe(badMinibatch);
    const stats = await learner.update(fixture.rollout, { ...plan, nonFinite: 'skip' });
    expect(stats).toMatchObject({ numMinibatches: 4, numSkipped: 1 });
    for (const value of Object.values(stats.means)) expect(value).toBeTypeOf('number');
    expect(Object.values(stats.means).every(Number.isFinite)).toBe(true);
    expect(learner.readParameters().every(Number.isFinite)).toBe(true);
    expect(learner.readOptimizerState().step).toBe(badMinibatch + 3);
  });

  it('clips the gradient of a non-finite minibatch when the plan says so', async () => {
    const spec = makeSpec(categorical(2), { hiddenSizes: [8] });
    const options = learnerOptions();
    const fixture = makeFixture(spec, 1, 64, options);
    const plan = makePlan(fixture, { minibatchSize: 16 });
    const update = async (value: number, overrides: object) => {
      const learner = await makeLearner(fixture, options);
      const zeros = () => new Float32Array(fixture.parameters.length);
      learner.writeOptimizerState({ step: 0, m: zeros(), v: zeros() });
      fixture.rollout.returns[5] = value;
      const stats = await learner.update(fixture.rollout, { ...plan, ...overrides });
      return { stats, parameters: learner.readParameters(), step: learner.readOptimizerState().step };
    };
    const clipped = await update(Number.NaN, { nonFinite: 'clip' });
    expect(clipped.stats).toMatchObject({ numMinibatches: 4, numSkipped: 0, numClipped: 1 });
    expect(clipped.step).toBe(4);
    expect(clipped.parameters.every(Number.isFinite)).toBe(true);
    expect(Object.values(clipped.stats.means).every(Number.isFinite)).toBe(true);
    const skipped = await update(Number.NaN, { nonFinite: 'skip' });
    expect(clipped.parameters).not.toEqual(skipped.parameters);
    // Where everything is finite the rule changes no bit.
    const finite = await update(1, { nonFinite: 'clip' });
    expect(finite.stats.numClipped).toBe(0);
    expect(finite.parameters).toEqual((await update(1, { nonFinite: 'stop' })).parameters);
  });

  it('refuses plans and rollouts that it was not reserved for', async () => {
    const spec = makeSpec(categorical(2), { hiddenSizes: [8] });
    const options = learnerOptions({ maxEpochs: 2, maxMinibatchSize: 32 });
    const fixture = makeFixture(spec, 1, 64, options);
    const learner = await makeLearner(fixture, options);
    const plan = makePlan(fixture, { minibatchSize: 16 });
    const update = (overrides: object) => learner.update(fixture.rollout, { ...plan, ...overrides });
    const refusal = { code: 'SHAPE_UPDATE_PLAN' };
    await expect(update({ minibatchSize: 33 })).rejects.toMatchObject(refusal);
    await expect(update({ numEpochs: 3 })).rejects.toMatchObject(refusal);
    const uneven = plan.permutations.subarray(0, 63); // not the same number for each epoch
    await expect(update({ numEpochs: 2, permutations: uneven })).rejects.toMatchObject(refusal);
    const shape = rolloutLayout(spec, 1, 64);
    const planner = createArenaPlanner();
    const set = planner.reserve(shape.byteLength);
    const { buffer } = createArena(planner);
    initializeRollout(buffer, set.offset, shape);
    const foreign = openRollout(buffer, set.offset, shape);
    await expect(learner.update(foreign, plan)).rejects.toMatchObject(refusal);
    expect(() => learner.writeParameters(new Float32Array(3))).toThrow(
      expect.objectContaining({ code: 'SHAPE_PARAMETERS' }),
    );
    await expect(update({})).resolves.toMatchObject({ numMinibatches: 4 });
  });

  it('names an output gradient that cannot be used', async () => {
    const spec = makeSpec(categorical(2));
    const options = learnerOptions();
    const fixture = makeFixture(spec, 1, 16, options);
    const withSource = (source: Partial<SimdLearnerOptions['outputGradient']>) =>
      createSimdLearner({
        ...fixture,
        kernels,
        options: { ...options, outputGradient: { ...options.outputGradient, ...source } },
      });
    const refusal = { code: 'ENGINE_OUTPUT_GRADIENT' };
    await expect(withSource({ module: 'file:///nowhere.ts' })).rejects.toMatchObject(refusal);
    await expect(withSource({ export: 'nothing' })).rejects.toMatchObject(refusal);
  });
});

describe('an unshared memory', () => {
  it('learns and gives the same bits, on one thread', async () => {
    const spec = makeSpec(categorical(3), { hiddenSizes: [20, 9] });
    const options = learnerOptions();
    const run = async (shared: boolean) => {
      const fixture = makeFixture(spec, 2, 80, options, 1, shared);
      const module = await loadKernels({ shared });
      const learner = await createSimdLearner({ ...fixture, options, kernels: module });
      learner.writeParameters(fixture.parameters);
      const stats = await learner.update(
        fixture.rollout,
        makePlan(fixture, { numEpochs: 2, minibatchSize: 70 }),
      );
      return { stats, parameters: learner.readParameters() };
    };
    expect(await run(false)).toEqual(await run(true));
  });
});
