/**
 * What every off-policy algorithm stands on: environments, acting policy, replay, learner and runners, made from a config.
 *
 *     env -> fragment of `trainEvery` steps -> replay -> batches -> learner -> published weights
 *
 * An algorithm says what its networks and its objective are ({@link OffPolicyParts}) and keeps the loop:
 *
 *     const fragments = createFragments({ system, numSteps, lag, exploration });
 *     fragments.begin(numFragments, numEnvSteps);
 *     for (...) {
 *       const next = fragments.next();
 *       const { rollout } = next instanceof Promise ? await next : next;
 *       replay.append(rollout);
 *       await learner.update({ numUpdates: numUpdatesDue(training, before, after), fill, scalars, ... });
 *     }
 */

import { ConfigError } from '../errors.ts';
import { OFF_POLICY_COLUMNS } from '../experience/layout.ts';
import { actingSpecOf } from '../policy/networks/acting-network.ts';
import { type ActingSpec, actionDtype, actionSize } from '../policy/policy-spec.ts';
import { availableMemory } from '../replay/available-memory.ts';
import { loadGoalReward } from '../replay/goal.ts';
import { createHindsight, type Hindsight, type HindsightOptions } from '../replay/hindsight.ts';
import { createReplay, type Replay } from '../replay/replay.ts';
import { checkReplayMemory, planReplay, type ReplaySpec } from '../replay/replay-spec.ts';
import type { EnvDescription } from './environment-source.ts';
import { numOffPolicyRunners } from './num-off-policy-runners.ts';
import {
  createObjectiveSystem,
  type ObjectiveSystem,
  type ObjectiveSystemParts,
} from './objective-system.ts';
import type { OffPolicyConfig } from './off-policy-config.ts';

/** What an algorithm brings, once it knows the environment. */
export type OffPolicyParts = Omit<ObjectiveSystemParts, 'batchSize'> & {
  /** Rows of a batch where they are not one for each of its transitions. */
  readonly batchSize?: number;
  readonly replay: Pick<ReplaySpec, 'capacity' | 'bytes' | 'frameStack' | 'goal'>;
  /** Whether sampling keeps priorities, which take memory. */
  readonly isPrioritised?: boolean;
  /** How goals are relabelled; the environment's own `computeReward` says what for. Needs `replay.goal`. */
  readonly hindsight?: Omit<HindsightOptions, 'reward'>;
};

export type OffPolicySystem = ObjectiveSystem & {
  readonly replay: Replay;
  /** null = transitions keep their goals, if they have any. */
  readonly hindsight: Hindsight | null;
  /** One line for people: what the replay buffer takes. */
  readonly replayMemory: string;
};

/**
 * Builds the system, its runners ready to collect, its replay buffer empty.
 *
 * @param describe the algorithm's networks, objective and behaviour in this environment; throws ConfigError for one that it is not for.
 * @throws ConfigError when environment, options, memory and engine do not fit, before anything is allocated; EnvError or WorkerError when a
 * runner cannot start. Nothing is left running then.
 */
export async function createOffPolicySystem(
  config: OffPolicyConfig,
  describe: (env: EnvDescription) => OffPolicyParts,
): Promise<OffPolicySystem> {
  const { training, envRunners } = config;
  const planned: Planned = { spec: null, memory: '', hindsight: null };
  const options = {
    rolloutLength: training.trainEvery,
    columns: { ...OFF_POLICY_COLUMNS, sequenceLength: training.trainEvery }, // a recurrent policy's state where each fragment begins
    numEnvRunners: numOffPolicyRunners(config),
  };
  const system = await createObjectiveSystem(config, options, (env) => {
    const { replay, isPrioritised, hindsight = null, ...parts } = describe(env);
    if (hindsight !== null && config.environment.curriculum !== null) {
      throw new ConfigError(
        'CONFIG_CONFLICT',
        'Goals are relabelled with the rewards of one environment, and a curriculum has several: leave `curriculum` or hindsight out.',
      );
    }
    const spec = actingSpecOf(parts.model, { ...parts.acting, actionMaskSize: env.actionMaskSize });
    planned.spec = replaySpecOf(spec, envRunners.numEnvs, replay);
    if (parts.batchSize === undefined) checkHoldsBatch(planned.spec, training); // others than transitions have their own check
    planned.memory = checkReplayMemory(planned.spec, availableMemory(), isPrioritised);
    planned.hindsight = hindsight;
    return { batchSize: training.batchSize, ...parts };
  });
  try {
    const replay = createReplay(planned.spec as ReplaySpec);
    const reward = planned.hindsight === null ? null : await loadGoalReward(system.source);
    const hindsight =
      reward && planned.hindsight && createHindsight(replay, { ...planned.hindsight, reward });
    return {
      ...system,
      ...{ replay, hindsight, replayMemory: planned.memory },
      async stop() {
        await system.stop();
        reward?.close();
      },
    };
  } catch (error) {
    await system.stop();
    throw error;
  }
}

/** Capacity in transitions is checked with the options; what fits some bytes is known only now. */
export function checkHoldsBatch(
  spec: ReplaySpec,
  { batchSize, nStep = 1 }: Pick<OffPolicyConfig['training'], 'batchSize' | 'nStep'>,
): void {
  const { rowCapacity, numRows } = planReplay(spec);
  if (batchSize <= (rowCapacity - nStep + 1) * numRows) return;
  const given =
    spec.bytes === undefined ? `replayCapacity (${spec.capacity})` : `replayBytes (${spec.bytes})`;
  throw new ConfigError(
    'CONFIG_CONFLICT',
    `${given} holds ${rowCapacity * numRows} transitions, too few for batchSize ${batchSize}, nStep ${nStep} and ${numRows} rows. Raise it.`,
  );
}

/** What is known of the buffer once the environment is. */
interface Planned {
  spec: ReplaySpec | null;
  memory: string;
  hindsight: Omit<HindsightOptions, 'reward'> | null;
}

export function replaySpecOf(
  spec: ActingSpec,
  numRows: number,
  options: OffPolicyParts['replay'],
): ReplaySpec {
  const { distribution } = spec;
  return {
    ...options,
    numRows,
    observationSize: spec.observationSize,
    observationDtype: spec.observationDtype,
    actionSize: actionSize(distribution),
    actionDtype: actionDtype(distribution),
    maskSize: spec.actionMaskSize,
  };
}
