/** The shell around a system that learns an objective: banner, evaluation, and a checkpoint's parts that all such algorithms have. */
import type { StatePart } from '../checkpoint/state-part.ts';
import type { commonOptions } from '../config/common-options.ts';
import { configToJson, type ResolvedConfig } from '../config/option.ts';
import type { JsonValue } from '../json.ts';
import { actingLayout } from '../policy/networks/acting-network.ts';
import type { Algorithm } from './algorithm.ts';
import { environmentState } from './environment-state.ts';
import { createEvaluation } from './evaluation.ts';
import { objectiveLearnerState } from './objective-learner-state.ts';
import type { ObjectiveSystem } from './objective-system.ts';
import { statisticsState } from './observation-statistics.ts';
import { policyState } from './policy-state.ts';
import { setupNotes } from './setup-notes.ts';
import { createAlgorithm, type Iteration } from './shell.ts';

export interface ObjectiveAlgorithmParts {
  readonly name: string;
  readonly config: ResolvedConfig<typeof commonOptions>;
  readonly system: ObjectiveSystem;
  /** For people: `8 environments x 4 steps`. */
  readonly collects: string;
  /** For people, beside the engine: what the replay buffer takes. */
  readonly remembers?: string;
  /** Collect, learn, and so on, once; `numEnvSteps` = environment steps of the run before it. */
  readonly iterate: (numEnvSteps: number) => Promise<Iteration>;
  /** Asked once `iterate` has thrown: whether it had begun to change what is saved. */
  readonly isHalfDone: () => boolean;
  /** The algorithm's own: streams, replay, schedules. */
  readonly state: readonly StatePart[];
  readonly setSchedule?: (name: string, schedule: JsonValue) => void;
  /** Before the system stops. */
  readonly settle?: () => Promise<void>;
}

export function createObjectiveAlgorithm(parts: ObjectiveAlgorithmParts): Algorithm {
  const { name, config, system } = parts;
  const { learner, runners, scaling, spec, acting } = system;
  return createAlgorithm({
    name,
    config,
    configJson: { algorithm: name, ...configToJson(config) },
    banner: createBanner(parts),
    notes: setupNotes(system),
    iterate: parts.iterate,
    isHalfDone: parts.isHalfDone,
    state: [
      policyState(system, actingLayout(spec)),
      objectiveLearnerState(learner, spec, acting),
      statisticsState(scaling, spec),
      ...parts.state,
      environmentState(runners, spec, config.envRunners.numEnvs),
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

function createBanner({ name, config, system, collects, remembers }: ObjectiveAlgorithmParts): string[] {
  const { learner, runners, spec, source, choice } = system;
  const { network, distribution } = spec;
  const shape = network.kind === 'custom' ? '' : ` ${network.hiddenSizes.join('x')} ${network.activation}`;
  return [
    `${name} on ${source.id}: ${collects} ${runners.place}, ${network.kind}${shape}, ${distribution.kind} actions, seed ${config.debugging.seed}`,
    `engine ${learner.engine} (${choice.reason}): ${learner.backend}${remembers === undefined ? '' : `; ${remembers}`}`,
  ];
}
