/** What learning among several agents is played on, whatever is learned: seats, policies, runners; and what of a config that takes. */
import type { commonOptions } from '../../config/common-options.ts';
import type { ResolvedConfig } from '../../config/option.ts';
import { makeAgentsEnvs } from '../../env/agents/load-agents-env.ts';
import { createSeatLayout, type SeatLayout } from '../../env/agents/seat-layout.ts';
import type { EnvSource } from '../../env/env-source.ts';
import { ConfigError } from '../../errors.ts';
import { type ActingSpec, isBehaviour } from '../../policy/policy-spec.ts';
import type { AgentsRunnerGroup } from '../../rollout/agents/agents-runner-group.ts';
import type { PolicyPlan } from '../../rollout/agents/policy-plan.ts';
import { checkAgentsOptions } from '../curriculum/check-options.ts';
import { openCurriculum, type RunningCurriculum } from '../curriculum/curriculum.ts';
import { environmentSource } from '../environment-source.ts';
import type { RunningLeague } from '../league/league.ts';
import type { SelfPlayConfig } from '../league/plan-league.ts';
import type { FrozenNetwork } from './network-policy.ts';
import type { PoliciesConfig, PolicyTable, TableEntry } from './policy-table.ts';

type CommonConfig = ResolvedConfig<typeof commonOptions>;

/** The sections that it reads. */
export type StageConfig = Omit<CommonConfig, 'learners'> & {
  readonly learners: Omit<CommonConfig['learners'], 'numLearnerThreads'>;
  readonly multiAgent: PoliciesConfig;
  /** Absent = the algorithm has none. */
  readonly selfPlay?: SelfPlayConfig;
};

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

/** What is known of the environment before anybody plays. */
export async function openSeats(config: StageConfig) {
  const source = environmentSource(config);
  const probe = await makeAgentsEnvs(source, 1);
  const seats = createSeatLayout(probe.seats);
  probe.close();
  const curriculum = await openCurriculum(config, source, checkAgentsOptions);
  return { source, seats, curriculum, envId: probe.envId, stateSize: probe.stateSize };
}

/** A row of the table with what acts, whatever it learns by. */
export interface Prepared {
  readonly entry: Pick<TableEntry, 'name' | 'group'>;
  readonly plan: PolicyPlan;
  readonly frozen: FrozenNetwork | null;
}

/**
 * By group of seats the sizes of any of its policies: they are the same, but that a behaviour has no log-probability, so one that has is taken
 * where there is one.
 */
export function specsOf({ groups }: SeatLayout, prepared: readonly Prepared[]): readonly ActingSpec[] {
  return groups.map((_, g) => {
    const specs = prepared.filter(({ entry }) => entry.group === g).map(({ plan }) => plan.spec);
    if (specs.length === 0) throw new TypeError(`Group ${g} has no policy.`);
    return specs.find(({ distribution }) => !isBehaviour(distribution)) ?? specs[0];
  });
}

export function frozenOf(prepared: readonly Prepared[]): readonly FrozenPolicy[] {
  return prepared.flatMap(({ entry: { name, group }, frozen: network }) =>
    network === null ? [] : [{ name, group, network }],
  );
}
