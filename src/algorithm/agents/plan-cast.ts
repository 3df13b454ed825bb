/** Who there is on a stage, whatever is learned: the table, and with self-play the slots of past versions behind it. */
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import type { ArenaPlanner } from '../../memory/arena.ts';
import type { AgentsPlan } from '../../rollout/agents/agents-plan.ts';
import type { RunningLeague } from '../league/league.ts';
import { openPlannedLeague, planLeague } from '../league/plan-league.ts';
import { type Prepared, type StageConfig, specsOf } from './agents-stage.ts';
import {
  createPolicyTable,
  createSelfPlayTable,
  type PolicyTable,
  type SelfPlayTable,
} from './policy-table.ts';

interface Cast {
  readonly table: PolicyTable;
  /** null = who plays whom is fixed. */
  readonly matches: SelfPlayTable | null;
}

/** @throws ConfigError `CONFIG_POLICY`. */
export function openTable({ multiAgent, selfPlay }: StageConfig, seats: SeatLayout): Cast {
  const isLeague = selfPlay !== undefined && selfPlay.selfPlay !== 'off';
  const matches = isLeague ? createSelfPlayTable(multiAgent, seats, selfPlay) : null;
  return { matches, table: matches ?? createPolicyTable(multiAgent, seats) };
}

interface PlannedCast {
  readonly agents: AgentsPlan;
  /** null = there is no self-play. */
  readonly openLeague: ((buffer: ArrayBufferLike) => RunningLeague) | null;
}

/** @param reserve rollouts of agents whose groups have these specs. */
export function planCast(
  planner: ArenaPlanner,
  { selfPlay, evaluation, debugging }: StageConfig,
  seats: SeatLayout,
  { table, matches }: Cast,
  prepared: readonly Prepared[],
  reserve: (specs: ReturnType<typeof specsOf>) => Pick<AgentsPlan, 'layout' | 'keepsAllEnds'>,
): PlannedCast {
  const specs = specsOf(seats, prepared);
  const league =
    matches === null || selfPlay === undefined
      ? null
      : planLeague(planner, selfPlay, matches, prepared[matches.learner].plan.spec, prepared.length);
  const agents: AgentsPlan = {
    ...reserve(specs),
    policies: [...prepared.map(({ plan }) => plan), ...(league?.slots ?? [])],
    assignment: table.assignment,
    league: league?.plan ?? null,
    maxPlayEnvs: evaluation.evaluationNumEnvs,
  };
  if (league === null || matches === null || selfPlay === undefined) return { agents, openLeague: null };
  const names = agents.policies.map(({ name }) => name);
  const options = { config: selfPlay, exploiters: matches.exploiters, seed: debugging.seed, names };
  return { agents, openLeague: (buffer) => openPlannedLeague(buffer, league, options) };
}
