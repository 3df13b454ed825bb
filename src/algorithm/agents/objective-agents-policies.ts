/** The policies of a table where an objective is learned: what each is, and its place in memory. */
import type { SeatGroup, SeatLayout } from '../../env/agents/seat-layout.ts';
import { flattenActionSpace } from '../../env/flatten-action.ts';
import { flattenObservationSpace } from '../../env/flatten-space.ts';
import { ConfigError } from '../../errors.ts';
import type { Arena, ArenaPlanner } from '../../memory/arena.ts';
import {
  type ActingNetwork,
  actingLayout,
  actingParameters,
  actingSpecOf,
} from '../../policy/networks/acting-network.ts';
import { initializeModel } from '../../policy/networks/initialize-model.ts';
import type { ActingSpec } from '../../policy/policy-spec.ts';
import type { PolicyPlan } from '../../rollout/agents/policy-plan.ts';
import { reserveWeightBuffer, type WeightBufferLayout } from '../../weights/weight-buffer.ts';
import { type ReservedObjectiveLearner, reserveObjectiveLearner } from '../create-objective-learner.ts';
import type { EnvDescription } from '../environment-source.ts';
import { locateNetwork } from '../locate-network.ts';
import type { ObjectiveSystemParts } from '../objective-system.ts';
import { policyStream } from '../policy-names.ts';
import { createPolicySpec } from '../policy-setup.ts';
import { planScript } from './agents-policies.ts';
import type { StageConfig } from './agents-stage.ts';
import { type FrozenNetwork, networkFromCheckpoint, publisherOfFrozen } from './network-policy.ts';
import type { TableEntry } from './policy-table.ts';

export type ObjectiveAgentsConfig = StageConfig & {
  readonly learners: { readonly numLearnerThreads: number | 'auto' };
};

/** What an algorithm brings. P = what it says of a policy. */
export interface ObjectiveAgentsLearning<C, P extends ObjectiveSystemParts> {
  /** A policy's config: the run's, with options of `training` of its own. @throws ConfigError for overrides that are none. */
  configOf(entry: TableEntry): C;
  /** Networks, objective and behaviour for agents with these spaces. */
  describe(env: EnvDescription, config: C): P;
}

/** A network of the algorithm's own kind. */
export interface OwnNetwork<C, P> {
  readonly config: C;
  readonly parts: P;
  readonly acting: ActingNetwork;
  readonly spec: ActingSpec;
  readonly weights: WeightBufferLayout;
  readonly learner: ReservedObjectiveLearner;
}

/** A row of the table with what acts. */
export interface PreparedObjective<C, P> {
  readonly entry: TableEntry;
  readonly plan: PolicyPlan;
  /** null = it does not learn. */
  readonly own: OwnNetwork<C, P> | null;
  /** null = it is no network, or it learns. */
  readonly frozen: FrozenNetwork | null;
}

/** @throws ConfigError for a policy that cannot act or learn here. */
export async function prepareObjective<C extends ObjectiveAgentsConfig, P extends ObjectiveSystemParts>(
  planner: ArenaPlanner,
  entry: TableEntry,
  seats: SeatLayout,
  learning: ObjectiveAgentsLearning<C, P>,
): Promise<PreparedObjective<C, P>> {
  const { name, acts } = entry;
  const group = seats.groups[entry.group];
  const config = learning.configOf(entry);
  const planOf = (spec: ActingSpec, planned: PolicyPlan['acts']): PolicyPlan => ({
    ...{ name, spec, group: entry.group },
    acts: planned,
  });
  if (acts.kind === 'random' || acts.kind === 'module')
    return { entry, plan: planOf(scriptedSpec(group), planScript(acts)), own: null, frozen: null };
  const planNetwork = (spec: ActingSpec) => {
    const weights = reserveWeightBuffer(planner, actingLayout(spec).size, spec.observationSize);
    return { weights, plan: planOf(spec, { kind: 'network', weights, critic: null }) };
  };
  if (acts.kind === 'checkpoint') {
    const frozen = await networkFromCheckpoint(name, acts, group);
    return { entry, plan: planNetwork(frozen.spec).plan, own: null, frozen };
  }
  const parts = learning.describe(describeGroup(group), config);
  const acting: ActingNetwork = { ...parts.acting, actionMaskSize: group.maskSize };
  const spec = actingSpecOf(parts.model, acting);
  if (spec.network.kind !== 'mlp')
    throw new ConfigError(
      'CONFIG_SEVERAL_AGENTS',
      `Among several agents policies are MLPs, and that of \`${name}\` is '${spec.network.kind}': leave \`network\` out.`,
    );
  const { weights, plan } = planNetwork(spec);
  if (!acts.learns) return { entry, plan, own: null, frozen: freshActor(parts, acting, spec, config, name) };
  const learner = await reserveObjectiveLearner(planner, parts, {
    choice: { engine: 'simd', reason: 'several agents' },
    numLearnerThreads: config.learners.numLearnerThreads,
    captureGraph: config.learners.captureGraph,
    spec,
  });
  return { entry, plan, frozen: null, own: { config, parts, acting, spec, weights, learner } };
}

/** Agents of one kind, as an environment of one of them would be described. */
function describeGroup({ spaces, maskSize }: SeatGroup): EnvDescription {
  const { observationSpace, actionSpace } = spaces;
  return {
    ...{ observationSpace, actionSpace, actionMaskSize: maskSize, frameStack: null },
    observation: flattenObservationSpace(observationSpace),
    action: flattenActionSpace(actionSpace),
  };
}

/** Sizes of what is no network. */
function scriptedSpec({ spaces, maskSize }: SeatGroup): ActingSpec {
  return createPolicySpec(
    { ...spaces, actionMaskSize: maskSize },
    {
      ...{ network: 'mlp', networkOptions: {}, hiddenSizes: [], activation: 'tanh', sharedLayers: false },
      ...{
        convLayers: null,
        orthogonalInit: false,
        hiddenGain: 1,
        policyGain: 1,
        valueGain: 1,
        logStdInit: 0,
      },
      ...{ squashActions: false, useGsde: false, gsdeSampleFrequency: 1 },
      ...{ normalizeObservations: false, clipObservation: 1 },
    },
    locateNetwork,
  );
}

/** First weights of a network that could learn and does not. */
function freshActor(
  { model, initialization }: ObjectiveSystemParts,
  acting: ActingNetwork,
  spec: ActingSpec,
  { debugging }: StageConfig,
  name: string,
): FrozenNetwork {
  const all = initializeModel(model, policyStream(debugging.seed, 'initialize', name), initialization);
  return { spec, parameters: actingParameters(model, acting, all), statistics: null };
}

export function publishersOfFrozen(
  { buffer }: Arena,
  prepared: readonly Pick<PreparedObjective<unknown, unknown>, 'plan' | 'frozen'>[],
): readonly (() => void)[] {
  return prepared.flatMap(({ plan: { acts }, frozen }) =>
    acts.kind !== 'network' || frozen === null ? [] : [publisherOfFrozen(buffer, acts.weights, frozen)],
  );
}
