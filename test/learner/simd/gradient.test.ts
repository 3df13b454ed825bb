import { beforeAll, describe, expect, it } from 'vitest';
import { createSimdLearner } from '../../../src/learner/simd/learner.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { openStream } from '../../../src/random/streams.ts';
import { type KernelModule, loadKernels } from '../../../src/simd/loader.ts';
import {
  ACTIVATION_NAMES,
  bernoulli,
  categorical,
  DISTRIBUTIONS,
  gaussian,
  gsde,
  hasChoices,
  makeSpec,
} from '../../reference/policy-specs.ts';
import {
  gradientReference,
  lossReference,
  parameterIndices,
  type ReferenceOptions,
  relativeDistance,
  slope,
} from '../../reference/ppo-reference.ts';
import {
  lastGradient,
  learnerOptions,
  makeFixture,
  makePlan,
  PPO_GRADIENT,
  referenceBatch,
} from '../../reference/rollout-fixture.ts';

let builds: Record<'relaxed' | 'strict', KernelModule>;
beforeAll(async () => {
  builds = { relaxed: await loadKernels(), strict: await loadKernels({ deterministic: true }) };
}, 120_000);

const DEFAULTS: ReferenceOptions = {
  clipRange: 0.2,
  entropyCoeff: 0.01,
  valueCoeff: 0.5,
  valueLoss: 'mse',
  valueClipRange: null,
  valueErrorBound: Number.POSITIVE_INFINITY,
  klPenaltyCoeff: 0,
};

/** Runs one minibatch at learning rate 0 and compares gradient, norm and statistics with the reference. */
async function checkGradient(
  spec: PolicySpec,
  numSamples: number,
  overrides: Partial<ReferenceOptions> = {},
  build: 'relaxed' | 'strict' = 'relaxed',
) {
  const o = { ...DEFAULTS, ...overrides };
  const options = learnerOptions({
    outputGradient: {
      module: PPO_GRADIENT,
      export: 'createOutputGradient',
      options: {
        valueCoeff: o.valueCoeff,
        valueLoss: o.valueLoss,
        clipValues: o.valueClipRange !== null,
        valueErrorBound: Number.isFinite(o.valueErrorBound) ? o.valueErrorBound : null,
        penalizeKl: o.klPenaltyCoeff > 0,
      },
    },
  });
  const fixture = makeFixture(spec, 1, numSamples, options);
  const learner = await createSimdLearner({ ...fixture, options, kernels: builds[build] });
  learner.writeParameters(fixture.parameters);
  const scalars = {
    learningRate: 0,
    clipRange: o.clipRange,
    entropyCoeff: o.entropyCoeff,
    valueClipRange: o.valueClipRange ?? 0,
    klPenaltyCoeff: o.klPenaltyCoeff,
  };
  const plan = makePlan(fixture, { scalars });
  const { means } = await learner.update(fixture.rollout, plan);
  const batch = referenceBatch(fixture, plan.permutations);
  const expected = gradientReference(spec, fixture.parameters, batch, o);
  expect(relativeDistance(lastGradient(fixture), expected)).toBeLessThan(1e-5);
  const loss = lossReference(spec, fixture.parameters, batch, o);
  for (const name of ['policyLoss', 'valueLoss', 'entropy', 'approxKl', 'clipFraction'] as const)
    expect(Math.abs(means[name] - loss[name])).toBeLessThan(1e-5 * (1 + Math.abs(loss[name])));
  const norm = Math.sqrt(expected.reduce((sum, g) => sum + g * g, 0));
  expect(Math.abs(means.gradNorm - norm)).toBeLessThan(1e-5 * norm);
  expect(learner.readParameters()).toEqual(fixture.parameters);
}

describe('the float64 reference', () => {
  it.each(DISTRIBUTIONS)(
    'agrees with finite differences over every kind of parameter: %s',
    (_, distribution) => {
      for (const shared of [false, true]) {
        const masks = hasChoices(distribution);
        const spec = makeSpec(distribution, {
          hiddenSizes: [5, 4],
          activation: 'silu',
          shared,
          masks,
          normalize: true,
        });
        const fixture = makeFixture(spec, 1, 12, learnerOptions());
        const batch = referenceBatch(fixture, makePlan(fixture).permutations);
        const options = { ...DEFAULTS, valueClipRange: 0.2, valueLoss: 'huber' as const };
        const parameters = Float64Array.from(fixture.parameters);
        const gradient = gradientReference(spec, parameters, batch, options);
        const { latents } = lossReference(spec, parameters, batch, options);
        const slopes = new Float64Array(gradient.length);
        for (const k of parameterIndices(spec)) {
          const at = (x: number) => lossReference(spec, parameters.with(k, x), batch, options, latents).loss;
          slopes[k] = slope(at, parameters[k]);
        }
        expect(relativeDistance(gradient, slopes)).toBeLessThan(1e-6);
      }
    },
  );
});

describe('gradients of the kernels', () => {
  it.each(DISTRIBUTIONS)('agree with the reference: %s', async (_, distribution) => {
    for (const shared of [false, true]) {
      for (const build of ['relaxed', 'strict'] as const) {
        await checkGradient(makeSpec(distribution, { shared, normalize: true }), 100, {}, build);
      }
    }
  });

  it.each(ACTIVATION_NAMES)('agree with the reference: activation %s', async (activation) => {
    await checkGradient(makeSpec(gaussian(2), { activation, hiddenSizes: [24, 33, 7] }), 70);
    await checkGradient(makeSpec(categorical(3), { activation, hiddenSizes: [24, 33], shared: true }), 70);
  });

  it('agree with masks, value clipping, Huber and larger coefficients', async () => {
    for (const shared of [false, true]) {
      const masked = makeSpec(categorical(4, 9), { masks: true, shared, hiddenSizes: [32, 16] });
      await checkGradient(masked, 130, { entropyCoeff: 0.3, clipRange: 0.1 });
      const spec = makeSpec(gaussian(3), { shared, hiddenSizes: [32, 16] });
      await checkGradient(spec, 130, { valueClipRange: 0.2 });
      await checkGradient(spec, 130, { valueLoss: 'huber', valueCoeff: 2 });
      await checkGradient(spec, 130, { valueLoss: 'huber', valueClipRange: 0.3 });
      await checkGradient(spec, 130, { klPenaltyCoeff: 0.7, valueErrorBound: 1 });
      await checkGradient(spec, 130, { klPenaltyCoeff: 0.2, valueErrorBound: 0.5, valueClipRange: 0.3 });
      const squashed = makeSpec(gsde(2, true), { shared, hiddenSizes: [32, 16] });
      await checkGradient(squashed, 130, { entropyCoeff: 0.5 });
    }
  });

  it('agree without hidden layers, with one-wide layers and with uint8 observations', async () => {
    for (const shared of [false, true]) {
      await checkGradient(makeSpec(categorical(3), { hiddenSizes: [], shared }), 65);
      await checkGradient(makeSpec(gsde(2), { hiddenSizes: [], shared, observationSize: 5 }), 65);
      await checkGradient(makeSpec(bernoulli(1), { hiddenSizes: [1, 1], shared, observationSize: 1 }), 65);
    }
    const bytes = { observationDtype: 'uint8', observationSize: 13, normalize: true } as const;
    await checkGradient(makeSpec(categorical(3), { ...bytes, hiddenSizes: [20] }), 10);
  });

  it('agree on random shapes and minibatch sizes', async () => {
    const stream = openStream(9, 'shapes');
    const size = () => 1 + stream.integer(300);
    for (let k = 0; k < 8; k++) {
      const hiddenSizes = Array.from({ length: stream.integer(4) }, size);
      const spec = makeSpec(
        k % 2 === 0 ? categorical(1 + stream.integer(40)) : gaussian(1 + stream.integer(20)),
        {
          observationSize: size(),
          hiddenSizes,
          shared: k % 3 === 0,
          activation: ACTIVATION_NAMES[k % 5],
        },
      );
      await checkGradient(spec, 1 + stream.integer(90));
    }
  });

  it('agree for minibatches of many blocks and groups', async () => {
    await checkGradient(makeSpec(categorical(2), { hiddenSizes: [16, 16] }), 64 * 19 + 5);
  });
});
