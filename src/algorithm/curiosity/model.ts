/** Networks and objective of curiosity: the second value, and what tells how new an observation is. */
import type { ObjectiveSpec, OptimizerGroup } from '../../learner/objective.ts';
import type { ConvTrunk, MlpTrunk, ModelInput, ModelSpec } from '../../policy/networks/model.ts';

export type Bonus = 'rnd' | 'icm' | 'count';

/** Actions as networks read them: one-hot for each choice, then the other elements as they are. */
export interface ActionCode {
  /** Alternatives of each choice. */
  readonly sizes: readonly number[];
  /** Elements that are numbers. */
  readonly numNumbers: number;
}

export interface CuriosityShape {
  readonly bonus: Bonus;
  readonly observation: ModelInput;
  readonly trunk: MlpTrunk | ConvTrunk;
  /** Outputs of the random network, or features of an observation. */
  readonly numFeatures: number;
  readonly actions: ActionCode;
  readonly maxGradNorm: number | null;
  readonly adam: Pick<OptimizerGroup, 'adamBeta1' | 'adamBeta2' | 'adamEpsilon'>;
}

/** Bound of whitened observations, +- (Burda et al. 2018, section 2.4). */
const OBSERVATION_BOUND = 5;

/** Numbers of a coded action. */
export function codeSize({ sizes, numNumbers }: ActionCode): number {
  return sizes.reduce((sum, size) => sum + size, numNumbers);
}

/**
 * `value(observation)`: of the bonus. With `rnd` `predictor` and `target`, the random network, which no group steps; with `icm`
 * `features(observation)`, `inverse(features, next features)` -> the coded action, `forward(features, action)` -> next features.
 */
export function curiosityModel(shape: CuriosityShape): ModelSpec {
  const { bonus, observation, trunk, numFeatures } = shape;
  const value = { inputs: ['observation'], trunk, outputs: 1 };
  const common = { free: {}, targets: {}, clipObservation: OBSERVATION_BOUND };
  if (bonus === 'count') return { ...common, inputs: { observation }, networks: { value } };
  const embed = { inputs: ['observation'], trunk, outputs: numFeatures };
  if (bonus === 'rnd')
    return { ...common, inputs: { observation }, networks: { value, predictor: embed, target: embed } };
  const { hiddenSizes, activation } = trunk;
  const dense: MlpTrunk = { kind: 'mlp', hiddenSizes, activation, layerNorm: false };
  const numbers = (size: number): ModelInput => ({
    size,
    dtype: 'float32',
    shape: [size],
    isNormalized: false,
  });
  const code = codeSize(shape.actions);
  return {
    ...common,
    inputs: {
      observation,
      features: numbers(numFeatures),
      nextFeatures: numbers(numFeatures),
      action: numbers(code),
    },
    networks: {
      value,
      features: embed,
      inverse: { inputs: ['features', 'nextFeatures'], trunk: dense, outputs: code },
      forward: { inputs: ['features', 'action'], trunk: dense, outputs: numFeatures },
    },
  };
}

const LEARNT = { rnd: ['predictor'], icm: ['features', 'inverse', 'forward'], count: [] };
const STATS = { rnd: ['predictionLoss'], icm: ['predictionLoss', 'inverseLoss'], count: [] };

/** Steps: `score` changes nothing and writes `values` and `bonuses` of the rows; `learn`. */
export function curiosityObjective(shape: CuriosityShape): ObjectiveSpec {
  const { bonus, observation, actions, maxGradNorm, adam } = shape;
  const { dtype, size } = observation;
  const common = { maxGradNorm, weightDecay: 0, ...adam };
  const hasNetworks = bonus !== 'count';
  const number = (name: string) => ({ name, dtype: 'float32', size: 1 }) as const;
  const groups: OptimizerGroup[] = [
    { name: 'value', networks: ['value'], learningRate: 'learningRate', ...common },
  ];
  if (hasNetworks)
    groups.push({
      name: 'bonus',
      networks: LEARNT[bonus],
      learningRate: 'curiosityLearningRate',
      ...common,
    });
  return {
    columns: [
      { name: 'observations', dtype, size },
      ...(hasNetworks ? [{ name: 'nextObservations', dtype, size }] : []),
      ...(bonus === 'icm' ? [{ name: 'actions', dtype: 'float32' as const, size: codeSize(actions) }] : []),
      number('returns'),
      number('valueWeights'),
      ...(hasNetworks ? [number('bonusWeights')] : []),
    ],
    rowOutputs: ['values', ...(hasNetworks ? ['bonuses'] : [])],
    groups,
    steps: [
      { name: 'score', groups: [], every: 1, blends: [], stats: ['score'] },
      {
        name: 'learn',
        groups: groups.map(({ name }) => name),
        every: 1,
        blends: [],
        stats: ['intrinsicValueLoss', ...STATS[bonus]],
      },
    ],
    scalars: groups.map(({ learningRate }) => learningRate),
  };
}
