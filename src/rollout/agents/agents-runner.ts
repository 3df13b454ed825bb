/** A runner of several agents: environments, policies and sampler of a range of environments, in whichever thread it is made. */
import type { AgentsEnvs } from '../../env/agents/agents-envs.ts';
import { AgentEnd } from '../../env/agents/agents-kernel.ts';
import { makeAgentsEnvs } from '../../env/agents/load-agents-env.ts';
import { createSeatLayout } from '../../env/agents/seat-layout.ts';
import { makeStagedAgentsEnvs } from '../../env/agents/staged-agents-envs.ts';
import type { EnvSource } from '../../env/env-source.ts';
import type { RowOptions } from '../../env/staged-env.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { Arena, Region } from '../../memory/arena.ts';
import { episodeSeed } from '../../random/streams.ts';
import { instantiateKernels, type KernelModule } from '../../simd/loader.ts';
import type { EpisodePlayer } from '../episode-player.ts';
import type { MetricSums } from '../metric-sums.ts';
import type { RowState } from '../row-states.ts';
import { openEnvColumns, openGroup, RowField } from './agents-layout.ts';
import type { AgentsPlan } from './agents-plan.ts';
import { createAgentsPlayer } from './agents-player.ts';
import {
  type AgentsSampler,
  type AgentsSamplerOptions,
  createAgentsSampler,
  lifeSeed,
} from './agents-sampler.ts';
import { turnsBytes } from './agents-turns.ts';
import { batchesBytes, createBatches } from './create-batches.ts';
import { leaguePolicyOf, openMenu } from './match-menu.ts';
import type { PolicyBatch } from './policy-batch.ts';
import { policyOfSeat } from './policy-plan.ts';
import { createSeatRows, restoreRow, type SeatRows, seatRowsBytes } from './seat-rows.ts';

export interface AgentsRunnerOptions {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly source: EnvSource;
  readonly seed: number;
  readonly agents: AgentsPlan;
  /** Environments [firstRow, firstRow + numRows) of the run. */
  readonly firstRow: number;
  readonly numRows: number;
  /** {@link agentsScratchBytes} of the arena. */
  readonly scratch: Region;
  readonly states: readonly RowState[] | null;
  /** As `RunnerOptions.envOptions`. */
  readonly envOptions?: JsonObject | null;
  /** Called after every environment's step. */
  readonly onStep?: () => void;
}

export interface AgentsRunner {
  readonly sampler: { collect(set: number, version: number): void; takeMetrics(): MetricSums | null };
  /** Environments (indices in the whole run) that had to restart their episode. */
  readonly restarted: readonly number[];
  readonly player: EpisodePlayer;
  envStates(): JsonValue[];
  /** As `Runner.setEnvOptions`. */
  setEnvOptions(options: JsonObject): void;
  close(): void;
}

export function agentsScratchBytes(plan: AgentsPlan, numEnvs: number): number {
  const { total } = placeRows(plan, numEnvs, 0);
  return total + batchesBytes(plan, numEnvs) + batchesBytes(plan, plan.maxPlayEnvs);
}

/** Where the rows of each group and whose turn it is lie in a worker's scratch, and the bytes of both. */
function placeRows({ layout, policies }: AgentsPlan, numEnvs: number, offset: number) {
  const { seats, criticSizes } = layout;
  let end = offset;
  const take = (bytes: number) => {
    const at = end;
    end += bytes;
    return { offset: at };
  };
  const groups = seats.groups.map((group, g) => take(seatRowsBytes(group, criticSizes[g], numEnvs)));
  const turns = take(turnsBytes(policies.map(({ group }) => numEnvs * seats.groups[group].seats.length)));
  return { groups, turns, total: end - offset };
}

const restOf = ({ offset, byteLength }: Region, used: number): Region => ({
  offset: offset + used,
  byteLength: byteLength - used,
});

export async function createAgentsRunner(options: AgentsRunnerOptions): Promise<AgentsRunner> {
  const { arena, source, seed, firstRow, numRows, scratch } = options;
  const rowOptions = rowOptionsOf(options);
  const staged = rowOptions && (await makeStagedAgentsEnvs(source, rowOptions.running));
  const envs = staged?.envs ?? (await makeAgentsEnvs(source, numRows));
  // Spaces do not travel between threads with all that they can do: those of the environment here are theirs.
  const layout = { ...options.agents.layout, seats: createSeatLayout(envs.seats) };
  const agents = { ...options.agents, layout };
  const kernels = instantiateKernels(options.kernels, arena.memory);
  const sets = layout.envs.map((_, set) => set);
  const places = placeRows(agents, numRows, scratch.offset);
  const groups = layout.seats.groups.map((group, g) =>
    createSeatRows(
      group,
      sets.map((set) => openGroup(arena.buffer, layout, g, set)),
      layout.criticSizes[g],
      { firstEnv: firstRow, numEnvs: numRows },
      { buffer: arena.buffer, scratch: places.groups[g] },
    ),
  );
  const rest = (used: number) => restOf(scratch, used);
  const policies = await createBatches(agents, numRows, { kernels, arena, scratch: rest(places.total) });
  const sampler = createAgentsSampler({
    ...{ kernels, buffer: arena.buffer, turnScratch: places.turns },
    envs,
    firstEnv: firstRow,
    seed,
    keepsAllEnds: agents.keepsAllEnds,
    seats: layout.seats,
    rolloutLength: layout.rolloutLength,
    groups,
    envSets: sets.map((set) => openEnvColumns(arena.buffer, layout, set)),
    policies,
    groupOfPolicy: agents.policies.map(({ group }) => group),
    policyOf: createPolicyChoice(agents, arena.buffer, seed),
    ...(options.onStep && { onStep: options.onStep }),
  });
  const restarted: number[] = [];
  if (options.states === null) sampler.beginAll();
  else {
    const parts = { ...options, agents, envs, groups, policies, sampler };
    for (const [n, state] of options.states.entries())
      if (!restore(parts, n, state)) restarted.push(firstRow + n);
  }
  if (rowOptions !== null) staged?.setNextOptions(rowOptions.next);
  const playScratch = rest(places.total + batchesBytes(agents, numRows));
  const player = createAgentsPlayer({
    agents,
    source,
    kernels,
    arena,
    scratch: playScratch,
    onStep: options.onStep,
  });
  return {
    sampler,
    restarted,
    player,
    envStates: () => Array.from({ length: numRows }, (_, n) => envs.getState(n)),
    setEnvOptions(next) {
      if (staged === null) throw new TypeError('The options of these environments never change.');
      staged.setNextOptions(next);
    },
    close() {
      envs.close();
      player.close();
    },
  };
}

/** Options of the running episodes and of those after them; null = they never change. */
function rowOptionsOf({ states, envOptions = null, numRows }: AgentsRunnerOptions): RowOptions | null {
  if (states !== null) {
    const next = states[0].envOptions?.next;
    return next === undefined
      ? null
      : { running: states.map((state) => state.envOptions?.running ?? {}), next };
  }
  if (envOptions === null) return null;
  return { running: Array.from({ length: numRows }, () => envOptions), next: envOptions };
}

/** Who acts for a seat: by the lists of `policyFor`, or drawn from the league. */
function createPolicyChoice(
  { assignment, league, layout }: AgentsPlan,
  buffer: ArrayBufferLike,
  seed: number,
): AgentsSamplerOptions['policyOf'] {
  if (league === null)
    return (s, envIndex, episodeNumber) => policyOfSeat(assignment, s, envIndex, episodeNumber);
  const menu = openMenu(buffer, league);
  const numSeats = layout.seats.names.length;
  return (s, envIndex, episodeNumber) =>
    leaguePolicyOf(league, menu, { seed, numSeats }, s, envIndex, episodeNumber);
}

type RestoreParts = Pick<AgentsRunnerOptions, 'seed' | 'firstRow' | 'agents'> & {
  readonly envs: AgentsEnvs;
  readonly groups: readonly SeatRows[];
  readonly policies: readonly PolicyBatch[];
  readonly sampler: AgentsSampler;
};

/**
 * Brings environment n to the middle of its episode: from its own state where there is one, else from the episode's seed, by its actions.
 * What each seat was doing (its life, its open step) was written down.
 *
 * @returns false when that leads elsewhere, so that the environment is not deterministic: it begins its episode again, and every life in
 * it with it.
 */
function restore(parts: RestoreParts, n: number, state: RowState): boolean {
  const { envs, sampler, seed, firstRow } = parts;
  sampler.episodeNumbers[n] = state.episodeNumber;
  sampler.beginEpisode(n);
  envs.reset(n, episodeSeed(seed, firstRow + n, state.episodeNumber));
  const isSame = replay(parts, n, state);
  if (!isSame) envs.reset(n, episodeSeed(seed, firstRow + n, state.episodeNumber));
  sampler.episodeSteps[n] = isSame ? state.episodeStep : 0;
  if (state.agents !== undefined) restoreSeats(parts, n, state.agents, isSame);
  sampler.lookAt(n);
  return isSame;
}

function replay({ envs, agents }: RestoreParts, n: number, state: RowState): boolean {
  const { actionStride } = agents.layout.seats;
  const numSteps = state.actions.length / actionStride;
  if (state.envState !== null) {
    if (envs.setState === null) return false;
    envs.setState(n, state.envState);
  } else if (numSteps !== state.episodeStep) return false;
  for (let k = 0; k < numSteps; k++) {
    envs.step(n, state.actions as Float32Array, k * actionStride);
    if (envs.results.episodeEnd !== AgentEnd.NONE) return false;
  }
  return seesTheSame(envs, agents, n, state);
}

/** Whether those act next who did, and see what they saw. */
function seesTheSame(
  envs: AgentsEnvs,
  { layout }: AgentsPlan,
  n: number,
  { observation, agents }: RowState,
): boolean {
  if (observation === null || agents === undefined) return true;
  let offset = 0;
  for (const [s, g] of layout.seats.groupOf.entries()) {
    const { observationSize } = layout.seats.groups[g];
    if (agents[s].fields[RowField.ACTING] !== envs.results.acting[s]) return false;
    if (envs.results.acting[s] === 1) {
      const row = new Float32Array(observationSize);
      envs.writeObservation(n, s, row, 0);
      if (!row.every((value, k) => Object.is(value, observation[offset + k]))) return false;
    }
    offset += observationSize;
  }
  return true;
}

function restoreSeats(
  { groups, policies, agents, seed, firstRow }: RestoreParts,
  n: number,
  states: NonNullable<RowState['agents']>,
  isSame: boolean,
): void {
  const { seats } = agents.layout;
  for (const [s, { fields, step }] of states.entries()) {
    const rows = groups[seats.groupOf[s]];
    const r = n * rows.group.seats.length + seats.placeOf[s];
    if (!isSame) {
      rows.lives[r] = fields[RowField.LIVES] + fields[RowField.ALIVE]; // a life that cannot go on has ended
      continue;
    }
    const { observationSize, maskSize, actionSize } = rows.group;
    if (step !== null) {
      rows.carried.observations.set(step.observation, r * observationSize);
      rows.carried.masks.set(step.mask, r * maskSize);
      rows.carried.criticInputs.set(step.criticInput, r * rows.criticSize);
      rows.carried.actions.set(step.action, r * actionSize);
      rows.carried.logProbs[r] = step.logProb;
      rows.carried.values[r] = step.value;
      rows.carried.ticks[r] = step.tick;
    }
    rows.policies[r] = fields[RowField.POLICY]; // of a league that has changed since, nobody could tell
    const life = lifeSeed({ seed, firstEnv: firstRow, seats }, n, s, fields[RowField.LIVES]);
    restoreRow(rows, r, fields, policies[rows.policies[r]], life);
  }
}
