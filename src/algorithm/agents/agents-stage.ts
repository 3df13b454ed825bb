/** What learning among several agents is played on, whatever is learned: seats, policies, runners; and what of a config that takes. */
import type { commonOptions } from '../../config/common-options.ts';
import type { ResolvedConfig } from '../../config/option.ts';
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import type { EnvSource } from '../../env/env-source.ts';
import { ConfigError } from '../../errors.ts';
import type { AgentsPlan } from '../../rollout/agents/agents-plan.ts';
import type { AgentsGroupOptions, AgentsRunnerGroup } from '../../rollout/agents/agents-runner-group.ts';
import type { RunningCurriculum } from '../curriculum/curriculum.ts';
import type { RunningLeague } from '../league/league.ts';
import type { FrozenNetwork } from './network-policy.ts';
import type { PoliciesConfig, PolicyTable } from './policy-table.ts';

/** The sections that it reads. */
export type StageConfig = ResolvedConfig<typeof commonOptions> & { readonly multiAgent: PoliciesConfig };

export interface FrozenPolicy {
  readonly name: string;
  readonly group: number;
  readonly network: FrozenNetwork;
}

export interface AgentsStage {
  readonly source: EnvSource;
  readonly seats: SeatLayout;
  /** What a central critic reads of a row, by group of seats; 0 = nothing, there is none. */
  readonly criticSizes: readonly number[];
  readonly table: PolicyTable;
  /** Those that learn; `index` is that in the table. */
  readonly learning: readonly { readonly name: string; readonly index: number; readonly group: number }[];
  readonly frozen: readonly FrozenPolicy[];
  readonly runners: AgentsRunnerGroup;
  /** null = the environment's options stay as they are. */
  readonly curriculum: RunningCurriculum | null;
  /** Self-play; null = who plays whom is fixed. */
  readonly league: RunningLeague | null;
  /** Makes everybody's weights those that they act with; returns the version, the same for all. */
  publish(): number;
  stop(): Promise<void>;
}

/** Options that mean nothing yet with several agents: better refused than ignored. */
export function checkStage({
  environment,
  envRunners,
  learners,
  faultTolerance,
  evaluation,
}: StageConfig): void {
  if (learners.engine === 'tensorflow') refuseAmongSeveral("engine: 'tensorflow'");
  if (envRunners.inference === 'central') refuseAmongSeveral("inference: 'central'");
  if (envRunners.runners === 'ray') refuseAmongSeveral("runners: 'ray'");
  if (evaluation.evaluationEnv !== null) refuseAmongSeveral('evaluationEnv');
  if (Object.keys(evaluation.evaluationEnvOptions).length > 0) refuseAmongSeveral('evaluationEnvOptions');
  if (environment.previousInputs !== null) refuseAmongSeveral('previousInputs');
  if (environment.wrappers.length > 0) refuseAmongSeveral('wrappers');
  if (faultTolerance.restartFailedEnvs === 'new-episode')
    refuseAmongSeveral("restartFailedEnvs: 'new-episode'");
}

/** @throws ConfigError `CONFIG_SEVERAL_AGENTS`. */
export function refuseAmongSeveral(what: string): never {
  throw new ConfigError(
    'CONFIG_SEVERAL_AGENTS',
    `${what} is not there for environments of several agents: leave it out.`,
  );
}

type Threads = AgentsGroupOptions['threads'];

/** What workers are made from; null = there are none. */
export function threadOptions(
  config: StageConfig,
  numEnvRunners: number,
  plan: { readonly source: EnvSource } & Omit<
    Extract<NonNullable<Threads>['plan'], { agents: AgentsPlan }>,
    'source'
  >,
): Threads {
  if (numEnvRunners === 0) return null;
  const { faultTolerance, envRunners } = config;
  const { source } = plan;
  if (source.kind === 'factory') {
    throw new ConfigError(
      'CONFIG_ENV_FACTORY',
      `A factory function cannot be posted to a worker thread, and numEnvRunners is ${numEnvRunners}. Export it from a module and give its path, or set numEnvRunners to 0.`,
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
