/** PQN's options: the shared sections and its own `training`. */

import { adamOptions } from '../../src/config/blocks/adam.ts';
import { explorationOptions } from '../../src/config/blocks/exploration.ts';
import { checkMinibatches, minibatchOptions } from '../../src/config/blocks/minibatches.ts';
import { rolloutAgentsOptions } from '../../src/config/blocks/multi-agent.ts';
import { checkNetwork, networkOptions } from '../../src/config/blocks/network.ts';
import { collectedRecurrentOptions } from '../../src/config/blocks/recurrent.ts';
import { discountOptions } from '../../src/config/blocks/returns.ts';
import { scheduleOptions } from '../../src/config/blocks/schedules.ts';
import { onPolicyOptions } from '../../src/config/common-options.ts';
import { type ConfigInput, option, type ResolvedConfig, withDefaults } from '../../src/config/option.ts';
import type { Problem } from '../../src/config/problems.ts';
import { uniform } from '../../src/config/search-space.ts';
import * as kind from '../../src/config/value-kind.ts';
import { checkRecurrentPQN } from './check-recurrent.ts';

const { networkOptions: _custom, ...builtInNetworkOptions } = networkOptions;

export const pqnOptions = {
  ...onPolicyOptions,
  multiAgent: rolloutAgentsOptions,
  training: {
    ...withDefaults(adamOptions, { learningRate: 5e-4, maxGradNorm: 10 }),
    weightDecay: option(kind.number({ min: 0 }), {
      default: 0,
      doc: 'Decoupled weight decay: weights shrink by learningRate * weightDecay in every update.',
      alsoCalled: ['weight_decay'],
    }),
    ...discountOptions,
    lambda: option(kind.number({ min: 0, max: 1 }), {
      default: 0.65,
      doc: 'Trace decay of Q(lambda): 0 = one-step target, 1 = return of the whole rollout.',
      alsoCalled: ['lam', 'q_lambda'],
      search: uniform(0, 1),
    }),
    ...withDefaults(minibatchOptions, { numEpochs: 2, minibatchSize: 128 }),
    ...scheduleOptions,
    ...explorationOptions,
    ...withDefaults(builtInNetworkOptions, { hiddenSizes: [128, 128], activation: 'relu' }),
    layerNorm: option(kind.boolean(), {
      default: true,
      shapesCheckpoint: true,
      doc: 'Normalise each hidden layer: what takes the place of a target network.',
      needs: { option: 'network', values: ['mlp'] },
    }),
    ...collectedRecurrentOptions,
  },
};

export type PQNOptions = typeof pqnOptions;
/** PQN's configuration after defaults and checks, by section. */
export type ResolvedPQNConfig = ResolvedConfig<PQNOptions>;
/** What a user writes: any subset, by section. */
export type PQNConfigInput = ConfigInput<PQNOptions>;

/** What PQN's options must be to each other; the shared ones are checked before. */
export function checkPQN(config: ResolvedPQNConfig): readonly Problem[] {
  return [...checkMinibatches(config), ...checkNetwork(config), ...checkRecurrentPQN(config)];
}
