/** An on-policy algorithm: the shell around a system that collects a rollout and learns from it in each iteration. */
import type { StatePart } from '../checkpoint/state-part.ts';
import { configToJson } from '../config/option.ts';
import type { JsonValue } from '../json.ts';
import type { Collected } from '../rollout/runner-group.ts';
import type { Algorithm } from './algorithm.ts';
import { environmentState } from './environment-state.ts';
import { createEvaluation } from './evaluation.ts';
import { learnerState } from './learner-state.ts';
import { statisticsState } from './observation-statistics.ts';
import type { LooseOnPolicyConfig } from './on-policy-config.ts';
import type { OnPolicySystem } from './on-policy-system.ts';
import { policyState } from './policy-state.ts';
import { setupNotes } from './setup-notes.ts';
import { createAlgorithm } from './shell.ts';

/** What one pass through an on-policy loop gives. */
export interface OnPolicyIteration {
  readonly collected: Pick<Collected, 'episodes' | 'metrics'>;
  readonly metrics: Readonly<Partial<Record<string, number>>>;
}

export interface OnPolicyAlgorithmParts {
  readonly name: string;
  readonly config: LooseOnPolicyConfig;
  readonly system: OnPolicySystem;
  /** Collect, learn, and so on, once; `numEnvSteps` = steps before this iteration. */
  readonly iterate: (numEnvSteps: number) => Promise<OnPolicyIteration>;
  /** The algorithm's own part of a checkpoint: streams, scalers, schedules. */
  readonly state: readonly StatePart[];
  readonly setSchedule?: (name: string, schedule: JsonValue) => void;
  /** Rollouts of an iteration. Default 1. */
  readonly numRollouts?: number;
  /** Asked once `iterate` has thrown: whether it had begun to change what is saved. Default: whether the rollout was there. */
  readonly isHalfDone?: () => boolean;
  /** What a user has to know of a run with this configuration. */
  readonly notes?: readonly string[];
  /** Before the system stops. */
  readonly settle?: () => Promise<void>;
}

export function createOnPolicyAlgorithm(parts: OnPolicyAlgorithmParts): Algorithm {
  const { name, config, system, numRollouts = 1 } = parts;
  const { learner, runners, scaling, spec } = system;
  const { numEnvs, rolloutLength } = config.envRunners;
  return createAlgorithm({
    name,
    config,
    configJson: { algorithm: name, ...configToJson(config) },
    banner: createBanner(name, config, system),
    notes: [...setupNotes(system), ...(parts.notes ?? [])],
    async iterate(numEnvSteps) {
      const { collected, metrics } = await parts.iterate(numEnvSteps);
      const { episodes, metrics: envMetrics } = collected;
      return { numEnvSteps: numRollouts * numEnvs * rolloutLength, episodes, envMetrics, metrics };
    },
    // Collecting changes nothing that is saved; learning may have stopped between two minibatches.
    isHalfDone: parts.isHalfDone ?? (() => !runners.isCollecting),
    state: [
      policyState(system, learner.layout),
      learnerState(learner),
      statisticsState(scaling, spec),
      ...parts.state,
      environmentState(runners, spec, numEnvs),
    ],
    runners,
    staging: system,
    evaluation: createEvaluation(system, config),
    ...(parts.setSchedule === undefined ? {} : { setSchedule: parts.setSchedule }),
    async stop() {
      await parts.settle?.();
      await system.stop();
    },
  });
}

function createBanner(name: string, config: LooseOnPolicyConfig, system: OnPolicySystem): string[] {
  const { learner, runners, spec, source, choice } = system;
  const { network, distribution } = spec;
  const { numEnvs, rolloutLength } = config.envRunners;
  const shape = network.kind === 'custom' ? '' : ` ${network.hiddenSizes.join('x')} ${network.activation}`;
  return [
    `${name} on ${source.id}: ${numEnvs} environments x ${rolloutLength} steps ${runners.place}, ${network.kind}${shape}, ${distribution.kind} actions, seed ${config.debugging.seed}`,
    `engine ${learner.engine} (${choice.reason}): ${learner.backend}`,
  ];
}
