/** The policy gradient's closed form (SIMD engine) against the differentiated loss (TensorFlow engine), and A2C against PPO. */
import { beforeAll, describe, expect, it } from 'vitest';
import { policyGradientLoss } from '../../../algorithms/a2c/loss.ts';
import { createSimdLearner } from '../../../src/learner/simd/learner.ts';
import { type LoadedTensorFlow, loadTensorFlow } from '../../../src/learner/tensorflow/backend.ts';
import { createTensorFlowLearner } from '../../../src/learner/tensorflow/learner.ts';
import { type KernelModule, loadKernels } from '../../../src/simd/loader.ts';
import { DISTRIBUTIONS, makeSpec } from '../../reference/policy-specs.ts';
import { learnerOptions, makeFixture, makePlan } from '../../reference/rollout-fixture.ts';
import { relativeError } from '../ppo/reference-loss.ts';

const GRADIENT = new URL('../../../algorithms/a2c/gradient.ts', import.meta.url).href;
const PPO_GRADIENT = new URL('../../../algorithms/ppo/gradient.ts', import.meta.url).href;

let kernels: KernelModule;
let tensorflow: LoadedTensorFlow;
beforeAll(async () => {
  kernels = await loadKernels();
  tensorflow = await loadTensorFlow({ backend: 'wasm' });
}, 120_000);

/** One step of size zero over one minibatch: m is then a tenth of the gradient. */
describe.each(DISTRIBUTIONS.filter(([name]) => ['categorical', 'gaussian', 'gsde'].includes(name)))(
  '%s',
  (_name, distribution) => {
    const spec = makeSpec(distribution, { hiddenSizes: [16, 12], normalize: true });
    const scalars = { learningRate: 0, entropyCoeff: 0.03 };

    it('has the gradient of its loss to 1e-5', async () => {
      const loss = { valueCoeff: 0.7 };
      const source = { module: GRADIENT, export: 'createOutputGradient', options: loss };
      const options = learnerOptions({ maxGradNorm: null, outputGradient: source });
      const fixture = makeFixture(spec, 2, 48, options);
      const plan = makePlan(fixture, { scalars });
      const simd = await createSimdLearner({ ...fixture, options, kernels });
      simd.writeParameters(fixture.parameters);
      const tensor = await createTensorFlowLearner({
        tensorflow,
        spec,
        loss: (tf, outputs, batch, given) => policyGradientLoss(tf, spec, outputs, batch, given, loss),
        initial: fixture.parameters,
        adam: { epsilon: 1e-5 },
        maxGradNorm: null,
      });
      const expected = await tensor.update(fixture.rollout, plan);
      const actual = await simd.update(fixture.rollout, plan);
      const gradient = tensor.readOptimizerState().m;
      expect(relativeError(simd.readOptimizerState().m, gradient)).toBeLessThan(1e-5);
      expect(gradient.some((g) => Math.abs(g) > 1e-3)).toBe(true);
      for (const [name, value] of Object.entries(actual.means)) {
        expect(Math.abs(value - expected.means[name]), name).toBeLessThan(1e-5 * (1 + Math.abs(value)));
      }
      await tensor.dispose();
    });

    it("has the gradient of PPO's first epoch, where no ratio has moved", async () => {
      const make = async (module: string, lossOptions: { valueCoeff: number }) => {
        const source = {
          module,
          export: 'createOutputGradient',
          options: { valueLoss: 'mse', ...lossOptions },
        };
        const options = learnerOptions({ maxGradNorm: null, outputGradient: source });
        const fixture = makeFixture(spec, 2, 48, options);
        const learner = await createSimdLearner({ ...fixture, options, kernels });
        learner.writeParameters(fixture.parameters);
        return { learner, fixture };
      };
      // First the log-probabilities that make every ratio 1: log pi is the slope of the policy loss by the advantage of one row.
      const a2c = await make(GRADIENT, { valueCoeff: 0.5 });
      const ppo = await make(PPO_GRADIENT, { valueCoeff: 0.5 });
      const { rollout } = a2c.fixture;
      const advantages = rollout.advantages.slice();
      const logProbs = new Float32Array(advantages.length);
      for (let i = 0; i < advantages.length; i++) {
        rollout.advantages.fill(0);
        rollout.advantages[i] = -advantages.length;
        const plan = makePlan(a2c.fixture, { scalars, normalizeAdvantages: false });
        logProbs[i] = (await a2c.learner.update(rollout, plan)).means.policyLoss;
      }
      rollout.advantages.set(advantages);
      ppo.fixture.rollout.logProbs.set(logProbs);
      ppo.fixture.rollout.advantages.set(advantages);
      const fresh = {
        step: 0,
        m: new Float32Array(a2c.fixture.parameters.length),
        v: new Float32Array(a2c.fixture.parameters.length),
      };
      a2c.learner.writeOptimizerState(fresh);
      await a2c.learner.update(rollout, makePlan(a2c.fixture, { scalars, normalizeAdvantages: false }));
      const update = await ppo.learner.update(
        ppo.fixture.rollout,
        makePlan(ppo.fixture, { scalars: { ...scalars, clipRange: 0.2 }, normalizeAdvantages: false }),
      );
      expect(update.means.approxKl).toBeLessThan(1e-10);
      const gradient = ppo.learner.readOptimizerState().m;
      expect(relativeError(a2c.learner.readOptimizerState().m, gradient)).toBeLessThan(1e-5);
    });
  },
);
