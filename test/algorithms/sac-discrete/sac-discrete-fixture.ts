/** Small discrete SACs, batches for them, and their losses in slow float64, row by row, straight from the equations. */
import { type SacDiscreteShape, sacDiscreteModel } from '../../../algorithms/sac-discrete/objective.ts';
import { criticNames, modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { type LearntReference, transitionsOf } from '../../reference/learnt-rows-reference.ts';
import { type Columns, normals } from '../../reference/objective-fixture.ts';

const NUM_ACTIONS = 3;

export const SHAPE: SacDiscreteShape = {
  observation: { size: 3, dtype: 'float32', shape: [3], isNormalized: false },
  clipObservation: 10,
  numActions: NUM_ACTIONS,
  hasMasks: false,
  actorTrunk: { kind: 'mlp', hiddenSizes: [7, 5], activation: 'tanh', layerNorm: false },
  criticTrunk: { kind: 'mlp', hiddenSizes: [6, 9], activation: 'elu', layerNorm: false },
  numCritics: 2,
  initialLogTemperature: -0.7,
  policyDelay: 1,
  maxGradNorm: null,
  adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 },
};

export const CASES: readonly (readonly [string, SacDiscreteShape])[] = [
  ['two critics', SHAPE],
  ['masks', { ...SHAPE, hasMasks: true }],
  [
    'three critics with layer normalisation, a fixed temperature, a delay',
    {
      ...SHAPE,
      numCritics: 3,
      criticTrunk: { kind: 'mlp', hiddenSizes: [6], activation: 'silu', layerNorm: true },
      initialLogTemperature: null,
      policyDelay: 2,
    },
  ],
];

/** Of the kernels alone. */
export const DROPOUT: SacDiscreteShape = {
  ...SHAPE,
  criticTrunk: { kind: 'mlp', hiddenSizes: [8, 6], activation: 'relu', layerNorm: true, dropout: 0.2 },
};

export const SCALARS = {
  criticLearningRate: 1e-3,
  actorLearningRate: 1e-3,
  temperatureLearningRate: 1e-3,
  tau: 0.05,
  targetEntropy: 0.4,
  temperature: 0.2,
};

/** Batch k of so many rows; always the same. Some rows forbid all but one action, one forbids all. */
export function batch(numRows: number, k = 0): Columns {
  const pick = openStream(11, 'actions', k);
  const masks = () => Array.from({ length: NUM_ACTIONS * numRows }, () => (pick.uniform() < 0.5 ? 1 : 0));
  return {
    observations: normals(`observations ${k}`, 3 * numRows),
    actions: Array.from({ length: numRows }, () => pick.integer(NUM_ACTIONS)),
    rewards: normals(`rewards ${k}`, numRows),
    discounts: normals(`discounts ${k}`, numRows).map((x) => (x > 0.8 ? 0 : Math.fround(0.97))),
    nextObservations: normals(`nextObservations ${k}`, 3 * numRows),
    masks: masks(),
    nextMasks: masks(),
    dropoutSeeds: normals(`dropoutSeeds ${k}`, numRows, 1e9).map(Math.round),
  };
}

/** Probabilities over the allowed actions; uniform where none is, whatever the logits. */
function policy(logits: readonly number[], mask: readonly number[]): number[] {
  const isAllowed = (a: number) => mask[a] === 1;
  if (!mask.includes(1)) return logits.map(() => 1 / logits.length);
  const weights = logits.map((logit, a) => (isAllowed(a) ? Math.exp(logit) : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

const entropyOf = (p: readonly number[]) => -p.reduce((sum, x) => sum + (x === 0 ? 0 : x * Math.log(x)), 0);

/** The losses of critics, actor and temperature, as functions of the parameters that each moves. */
export function sacDiscreteLosses(
  shape: SacDiscreteShape,
  columns: Columns,
  fixed: Float64Array,
  rows: LearntReference = transitionsOf(sacDiscreteModel(shape), columns),
) {
  const model = sacDiscreteModel(shape);
  const { ranges } = modelLayout(model);
  const critics = criticNames(shape.numCritics);
  const isTuned = shape.initialLogTemperature !== null;
  const alpha = isTuned ? Math.exp(fixed[ranges.logTemperature.offset]) : SCALARS.temperature;
  const row = (name: string, r: number) => columns[name].slice(3 * r, 3 * r + 3);
  const maskOf = (name: string, r: number) => (shape.hasMasks ? row(name, r) : [1, 1, 1]);
  /** @param first draw of the step's passes, where critics have dropout. */
  const least = (p: Float64Array, prefix: string, r: number, first: number) => {
    const values = critics.map((name, k) =>
      rows.outputs(p, `${prefix}${name}`, r, { isNext: first === 0, draw: first + k }),
    );
    return values[0].map((_, a) => Math.min(...values.map((each) => each[a])));
  };
  /** sum_a p_a (q_a - alpha log p_a) */
  const soft = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, x, a) => sum + x * q[a], alpha * entropyOf(p));
  const goals = columns.rewards.map((reward, r) => {
    const b = rows.nextOf(r);
    const p = policy(rows.outputs(fixed, 'actor', b, { isNext: true }), maskOf(rows.nextMasks, b));
    return reward + columns.discounts[r] * soft(p, least(fixed, 'target/', b, 0));
  });
  const policyAt = (p: Float64Array, r: number) => policy(rows.outputs(p, 'actor', r), maskOf('masks', r));
  return {
    critic: (p: Float64Array) =>
      rows.mean((r) =>
        critics.reduce((sum, name, k) => {
          const values = rows.outputs(p, name, r, { draw: critics.length + k });
          return sum + 0.5 * (values[columns.actions[r]] - goals[r]) ** 2;
        }, 0),
      ),
    actor: (p: Float64Array) =>
      rows.mean((r) => -soft(policyAt(p, r), least(fixed, '', r, 2 * critics.length))),
    temperature: (p: Float64Array) =>
      -p[ranges.logTemperature.offset] *
      rows.mean((r) => SCALARS.targetEntropy - entropyOf(policyAt(fixed, r))),
  };
}
