/** Self-play before the arena is made: the bank's slots among the policies, and what workers need to draw opponents. */
import type { ArenaPlanner } from '../../memory/arena.ts';
import { mlpParameterLayout } from '../../policy/networks/mlp-parameters.ts';
import type { ActingSpec } from '../../policy/policy-spec.ts';
import { type LeaguePlan, reserveMenu } from '../../rollout/agents/match-menu.ts';
import type { PolicyPlan } from '../../rollout/agents/policy-plan.ts';
import { reserveWeightBuffer, type WeightBufferLayout } from '../../weights/weight-buffer.ts';
import { createLeague, type LeagueParts, type RunningLeague } from './league.ts';

/** The section `selfPlay`. */
export interface SelfPlayConfig {
  readonly selfPlay: 'off' | 'uniform' | 'prioritized';
  readonly pastFraction: number;
  readonly anchorFraction: number;
  readonly opponentWindow: number | null;
  readonly priorityExponent: number;
  readonly numOpponents: number;
  readonly snapshotInterval: number;
  readonly maxSnapshots: number;
  readonly mainExploiters: number;
  readonly leagueExploiters: number;
  readonly exploiterFraction: number;
  readonly exploiterBar: number;
  readonly exploiterTimeout: number;
  /** What an exploiter that begins anew begins with: weights drawn afresh, or the learner's as they are. */
  readonly exploiterReset: 'fresh' | 'learner';
}

export interface PlannedLeague {
  readonly plan: LeaguePlan;
  readonly bank: readonly WeightBufferLayout[];
  readonly slots: readonly PolicyPlan[];
  /** Index of the first slot in the table of policies. */
  readonly firstSlot: number;
}

/** @param spec of the learner, whose past versions lie in the bank. */
export function planLeague(
  planner: ArenaPlanner,
  config: SelfPlayConfig,
  {
    learner,
    anchors,
    exploiters,
  }: {
    readonly learner: number;
    readonly anchors: readonly number[];
    readonly exploiters: readonly { readonly index: number }[];
  },
  spec: ActingSpec,
  firstSlot: number,
): PlannedLeague {
  const { pastFraction, anchorFraction, exploiterFraction, numOpponents, maxSnapshots } = config;
  const { size } = mlpParameterLayout(spec);
  const bank = Array.from({ length: maxSnapshots }, () =>
    reserveWeightBuffer(planner, size, spec.observationSize, 1),
  );
  const slots = bank.map(
    (weights, k): PolicyPlan => ({ name: `past/${k}`, group: 0, spec, acts: { kind: 'past', weights } }),
  );
  const plan: LeaguePlan = {
    ...{ learner, anchors, pastFraction, anchorFraction, exploiterFraction, numOpponents },
    exploiters: exploiters.map(({ index }) => index),
    menuAddress: reserveMenu(planner, numOpponents, exploiters.length),
  };
  return { plan, bank, slots, firstSlot };
}

/** In the arena, once it is there. */
export function openPlannedLeague(
  buffer: ArrayBufferLike,
  { plan, bank, firstSlot }: PlannedLeague,
  {
    config,
    names,
    exploiters,
    seed,
  }: { readonly config: SelfPlayConfig; readonly names: readonly string[] } & Pick<
    LeagueParts,
    'exploiters' | 'seed'
  >,
): RunningLeague {
  const options = { ...config, selfPlay: config.selfPlay as Exclude<SelfPlayConfig['selfPlay'], 'off'> };
  return createLeague({ buffer, plan, bank, firstSlot, policies: names, exploiters, options, seed });
}
