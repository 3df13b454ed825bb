/** The policies of a table as a run has them: each one's config, network and place in memory. */
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import { ConfigError } from '../../errors.ts';
import type { Learner } from '../../learner/learner.ts';
import type { ArenaPlanner } from '../../memory/arena.ts';
import { locateModule } from '../../modules/module-reference.ts';
import { mlpParameterLayout } from '../../policy/networks/mlp-parameters.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import type { AgentsPlan } from '../../rollout/agents/agents-plan.ts';
import type { PolicyPlan } from '../../rollout/agents/policy-plan.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../../weights/weight-buffer.ts';
import {
  type LossParts,
  numHelpersOf,
  type PlanBounds,
  type ReservedLearner,
  reserveSimd,
} from '../create-learner.ts';
import { locateNetwork } from '../locate-network.ts';
import type { ObservationScaling } from '../observation-statistics.ts';
import type { OnPolicyConfig } from '../on-policy-config.ts';
import { createPolicySpec } from '../policy-setup.ts';
import { type FrozenNetwork, freshNetwork, networkFromCheckpoint, policyStream } from './network-policy.ts';
import type { MultiAgentConfig, TableEntry } from './policy-table.ts';

/** A config with its section for several agents. */
export type AgentsConfig = OnPolicyConfig & { readonly multiAgent: MultiAgentConfig };

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
}

/** What an algorithm brings. */
export interface AgentsLearning<C> {
  /** A policy's config. @throws ConfigError for overrides that are no options of `training`. */
  configOf(entry: TableEntry): C;
  lossOf(config: C): LossParts;
  boundsOf(config: C): PlanBounds;
}

/** A row of the table with what acts. */
export interface PreparedPolicy<C> {
  readonly entry: TableEntry;
  readonly plan: PolicyPlan;
  readonly spec: PolicySpec;
  readonly config: C;
  readonly frozen: FrozenNetwork | null;
  readonly learns: boolean;
}

export function firstSpec<C>(prepared: readonly PreparedPolicy<C>[], g: number): PolicySpec {
  const found = prepared.find(({ entry }) => entry.group === g);
  if (found === undefined) throw new TypeError(`Group ${g} has no policy.`);
  return found.spec;
}

export async function preparePolicy<C extends AgentsConfig>(
  planner: ArenaPlanner,
  entry: TableEntry,
  seats: SeatLayout,
  learning: AgentsLearning<C>,
  seed: number,
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
  const own = createPolicySpec(
    space,
    { ...training, ...envRunners, network: 'mlp', recurrent: null },
    locateNetwork,
  );
  const loaded = acts.kind === 'checkpoint' ? await networkFromCheckpoint(name, acts, group) : null;
  const spec = loaded?.spec ?? own;
  const learns = acts.kind === 'network' && acts.learns;
  const frozen = loaded ?? (acts.kind === 'network' && !learns ? freshNetwork(spec, seed, name) : null);
  return {
    ...{ entry, spec, config, frozen, learns },
    plan: { name, group: entry.group, spec, acts: planActs(planner, entry, spec) },
  };
}

function planActs(planner: ArenaPlanner, { acts }: TableEntry, spec: PolicySpec): PolicyPlan['acts'] {
  if (acts.kind === 'random') return acts;
  if (acts.kind === 'module') {
    const { url, exportName = 'default' } = locateModule(acts.reference, {
      code: 'CONFIG_POLICY',
      what: 'policy',
    });
    return { kind: 'module', module: url, export: exportName };
  }
  const { size } = mlpParameterLayout(spec);
  return { kind: 'network', weights: reserveWeightBuffer(planner, size, spec.observationSize) };
}

export function reserveLearners<C extends AgentsConfig>(
  planner: ArenaPlanner,
  config: C,
  learning: AgentsLearning<C>,
  prepared: readonly PreparedPolicy<C>[],
  agents: AgentsPlan,
): { readonly learner: ReservedLearner; readonly index: number }[] {
  const indices = [...prepared.keys()].filter((index) => prepared[index].learns);
  return indices.map((index) => {
    const { entry, spec, config: own } = prepared[index];
    const { numRows, rolloutLength } = agents.layout.rollouts[entry.group];
    const place = {
      numSamples: numRows * rolloutLength,
      initial: policyStream(config.debugging.seed, 'initialize', entry.name),
      numHelpers: indices.length === 1 ? numHelpersOf(config) : 0, // a worker's thread helps one learner
    };
    return {
      index,
      learner: reserveSimd(planner, own, spec, learning.lossOf(own), learning.boundsOf(own), place),
    };
  });
}

export function createPublishing<C>(
  buffer: ArrayBufferLike,
  prepared: readonly PreparedPolicy<C>[],
  learning: readonly LearningPolicy<C>[],
): () => number {
  const sources = prepared.flatMap(({ plan, frozen }, index) => {
    if (plan.acts.kind !== 'network') return [];
    const weights = openWeightBuffer(buffer, plan.acts.weights);
    const learner = learning.find((policy) => policy.index === index);
    const parameters = frozen?.parameters ?? new Float32Array(plan.acts.weights.parameterCount);
    return [{ weights, learner, parameters, statistics: frozen?.statistics ?? null }];
  });
  let numPublished = 0; // without a network nobody has a version
  return () => {
    for (const { weights, learner, parameters, statistics } of sources) {
      learner?.learner.readParameters(parameters);
      const scales = learner?.scaling.statistics ?? statistics;
      weights.publish(parameters, scales?.mean ?? null, scales?.inverseStd ?? null);
    }
    return numPublished++;
  };
}
