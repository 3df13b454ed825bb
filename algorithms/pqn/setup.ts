/** From PQN's options and an environment to its network. */
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import { createTrunk, observationInput } from '../../src/algorithm/model-setup.ts';
import type { ObjectiveSystemParts } from '../../src/algorithm/objective-system.ts';
import { describeSpace } from '../../src/env/space-json.ts';
import { ConfigError } from '../../src/errors.ts';
import type { ResolvedPQNConfig } from './config.ts';
import { type PqnShape, pqnModel, pqnObjective } from './objective.ts';
import { sequenceRowsOf } from './sequences.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/** @throws ConfigError `CONFIG_ACTION_SPACE` for continuous actions, `CONFIG_NETWORK`. */
export function pqnParts(
  env: EnvDescription,
  { training, envRunners }: ResolvedPQNConfig,
): ObjectiveSystemParts {
  const { action, actionSpace } = env;
  if (action.kind !== 'categorical') {
    throw new ConfigError(
      'CONFIG_ACTION_SPACE',
      `pqn is for a choice among actions (Discrete, MultiDiscrete), got ${describeSpace(actionSpace)}. Use ppo, sac, td3 or tqc.`,
    );
  }
  const { sizes } = action;
  const { adamBeta1, adamBeta2, adamEpsilon, weightDecay } = training;
  const isNormalized = envRunners.normalizeObservations;
  const trunk = createTrunk(env, training);
  const { recurrent, recurrentSize: units } = training;
  const remembers = recurrent !== null && trunk.kind === 'mlp';
  const shape: PqnShape = {
    observation: observationInput(env, { network: training.network, isNormalized }),
    clipObservation: envRunners.clipObservation,
    trunk: remembers ? { ...trunk, cell: { kind: recurrent, size: units } } : trunk,
    sizes,
    maxGradNorm: training.maxGradNorm,
    adam: { adamBeta1, adamBeta2, adamEpsilon, weightDecay },
  };
  const model = pqnModel(shape);
  const options = { sizes: [...sizes] };
  return {
    model,
    objective: pqnObjective(shape, remembers ? sequenceRowsOf(training, envRunners) : null),
    closedForm: { module: GRADIENT, export: 'createPqnGradient', options },
    losses: async () => (await import('./loss.ts')).createPqnLoss(model, options),
    batchSize: training.minibatchSize,
    acting: {
      network: 'q',
      distribution: { kind: 'epsilon-greedy', sizes, numAtoms: 1, support: null, dueling: false },
    },
  };
}
