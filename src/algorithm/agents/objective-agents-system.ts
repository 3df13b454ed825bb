/** What learning objectives among several agents stands on: environments, policies, and a learner for each that learns, made from a config. */
import type { ObjectiveLearner } from '../../learner/objective-learner.ts';
import { type Arena, createArena, createArenaPlanner } from '../../memory/arena.ts';
import { initializeModel } from '../../policy/networks/initialize-model.ts';
import { initializeAgents, reserveAgents } from '../../rollout/agents/agents-layout.ts';
import { dropWarmThreads, warmThreads } from '../../rollout/thread-pool.ts';
import { type KernelModule, loadKernels } from '../../simd/loader.ts';
import type { Exploration } from '../../weights/exploration.ts';
import { type ActingWeights, createActingWeights } from '../acting-weights.ts';
import { type ObjectiveSystemOptions, type ObjectiveSystemParts, withNotes } from '../objective-system.ts';
import { createObservationScaling, type ObservationScaling } from '../observation-statistics.ts';
import { policyStream } from '../policy-names.ts';
import { startAndCreate } from '../start-runners.ts';
import { type AgentsStage, checkStage, frozenOf, openSeats } from './agents-stage.ts';
import { createAgentsRunners, reserveAgentsRunners } from './create-agents-runners.ts';
import {
  type ObjectiveAgentsConfig,
  type ObjectiveAgentsLearning,
  type OwnNetwork,
  type PreparedObjective,
  prepareObjective,
  publishersOfFrozen,
} from './objective-agents-policies.ts';
import { openTable, planCast } from './plan-cast.ts';

/** A policy that learns, with all that is its own. */
export type LearningObjective<C, P> = Pick<OwnNetwork<C, P>, 'config' | 'parts' | 'spec' | 'acting'> & {
  readonly name: string;
  /** Index in the table. */
  readonly index: number;
  readonly group: number;
  readonly learner: ObjectiveLearner;
  readonly scaling: ObservationScaling;
  readonly publish: ActingWeights['publish'];
};

export interface ObjectiveAgentsSystem<C, P> extends AgentsStage {
  readonly learning: readonly LearningObjective<C, P>[];
  /** @param exploration of learner k of `learning` from now on; default: as before. */
  publish(exploration?: (k: number) => Exploration): number;
}

/**
 * Builds the system, its runners ready to collect.
 *
 * @throws ConfigError when environment, options and policies do not fit; EnvError or WorkerError when a runner cannot start. Nothing is left
 * running then.
 */
export async function createObjectiveAgentsSystem<
  C extends ObjectiveAgentsConfig,
  P extends ObjectiveSystemParts,
>(
  config: C,
  options: ObjectiveSystemOptions,
  learning: ObjectiveAgentsLearning<C, P>,
): Promise<ObjectiveAgentsSystem<C, P>> {
  checkStage(config);
  warmThreads({ numThreads: options.numEnvRunners, memoryMb: config.envRunners.workerMemoryMb });
  try {
    return await assemble(config, options, learning);
  } finally {
    await dropWarmThreads();
  }
}

async function assemble<C extends ObjectiveAgentsConfig, P extends ObjectiveSystemParts>(
  config: C,
  { rolloutLength, columns, numEnvRunners }: ObjectiveSystemOptions,
  learning: ObjectiveAgentsLearning<C, P>,
): Promise<ObjectiveAgentsSystem<C, P>> {
  const { debugging, learners } = config;
  const { source, seats, curriculum } = await openSeats(config);
  const planner = createArenaPlanner();
  const cast = openTable(config, seats);
  const { table } = cast;
  const prepared: PreparedObjective<C, P>[] = [];
  for (const entry of table.entries) prepared.push(await prepareObjective(planner, entry, seats, learning));
  const noCritics = seats.groups.map(() => 0);
  const { numEnvs } = config.envRunners;
  const { agents, openLeague } = planCast(planner, config, seats, cast, prepared, (specs) => ({
    layout: reserveAgents(planner, seats, specs, noCritics, numEnvs, rolloutLength, columns),
    keepsAllEnds: false,
  }));
  const regions = reserveAgentsRunners(planner, config, numEnvRunners, agents);
  const { deterministic } = debugging;
  const kernels = await loadKernels({ deterministic, native: learners.nativeKernels });
  const arena = createArena(planner);
  initializeAgents(arena.buffer, agents.layout);
  const runners = createAgentsRunners(config, {
    ...{ arena, kernels, source, agents, regions, helper: null },
    learns: agents.policies.map((_, index) => (prepared[index]?.own ?? null) !== null),
    envOptions: curriculum?.initial ?? null,
  });
  const { list, dispose } = await startAndCreate(runners, () =>
    createLearners(prepared, seats, arena, kernels),
  );
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

/** One after the other: they share the arena. */
async function createLearners<C extends ObjectiveAgentsConfig, P extends ObjectiveSystemParts>(
  prepared: readonly PreparedObjective<C, P>[],
  { groups }: AgentsStage['seats'],
  arena: Arena,
  kernels: KernelModule,
) {
  const list: LearningObjective<C, P>[] = [];
  for (const [index, { entry, own }] of prepared.entries()) {
    if (own === null) continue;
    const { name, group } = entry;
    const { config, parts, spec, acting, weights: weightLayout } = own;
    const learner = await own.learner.create(arena, kernels);
    const stream = policyStream(config.debugging.seed, 'initialize', name);
    learner.writeParameters(initializeModel(parts.model, stream, parts.initialization));
    const { observationSpace } = groups[group].spaces;
    const { normalizeObservations } = config.envRunners;
    const scaling = createObservationScaling(spec, observationSpace, normalizeObservations);
    const made = { spec, acting, learner, central: null, scaling, arena, weightLayout };
    const weights = createActingWeights(made);
    list.push({
      ...{ name, index, group, config, parts, spec, acting, scaling },
      learner: withNotes(learner, weights),
      publish: weights.publish,
    });
  }
  const dispose = async () => void (await Promise.all(list.map(({ learner }) => learner.dispose())));
  return { list, dispose };
}
