/** Where the sampling of several agents keeps its blocks in the arena; plain data, posted to every worker. */
import type { SeatGroup, SeatLayout } from '../../env/agents/seat-layout.ts';
import {
  hasColumn,
  initializeRollout,
  ON_POLICY_COLUMNS,
  openRollout,
  type RolloutColumns,
  type RolloutLayout,
  type RolloutViews,
  rolloutLayout,
} from '../../experience/layout.ts';
import type { ArenaPlanner } from '../../memory/arena.ts';
import type { ActingSpec } from '../../policy/policy-spec.ts';
import { NUM_BLOCK_SETS } from '../sampling-layout.ts';

/** Byte addresses of one block set's columns beside the rollout itself. */
interface GroupAddresses {
  readonly rollout: number;
  readonly acted: number;
  readonly policies: number;
  readonly ticks: number;
  readonly finalTicks: number;
  readonly rowStates: number;
  readonly criticInputs: number;
  readonly bootstrapCriticInputs: number;
  readonly finalCriticInputs: number;
}

interface EnvAddresses {
  readonly actions: number;
  readonly rewards: number;
  readonly outcomes: number;
  readonly ends: number;
  readonly players: number;
}

export interface AgentsLayout {
  readonly numEnvs: number; // E
  /** Ticks of the environment in a rollout, T. Blocks have T + 1 columns: column 0 holds a step that the rollout before left open. */
  readonly rolloutLength: number;
  readonly seats: SeatLayout;
  readonly rollouts: readonly RolloutLayout[]; // by group
  /** Elements of what a central critic reads of a row, Z; 0 = the group has none. */
  readonly criticSizes: readonly number[]; // by group
  readonly groups: readonly (readonly GroupAddresses[])[]; // by group, by set
  readonly envs: readonly EnvAddresses[]; // by set
}

/** Numbers that a row is left with after a rollout, f64 each; with what its open step holds they are all that the next one needs. */
export const RowField = {
  /** Lives that ended: the number of the running one. */
  LIVES: 0,
  /** Own actions in the running life. */
  ACTS: 1,
  ALIVE: 2,
  ACTING: 3,
  POLICY: 4,
  /** Column of the open step, or -1. */
  OPEN: 5,
  OPEN_REWARD: 6,
  /** Reward of this rollout that belongs to no action. */
  UNATTRIBUTED: 7,
  /** The environment's step at which it acts next. */
  NEXT_TICK: 8,
  COUNT: 9,
} as const;

/**
 * One group of seats over one rollout. N = E * seats of the group, environment-major; C = T + 1 columns.
 *
 * Written by the worker that owns the environment; a step that nobody took in a column is a hole: `acted` is 0 and no other column of it
 * is to be read.
 */
export interface GroupViews {
  readonly rollout: RolloutViews; // [N, C]
  readonly acted: Uint8Array; // [N, C] u8
  /** Index of the policy that acted. */
  readonly policies: Int32Array; // [N, C] i32
  /** Step of the episode at which it acted; where it was truncated, that of its end in `finalTicks`. */
  readonly ticks: Int32Array; // [N, C] i32
  readonly finalTicks: Int32Array; // [N, C] i32
  readonly rowStates: Float64Array; // [N, RowField.COUNT] f64
  /** What a central critic reads: the environment's state, and, in a group of several seats, which one it is asked about (one-hot). */
  readonly criticInputs: Float32Array; // [N, C, Z] f32, empty without one
  /** The same of what follows a row's last step where it acts next, and of what a life ended with, in the slots of final observations; empty without these. */
  readonly bootstrapCriticInputs: Float32Array; // [N, Z] f32
  readonly finalCriticInputs: Float32Array; // [N * C, Z] f32
}

/** What environments did, tick by tick; enough to replay them. A = elements of all seats' actions, S = seats. */
export interface EnvViews {
  readonly actions: Float32Array; // [E, T, A] f32, 0 where a seat did not act
  readonly rewards: Float32Array; // [E, T, S] f32
  readonly outcomes: Float32Array; // [E, T, S] f32, NaN = not told
  /** End of the episode. */
  readonly ends: Uint8Array; // [E, T] u8
  /** Policies that played, where an episode ended. */
  readonly players: Int32Array; // [E, T, S] i32
}

/**
 * Elements of what a central critic of a group reads of a row.
 *
 * @param stateSize of the environment's state.
 */
export function criticInputSize({ seats }: Pick<SeatGroup, 'seats'>, stateSize: number): number {
  return stateSize + (seats.length > 1 ? seats.length : 0);
}

/**
 * @param specs of any policy of each group: its sizes.
 * @param criticSizes {@link criticInputSize} of groups with a central critic, 0 for the others.
 * @param columns with `finalObservations`, slot i is the true last observation of the life that was truncated at step i.
 * @param numSets rollouts that are collected, learnt from or kept at the same time.
 */
export function reserveAgents(
  planner: ArenaPlanner,
  seats: SeatLayout,
  specs: readonly ActingSpec[],
  criticSizes: readonly number[],
  numEnvs: number,
  rolloutLength: number,
  columns: RolloutColumns = ON_POLICY_COLUMNS,
  numSets = NUM_BLOCK_SETS,
): AgentsLayout {
  const take = (bytes: number) => planner.reserve(bytes).offset;
  const sets = Array.from({ length: numSets }, (_, set) => set);
  const C = rolloutLength + 1;
  const rowsOf = ({ seats: members }: SeatGroup) => numEnvs * members.length;
  const rollouts = seats.groups.map((group, g) => rolloutLayout(specs[g], rowsOf(group), C, columns));
  const S = seats.names.length;
  return {
    numEnvs,
    rolloutLength,
    seats,
    rollouts,
    criticSizes,
    groups: seats.groups.map((group, g) =>
      sets.map(() => ({
        rollout: take(rollouts[g].byteLength),
        acted: take(rowsOf(group) * C),
        policies: take(rowsOf(group) * C * 4),
        ticks: take(rowsOf(group) * C * 4),
        finalTicks: take(rowsOf(group) * C * 4),
        rowStates: take(rowsOf(group) * RowField.COUNT * 8),
        criticInputs: take(rowsOf(group) * C * criticSizes[g] * 4),
        bootstrapCriticInputs: take(rowsOf(group) * finalCriticSize(rollouts[g], criticSizes[g]) * 4),
        finalCriticInputs: take(rowsOf(group) * C * finalCriticSize(rollouts[g], criticSizes[g]) * 4),
      })),
    ),
    envs: sets.map(() => ({
      actions: take(numEnvs * rolloutLength * seats.actionStride * 4),
      rewards: take(numEnvs * rolloutLength * S * 4),
      outcomes: take(numEnvs * rolloutLength * S * 4),
      ends: take(numEnvs * rolloutLength),
      players: take(numEnvs * rolloutLength * S * 4),
    })),
  };
}

/** What is kept of critics' inputs beside a life's steps: something where final observations are. */
function finalCriticSize(rollout: RolloutLayout, criticSize: number): number {
  return hasColumn(rollout, 'finalObservations') ? criticSize : 0;
}

/** Writes the headers of fresh block sets. Main thread, once. */
export function initializeAgents(buffer: ArrayBufferLike, layout: AgentsLayout): void {
  for (const [g, sets] of layout.groups.entries()) {
    for (const { rollout } of sets) initializeRollout(buffer, rollout, layout.rollouts[g]);
  }
}

/** Views of group g in a block set. */
export function openGroup(buffer: ArrayBufferLike, layout: AgentsLayout, g: number, set: number): GroupViews {
  const address = layout.groups[g][set];
  const { numRows: N, rolloutLength: C } = layout.rollouts[g];
  const Z = finalCriticSize(layout.rollouts[g], layout.criticSizes[g]);
  return {
    rollout: openRollout(buffer, address.rollout, layout.rollouts[g]),
    acted: new Uint8Array(buffer, address.acted, N * C),
    policies: new Int32Array(buffer, address.policies, N * C),
    ticks: new Int32Array(buffer, address.ticks, N * C),
    finalTicks: new Int32Array(buffer, address.finalTicks, N * C),
    rowStates: new Float64Array(buffer, address.rowStates, N * RowField.COUNT),
    criticInputs: new Float32Array(buffer, address.criticInputs, N * C * layout.criticSizes[g]),
    bootstrapCriticInputs: new Float32Array(buffer, address.bootstrapCriticInputs, N * Z),
    finalCriticInputs: new Float32Array(buffer, address.finalCriticInputs, N * C * Z),
  };
}

export function openEnvColumns(buffer: ArrayBufferLike, layout: AgentsLayout, set: number): EnvViews {
  const { numEnvs: E, rolloutLength: T, seats } = layout;
  const address = layout.envs[set];
  return {
    actions: new Float32Array(buffer, address.actions, E * T * seats.actionStride),
    rewards: new Float32Array(buffer, address.rewards, E * T * seats.names.length),
    outcomes: new Float32Array(buffer, address.outcomes, E * T * seats.names.length),
    ends: new Uint8Array(buffer, address.ends, E * T),
    players: new Int32Array(buffer, address.players, E * T * seats.names.length),
  };
}
