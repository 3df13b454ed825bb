/** What off-policy learning among several agents stands on: for each policy that learns a replay buffer, too. */
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import { OFF_POLICY_COLUMNS } from '../../experience/layout.ts';
import { availableMemory } from '../../replay/available-memory.ts';
import { checkReplayMemory, replayBytes } from '../../replay/replay-spec.ts';
import { createRowRings, type RowRings, rowRingsSpec } from '../../replay/row-rings.ts';
import type { EnvDescription } from '../environment-source.ts';
import type { SelfPlayConfig } from '../league/plan-league.ts';
import { numOffPolicyRunners } from '../num-off-policy-runners.ts';
import type { OffPolicyConfig } from '../off-policy-config.ts';
import { checkHoldsBatch, type OffPolicyParts, replaySpecOf } from '../off-policy-system.ts';
import { type AgentsExperience, createAgentsExperience } from './agents-experience.ts';
import {
  createObjectiveAgentsSystem,
  type LearningObjective,
  type ObjectiveAgentsSystem,
} from './objective-agents-system.ts';
import type { PoliciesConfig, TableEntry } from './policy-table.ts';

export type OffPolicyAgentsConfig = OffPolicyConfig & {
  readonly multiAgent: PoliciesConfig;
  readonly selfPlay: SelfPlayConfig;
};

/** What an algorithm brings. */
export interface OffPolicyAgentsLearning<C> {
  /** A policy's config: the run's, with options of `training` of its own. @throws ConfigError for overrides that are none. */
  configOf(entry: TableEntry): C;
  /** Networks, objective and behaviour for agents with these spaces. */
  describe(env: EnvDescription, config: C): OffPolicyParts;
}

/** With as many rows in a batch as it has. */
type SizedParts = OffPolicyParts & { readonly batchSize: number };

/** A policy that learns, with all that is its own. */
export type OffPolicyLearner<C> = LearningObjective<C, SizedParts> & {
  readonly replay: RowRings;
  readonly experience: AgentsExperience;
  /** One line for people: what the buffer takes. */
  readonly replayMemory: string;
};

export type OffPolicyAgentsSystem<C> = Omit<ObjectiveAgentsSystem<C, SizedParts>, 'learning'> & {
  readonly learning: readonly OffPolicyLearner<C>[];
};

/**
 * Builds the system, its runners ready to collect, its buffers empty.
 *
 * @throws ConfigError when environment, options, memory and policies do not fit; EnvError or WorkerError when a runner cannot start. Nothing is
 * left running then.
 */
export async function createOffPolicyAgentsSystem<C extends OffPolicyAgentsConfig>(
  config: C,
  learning: OffPolicyAgentsLearning<C>,
): Promise<OffPolicyAgentsSystem<C>> {
  const options = {
    rolloutLength: config.training.trainEvery,
    columns: OFF_POLICY_COLUMNS,
    numEnvRunners: numOffPolicyRunners(config),
  };
  const system = await createObjectiveAgentsSystem<C, SizedParts>(config, options, {
    configOf: learning.configOf,
    describe: (env, own) => ({ batchSize: own.training.batchSize, ...learning.describe(env, own) }),
  });
  const { seats, table, league } = system;
  const mayAct: MayAct = (s, index) => league !== null || table.assignment[s].includes(index);
  let available = availableMemory(); // what a buffer was planned with is taken, whenever its rows take it
  const remember = (policy: LearningObjective<C, SizedParts>): OffPolicyLearner<C> => {
    const ringOf = ringsOf(seats, mayAct, policy, config.envRunners.numEnvs);
    const { numBytes, ...memory } = createMemory(policy, ringOf, available);
    available -= numBytes;
    return { ...policy, ...memory, experience: createAgentsExperience(memory.replay, policy.index, ringOf) };
  };
  try {
    return { ...system, learning: system.learning.map(remember) };
  } catch (error) {
    await system.stop();
    throw error;
  }
}

/** Whether a policy of the table may act for a seat; in self-play those that learn may for all. */
type MayAct = (seat: number, index: number) => boolean;

/** @throws ConfigError `CONFIG_REPLAY_MEMORY`, `CONFIG_CONFLICT` where it is too small. */
function createMemory<C extends OffPolicyAgentsConfig>(
  { config, parts, spec }: LearningObjective<C, SizedParts>,
  ringOf: Int32Array,
  available: number,
) {
  const numRows = ringOf.reduce((count, ring) => count + (ring < 0 ? 0 : 1), 0);
  const replaySpec = rowRingsSpec(replaySpecOf(spec, numRows, parts.replay));
  checkHoldsBatch(replaySpec, config.training);
  const replayMemory = checkReplayMemory(replaySpec, available);
  return { replay: createRowRings(replaySpec), replayMemory, numBytes: replayBytes(replaySpec).total };
}

/** Rings of the rows of a group, for those seats that the policy may have: [rows] i32, -1 = it never acts there. */
function ringsOf(
  { groups }: SeatLayout,
  mayAct: MayAct,
  { index, group }: { readonly index: number; readonly group: number },
  numEnvs: number,
): Int32Array {
  const { seats } = groups[group];
  let numRings = 0;
  return Int32Array.from({ length: numEnvs * seats.length }, (_, n) =>
    mayAct(seats[n % seats.length], index) ? numRings++ : -1,
  );
}
