/** Whose turn it is in a column, and the policies that act for them: each once, for all of its rows. */
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import type { Region } from '../../memory/arena.ts';
import type { Kernels } from '../../simd/kernel-exports.ts';
import type { EnvViews } from './agents-layout.ts';
import { createGather, createScatter, type MoveRows } from './move-rows.ts';
import type { PolicyBatch } from './policy-batch.ts';
import { copyRow, finishRow, type Numbers, openStep, type SeatRows, writeJudgement } from './seat-rows.ts';

/** What turns are read from and written into. */
export interface TurnTables {
  readonly kernels: Kernels;
  readonly buffer: ArrayBufferLike; // of the arena
  /** {@link turnsBytes} of the arena, owned by these turns. */
  readonly turnScratch: Pick<Region, 'offset'>;
  readonly numEnvs: number; // E, of this runner
  readonly firstEnv: number;
  readonly rolloutLength: number; // T
  readonly seats: SeatLayout;
  /** Rows of each group. */
  readonly groups: readonly SeatRows[];
  readonly envSets: readonly EnvViews[];
  /** By index in the table of policies. */
  readonly policies: readonly PolicyBatch[];
  /** Group of each policy. */
  readonly groupOfPolicy: readonly number[];
  readonly episodeSteps: Int32Array; // [E] i32
}

export interface AgentsTurns {
  readonly actions: Float32Array; // [E, A] f32, of the running step
  /** Every policy acts for the rows whose turn it is in tick t; what they do is column t + 1 of block set `set`. */
  act(set: number, t: number): void;
  /** Records what follows tick T - 1. */
  finish(set: number, version: number): void;
}

/** Rows that act in a call of a policy, and how many; in the arena. */
interface Turn {
  readonly rows: Int32Array;
  count: number;
}

/** How a policy gets what its rows see, and where it is recorded. */
interface PolicyMoves {
  /** Into the policy's batch. */
  readonly gathers: readonly MoveRows[];
  /** By block set, from the batch into the rollout; null = the batch is not in the arena, and rows are copied one by one. */
  readonly scatters: readonly (readonly MoveRows[])[] | null;
}

type State = TurnTables & {
  readonly actions: Float32Array;
  readonly turns: readonly Turn[];
  readonly moves: readonly PolicyMoves[];
  /** Where batch rows lie in a rollout, in the arena. [rows of a group at most] i32 */
  readonly steps: Int32Array;
};

const wordsBytes = (count: number) => Math.ceil((4 * count) / 64) * 64;

/** Bytes of one worker's arena scratch that {@link createAgentsTurns} takes. @param rowsOfPolicies of the runner, by policy. */
export function turnsBytes(rowsOfPolicies: readonly number[]): number {
  return [...rowsOfPolicies, Math.max(0, ...rowsOfPolicies)].reduce((sum, rows) => sum + wordsBytes(rows), 0);
}

export function createAgentsTurns(tables: TurnTables): AgentsTurns {
  const { numEnvs, seats, groups, buffer, policies, groupOfPolicy } = tables;
  let end = tables.turnScratch.offset;
  const openWords = (count: number) => {
    const words = new Int32Array(buffer, end, count);
    end += wordsBytes(count);
    return words;
  };
  const state: State = {
    ...tables,
    actions: new Float32Array(numEnvs * seats.actionStride),
    turns: groupOfPolicy.map((g) => ({ rows: openWords(groups[g].numRows), count: 0 })),
    steps: openWords(Math.max(0, ...groupOfPolicy.map((g) => groups[g].numRows))),
    moves: policies.map((policy, p) => createMoves(tables, groups[groupOfPolicy[p]], policy)),
  };
  return {
    actions: state.actions,
    act: (set, t) => actInTurn(state, set, t),
    finish: (set, version) => finish(state, set, version),
  };
}

function createMoves({ kernels, buffer }: TurnTables, rows: SeatRows, policy: PolicyBatch): PolicyMoves {
  const { current, currentMasks, criticInputs, criticSize, group, sets } = rows;
  const gather = (from: Numbers, to: Numbers | null, size: number) =>
    to === null || size === 0 ? [] : [createGather(kernels, buffer, { from, to, size })];
  const scatter = (from: Numbers | null, to: Numbers, size: number) =>
    from === null || size === 0 ? [] : [createScatter(kernels, { from, to, size })];
  return {
    gathers: [
      ...gather(current, policy.observations, group.observationSize),
      ...gather(currentMasks, policy.masks, group.maskSize),
      ...gather(criticInputs, policy.criticInputs, criticSize),
    ],
    scatters:
      policy.observations.buffer !== buffer
        ? null
        : sets.map(({ rollout, criticInputs: read }) => [
            ...scatter(policy.observations, rollout.observations, group.observationSize),
            ...scatter(policy.masks, rollout.actionMasks, group.maskSize),
            ...scatter(policy.criticInputs, read, criticSize),
            ...scatter(policy.actions, rollout.actions, group.actionSize),
          ]),
  };
}

function actInTurn(state: State, set: number, t: number): void {
  const { turns, actions, groups, groupOfPolicy, policies, numEnvs, firstEnv, rolloutLength } = state;
  const { actionStride } = state.seats;
  actions.fill(0);
  gatherTurns(state);
  for (let p = 0; p < turns.length; p++) {
    const { rows: turn, count } = turns[p];
    if (count === 0) continue;
    const rows = groups[groupOfPolicy[p]];
    const policy = policies[p];
    gatherRows(state, p);
    policy.act(turn, count, false);
    recordRows(state, p, set, t + 1);
    for (let k = 0; k < count; k++) recordAct(state, rows, policy, p, set, t + 1, turn[k], k);
  }
  const recorded = state.envSets[set].actions;
  for (let n = 0; n < numEnvs; n++)
    copyRow(actions, n, recorded, (firstEnv + n) * rolloutLength + t, actionStride);
}

function gatherTurns({ groups, turns }: State): void {
  for (let p = 0; p < turns.length; p++) turns[p].count = 0;
  for (let g = 0; g < groups.length; g++) {
    const { acting, policies, numRows } = groups[g];
    for (let r = 0; r < numRows; r++) {
      if (acting[r] === 0) continue;
      const turn = turns[policies[r]];
      turn.rows[turn.count++] = r;
    }
  }
}

function gatherRows({ moves, turns }: State, p: number): void {
  const { gathers } = moves[p];
  const { rows, count } = turns[p];
  for (let m = 0; m < gathers.length; m++) gathers[m](rows, count);
}

/** What rows of a policy's turn saw and did, as the steps of column c. */
function recordRows(
  { moves, turns, groups, groupOfPolicy, policies, steps }: State,
  p: number,
  set: number,
  c: number,
): void {
  const { scatters } = moves[p];
  const { rows: turn, count } = turns[p];
  const rows = groups[groupOfPolicy[p]];
  const { group, firstRow } = rows;
  const { rollout, criticInputs } = rows.sets[set];
  for (let k = 0; k < count; k++) steps[k] = (firstRow + turn[k]) * rollout.rolloutLength + c;
  if (scatters !== null) {
    for (let m = 0; m < scatters[set].length; m++) scatters[set][m](steps, count);
    return;
  }
  for (let k = 0; k < count; k++) {
    copyRow(rows.current, turn[k], rollout.observations, steps[k], group.observationSize);
    copyRow(rows.currentMasks, turn[k], rollout.actionMasks, steps[k], group.maskSize);
    copyRow(rows.criticInputs, turn[k], criticInputs, steps[k], rows.criticSize);
    copyRow(policies[p].actions, k, rollout.actions, steps[k], group.actionSize);
  }
}

/** Opens the step that batch row k, which is row r, takes in column c. */
function recordAct(
  { seats, actions, episodeSteps, steps }: State,
  rows: SeatRows,
  policy: PolicyBatch,
  p: number,
  set: number,
  c: number,
  r: number,
  k: number,
): void {
  const { group } = rows;
  const { rollout, ticks } = rows.sets[set];
  const i = steps[k];
  writeJudgement(rollout, i, policy.logProbs[k], policy.values[k]);
  openStep(rows, set, r, c, p);
  rows.acts[r] += 1;
  const n = Math.floor(r / group.seats.length);
  ticks[i] = episodeSteps[n];
  const { actionStride, actionOffsets } = seats;
  policy.mapAction(k, actions, n * actionStride + actionOffsets[group.seats[r % group.seats.length]]);
}

function finish(state: State, set: number, version: number): void {
  const { turns, episodeSteps, groups, groupOfPolicy, policies } = state;
  gatherTurns(state);
  for (let p = 0; p < turns.length; p++) {
    const { rows: turn, count } = turns[p];
    const rows = groups[groupOfPolicy[p]];
    const policy = policies[p];
    if (count === 0 || !policy.hasValues) continue;
    gatherRows(state, p);
    policy.evaluate(count);
    const { bootstrapValues } = rows.sets[set].rollout;
    for (let k = 0; k < count; k++) bootstrapValues[rows.firstRow + turn[k]] = policy.values[k];
  }
  for (const rows of groups) {
    const { rollout, bootstrapCriticInputs } = rows.sets[set];
    const { observationSize, maskSize, seats } = rows.group;
    const Z = bootstrapCriticInputs.length > 0 ? rows.criticSize : 0;
    for (let r = 0; r < rows.numRows; r++) {
      copyRow(rows.current, r, rollout.bootstrapObservations, rows.firstRow + r, observationSize);
      copyRow(rows.currentMasks, r, rollout.bootstrapMasks, rows.firstRow + r, maskSize);
      copyRow(rows.criticInputs, r, bootstrapCriticInputs, rows.firstRow + r, Z);
      finishRow(rows, set, r, episodeSteps[Math.floor(r / seats.length)]);
    }
    rollout.policyVersions.fill(version, rows.firstRow, rows.firstRow + rows.numRows);
  }
}
