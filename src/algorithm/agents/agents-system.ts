/** What learning among several agents stands on: environments, policies, arena, learners and runners, made from a config. */
import { numEnvRunnersOf } from '../../config/derived.ts';
import { makeAgentsEnvs } from '../../env/agents/load-agents-env.ts';
import { createSeatLayout, type SeatLayout } from '../../env/agents/seat-layout.ts';
import type { EnvSource } from '../../env/env-source.ts';
import { ConfigError } from '../../errors.ts';
import type { Learner } from '../../learner/learner.ts';
import { type ArenaPlanner, createArena, createArenaPlanner } from '../../memory/arena.ts';
import { locateModule } from '../../modules/module-reference.ts';
import { mlpParameterLayout } from '../../policy/networks/mlp-parameters.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { initializeAgents, reserveAgents } from '../../rollout/agents/agents-layout.ts';
import type { AgentsPlan } from '../../rollout/agents/agents-plan.ts';
import { agentsScratchBytes } from '../../rollout/agents/agents-runner.ts';
import { type AgentsRunnerGroup, createAgentsRunnerGroup } from '../../rollout/agents/agents-runner-group.ts';
import type { PolicyPlan } from '../../rollout/agents/policy-plan.ts';
import { borrowThreads } from '../../rollout/borrowed-threads.ts';
import { reserveControlWords } from '../../rollout/control-words.ts';
import { dropWarmThreads, warmThreads } from '../../rollout/thread-pool.ts';
import { loadKernels } from '../../simd/loader.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../../weights/weight-buffer.ts';
import {
  type LossParts,
  numHelpersOf,
  type PlanBounds,
  type ReservedLearner,
  reserveSimd,
} from '../create-learner.ts';
import { environmentSource } from '../environment-source.ts';
import { locateNetwork } from '../locate-network.ts';
import { createObservationScaling, type ObservationScaling } from '../observation-statistics.ts';
import type { OnPolicyConfig } from '../on-policy-config.ts';
import { createPolicySpec } from '../policy-setup.ts';
import { startAndCreate } from '../start-runners.ts';
import { type FrozenNetwork, freshNetwork, networkFromCheckpoint, policyStream } from './network-policy.ts';
import {
  createPolicyTable,
  type MultiAgentConfig,
  type PolicyTable,
  type TableEntry,
} from './policy-table.ts';

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

export interface AgentsSystem<C> {
  readonly source: EnvSource;
  readonly seats: SeatLayout;
  readonly table: PolicyTable;
  readonly learning: readonly LearningPolicy<C>[];
  readonly frozen: readonly {
    readonly name: string;
    readonly group: number;
    readonly network: FrozenNetwork;
  }[];
  readonly runners: AgentsRunnerGroup;
  /** Makes everybody's weights those that they act with; returns the version, the same for all. */
  publish(): number;
  stop(): Promise<void>;
}

/** What an algorithm brings. */
export interface AgentsLearning<C> {
  /** A policy's config. @throws ConfigError for overrides that are no options of `training`. */
  configOf(entry: TableEntry): C;
  lossOf(config: C): LossParts;
  boundsOf(config: C): PlanBounds;
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
): Promise<AgentsSystem<C>> {
  checkSupported(config);
  warmThreads({ numThreads: numEnvRunnersOf(config), memoryMb: config.envRunners.workerMemoryMb });
  try {
    return await assemble(config, learning);
  } finally {
    await dropWarmThreads();
  }
}

/** Options that mean nothing yet with several agents: better refused than ignored. */
function checkSupported({ envRunners, learners, faultTolerance, evaluation }: AgentsConfig): void {
  const refuse = (what: string) => {
    throw new ConfigError(
      'CONFIG_SEVERAL_AGENTS',
      `${what} is not there for environments of several agents: leave it out.`,
    );
  };
  if (learners.engine === 'tensorflow') refuse("engine: 'tensorflow'");
  if (envRunners.inference === 'central') refuse("inference: 'central'");
  if (evaluation.evaluationEnv !== null) refuse('evaluationEnv');
  if (Object.keys(evaluation.evaluationEnvOptions).length > 0) refuse('evaluationEnvOptions');
  if (envRunners.normalizeRewards) refuse('normalizeRewards');
  if (faultTolerance.restartFailedEnvs === 'new-episode') refuse("restartFailedEnvs: 'new-episode'");
}

/** A row of the table with what acts. */
interface Prepared<C> {
  readonly entry: TableEntry;
  readonly plan: PolicyPlan;
  readonly spec: PolicySpec;
  readonly config: C;
  readonly frozen: FrozenNetwork | null;
  readonly learns: boolean;
}

async function assemble<C extends AgentsConfig>(
  config: C,
  learning: AgentsLearning<C>,
): Promise<AgentsSystem<C>> {
  const { envRunners, debugging, learners } = config;
  const source = environmentSource(config);
  const probe = await makeAgentsEnvs(source, 1);
  const seats = createSeatLayout(probe.seats);
  probe.close();
  const table = createPolicyTable(config.multiAgent, seats);
  const planner = createArenaPlanner();
  const prepared: Prepared<C>[] = [];
  for (const entry of table.entries)
    prepared.push(await prepare(planner, entry, seats, learning, debugging.seed));
  const specs = seats.groups.map((_, g) => firstSpec(prepared, g));
  const agents: AgentsPlan = {
    layout: reserveAgents(planner, seats, specs, envRunners.numEnvs, envRunners.rolloutLength),
    policies: prepared.map(({ plan }) => plan),
    assignment: table.assignment,
    maxPlayEnvs: config.evaluation.evaluationNumEnvs,
  };
  const numRegions = Math.max(1, numEnvRunnersOf(config));
  const scratchBytes = agentsScratchBytes(agents, Math.ceil(envRunners.numEnvs / numRegions));
  const scratch = Array.from({ length: numRegions }, () => planner.reserve(scratchBytes));
  const control = reserveControlWords(planner, numRegions);
  const reserved = reserveLearners(planner, config, learning, prepared, agents);
  const kernels = await loadKernels({
    deterministic: debugging.deterministic,
    native: learners.nativeKernels,
  });
  const arena = createArena(planner);
  initializeAgents(arena.buffer, agents.layout);
  const helper = reserved.length === 1 ? reserved[0].learner.helper : null;
  const runners = createAgentsRunnerGroup({
    ...{ arena, kernels, source, agents, scratch, seed: debugging.seed, numEnvs: envRunners.numEnvs },
    learns: prepared.map(({ learns }) => learns),
    threads: threadOptions(config, {
      memory: arena.memory,
      kernels,
      source,
      control,
      helper,
      agents,
      seed: debugging.seed,
    }),
  });
  const threads =
    runners.team !== null && helper !== null ? borrowThreads(runners.team, numHelpersOf(config)) : null;
  const made = await startAndCreate(runners, () =>
    createLearning(prepared, seats, reserved, (learner) => learner.create(arena, kernels, threads)),
  );
  const frozen = prepared.flatMap(({ entry, frozen: network }) =>
    network === null ? [] : [{ name: entry.name, group: entry.group, network }],
  );
  return {
    ...{ source, seats, table, learning: made.list, frozen, runners },
    publish: createPublishing(arena.buffer, prepared, made.list),
    async stop() {
      await runners.stop();
      await made.dispose();
    },
  };
}

/** One after the other: they share the arena. */
async function createLearning<C extends AgentsConfig>(
  prepared: readonly Prepared<C>[],
  seats: SeatLayout,
  reserved: readonly { readonly learner: ReservedLearner; readonly index: number }[],
  create: (learner: ReservedLearner) => Promise<Learner>,
): Promise<{ readonly list: readonly LearningPolicy<C>[]; dispose(): Promise<void> }> {
  const list: LearningPolicy<C>[] = [];
  for (const { learner, index } of reserved) {
    const { entry, spec, config } = prepared[index];
    const { observationSpace } = seats.groups[entry.group].spaces;
    const scaling = createObservationScaling(spec, observationSpace, config.envRunners.normalizeObservations);
    list.push({
      ...{ name: entry.name, group: entry.group, index, spec, config, scaling },
      learner: await create(learner),
    });
  }
  const dispose = async () => void (await Promise.all(list.map(({ learner }) => learner.dispose())));
  return { list, dispose };
}

function firstSpec<C>(prepared: readonly Prepared<C>[], g: number): PolicySpec {
  const found = prepared.find(({ entry }) => entry.group === g);
  if (found === undefined) throw new TypeError(`Group ${g} has no policy.`);
  return found.spec;
}

async function prepare<C extends AgentsConfig>(
  planner: ArenaPlanner,
  entry: TableEntry,
  seats: SeatLayout,
  learning: AgentsLearning<C>,
  seed: number,
): Promise<Prepared<C>> {
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

function reserveLearners<C extends AgentsConfig>(
  planner: ArenaPlanner,
  config: C,
  learning: AgentsLearning<C>,
  prepared: readonly Prepared<C>[],
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

function threadOptions(
  config: AgentsConfig,
  plan: { readonly source: EnvSource } & Omit<
    Extract<
      NonNullable<Parameters<typeof createAgentsRunnerGroup>[0]['threads']>['plan'],
      { agents: AgentsPlan }
    >,
    'source'
  >,
): Parameters<typeof createAgentsRunnerGroup>[0]['threads'] {
  if (numEnvRunnersOf(config) === 0) return null;
  const { faultTolerance, envRunners } = config;
  const { source } = plan;
  if (source.kind === 'factory') {
    throw new ConfigError(
      'CONFIG_ENV_FACTORY',
      `A factory function cannot be posted to a worker thread, and numEnvRunners is ${numEnvRunnersOf(config)}. Export it from a module and give its path, or set numEnvRunners to 0.`,
    );
  }
  return {
    plan: { ...plan, source },
    deadlineMs: faultTolerance.workerDeadlineSeconds * 1000,
    maxRestarts: faultTolerance.maxWorkerRestarts,
    restartWindowMs: faultTolerance.restartWindowSeconds * 1000,
    memoryMb: envRunners.workerMemoryMb,
  };
}

function createPublishing<C>(
  buffer: ArrayBufferLike,
  prepared: readonly Prepared<C>[],
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
