/**
 * The sampler of several agents: steps a contiguous range of environments and writes their part of a rollout, for every group of seats.
 *
 * A row is a seat of an environment; a column a step of that environment. A row that does not act in a column leaves a hole there. Its
 * rewards go to its own last action (the open step) until it acts again or ends. The same code runs in every worker and in the main thread.
 */
import type { AgentsEnvs } from '../../env/agents/agents-envs.ts';
import { AgentEnd } from '../../env/agents/agents-kernel.ts';
import { episodeSeed } from '../../random/streams.ts';
import { addMetric, type MetricSums } from '../metric-sums.ts';
import { type AgentsTurns, createAgentsTurns, type TurnTables } from './agents-turns.ts';
import { beginRows, creditReward, endLife, type SeatRows } from './seat-rows.ts';

/** `envs` are environments [firstEnv, firstEnv + envs.numEnvs) of the run. */
export type AgentsSamplerOptions = Omit<TurnTables, 'episodeSteps' | 'numEnvs'> & {
  readonly envs: AgentsEnvs;
  readonly seed: number;
  /** As `AgentsPlan.keepsAllEnds`. */
  readonly keepsAllEnds: boolean;
  /** Policy of a seat in an episode of an environment (index in the whole run). */
  readonly policyOf: (s: number, envIndex: number, episodeNumber: number) => number;
  /** Called after every environment's step. */
  readonly onStep?: () => void;
};

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
  readonly turns: AgentsTurns;
  readonly noteMetric: (name: string, value: number) => void;
};

export function createAgentsSampler(options: AgentsSamplerOptions): AgentsSampler {
  const { envs, groups } = options;
  const episodeSteps = new Int32Array(envs.numEnvs);
  let metrics: MetricSums | null = null;
  const state: SamplerState = {
    options,
    episodeNumbers: new Int32Array(envs.numEnvs),
    episodeSteps,
    turns: createAgentsTurns({ ...options, numEnvs: envs.numEnvs, episodeSteps }),
    noteMetric: (name, value) => {
      metrics ??= {};
      addMetric(metrics, name, value);
    },
  };
  return {
    episodeNumbers: state.episodeNumbers,
    episodeSteps,
    beginAll() {
      for (let n = 0; n < envs.numEnvs; n++) resetEnv(state, n);
    },
    beginEpisode: (n) => assignPolicies(state, n),
    lookAt: (n) => lookAt(state, n),
    collect(set, version) {
      for (const policy of options.policies) policy.useVersion(version);
      for (const rows of groups) beginRows(rows, set);
      for (let t = 0; t < options.rolloutLength; t++) {
        state.turns.act(set, t);
        for (let n = 0; n < envs.numEnvs; n++) stepEnv(state, set, t, n);
      }
      state.turns.finish(set, version);
    },
    takeMetrics() {
      const taken = metrics;
      metrics = null;
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
  const { seats, groups, policyOf, firstEnv } = options;
  for (let s = 0; s < seats.names.length; s++) {
    const rows = groups[seats.groupOf[s]];
    const r = n * rows.group.seats.length + seats.placeOf[s];
    rows.policies[r] = policyOf(s, firstEnv + n, episodeNumbers[n]);
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
    if (rows.criticSize > 0) writeCriticInput(options, n, s, rows.criticInputs, r * rows.criticSize);
    if (rows.alive[r] === 1) continue;
    rows.alive[r] = 1;
    options.policies[rows.policies[r]].beginLife(r, lifeSeed(options, n, s, rows.lives[r]), 0);
  }
}

/** The environment's state where its last reset or step led, and which seat is asked about. */
function writeCriticInput(
  { envs, seats }: AgentsSamplerOptions,
  n: number,
  s: number,
  out: Float32Array,
  offset: number,
): void {
  envs.writeState(n, out, offset);
  const { length } = seats.groups[seats.groupOf[s]].seats;
  if (length === 1) return;
  const first = offset + envs.stateSize;
  out.fill(0, first, first + length);
  out[first + seats.placeOf[s]] = 1;
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

function stepEnv(state: SamplerState, set: number, t: number, n: number): void {
  const { options, episodeSteps, episodeNumbers } = state;
  const { envs, seats, groups, firstEnv, rolloutLength } = options;
  const { results } = envs;
  const S = seats.names.length;
  const at = (firstEnv + n) * rolloutLength + t;
  const recorded = options.envSets[set];
  envs.step(n, state.turns.actions, n * seats.actionStride);
  episodeSteps[n] += 1;
  recorded.ends[at] = results.episodeEnd;
  for (let s = 0; s < S; s++) {
    recorded.rewards[at * S + s] = results.rewards[s];
    recorded.outcomes[at * S + s] = results.outcomes[s];
    const rows = groups[seats.groupOf[s]];
    const r = n * rows.group.seats.length + seats.placeOf[s];
    recorded.players[at * S + s] = rows.policies[r];
    creditReward(rows, set, r, recorded.rewards[at * S + s]);
    const end = results.ended[s] === AgentEnd.NONE ? results.episodeEnd : results.ended[s];
    if (end !== AgentEnd.NONE && rows.alive[r] === 1) endSeat(state, rows, set, n, s, r, end);
  }
  envs.reportMetrics?.(n, state.noteMetric);
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
  if (i < 0) return;
  const { rollout, finalCriticInputs } = rows.sets[set];
  const isTruncated = end === AgentEnd.TRUNCATED;
  if (rollout.finalSlots.length > 0 && (isTruncated || options.keepsAllEnds)) {
    options.envs.writeFinalObservation(n, s, rollout.finalObservations, i * rows.group.observationSize);
    rollout.finalSlots[i] = i;
    if (finalCriticInputs.length > 0) writeCriticInput(options, n, s, finalCriticInputs, i * rows.criticSize);
  }
  const policy = options.policies[rows.policies[r]];
  if (!isTruncated || !policy.hasValues) return;
  options.envs.writeFinalObservation(n, s, policy.observations, 0);
  policy.masks?.fill(1, 0, rows.group.maskSize); // nobody says what would be allowed after the end
  if (policy.criticInputs !== null) writeCriticInput(options, n, s, policy.criticInputs, 0);
  policy.evaluate(1);
  rollout.finalValues[i] = policy.values[0];
}
