/** Whose turn it is in a column, and the policies that act for them: each once, for all of its rows. */
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import type { EnvViews } from './agents-layout.ts';
import type { PolicyBatch } from './policy-batch.ts';
import { copyRow, finishRow, openStep, type SeatRows, writeJudgement } from './seat-rows.ts';

/** What turns are read from and written into. */
export interface TurnTables {
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

/** Rows that act in a call of a policy, and how many. */
interface Turn {
  readonly rows: Int32Array;
  count: number;
}

type State = TurnTables & { readonly actions: Float32Array; readonly turns: readonly Turn[] };

export function createAgentsTurns(tables: TurnTables): AgentsTurns {
  const { numEnvs, seats, groups } = tables;
  const state: State = {
    ...tables,
    actions: new Float32Array(numEnvs * seats.actionStride),
    turns: tables.groupOfPolicy.map((g) => ({ rows: new Int32Array(groups[g].numRows), count: 0 })),
  };
  return {
    actions: state.actions,
    act: (set, t) => actInTurn(state, set, t),
    finish: (set, version) => finish(state, set, version),
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
    gatherRows(rows, policy, turn, count);
    policy.act(turn, count, false);
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

function gatherRows(
  { current, currentMasks, criticInputs, criticSize, group }: SeatRows,
  policy: PolicyBatch,
  from: Int32Array,
  count: number,
) {
  for (let k = 0; k < count; k++) {
    copyRow(current, from[k], policy.observations, k, group.observationSize);
    if (policy.masks !== null) copyRow(currentMasks, from[k], policy.masks, k, group.maskSize);
    if (policy.criticInputs !== null) copyRow(criticInputs, from[k], policy.criticInputs, k, criticSize);
  }
}

/** Writes batch row k, which is row r, as the step of column c. */
function recordAct(
  { seats, actions, episodeSteps }: State,
  rows: SeatRows,
  policy: PolicyBatch,
  p: number,
  set: number,
  c: number,
  r: number,
  k: number,
): void {
  const { group, firstRow } = rows;
  const { rollout, ticks, criticInputs } = rows.sets[set];
  const i = (firstRow + r) * rollout.rolloutLength + c;
  copyRow(rows.current, r, rollout.observations, i, group.observationSize);
  copyRow(rows.currentMasks, r, rollout.actionMasks, i, group.maskSize);
  copyRow(rows.criticInputs, r, criticInputs, i, rows.criticSize);
  copyRow(policy.actions, k, rollout.actions, i, group.actionSize);
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
    gatherRows(rows, policy, turn, count);
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
