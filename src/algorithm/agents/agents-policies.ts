/** The policies of a table as a run has them: each one's config, network and place in memory. */
import type { curiosityOptions } from '../../config/blocks/curiosity.ts';
import type { ResolvedSection } from '../../config/option.ts';
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import { ConfigError } from '../../errors.ts';
import { ON_POLICY_COLUMNS, type RolloutColumns } from '../../experience/layout.ts';
import type { Learner } from '../../learner/learner.ts';
import type { Arena, ArenaPlanner, Region } from '../../memory/arena.ts';
import { locateModule } from '../../modules/module-reference.ts';
import { mlpParameterLayout } from '../../policy/networks/mlp-parameters.ts';
import type { ActingSpec, PolicySpec } from '../../policy/policy-spec.ts';
import type { AgentsPlan } from '../../rollout/agents/agents-plan.ts';
import type { PolicyPlan } from '../../rollout/agents/policy-plan.ts';
import type { KernelModule } from '../../simd/kernels.ts';
import { reserveWeightBuffer, type WeightBufferLayout } from '../../weights/weight-buffer.ts';
import {
  type LossParts,
  numHelpersOf,
  type PlanBounds,
  type ReservedLearner,
  reserveSimd,
} from '../create-learner.ts';
import type { OwnCuriosity } from '../curiosity/curiosity.ts';
import type { SelfPlayConfig } from '../league/plan-league.ts';
import { locateNetwork } from '../locate-network.ts';
import type { ObservationScaling } from '../observation-statistics.ts';
import type { OnPolicyConfig } from '../on-policy-config.ts';
import { policyStream } from '../policy-names.ts';
import { createPolicySpec } from '../policy-setup.ts';
import { type FrozenNetwork, freshNetwork, networkFromCheckpoint } from './network-policy.ts';
import type { MultiAgentConfig, TableEntry } from './policy-table.ts';
import type { ValueScale } from './value-scale.ts';

/** A config with its section for several agents. */
export type AgentsConfig = OnPolicyConfig & {
  readonly training: ResolvedSection<typeof curiosityOptions>;
  readonly multiAgent: MultiAgentConfig;
  readonly selfPlay: SelfPlayConfig;
};

/** A policy that learns. C = its own config: that of the run with options of `training` of its own. */
export interface LearningPolicy<C> {
  readonly name: string;
  /** Index in the table. */
  readonly index: number;
  readonly group: number;
  readonly spec: PolicySpec;
  readonly config: C;
  readonly learner: Learner;
  readonly scaling: ObservationScaling;
  /** Learns values from the environment's state; null = the learner has them from observations. */
  readonly critic: CentralCritic | null;
  /** null = values are learned as they are. */
  readonly valueScale: ValueScale | null;
  /** null = what is new has no bonus. */
  readonly curiosity: OwnCuriosity | null;
  readonly place: PolicyPlace;
}

export interface CentralCritic {
  readonly spec: PolicySpec;
  readonly learner: Learner;
  /** Of what it reads. */
  readonly scaling: ObservationScaling;
}

/** Where a policy's memory lies, for an algorithm that computes in it. */
export interface PolicyPlace {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  /** Published, of what acts. */
  readonly weights: WeightBufferLayout;
  /** Published, of its central critic; null = it has none. */
  readonly criticWeights: WeightBufferLayout | null;
  /** {@link AgentsMemory.scratchBytes} of the arena. */
  readonly scratch: Region;
  /** {@link AgentsMemory.numOwnSlots} byte addresses, of `weights.slotBytes` each. */
  readonly ownSlots: readonly number[];
}

/** For algorithms that collect ahead of learning. */
export interface AgentsMemory {
  /** Rollouts that are collected, learnt from or kept at the same time. */
  readonly numSets: number;
  /** Versions of the weights that somebody may be acting with, and the next one. */
  readonly numVersions: number;
  readonly columns: RolloutColumns;
  /** Of the algorithm's own in the arena, for each policy that learns. @param numSamples of its group. */
  readonly scratchBytes: (
    policy: Pick<PreparedPolicy<unknown>, 'spec' | 'critic'>,
    numSamples: number,
  ) => number;
  /** Weights of a policy that are not published. */
  readonly numOwnSlots: number;
}

/** Nothing is collected while anybody learns. */
export const IN_STEP: AgentsMemory = {
  ...{ numSets: 2, numVersions: 2, columns: ON_POLICY_COLUMNS, scratchBytes: () => 0, numOwnSlots: 0 },
};

/** What an algorithm brings. */
export interface AgentsLearning<C> {
  /** A policy's config. @throws ConfigError for overrides that are no options of `training`. */
  configOf(entry: TableEntry): C;
  lossOf(config: C): LossParts;
  /** @param numSamples at most in an update: rows * T of the policy's group. */
  boundsOf(config: C, numSamples: number): PlanBounds;
}

/** A row of the table with what acts. */
export interface PreparedPolicy<C> {
  readonly entry: TableEntry;
  readonly plan: PolicyPlan;
  /** What a network of the algorithm's own is. */
  readonly spec: PolicySpec;
  readonly config: C;
  readonly frozen: FrozenNetwork | null;
  readonly learns: boolean;
  /** Its central critic; null = it has none. */
  readonly critic: PolicySpec | null;
}

export async function preparePolicy<C extends AgentsConfig>(
  planner: ArenaPlanner,
  entry: TableEntry,
  seats: SeatLayout,
  learning: AgentsLearning<C>,
  criticSizes: readonly number[],
  numVersions: number,
): Promise<PreparedPolicy<C>> {
  const { name, acts } = entry;
  const group = seats.groups[entry.group];
  const config = learning.configOf(entry);
  const { training, envRunners } = config;
  const cell = training.recurrent ?? null;
  if (acts.kind === 'network' && (training.network !== 'mlp' || cell !== null)) {
    throw new ConfigError(
      'CONFIG_SEVERAL_AGENTS',
      `Among several agents policies are MLPs without memory, and that of \`${name}\` is ${cell === null ? `'${training.network}': leave \`network\` out` : `'${cell}': leave \`recurrent\` out`}.`,
    );
  }
  const space = { ...group.spaces, actionMaskSize: group.maskSize };
  const criticSize = criticSizes[entry.group];
  const options = { ...training, ...envRunners, network: 'mlp', recurrent: null };
  const full = createPolicySpec(space, options, locateNetwork);
  const own = criticSize > 0 ? { ...full, actorOnly: true } : full;
  const loaded = acts.kind === 'checkpoint' ? await networkFromCheckpoint(name, acts, group) : null;
  const learns = acts.kind === 'network' && acts.learns;
  const { seed } = config.debugging;
  const frozen = loaded ?? (acts.kind === 'network' && !learns ? freshNetwork(own, seed, name) : null);
  const acting = loaded?.spec ?? own;
  const critic = learns && criticSize > 0 ? criticSpec(full, criticSize) : null;
  return {
    ...{ entry, spec: own, config, frozen, learns, critic },
    plan: {
      ...{ name, group: entry.group, spec: acting },
      acts: planActs(planner, entry, acting, critic, numVersions),
    },
  };
}

/** The policy's critic tower, reading something else. */
function criticSpec(policy: PolicySpec, criticSize: number): PolicySpec {
  return {
    ...policy,
    observationSize: criticSize,
    observationDtype: 'float32',
    observationShape: [criticSize],
    actionMaskSize: 0,
    criticOnly: true,
  };
}

/** What is no network. @throws ConfigError `CONFIG_POLICY`. */
export function planScript(
  acts: Extract<TableEntry['acts'], { readonly kind: 'random' | 'module' }>,
): PolicyPlan['acts'] {
  if (acts.kind === 'random') return acts;
  const { url, exportName = 'default' } = locateModule(acts.reference, {
    code: 'CONFIG_POLICY',
    what: 'policy',
  });
  return { kind: 'module', module: url, export: exportName };
}

function planActs(
  planner: ArenaPlanner,
  { acts }: TableEntry,
  spec: ActingSpec,
  critic: PolicySpec | null,
  numVersions: number,
): PolicyPlan['acts'] {
  if (acts.kind === 'random' || acts.kind === 'module') return planScript(acts);
  const weightsOf = (network: ActingSpec) =>
    reserveWeightBuffer(planner, mlpParameterLayout(network).size, network.observationSize, numVersions);
  return {
    kind: 'network',
    weights: weightsOf(spec),
    critic: critic === null ? null : { spec: critic, weights: weightsOf(critic) },
  };
}

/** Places in the arena of a policy that learns. */
export interface ReservedPolicy {
  /** Index in the table. */
  readonly index: number;
  readonly learner: ReservedLearner;
  readonly critic: ReservedLearner | null;
  readonly place: Omit<PolicyPlace, 'arena' | 'kernels'>;
}

export function reserveLearners<C extends AgentsConfig>(
  planner: ArenaPlanner,
  config: C,
  learning: AgentsLearning<C>,
  prepared: readonly PreparedPolicy<C>[],
  agents: AgentsPlan,
  memory: AgentsMemory,
): ReservedPolicy[] {
  const indices = [...prepared.keys()].filter((index) => prepared[index].learns);
  return indices.map((index) => {
    const { entry, spec, config: own, critic } = prepared[index];
    const { numRows, rolloutLength } = agents.layout.rollouts[entry.group];
    const isOnly = indices.length === 1 && critic === null; // a worker's thread helps one learner
    const numSamples = numRows * rolloutLength;
    const bounds = learning.boundsOf(own, numSamples);
    const reserve = (network: PolicySpec, purpose: string) =>
      reserveSimd(planner, own, network, learning.lossOf(own), bounds, {
        numSamples,
        initial: policyStream(config.debugging.seed, purpose, entry.name),
        numHelpers: isOnly ? numHelpersOf(config) : 0,
      });
    return {
      index,
      learner: reserve(spec, 'initialize'),
      critic: critic === null ? null : reserve(critic, 'initialize-critic'),
      place: reservePlace(planner, prepared[index], memory, numSamples),
    };
  });
}

function reservePlace(
  planner: ArenaPlanner,
  prepared: PreparedPolicy<unknown>,
  { scratchBytes, numOwnSlots }: AgentsMemory,
  numSamples: number,
): ReservedPolicy['place'] {
  const { acts, name } = prepared.plan;
  if (acts.kind !== 'network') throw new TypeError(`${name} learns and is no network.`);
  const { weights, critic } = acts;
  const scratch = planner.reserve(scratchBytes(prepared, numSamples));
  const ownSlots = Array.from({ length: numOwnSlots }, () => planner.reserve(weights.slotBytes).offset);
  return { weights, criticWeights: critic?.weights ?? null, scratch, ownSlots };
}
