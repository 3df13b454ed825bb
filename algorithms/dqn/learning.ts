/** From DQN's options and an environment to its network and what it learns; reads nothing of Node's. */
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import { createTrunk, observationInput } from '../../src/algorithm/model-setup.ts';
import { describeSpace } from '../../src/env/space-json.ts';
import { ConfigError } from '../../src/errors.ts';
import type { JsonObject } from '../../src/json.ts';
import type { ObjectiveSpec } from '../../src/learner/objective.ts';
import type { EpsilonGreedySpec } from '../../src/policy/distributions/epsilon-greedy.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import type { ResolvedDQNConfig } from './config.ts';
import { type DqnShape, dqnModel, dqnObjective, lossOptionsToJson } from './objective.ts';

export interface DqnLearning {
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  /** Of the closed form and of the losses. */
  readonly options: JsonObject;
  readonly shape: DqnShape;
  readonly acting: { readonly network: 'q'; readonly distribution: EpsilonGreedySpec };
}

/** @throws ConfigError `CONFIG_ACTION_SPACE` for continuous actions, `CONFIG_NETWORK`. */
export function dqnLearning(
  env: EnvDescription,
  config: Pick<ResolvedDQNConfig, 'training'> & {
    readonly envRunners: Pick<ResolvedDQNConfig['envRunners'], 'normalizeObservations' | 'clipObservation'>;
  },
): DqnLearning {
  const { training, envRunners } = config;
  const { adamBeta1, adamBeta2, adamEpsilon } = training;
  const isNormalized = envRunners.normalizeObservations;
  const distribution = actionValues(env, config);
  const shape: DqnShape = {
    observation: observationInput(env, { network: training.network, isNormalized }),
    clipObservation: envRunners.clipObservation,
    trunk: createTrunk(env, training),
    options: {
      distribution,
      double: training.double,
      loss: training.loss,
      hasMasks: env.actionMaskSize > 0,
      isWeighted: training.prioritised,
      isNoisy: training.noisy,
    },
    initialDeviation: training.noisyDeviation,
    followsByTau: training.tau !== null,
    maxGradNorm: training.maxGradNorm,
    adam: { adamBeta1, adamBeta2, adamEpsilon, weightDecay: 0 },
  };
  const acting = { network: 'q', distribution } as const;
  return {
    model: dqnModel(shape),
    objective: dqnObjective(shape),
    options: lossOptionsToJson(shape.options),
    shape,
    acting,
  };
}

/** How the network's outputs are values of actions. */
function actionValues(
  { action, actionSpace }: EnvDescription,
  { training }: Pick<ResolvedDQNConfig, 'training'>,
): EpsilonGreedySpec {
  if (action.kind !== 'categorical') {
    throw new ConfigError(
      'CONFIG_ACTION_SPACE',
      `dqn is for a choice among actions (Discrete, MultiDiscrete), got ${describeSpace(actionSpace)}. Use sac, td3, tqc or ppo.`,
    );
  }
  const { distribution, numAtoms, dueling, minReturn, maxReturn } = training;
  const hasSupport = distribution === 'c51' && minReturn !== null && maxReturn !== null;
  return {
    kind: 'epsilon-greedy',
    sizes: action.sizes,
    numAtoms: distribution === 'none' ? 1 : numAtoms,
    support: hasSupport ? { low: minReturn, high: maxReturn } : null,
    dueling,
  };
}
