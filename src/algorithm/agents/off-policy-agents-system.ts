/** What off-policy learning among several agents stands on: environments, policies, and for each that learns a replay buffer and a learner. */
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import { OFF_POLICY_COLUMNS } from '../../experience/layout.ts';
import type { ObjectiveLearner } from '../../learner/objective-learner.ts';
import { type Arena, createArena, createArenaPlanner } from '../../memory/arena.ts';
import type { ActingNetwork } from '../../policy/networks/acting-network.ts';
import { initializeModel } from '../../policy/networks/initialize-model.ts';
import type { ActingSpec } from '../../policy/policy-spec.ts';
import { availableMemory } from '../../replay/available-memory.ts';
import { checkReplayMemory, replayBytes } from '../../replay/replay-spec.ts';
import { createRowRings, type RowRings, rowRingsSpec } from '../../replay/row-rings.ts';
import { initializeAgents, reserveAgents } from '../../rollout/agents/agents-layout.ts';
import { dropWarmThreads, warmThreads } from '../../rollout/thread-pool.ts';
import { type KernelModule, loadKernels } from '../../simd/loader.ts';
import type { Exploration } from '../../weights/exploration.ts';
import { type ActingWeights, createActingWeights } from '../acting-weights.ts';
import { numOffPolicyRunners } from '../num-off-policy-runners.ts';
import { withNotes } from '../objective-system.ts';
import { createObservationScaling, type ObservationScaling } from '../observation-statistics.ts';
import { checkHoldsBatch, type OffPolicyParts, replaySpecOf } from '../off-policy-system.ts';
import { policyStream } from '../policy-names.ts';
import { startAndCreate } from '../start-runners.ts';
import { type AgentsExperience, createAgentsExperience } from './agents-experience.ts';
import { type AgentsStage, checkStage, frozenOf, openSeats } from './agents-stage.ts';
import { createAgentsRunners, reserveAgentsRunners } from './create-agents-runners.ts';
import {
  type OffPolicyAgentsConfig,
  type OffPolicyAgentsLearning,
  type OwnNetwork,
  type PreparedOffPolicy,
  prepareOffPolicy,
  publishersOfFrozen,
} from './off-policy-agents-policies.ts';
import { openTable, planCast } from './plan-cast.ts';

/** A policy that learns, with all that is its own. */
export interface OffPolicyLearner<C> {
  readonly name: string;
  /** Index in the table. */
  readonly index: number;
  readonly group: number;
  readonly config: C;
  /** What it was made from. */
  readonly parts: OffPolicyParts;
  readonly spec: ActingSpec;
  readonly acting: ActingNetwork;
  readonly learner: ObjectiveLearner;
  readonly scaling: ObservationScaling;
  readonly replay: RowRings;
  readonly experience: AgentsExperience;
  /** One line for people: what the buffer takes. */
  readonly replayMemory: string;
  readonly publish: ActingWeights['publish'];
}

export interface OffPolicyAgentsSystem<C> extends AgentsStage {
  readonly learning: readonly OffPolicyLearner<C>[];
  /** @param exploration of learner k of `learning` from now on; default: as before. */
  publish(exploration?: (k: number) => Exploration): number;
}

/**
 * Builds the system, its runners ready to collect, its buffers empty.
 *
 * @throws ConfigError when environment, options and policies do not fit; EnvError or WorkerError when a runner cannot start. Nothing is left
 * running then.
 */
export async function createOffPolicyAgentsSystem<C extends OffPolicyAgentsConfig>(
  config: C,
  learning: OffPolicyAgentsLearning<C>,
): Promise<OffPolicyAgentsSystem<C>> {
  checkStage(config);
  warmThreads({ numThreads: numOffPolicyRunners(config), memoryMb: config.envRunners.workerMemoryMb });
  try {
    return await assemble(config, learning);
  } finally {
    await dropWarmThreads();
  }
}

async function assemble<C extends OffPolicyAgentsConfig>(
  config: C,
  learning: OffPolicyAgentsLearning<C>,
): Promise<OffPolicyAgentsSystem<C>> {
  const { envRunners, debugging, learners } = config;
  const { source, seats, curriculum } = await openSeats(config);
  const planner = createArenaPlanner();
  const cast = openTable(config, seats);
  const { table, matches } = cast;
  const prepared: PreparedOffPolicy<C>[] = [];
  for (const entry of table.entries) prepared.push(await prepareOffPolicy(planner, entry, seats, learning));
  const noCritics = seats.groups.map(() => 0);
  const { agents, openLeague } = planCast(planner, config, seats, cast, prepared, (specs) =>
    reserveAgents(
      planner,
      seats,
      specs,
      noCritics,
      envRunners.numEnvs,
      config.training.trainEvery,
      OFF_POLICY_COLUMNS,
    ),
  );
  const regions = reserveAgentsRunners(planner, config, numOffPolicyRunners(config), agents);
  const kernels = await loadKernels({
    deterministic: debugging.deterministic,
    native: learners.nativeKernels,
  });
  const arena = createArena(planner);
  initializeAgents(arena.buffer, agents.layout);
  const runners = createAgentsRunners(config, {
    ...{ arena, kernels, source, agents, regions, helper: null },
    learns: agents.policies.map((_, index) => (prepared[index]?.own ?? null) !== null),
    envOptions: curriculum?.initial ?? null,
  });
  const { list, dispose } = await startAndCreate(runners, async () => {
    const mayAct = (s: number, index: number) => matches !== null || table.assignment[s].includes(index);
    const made = await createLearners(prepared, seats, mayAct, envRunners.numEnvs, arena, kernels);
    const end = async () => void (await Promise.all(made.map(({ learner }) => learner.dispose())));
    return { list: made, dispose: end };
  });
  const publishFrozen = publishersOfFrozen(arena, prepared);
  let numPublished = 0;
  return {
    ...{ source, seats, table, learning: list, runners, curriculum },
    league: openLeague?.(arena.buffer) ?? null,
    frozen: frozenOf(prepared),
    criticSizes: noCritics,
    publish(exploration) {
      for (const publish of publishFrozen) publish();
      for (const [k, { publish }] of list.entries()) publish(exploration?.(k));
      return numPublished++;
    },
    async stop() {
      await runners.stop();
      await dispose();
    },
  };
}

/** Whether a policy of the table may act for a seat; in self-play those that learn may for all. */
type MayAct = (seat: number, index: number) => boolean;

/** One after the other: they share the arena. */
async function createLearners<C extends OffPolicyAgentsConfig>(
  prepared: readonly PreparedOffPolicy<C>[],
  seats: SeatLayout,
  mayAct: MayAct,
  numEnvs: number,
  arena: Arena,
  kernels: KernelModule,
): Promise<OffPolicyLearner<C>[]> {
  const list: OffPolicyLearner<C>[] = [];
  let available = availableMemory(); // what a buffer was planned with is taken, whenever its rows take it
  for (const [index, { entry, own }] of prepared.entries()) {
    if (own === null) continue;
    const { name, group } = entry;
    const ringOf = ringsOf(seats, mayAct, index, group, numEnvs);
    const made = await createLearner(own, arena, kernels, name, seats.groups[group].spaces.observationSpace);
    const { numBytes, ...memory } = createMemory(own, ringOf, available);
    available -= numBytes;
    const experience = createAgentsExperience(memory.replay, index, ringOf);
    list.push({ ...{ name, index, group, experience }, ...own, ...made, ...memory });
  }
  return list;
}

async function createLearner<C extends OffPolicyAgentsConfig>(
  { config, parts, spec, acting, weights: weightLayout, learner: reserved }: OwnNetwork<C>,
  arena: Arena,
  kernels: KernelModule,
  name: string,
  observationSpace: Parameters<typeof createObservationScaling>[1],
) {
  const { debugging, envRunners } = config;
  const learner = await reserved.create(arena, kernels);
  const stream = policyStream(debugging.seed, 'initialize', name);
  learner.writeParameters(initializeModel(parts.model, stream, parts.initialization));
  const scaling = createObservationScaling(spec, observationSpace, envRunners.normalizeObservations);
  const weights = createActingWeights({ spec, acting, learner, central: null, scaling, arena, weightLayout });
  return { learner: withNotes(learner, weights), scaling, publish: weights.publish };
}

/** @throws ConfigError `CONFIG_REPLAY_MEMORY`, `CONFIG_CONFLICT` where it is too small. */
function createMemory<C extends OffPolicyAgentsConfig>(
  { config, parts, spec }: OwnNetwork<C>,
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
  index: number,
  group: number,
  numEnvs: number,
): Int32Array {
  const { seats } = groups[group];
  let numRings = 0;
  return Int32Array.from({ length: numEnvs * seats.length }, (_, n) =>
    mayAct(seats[n % seats.length], index) ? numRings++ : -1,
  );
}
