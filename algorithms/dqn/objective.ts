/** DQN's network and the one step over it. */
import type { JsonObject } from '../../src/json.ts';
import type { NoiseDraw, ObjectiveSpec, OptimizerGroup } from '../../src/learner/objective.ts';
import {
  type EpsilonGreedySpec,
  epsilonGreedyOutputSize,
} from '../../src/policy/distributions/epsilon-greedy.ts';
import {
  type ConvTrunk,
  deviationsOf,
  type MlpTrunk,
  type ModelInput,
  type ModelSpec,
} from '../../src/policy/networks/model.ts';

/** What the losses need to know, in both forms; plain JSON. */
export interface DqnLossOptions {
  /** How outputs are read as values of actions; what acts reads them alike. */
  readonly distribution: EpsilonGreedySpec;
  /** The next action is the online network's, its value the target's (van Hasselt et al. 2016, arXiv:1509.06461). */
  readonly double: boolean;
  /** Of the temporal difference: smooth L1 with its corner at 1, or its square. Quantiles and C51 have losses of their own. */
  readonly loss: 'huber' | 'mse';
  /** Whether actions are masked in the next state. */
  readonly hasMasks: boolean;
  /** Whether rows have importance weights. */
  readonly isWeighted: boolean;
  /** Whether the dense layers are noisy (Fortunato et al. 2018, arXiv:1706.10295). */
  readonly isNoisy: boolean;
}

export interface DqnShape {
  readonly observation: ModelInput;
  readonly clipObservation: number;
  readonly trunk: MlpTrunk | ConvTrunk;
  readonly options: DqnLossOptions;
  /** What deviations of noisy layers begin with, before the division by sqrt(inputs); default 0.5. */
  readonly initialDeviation?: number;
  /** Whether the target follows by the scalar `tau`; otherwise the loop copies. */
  readonly followsByTau: boolean;
  readonly maxGradNorm: number | null;
  readonly adam: Pick<OptimizerGroup, 'adamBeta1' | 'adamBeta2' | 'adamEpsilon' | 'weightDecay'>;
}

const NOISY = deviationsOf('q');
const NOISY_TARGET = deviationsOf('target/q');

/** Draws of an update, all independent: what is learnt, who chooses the next action, what that is worth. */
function noisesOf({ double }: DqnLossOptions): readonly NoiseDraw[] {
  return [
    { name: 'noise', network: 'q' },
    ...(double ? [{ name: 'chooserNoise', network: 'q' }] : []),
    { name: 'targetNoise', network: 'target/q' },
  ];
}

/** q(observation) -> atoms of every action, and its target. */
export function dqnModel(shape: DqnShape): ModelSpec {
  const { observation, clipObservation, trunk, options, initialDeviation = 0.5 } = shape;
  const outputs = epsilonGreedyOutputSize(options.distribution);
  return {
    inputs: { observation },
    networks: {
      q: { inputs: ['observation'], trunk, outputs, ...(options.isNoisy && { initialDeviation }) },
    },
    free: {},
    targets: { 'target/q': 'q', ...(options.isNoisy && { [NOISY_TARGET]: NOISY }) },
    clipObservation,
  };
}

/** One step; where the target is copied, the loop does it, since it counts environment steps. */
export function dqnObjective({
  observation,
  options,
  followsByTau,
  maxGradNorm,
  adam,
}: DqnShape): ObjectiveSpec {
  const { sizes } = options.distribution;
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const { dtype, size } = observation;
  const networks = options.isNoisy ? ['q', NOISY] : ['q'];
  const targets = options.isNoisy ? ['target/q', NOISY_TARGET] : ['target/q'];
  return {
    columns: [
      { name: 'observations', dtype, size },
      { name: 'actions', dtype: 'int32', size: sizes.length },
      { name: 'rewards', dtype: 'float32', size: 1 },
      { name: 'discounts', dtype: 'float32', size: 1 },
      { name: 'nextObservations', dtype, size },
      ...(options.hasMasks ? [{ name: 'nextMasks', dtype: 'uint8' as const, size: numActions }] : []),
      ...(options.isWeighted ? [{ name: 'weights', dtype: 'float32' as const, size: 1 }] : []),
    ],
    ...(options.isNoisy && { noises: noisesOf(options) }),
    rowOutputs: ['tdErrors'],
    groups: [{ name: 'q', networks, learningRate: 'learningRate', maxGradNorm, ...adam }],
    steps: [
      {
        name: 'q',
        groups: ['q'],
        every: 1,
        blends: followsByTau ? targets.map((target) => ({ target, tau: 'tau' })) : [],
        stats: ['loss', 'qMean', 'targetMean', 'tdErrorMean'],
      },
    ],
    scalars: ['learningRate', ...(followsByTau ? ['tau'] : [])],
  };
}

/** The options as the closed form's module is given them. */
export const lossOptionsToJson = (options: DqnLossOptions): JsonObject =>
  JSON.parse(JSON.stringify(options)) as JsonObject;
