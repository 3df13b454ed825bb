import { it, onTestFinished } from 'vitest';
import { createSacGradient } from '../../../algorithms/sac/gradient.ts';
import { type SacShape, sacModel, sacObjective } from '../../../algorithms/sac/objective.ts';
import { type ModelSpec, modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { expectGradient } from '../../reference/expect-gradient.ts';
import { softplus } from '../../reference/mlp-reference.ts';
import { forwardRow } from '../../reference/model-reference.ts';
import {
  type Columns,
  normals,
  openFixture,
  randomModelParameters,
} from '../../reference/objective-fixture.ts';
import { SHAPE } from './sac-reference.ts';

const GSDE: SacShape = { ...SHAPE, initialLogStd: -1 };
const SCALARS = {
  criticLearningRate: 1e-3,
  actorLearningRate: 1e-3,
  temperatureLearningRate: 1e-3,
  tau: 0.005,
  targetEntropy: -2,
  temperature: 0,
};

function batch(numRows: number): Columns {
  return {
    observations: normals('observations', 3 * numRows),
    actions: normals('actions', 2 * numRows).map((x) => Math.fround(Math.tanh(x))),
    rewards: normals('rewards', numRows),
    discounts: normals('discounts', numRows).map((x) => (x > 0.8 ? 0 : Math.fround(0.97))),
    nextObservations: normals('nextObservations', 3 * numRows),
    noise: normals('noise', 2 * numRows),
    nextNoise: normals('nextNoise', 2 * numRows),
  };
}

/** The actor's last hidden layer: that of a network whose head is the identity. */
function latentOf(model: ModelSpec, p: Float64Array, observation: readonly number[]): number[] {
  const { entries } = modelLayout(model);
  const tensor = (name: string) => entries.find((entry) => entry.name === `actor/${name}`)!;
  let x = [...observation];
  for (let k = 0; k < GSDE.actorTrunk.hiddenSizes.length; k++) {
    const kernel = tensor(`${k}/kernel`);
    const bias = tensor(`${k}/bias`);
    const input = x;
    x = Array.from({ length: kernel.shape[1] }, (_, j) =>
      Math.tanh(
        input.reduce(
          (sum, value, i) => sum + value * p[kernel.offset + i * kernel.shape[1] + j],
          p[bias.offset + j],
        ),
      ),
    );
  }
  return x;
}

/** Means from `p`, what multiplies the noise from `fixed`: nothing flows from it to the latent. */
function sample(
  model: ModelSpec,
  p: Float64Array,
  fixed: Float64Array,
  observation: readonly number[],
  noise: readonly number[],
) {
  const { offset } = modelLayout(model).ranges.logStd;
  const latent = latentOf(model, fixed, observation);
  const means = forwardRow(model, p, 'actor', [observation]);
  let logProb = 0;
  const actions = noise.map((e, a) => {
    const variance = latent.reduce((sum, l, h) => sum + (l * Math.exp(p[offset + 2 * h + a])) ** 2, 1e-6);
    const u = Math.max(-2, Math.min(2, means[a])) + Math.sqrt(variance) * e;
    logProb += -0.5 * e * e - 0.5 * Math.log(2 * Math.PI * variance);
    logProb -= 2 * (Math.LN2 - u - softplus(-2 * u));
    return Math.tanh(u);
  });
  return { actions, logProb };
}

it.each([1, 37])('gSDE flows to means and deviations as in float64, %i rows', async (numRows) => {
  const model = sacModel(GSDE);
  const fixture = await openFixture(model, sacObjective(GSDE), createSacGradient(model, {}), numRows);
  onTestFinished(() => fixture.learner.dispose());
  const parameters = randomModelParameters(model, openStream(3, 'parameters'), 0.6);
  fixture.learner.writeParameters(parameters);
  const columns = batch(numRows);
  const fixed = Float64Array.from(parameters);
  const { ranges } = modelLayout(model);
  const alpha = Math.exp(fixed[ranges.logTemperature.offset]);
  const row = (name: string, r: number, size: number) => columns[name].slice(r * size, (r + 1) * size);
  const least = (p: Float64Array, prefix: string, s: readonly number[], a: readonly number[]) =>
    Math.min(...['q1', 'q2'].map((name) => forwardRow(model, p, `${prefix}${name}`, [s, a])[0]));
  const mean = (f: (r: number) => number) =>
    Array.from({ length: numRows }, (_, r) => f(r)).reduce((a, b) => a + b) / numRows;

  const actorLoss = (p: Float64Array) =>
    mean((r) => {
      const s = row('observations', r, 3);
      const { actions, logProb } = sample(model, p, fixed, s, row('noise', r, 2));
      return alpha * logProb - least(fixed, '', s, actions);
    });
  const goals = columns.rewards.map((reward, r) => {
    const s = row('nextObservations', r, 3);
    const { actions, logProb } = sample(model, fixed, fixed, s, row('nextNoise', r, 2));
    return reward + columns.discounts[r] * (least(fixed, 'target/', s, actions) - alpha * logProb);
  });
  const criticLoss = (p: Float64Array) =>
    mean((r) =>
      ['q1', 'q2'].reduce((sum, name) => {
        const value = forwardRow(model, p, name, [row('observations', r, 3), row('actions', r, 2)])[0];
        return sum + 0.5 * (value - goals[r]) ** 2;
      }, 0),
    );

  const check = (gradient: Float32Array, name: string, loss: (p: Float64Array) => number) =>
    expectGradient(gradient, ranges[name], loss, fixed, name, 2e-5);
  check(fixture.gradient(0, columns, SCALARS), 'q1', criticLoss);
  const actor = fixture.gradient(1, columns, SCALARS);
  check(actor, 'actor', actorLoss);
  check(actor, 'logStd', actorLoss);
});
