/** An off-policy algorithm: the shell around a system that collects fragments, keeps them and learns from batches of what is kept. */
import type { StatePart } from '../checkpoint/state-part.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { actingLayout } from '../policy/networks/acting-network.ts';
import type { Algorithm } from './algorithm.ts';
import { environmentState } from './environment-state.ts';
import { createEvaluation } from './evaluation.ts';
import type { Fragments } from './fragments.ts';
import { objectiveLearnerState } from './objective-learner-state.ts';
import { statisticsState } from './observation-statistics.ts';
import type { OffPolicyConfig } from './off-policy-config.ts';
import type { OffPolicySystem } from './off-policy-system.ts';
import { policyState } from './policy-state.ts';
import { prefillReplay } from './prefill.ts';
import { createAlgorithm, type Iteration } from './shell.ts';

export interface OffPolicyAlgorithmParts {
  readonly name: string;
  readonly config: OffPolicyConfig;
  readonly configJson: JsonObject;
  readonly system: OffPolicySystem;
  /** Those that `iterate` takes. */
  readonly fragments: Fragments;
  /** Collect, keep, learn, over and over: one iteration; `numEnvSteps` = environment steps of the run before it. */
  readonly iterate: (numEnvSteps: number) => Promise<Iteration>;
  /** The replay buffer's part of a checkpoint. */
  readonly replayState: StatePart;
  /** The algorithm's own: streams, priorities, schedules. */
  readonly state: readonly StatePart[];
  readonly setSchedule?: (name: string, schedule: JsonValue) => void;
}

export function createOffPolicyAlgorithm(parts: OffPolicyAlgorithmParts): Algorithm {
  const { name, config, configJson, system, fragments } = parts;
  const { learner, runners, scaling, spec, acting } = system;
  return createAlgorithm({
    name,
    config,
    configJson,
    banner: createBanner(name, config, system),
    async iterate(numEnvSteps) {
      try {
        if (numEnvSteps === 0 && system.replay.size === 0)
          await prefillReplay(system, config, config.training);
        return await parts.iterate(numEnvSteps);
      } catch (error) {
        await fragments.settle();
        throw error;
      }
    },
    // The first fragment that was given out went into the replay buffer.
    isHalfDone: () => fragments.hasDelivered,
    state: [
      policyState(system, actingLayout(spec)),
      objectiveLearnerState(learner, spec, acting),
      statisticsState(scaling, spec),
      parts.replayState,
      ...parts.state,
      environmentState(runners, spec, config.envRunners.numEnvs),
    ],
    runners,
    evaluation: createEvaluation(system, config),
    ...(parts.setSchedule === undefined ? {} : { setSchedule: parts.setSchedule }),
    async stop() {
      await fragments.settle();
      await system.stop();
    },
  });
}

function createBanner(name: string, config: OffPolicyConfig, system: OffPolicySystem): string[] {
  const { learner, runners, spec, source, choice, replayMemory } = system;
  const { network, distribution } = spec;
  const { numEnvs } = config.envRunners;
  const shape = network.kind === 'custom' ? '' : ` ${network.hiddenSizes.join('x')} ${network.activation}`;
  const threads = runners.numEnvRunners === 0 ? 'in process' : `in ${runners.numEnvRunners} worker threads`;
  return [
    `${name} on ${source.id}: ${numEnvs} environment${numEnvs === 1 ? '' : 's'} x ${config.training.trainEvery} steps ${threads}, ${network.kind}${shape}, ${distribution.kind} actions, seed ${config.debugging.seed}`,
    `engine ${learner.engine} (${choice.reason}): ${learner.backend}; ${replayMemory}`,
  ];
}
