/** From discrete SAC's options and an environment to its networks. */
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import type { OffPolicyParts } from '../../src/algorithm/off-policy-system.ts';
import { batchParts } from '../../src/algorithm/replay-parts.ts';
import { describeSpace } from '../../src/env/space-json.ts';
import { ConfigError } from '../../src/errors.ts';
import { softActorCriticShape } from '../sac/setup.ts';
import type { ResolvedSACDiscreteConfig } from './config.ts';
import { sacDiscreteModel, sacDiscreteObjective } from './objective.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/** @throws ConfigError `CONFIG_ACTION_SPACE` for other actions, `CONFIG_NETWORK`. */
export function sacDiscreteParts(env: EnvDescription, config: ResolvedSACDiscreteConfig): OffPolicyParts {
  const numActions = countActions(env);
  const hasMasks = env.actionMaskSize > 0;
  const shape = { ...softActorCriticShape(env, config), numActions, hasMasks };
  const model = sacDiscreteModel(shape);
  const options = { hasMasks };
  return {
    model,
    objective: sacDiscreteObjective(shape),
    closedForm: { module: GRADIENT, export: 'createSacDiscreteGradient', options },
    losses: async () => (await import('./loss.ts')).createSacDiscreteLoss(model, options),
    acting: { network: 'actor', distribution: { kind: 'categorical', sizes: [numActions] } },
    ...batchParts(env, config.training),
  };
}

/** Sums over actions are over those of one choice. */
function countActions({ action, actionSpace }: EnvDescription): number {
  if (action.kind === 'categorical' && action.sizes.length === 1) return action.sizes[0];
  throw new ConfigError(
    'CONFIG_ACTION_SPACE',
    `sac-discrete is for one choice among actions (Discrete), got ${describeSpace(actionSpace)}. Use ${
      action.kind === 'box' ? 'sac, td3 or tqc' : 'dqn or ppo'
    }.`,
  );
}
