/** From DQN's options and an environment to its network. */
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import { createTrunk, observationInput } from '../../src/algorithm/model-setup.ts';
import type { OffPolicyParts } from '../../src/algorithm/off-policy-system.ts';
import { replayParts } from '../../src/algorithm/replay-parts.ts';
import { describeSpace } from '../../src/env/space-json.ts';
import { ConfigError } from '../../src/errors.ts';
import type { EpsilonGreedySpec } from '../../src/policy/distributions/epsilon-greedy.ts';
import type { ResolvedDQNConfig } from './config.ts';
import { type DqnShape, dqnModel, dqnObjective, lossOptionsToJson } from './objective.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/** @throws ConfigError `CONFIG_ACTION_SPACE` for continuous actions, `CONFIG_NETWORK`. */
export function dqnParts(env: EnvDescription, config: ResolvedDQNConfig): OffPolicyParts {
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
  const model = dqnModel(shape);
  const options = lossOptionsToJson(shape.options);
  return {
    model,
    objective: dqnObjective(shape),
    closedForm: { module: GRADIENT, export: 'createDqnGradient', options },
    losses: async () => (await import('./loss.ts')).createDqnLoss(model, options),
    acting: { network: 'q', distribution },
    ...replayParts(env, training),
    isPrioritised: training.prioritised,
  };
}

/** How the network's outputs are values of actions. */
function actionValues(
  { action, actionSpace }: EnvDescription,
  { training }: ResolvedDQNConfig,
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
