/** SAC's losses in slow float64, row by row, straight from the equations. */
import type { SacShape } from '../../../algorithms/sac/objective.ts';
import { sacModel } from '../../../algorithms/sac/objective.ts';
import { modelLayout } from '../../../src/policy/networks/model.ts';
import { type LearntReference, transitionsOf } from '../../reference/learnt-rows-reference.ts';
import { softplus } from '../../reference/mlp-reference.ts';
import type { Columns } from '../../reference/objective-fixture.ts';

export const SHAPE: SacShape = {
  observation: { size: 3, dtype: 'float32', shape: [3], isNormalized: false },
  clipObservation: 10,
  actionSize: 2,
  actorTrunk: { kind: 'mlp', hiddenSizes: [7, 5], activation: 'tanh', layerNorm: false },
  criticTrunk: { kind: 'mlp', hiddenSizes: [6, 9], activation: 'elu', layerNorm: false },
  numCritics: 2,
  criticOutputs: 1,
  initialLogTemperature: -0.7,
  policyDelay: 1,
  maxGradNorm: null,
  adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 },
};

const row = (columns: Columns, name: string, r: number, size: number) =>
  columns[name].slice(r * size, (r + 1) * size);

/** Actions and log-probability of one row. */
export function sampleReference(outputs: readonly number[], noise: readonly number[]) {
  const A = noise.length;
  const actions: number[] = [];
  let logProb = 0;
  noise.forEach((e, a) => {
    const logStd = Math.min(2, Math.max(-20, outputs[A + a]));
    const u = outputs[a] + Math.exp(logStd) * e;
    actions.push(Math.tanh(u));
    logProb += -0.5 * e * e - logStd - 0.5 * Math.log(2 * Math.PI) - 2 * (Math.LN2 - u - softplus(-2 * u));
  });
  return { actions, logProb };
}

/** The losses of step 0 (critics) and of step 1 (actor, then temperature), as functions of the parameters that each moves. */
export function sacLosses(
  shape: SacShape,
  columns: Columns,
  scalars: Readonly<Record<string, number>>,
  fixed: Float64Array,
  batch: LearntReference = transitionsOf(sacModel(shape), columns),
) {
  const model = sacModel(shape);
  const layout = modelLayout(model);
  const numRows = columns.rewards.length;
  const critics = Array.from({ length: shape.numCritics }, (_, k) => `q${k + 1}`);
  const A = shape.actionSize;
  const logTemperature = (p: Float64Array) => p[layout.ranges.logTemperature.offset];
  const alpha = shape.initialLogTemperature === null ? scalars.temperature : Math.exp(logTemperature(fixed));
  /** @param first draw of the step's passes, where critics have dropout. */
  const q = (p: Float64Array, name: string, r: number, a: readonly number[], first: number) => {
    const draw = first + critics.indexOf(name.replace('target/', ''));
    return batch.outputs(p, name, r, { isNext: first === 0, beside: [a], draw })[0];
  };
  const rows = Array.from({ length: numRows }, (_, r) => r);
  const target = (r: number) => {
    const b = batch.nextOf(r);
    const { actions, logProb } = sampleReference(
      batch.outputs(fixed, 'actor', b, { isNext: true }),
      row(columns, 'nextNoise', b, A),
    );
    const least = Math.min(...critics.map((name) => q(fixed, `target/${name}`, b, actions, 0)));
    return columns.rewards[r] + columns.discounts[r] * (least - alpha * logProb);
  };
  const targets = rows.map(target);
  const policy = (p: Float64Array, r: number) =>
    sampleReference(batch.outputs(p, 'actor', r), row(columns, 'noise', r, A));
  return {
    targets,
    critic: (p: Float64Array) =>
      batch.mean((r) => {
        const a = row(columns, 'actions', r, A);
        return critics.reduce(
          (sum, name) => sum + 0.5 * (q(p, name, r, a, critics.length) - targets[r]) ** 2,
          0,
        );
      }),
    actor: (p: Float64Array) =>
      batch.mean((r) => {
        const { actions, logProb } = policy(p, r);
        return (
          alpha * logProb - Math.min(...critics.map((name) => q(fixed, name, r, actions, 2 * critics.length)))
        );
      }),
    temperature: (p: Float64Array) =>
      -logTemperature(p) * batch.mean((r) => policy(fixed, r).logProb + scalars.targetEntropy),
  };
}
