/** What learning among several agents stands on: environments, policies, arena, learners and runners, made from a config. */
import { numEnvRunnersOf } from '../../config/derived.ts';
import type { AgentsEnvs } from '../../env/agents/agents-envs.ts';
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import type { Space } from '../../env/spaces.ts';
import { ConfigError } from '../../errors.ts';
import type { ThreadTeam } from '../../learner/simd/thread-team.ts';
import { type Arena, createArena, createArenaPlanner } from '../../memory/arena.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { criticInputSize, initializeAgents, reserveAgents } from '../../rollout/agents/agents-layout.ts';
import type { AgentsPlan } from '../../rollout/agents/agents-plan.ts';
import { borrowThreads } from '../../rollout/borrowed-threads.ts';
import { dropWarmThreads, warmThreads } from '../../rollout/thread-pool.ts';
import { type KernelModule, loadKernels } from '../../simd/loader.ts';
import { numHelpersOf, type ReservedLearner } from '../create-learner.ts';
import { createObservationScaling } from '../observation-statistics.ts';
import { startAndCreate } from '../start-runners.ts';
import { createAgentsCuriosity } from './agents-curiosity.ts';
import {
  type AgentsConfig,
  type AgentsLearning,
  type AgentsMemory,
  IN_STEP,
  type LearningPolicy,
  type PreparedPolicy,
  preparePolicy,
  type ReservedPolicy,
  reserveLearners,
} from './agents-policies.ts';
import { type AgentsStage, checkStage, frozenOf, openSeats, refuseAmongSeveral } from './agents-stage.ts';
import { createAgentsRunners, reserveAgentsRunners } from './create-agents-runners.ts';
import { openTable, planCast } from './plan-cast.ts';
import { createPublishing } from './publish-policies.ts';
import { createValueScale } from './value-scale.ts';

export interface AgentsSystem<C> extends AgentsStage {
  readonly learning: readonly LearningPolicy<C>[];
  /** As `publish`, in the middle of what was begun with that: whom episodes are played against stays as it is. */
  publishWeights(): number;
}

/**
 * Builds the system, its runners ready to collect.
 *
 * @throws ConfigError when environment, options and policies do not fit; EnvError or WorkerError when a runner cannot start. Nothing is left
 * running then.
 */
export async function createAgentsSystem<C extends AgentsConfig>(
  config: C,
  learning: AgentsLearning<C>,
  memory = IN_STEP,
): Promise<AgentsSystem<C>> {
  checkStage(config);
  if (config.envRunners.normalizeRewards) refuseAmongSeveral('normalizeRewards');
  warmThreads({ numThreads: numEnvRunnersOf(config), memoryMb: config.envRunners.workerMemoryMb });
  try {
    return await assemble(config, learning, memory);
  } finally {
    await dropWarmThreads();
  }
}

async function assemble<C extends AgentsConfig>(
  config: C,
  learning: AgentsLearning<C>,
  memory: AgentsMemory,
): Promise<AgentsSystem<C>> {
  const { debugging, learners } = config;
  const { source, seats, curriculum, ...known } = await openSeats(config);
  const criticSizes = criticSizesOf(config, known, seats);
  const planner = createArenaPlanner();
  const cast = openTable(config, seats);
  const { table } = cast;
  const { numSets, numVersions, columns } = memory;
  const prepared: PreparedPolicy<C>[] = [];
  for (const entry of table.entries)
    prepared.push(await preparePolicy(planner, entry, seats, learning, criticSizes, numVersions));
  /** Who is curious wants to know what the end of a life looked like. */
  const isCurious = prepared.some(({ learns, config: own }) => learns && own.training.curiosity !== null);
  const { numEnvs, rolloutLength } = config.envRunners;
  const { agents, openLeague } = planCast(planner, config, seats, cast, prepared, (specs) => ({
    layout: reserveAgents(
      planner,
      ...([seats, specs, criticSizes, numEnvs, rolloutLength] as const),
      ...([isCurious ? { ...columns, finalObservations: true } : columns, numSets] as const),
    ),
    keepsAllEnds: isCurious,
  }));
  const regions = reserveAgentsRunners(planner, config, numEnvRunnersOf(config), agents);
  const reserved = reserveLearners(planner, config, learning, prepared, agents, memory);
  const kernels = await loadKernels({
    deterministic: debugging.deterministic,
    native: learners.nativeKernels,
  });
  const arena = createArena(planner);
  initializeAgents(arena.buffer, agents.layout);
  const helper = reserved.length === 1 ? reserved[0].learner.helper : null;
  const runners = createAgentsRunners(config, {
    ...{ arena, kernels, source, agents, regions, helper },
    learns: agents.policies.map((_, index) => prepared[index]?.learns === true),
    envOptions: curriculum?.initial ?? null,
  });
  const threads =
    runners.team !== null && helper !== null ? borrowThreads(runners.team, numHelpersOf(config)) : null;
  const made = await startAndCreate(runners, () =>
    createLearning(config, learning, { prepared, agents }, { seats, reserved, arena, kernels, threads }),
  );
  const publishWeights = createPublishing(arena.buffer, prepared, made.list);
  const league = openLeague?.(arena.buffer) ?? null;
  return {
    ...{ source, seats, criticSizes, table, learning: made.list, runners, curriculum, league },
    frozen: frozenOf(prepared),
    publishWeights,
    publish() {
      league?.prepare();
      return publishWeights();
    },
    async stop() {
      await runners.stop();
      await made.dispose();
    },
  };
}

/** One after the other: they share the arena. */
async function createLearning<C extends AgentsConfig>(
  { multiAgent: { normalizeValues } }: C,
  learning: AgentsLearning<C>,
  { prepared, agents }: { readonly prepared: readonly PreparedPolicy<C>[]; readonly agents: AgentsPlan },
  { seats, reserved, arena, kernels, threads }: LearningPlaces,
): Promise<{ readonly list: readonly LearningPolicy<C>[]; dispose(): Promise<void> }> {
  const create = (learner: ReservedLearner) => learner.create(arena, kernels, threads);
  const list: LearningPolicy<C>[] = [];
  const dispose = async () => {
    const started = list.flatMap(({ learner, critic }) => [learner, ...(critic ? [critic.learner] : [])]);
    await Promise.all([
      ...started.map((learner) => learner.dispose()),
      ...list.map(({ curiosity }) => curiosity?.stop()),
    ]);
  };
  for (const { learner, critic, index, place } of reserved) {
    const { entry, spec, config } = prepared[index];
    const { numRows, rolloutLength } = agents.layout.rollouts[entry.group];
    const { minibatchSize } = learning.boundsOf(config, numRows * rolloutLength);
    const { observationSpace } = seats.groups[entry.group].spaces;
    const scalingOf = (network: PolicySpec, space: Space) =>
      createObservationScaling(network, space, config.envRunners.normalizeObservations);
    const { critic: criticNetwork } = prepared[index];
    list.push({
      ...{ name: entry.name, group: entry.group, index, spec, config },
      learner: await create(learner),
      scaling: scalingOf(spec, observationSpace),
      critic:
        critic === null || criticNetwork === null
          ? null
          : {
              spec: criticNetwork,
              learner: await create(critic),
              scaling: scalingOf(criticNetwork, observationSpace), // float32: the space is not looked at
            },
      valueScale: normalizeValues ? createValueScale(entry.name) : null,
      curiosity: await createAgentsCuriosity(prepared[index], seats, kernels, minibatchSize).catch(
        async (error: unknown) => {
          await dispose();
          throw error;
        },
      ),
      place: { ...place, arena, kernels },
    });
  }
  return { list, dispose };
}

interface LearningPlaces {
  readonly seats: SeatLayout;
  readonly reserved: readonly ReservedPolicy[];
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly threads: ThreadTeam | null;
}

/** What central critics read, by group of seats. @throws ConfigError `CONFIG_SEVERAL_AGENTS` where there is nothing to read. */
function criticSizesOf(
  { multiAgent, training }: AgentsConfig,
  { envId, stateSize }: Pick<AgentsEnvs, 'envId' | 'stateSize'>,
  { groups }: SeatLayout,
): readonly number[] {
  if (multiAgent.critic === 'own') return groups.map(() => 0);
  const refuse = (problem: string) => {
    throw new ConfigError('CONFIG_SEVERAL_AGENTS', `critic: 'central' ${problem}, or leave it out.`);
  };
  if (stateSize === 0)
    refuse(
      `needs an environment with a central state, and ${envId} has none: give it \`stateSpace\` and \`state\``,
    );
  if (training.sharedLayers) refuse('and sharedLayers exclude each other: leave sharedLayers out');
  return groups.map((group) => criticInputSize(group, stateSize));
}
