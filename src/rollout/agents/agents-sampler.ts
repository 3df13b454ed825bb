/**
 * The sampler of several agents: steps a contiguous range of environments and writes their part of a rollout, for every group of seats.
 *
 * A row is a seat of an environment; a column a step of that environment. A row that does not act in a column leaves a hole there. Its
 * rewards go to its own last action (the open step) until it acts again or ends. The same code runs in every worker and in the main thread.
 */
import type { AgentsEnvs } from '../../env/agents/agents-envs.ts';
import { AgentEnd } from '../../env/agents/agents-kernel.ts';
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import { episodeSeed } from '../../random/streams.ts';
import { addMetric, type MetricSums } from '../metric-sums.ts';
import { type EnvViews, RowField } from './agents-layout.ts';
import type { PolicyBatch } from './policy-batch.ts';
import { policyOfSeat, type SeatAssignment } from './policy-plan.ts';
import {
  beginRows,
  copyRow,
  creditReward,
  endLife,
  finishRow,
  openStep,
  type SeatRows,
} from './seat-rows.ts';

export interface AgentsSamplerOptions {
  readonly envs: AgentsEnvs; // environments [firstEnv, firstEnv + envs.numEnvs) of the run
  readonly firstEnv: number;
  readonly seed: number;
  readonly seats: SeatLayout;
  readonly rolloutLength: number; // T
  /** Rows of each group. */
  readonly groups: readonly SeatRows[];
  readonly envSets: readonly EnvViews[];
  /** By index in the table of policies. */
  readonly policies: readonly PolicyBatch[];
  /** Group of each policy. */
  readonly groupOfPolicy: readonly number[];
  readonly assignment: SeatAssignment;
  /** Called after every environment's step. */
  readonly onStep?: () => void;
}

export type AgentsSampler = Episodes & {
  /** Collects T steps into block set `set` with the published weights of `version`. */
  collect(set: number, version: number): void;
  /** Begins every environment's episode. Before the first rollout, where nothing is restored. */
  beginAll(): void;
  /** Begins the running episode of environment n (of this runner) as its number says: seats, policies, lives. */
  beginEpisode(n: number): void;
  /** After environment n was reset, stepped or restored: writes what those see who act next, and begins lives. */
  lookAt(n: number): void;
  takeMetrics(): MetricSums | null;
};

/** Where each environment's running episode stands. */
interface Episodes {
  readonly episodeNumbers: Int32Array; // [E] i32
  readonly episodeSteps: Int32Array; // [E] i32
}

type SamplerState = Episodes & {
  readonly options: AgentsSamplerOptions;
  readonly actions: Float32Array; // [E, A] f32, of the running step
  /** Rows that act in a call of a policy, and how many. */
  readonly turns: readonly { readonly rows: Int32Array; count: number }[];
  metrics: MetricSums | null;
};

export function createAgentsSampler(options: AgentsSamplerOptions): AgentsSampler {
  const { envs, seats, groups } = options;
  const state: SamplerState = {
    options,
    episodeNumbers: new Int32Array(envs.numEnvs),
    episodeSteps: new Int32Array(envs.numEnvs),
    actions: new Float32Array(envs.numEnvs * seats.actionStride),
    turns: options.groupOfPolicy.map((g) => ({ rows: new Int32Array(groups[g].numRows), count: 0 })),
    metrics: null,
  };
  return {
    episodeNumbers: state.episodeNumbers,
    episodeSteps: state.episodeSteps,
    beginAll() {
      for (let n = 0; n < envs.numEnvs; n++) resetEnv(state, n);
    },
    beginEpisode: (n) => assignPolicies(state, n),
    lookAt: (n) => lookAt(state, n),
    collect(set, version) {
      for (const policy of options.policies) policy.useVersion(version);
      for (const rows of groups) beginRows(rows, set);
      for (let t = 0; t < options.rolloutLength; t++) {
        actInTurn(state, set, t);
        for (let n = 0; n < envs.numEnvs; n++) stepEnv(state, set, t, n);
      }
      finish(state, set, version);
    },
    takeMetrics() {
      const taken = state.metrics;
      state.metrics = null;
      return taken;
    },
  };
}

function resetEnv(state: SamplerState, n: number): void {
  const { envs, seed, firstEnv } = state.options;
  state.episodeSteps[n] = 0;
  envs.reset(n, episodeSeed(seed, firstEnv + n, state.episodeNumbers[n]));
  assignPolicies(state, n);
  lookAt(state, n);
}

/** Who acts for a seat is decided by the episode alone. */
function assignPolicies({ options, episodeNumbers }: SamplerState, n: number): void {
  const { seats, groups, assignment, firstEnv } = options;
  for (let s = 0; s < seats.names.length; s++) {
    const rows = groups[seats.groupOf[s]];
    const r = n * rows.group.seats.length + seats.placeOf[s];
    rows.policies[r] = policyOfSeat(assignment, s, firstEnv + n, episodeNumbers[n]);
  }
}

/** Takes over from `results` who acts next, and what they see. */
function lookAt({ options }: SamplerState, n: number): void {
  const { envs, seats, groups } = options;
  for (let s = 0; s < seats.names.length; s++) {
    const rows = groups[seats.groupOf[s]];
    const { group } = rows;
    const r = n * group.seats.length + seats.placeOf[s];
    rows.acting[r] = envs.results.acting[s];
    if (rows.acting[r] === 0) continue;
    envs.writeObservation(n, s, rows.current, r * group.observationSize);
    if (group.maskSize > 0) envs.writeMask(n, s, rows.currentMasks, r * group.maskSize);
    if (rows.alive[r] === 1) continue;
    rows.alive[r] = 1;
    options.policies[rows.policies[r]].beginLife(r, lifeSeed(options, n, s, rows.lives[r]), 0);
  }
}

/** Seed of the random numbers with which a seat's life acts: with one seat, that of the single agent's episode. */
export function lifeSeed(
  { seed, firstEnv, seats }: Pick<AgentsSamplerOptions, 'seed' | 'firstEnv' | 'seats'>,
  n: number,
  s: number,
  life: number,
): number {
  return episodeSeed(seed, (firstEnv + n) * seats.names.length + s, life);
}

/** Every policy acts once, for all rows whose turn it is. */
function actInTurn(state: SamplerState, set: number, t: number): void {
  const { options, turns, actions } = state;
  actions.fill(0);
  gatherTurns(state);
  for (const [p, turn] of turns.entries()) {
    if (turn.count === 0) continue;
    const rows = options.groups[options.groupOfPolicy[p]];
    const policy = options.policies[p];
    gatherRows(rows, policy, turn.rows, turn.count);
    policy.act(turn.rows, turn.count, false);
    for (let k = 0; k < turn.count; k++) recordAct(state, rows, policy, p, set, t + 1, turn.rows[k], k);
  }
  const { actionStride } = options.seats;
  const recorded = options.envSets[set].actions;
  for (let n = 0; n < options.envs.numEnvs; n++)
    copyRow(actions, n, recorded, (options.firstEnv + n) * options.rolloutLength + t, actionStride);
}

function gatherTurns({ options, turns }: SamplerState): void {
  for (const turn of turns) turn.count = 0;
  for (const { acting, policies, numRows } of options.groups) {
    for (let r = 0; r < numRows; r++) {
      if (acting[r] === 0) continue;
      const turn = turns[policies[r]];
      turn.rows[turn.count++] = r;
    }
  }
}

function gatherRows(
  { current, currentMasks, group }: SeatRows,
  policy: PolicyBatch,
  from: Int32Array,
  count: number,
) {
  for (let k = 0; k < count; k++) {
    copyRow(current, from[k], policy.observations, k, group.observationSize);
    if (policy.masks !== null) copyRow(currentMasks, from[k], policy.masks, k, group.maskSize);
  }
}

/** Writes batch row k, which is row r, as the step of column c. */
function recordAct(
  { options, actions, episodeSteps }: SamplerState,
  rows: SeatRows,
  policy: PolicyBatch,
  p: number,
  set: number,
  c: number,
  r: number,
  k: number,
): void {
  const { group, firstRow } = rows;
  const { rollout, ticks } = rows.sets[set];
  const i = (firstRow + r) * rollout.rolloutLength + c;
  copyRow(rows.current, r, rollout.observations, i, group.observationSize);
  copyRow(rows.currentMasks, r, rollout.actionMasks, i, group.maskSize);
  copyRow(policy.actions, k, rollout.actions, i, group.actionSize);
  rollout.logProbs[i] = policy.logProbs[k];
  rollout.values[i] = policy.values[k];
  openStep(rows, set, r, c, p);
  rows.acts[r] += 1;
  const n = Math.floor(r / group.seats.length);
  ticks[i] = episodeSteps[n];
  const { actionStride, actionOffsets } = options.seats;
  policy.mapAction(k, actions, n * actionStride + actionOffsets[group.seats[r % group.seats.length]]);
}

function stepEnv(state: SamplerState, set: number, t: number, n: number): void {
  const { options, episodeSteps, episodeNumbers } = state;
  const { envs, seats, groups, firstEnv, rolloutLength } = options;
  const { results } = envs;
  const S = seats.names.length;
  const at = (firstEnv + n) * rolloutLength + t;
  const recorded = options.envSets[set];
  envs.step(n, state.actions, n * seats.actionStride);
  episodeSteps[n] += 1;
  recorded.ends[at] = results.episodeEnd;
  for (let s = 0; s < S; s++) {
    recorded.rewards[at * S + s] = results.rewards[s];
    recorded.outcomes[at * S + s] = results.outcomes[s];
    const rows = groups[seats.groupOf[s]];
    const r = n * rows.group.seats.length + seats.placeOf[s];
    creditReward(rows, set, r, recorded.rewards[at * S + s]);
    const end = results.ended[s] === AgentEnd.NONE ? results.episodeEnd : results.ended[s];
    if (end !== AgentEnd.NONE && rows.alive[r] === 1) endSeat(state, rows, set, n, s, r, end);
  }
  envs.reportMetrics?.(n, (name, value) => {
    state.metrics ??= {};
    addMetric(state.metrics, name, value);
  });
  if (results.episodeEnd === AgentEnd.NONE) {
    lookAt(state, n);
  } else {
    episodeNumbers[n] += 1;
    resetEnv(state, n);
  }
  options.onStep?.();
}

function endSeat(
  { options, episodeSteps }: SamplerState,
  rows: SeatRows,
  set: number,
  n: number,
  s: number,
  r: number,
  end: number,
): void {
  const i = endLife(rows, set, r, end, episodeSteps[n]);
  const policy = options.policies[rows.policies[r]];
  if (i < 0 || !policy.hasValues) return;
  options.envs.writeFinalObservation(n, s, policy.observations, 0);
  policy.masks?.fill(1, 0, rows.group.maskSize); // nobody says what would be allowed after the end
  policy.evaluate(1);
  rows.sets[set].rollout.finalValues[i] = policy.values[0];
}

/** Records what follows step T - 1. */
function finish(state: SamplerState, set: number, version: number): void {
  const { options, turns, episodeSteps } = state;
  gatherTurns(state);
  for (const [p, turn] of turns.entries()) {
    const rows = options.groups[options.groupOfPolicy[p]];
    const policy = options.policies[p];
    if (turn.count === 0 || !policy.hasValues) continue;
    gatherRows(rows, policy, turn.rows, turn.count);
    policy.evaluate(turn.count);
    const { bootstrapValues } = rows.sets[set].rollout;
    for (let k = 0; k < turn.count; k++) bootstrapValues[rows.firstRow + turn.rows[k]] = policy.values[k];
  }
  for (const rows of options.groups) {
    const { rollout } = rows.sets[set];
    const { observationSize, maskSize, seats } = rows.group;
    for (let r = 0; r < rows.numRows; r++) {
      copyRow(rows.current, r, rollout.bootstrapObservations, rows.firstRow + r, observationSize);
      copyRow(rows.currentMasks, r, rollout.bootstrapMasks, rows.firstRow + r, maskSize);
      finishRow(rows, set, r, episodeSteps[Math.floor(r / seats.length)]);
    }
    rollout.policyVersions.fill(version, rows.firstRow, rows.firstRow + rows.numRows);
  }
}

/** Puts a row where `fields` says that it was after a rollout (see `RowField`); what its open step holds is in `carried` already. */
export function restoreRow(
  rows: SeatRows,
  r: number,
  fields: ArrayLike<number>,
  policy: PolicyBatch,
  seed: number,
): void {
  rows.lives[r] = fields[RowField.LIVES];
  rows.acts[r] = fields[RowField.ACTS];
  rows.alive[r] = fields[RowField.ALIVE];
  rows.open[r] = fields[RowField.OPEN];
  rows.openRewards[r] = fields[RowField.OPEN_REWARD];
  if (rows.alive[r] === 1) policy.beginLife(r, seed, rows.acts[r]);
}
