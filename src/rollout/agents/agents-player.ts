/** Whole episodes of several agents with frozen policies, in environments and with seeds of their own: what evaluation consists of. */
import type { AgentsEnvs } from '../../env/agents/agents-envs.ts';
import { AgentEnd } from '../../env/agents/agents-kernel.ts';
import { makeAgentsEnvs } from '../../env/agents/load-agents-env.ts';
import type { EnvSource } from '../../env/env-source.ts';
import type { Arena, Region } from '../../memory/arena.ts';
import { episodeSeed } from '../../random/streams.ts';
import type { Kernels } from '../../simd/kernel-exports.ts';
import { createTurns } from '../../threads/next-turn.ts';
import { openWeightBuffer } from '../../weights/weight-buffer.ts';
import type { EpisodePlayer } from '../episode-player.ts';
import { addMetric, type MetricSums } from '../metric-sums.ts';
import type { PlayedEpisodes, PlayedSeats, PlayRequest } from '../play-episodes.ts';
import type { AgentsPlan } from './agents-plan.ts';
import { createBatches } from './create-batches.ts';
import type { PolicyBatch } from './policy-batch.ts';
import { policyOfSeat } from './policy-plan.ts';

export interface AgentsPlayerOptions {
  readonly agents: AgentsPlan;
  readonly source: EnvSource;
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly scratch: Region;
  readonly onStep?: (() => void) | undefined;
}

/** Environments and policies are made when first needed, kept, and never those of training. */
export function createAgentsPlayer(options: AgentsPlayerOptions): EpisodePlayer {
  const { agents, source, arena } = options;
  let made: { envs: AgentsEnvs; policies: PolicyBatch[] } | undefined;
  const prepare = async (numEnvs: number) => {
    if (made?.envs.numEnvs === numEnvs) return made;
    made?.envs.close();
    made = undefined;
    const envs = await makeAgentsEnvs(source, numEnvs);
    made = { envs, policies: await createBatches(agents, numEnvs, options) };
    return made;
  };
  return {
    async play(request, isCut, isShared) {
      const numEnvs = Math.min(request.numEnvs, request.episodes.length, agents.maxPlayEnvs);
      const { envs, policies } = await prepare(numEnvs);
      for (const [p, { acts }] of agents.policies.entries()) {
        if (acts.kind === 'network')
          policies[p].useVersion(openWeightBuffer(arena.buffer, acts.weights).version);
      }
      return playAll({ envs, policies, agents, request, onStep: options.onStep }, isCut, isShared);
    },
    close: () => made?.envs.close(),
  };
}

interface Play {
  readonly envs: AgentsEnvs;
  readonly policies: readonly PolicyBatch[];
  readonly agents: AgentsPlan;
  readonly request: PlayRequest;
  readonly onStep: (() => void) | undefined;
}

interface PlayState {
  /** Place in `episodes` of what each environment plays; beyond the end it is done. */
  readonly playing: Int32Array; // [M] i32
  readonly lengths: Int32Array; // [M] i32
  readonly returns: Float64Array; // [M, S] f64
  readonly seatPolicies: Int32Array; // [M, S] i32
  readonly lives: Int32Array; // [M, S] i32
  readonly acting: Uint8Array; // [M, S] u8
  readonly alive: Uint8Array; // [M, S] u8
  readonly actions: Float32Array; // [M, A] f32
  /** Rows of the group that act in a call of a policy. */
  readonly turn: Int32Array; // [M * S] i32
  readonly results: { length: number; seats: PlayedSeats }[];
  /** Episodes that are over; `results` has holes until all are. */
  numPlayed: number;
  readonly metrics: MetricSums;
  /** Episodes that were cut at `maxEpisodeSteps`. */
  numCut: number;
}

async function playAll(play: Play, isCut: () => boolean, isShared: boolean): Promise<PlayedEpisodes> {
  const { envs, agents, request } = play;
  const M = envs.numEnvs;
  const S = envs.seats.length;
  const state: PlayState = {
    playing: Int32Array.from({ length: M }, (_, n) => n),
    lengths: new Int32Array(M),
    returns: new Float64Array(M * S),
    seatPolicies: new Int32Array(M * S),
    lives: new Int32Array(M * S),
    acting: new Uint8Array(M * S),
    alive: new Uint8Array(M * S),
    actions: new Float32Array(M * agents.layout.seats.actionStride),
    turn: new Int32Array(M * S),
    results: [],
    numPlayed: 0,
    metrics: {},
    numCut: 0,
  };
  for (let n = 0; n < M; n++) beginEpisode(play, state, n);
  const turns = createTurns();
  while (state.numPlayed < request.episodes.length && !isCut()) {
    if (isShared && turns.isDue()) await turns.take();
    actAll(play, state);
    for (let n = 0; n < M; n++) if (state.playing[n] < request.episodes.length) stepOne(play, state, n);
  }
  const { results, metrics, numCut } = state;
  const returns = results.map(({ seats }) => seats.returns.reduce((sum, value) => sum + value, 0));
  return {
    returns,
    lengths: results.map(({ length }) => length),
    metrics,
    numCut,
    seats: results.map(({ seats }) => seats),
  };
}

function seedOf({ request }: Play, { playing }: PlayState, n: number): number {
  return episodeSeed(request.seed, request.episodes[playing[n]], 0, 'evaluation');
}

function beginEpisode(play: Play, state: PlayState, n: number): void {
  const { envs, agents, request } = play;
  const S = envs.seats.length;
  const episode = request.episodes[state.playing[n]];
  state.lengths[n] = 0;
  for (let s = 0; s < S; s++) {
    const row = n * S + s;
    state.returns[row] = 0;
    state.lives[row] = 0;
    state.alive[row] = 0;
    state.seatPolicies[row] = policyOfSeat(request.assignment ?? agents.assignment, s, episode, 0);
  }
  envs.reset(n, seedOf(play, state, n));
  lookAt(play, state, n);
}

function lookAt(play: Play, state: PlayState, n: number): void {
  const { envs, agents, policies } = play;
  const { seats } = agents.layout;
  const S = envs.seats.length;
  for (let s = 0; s < S; s++) {
    const row = n * S + s;
    state.acting[row] = envs.results.acting[s];
    if (state.acting[row] === 0 || state.alive[row] === 1) continue;
    state.alive[row] = 1;
    const groupRow = n * seats.groups[seats.groupOf[s]].seats.length + seats.placeOf[s];
    const seed = episodeSeed(seedOf(play, state, n), s, state.lives[row], 'evaluation');
    policies[state.seatPolicies[row]].beginLife(groupRow, seed, 0);
  }
}

/** Each policy acts for the rows whose turn it is. */
function actAll(play: Play, state: PlayState): void {
  const { policies, agents, request } = play;
  const { seats } = agents.layout;
  const { turn, actions } = state;
  actions.fill(0);
  for (let p = 0; p < policies.length; p++) {
    const count = gatherTurn(play, state, p);
    if (count === 0) continue;
    policies[p].act(turn, count, request.deterministic);
    const { seats: members } = seats.groups[agents.policies[p].group];
    for (let k = 0; k < count; k++) {
      const n = Math.floor(turn[k] / members.length);
      const s = members[turn[k] % members.length];
      policies[p].mapAction(k, actions, n * seats.actionStride + seats.actionOffsets[s]);
    }
  }
}

/** Writes which rows policy p acts for, and what they see. @returns how many. */
function gatherTurn({ envs, policies, agents, request }: Play, state: PlayState, p: number): number {
  const { playing, acting, seatPolicies, turn } = state;
  const { observations, masks } = policies[p];
  const group = agents.layout.seats.groups[agents.policies[p].group];
  const S = envs.seats.length;
  let count = 0;
  for (let r = 0; r < envs.numEnvs * group.seats.length; r++) {
    const n = Math.floor(r / group.seats.length);
    const s = group.seats[r % group.seats.length];
    const isDone = playing[n] >= request.episodes.length;
    if (isDone || acting[n * S + s] === 0 || seatPolicies[n * S + s] !== p) continue;
    envs.writeObservation(n, s, observations, count * group.observationSize);
    if (masks !== null) envs.writeMask(n, s, masks, count * group.maskSize);
    turn[count++] = r;
  }
  return count;
}

function stepOne(play: Play, state: PlayState, n: number): void {
  const { envs, agents, request } = play;
  const { results } = envs;
  const S = envs.seats.length;
  envs.step(n, state.actions, n * agents.layout.seats.actionStride);
  state.lengths[n] += 1;
  for (let s = 0; s < S; s++) {
    state.returns[n * S + s] += results.rewards[s];
    if (results.ended[s] === AgentEnd.NONE) continue;
    state.alive[n * S + s] = 0;
    state.lives[n * S + s] += 1;
  }
  envs.reportMetrics?.(n, (name, value) => addMetric(state.metrics, name, value));
  play.onStep?.();
  if (results.episodeEnd === AgentEnd.NONE) {
    lookAt(play, state, n);
    if (state.lengths[n] < request.maxEpisodeSteps) return;
    state.numCut += 1;
  }
  const row = (values: Float64Array | Int32Array) => [...values.subarray(n * S, (n + 1) * S)];
  state.results[state.playing[n]] = {
    length: state.lengths[n],
    seats: {
      returns: row(state.returns),
      outcomes: Array.from(results.outcomes, (outcome) => (Number.isNaN(outcome) ? null : outcome)),
      policies: row(state.seatPolicies),
    },
  };
  state.numPlayed += 1;
  state.playing[n] += envs.numEnvs;
  if (state.playing[n] < request.episodes.length) beginEpisode(play, state, n);
  else state.acting.fill(0, n * S, (n + 1) * S);
}
