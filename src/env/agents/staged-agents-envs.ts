/** Environments of several agents whose options change while a run goes on: each one takes the new ones when its next episode begins. */
import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { EnvSource } from '../env-source.ts';
import { spaceToJson } from '../space-json.ts';
import { placedAt, refuseOtherPrograms, withoutBounds } from '../staged-env.ts';
import type { AgentsEnvs } from './agents-envs.ts';
import { type AgentSeat, type SeatResults, seatResults } from './agents-kernel.ts';
import { loadAgentsEnvsMaker } from './load-agents-env.ts';

export interface StagedAgentsEnvs {
  readonly envs: AgentsEnvs;
  /**
   * Episodes that begin from now on have these options, laid over the source's. Before the first call every `reset` keeps what an environment has, since it
   * leads a running episode back.
   */
  setNextOptions(options: JsonObject): void;
}

interface State {
  readonly source: EnvSource;
  readonly make: (options: JsonObject) => AgentsEnvs;
  readonly rows: { env: AgentsEnvs; options: JsonObject }[]; // [N], of one environment each
  readonly results: SeatResults;
  next: JsonObject | null;
}

/**
 * Makes N environments of their own, each with the options of its running episode. A `reset` that finds other options waiting closes the environment and makes a
 * fresh one.
 *
 * Thread: the one that it is made in. @throws {@link ConfigError} `CONFIG_CURRICULUM_SPACES` where options change seats or spaces, and as `makeAgentsEnvs`.
 */
export async function makeStagedAgentsEnvs(
  source: EnvSource,
  running: readonly JsonObject[], // [N]
): Promise<StagedAgentsEnvs> {
  const maker = await loadAgentsEnvsMaker(source);
  for (const options of running) refuseOtherPrograms(source, options);
  const make = (options: JsonObject) => maker({ ...source.options, ...options }, 1);
  const rows: State['rows'] = [];
  try {
    for (const options of running) {
      rows.push({ env: make(options), options });
      requireSeatsOf(rows[0].env, rows[rows.length - 1].env, options);
    }
  } catch (error) {
    for (const { env } of rows) env.close();
    throw error;
  }
  const state: State = { source, make, rows, results: seatResults(rows[0].env.seats.length), next: null };
  return {
    envs: stagedEnvs(state),
    setNextOptions(options) {
      refuseOtherPrograms(source, options);
      state.next = options;
    },
  };
}

function stagedEnvs(state: State): AgentsEnvs {
  const { rows, results } = state;
  const [{ env: first }] = rows;
  /** Asks environment n, which takes itself for number 0. */
  const ask = <T>(n: number, question: (env: AgentsEnvs) => T): T => {
    try {
      return question(rows[n].env);
    } catch (error) {
      throw placedAt(error, n);
    }
  };
  const advance = (n: number, move: (env: AgentsEnvs) => void) => {
    ask(n, move);
    copyResults(rows[n].env.results, results);
  };
  return {
    envId: first.envId,
    numEnvs: rows.length,
    seats: first.seats,
    results,
    reset(n, seed) {
      if (state.next !== null && !isDeepStrictEqual(rows[n].options, state.next))
        change(state, n, state.next);
      advance(n, (env) => env.reset(0, seed));
    },
    step: (n, actions, offset) => advance(n, (env) => env.step(0, actions, offset)),
    writeObservation: (n, s, out, offset) => ask(n, (env) => env.writeObservation(0, s, out, offset)),
    writeFinalObservation: (n, s, out, offset) =>
      ask(n, (env) => env.writeFinalObservation(0, s, out, offset)),
    writeMask: (n, s, out, offset) => ask(n, (env) => env.writeMask(0, s, out, offset)),
    stateSize: first.stateSize,
    writeState: (n, out, offset) => ask(n, (env) => env.writeState(0, out, offset)),
    reportMetrics:
      first.reportMetrics && ((n, onMetric) => ask(n, (env) => env.reportMetrics?.(0, onMetric))),
    getState: (n) => ask(n, (env) => env.getState(0)),
    setState: first.setState && ((n, saved: JsonValue) => advance(n, (env) => env.setState?.(0, saved))),
    initialStates: null, // those of which options?
    render: first.render && ((n, mode) => ask(n, (env) => env.render?.(0, mode) ?? '')),
    close() {
      for (const { env } of rows) env.close();
    },
  };
}

function copyResults(from: SeatResults, to: SeatResults): void {
  to.rewards.set(from.rewards);
  to.acting.set(from.acting);
  to.ended.set(from.ended);
  to.outcomes.set(from.outcomes);
  to.episodeEnd = from.episodeEnd;
}

/** Puts an environment with the next options in place n, to be reset next. */
function change({ make, rows }: State, n: number, next: JsonObject): void {
  const env = make(next);
  requireSeatsOf(rows[n].env, env, next);
  rows[n].env.close();
  rows[n] = { env, options: next };
}

type Seats = Pick<AgentsEnvs, 'envId' | 'seats' | 'stateSize'>;

/** Bounds of observations may differ, which no policy reads. @throws ConfigError `CONFIG_CURRICULUM_SPACES`. */
export function requireSeatsOf(expected: Seats, found: Seats, options: JsonObject): void {
  const describe = ({ seats, stateSize }: Seats) => ({ seats: seats.map(describeSeat), stateSize });
  const [before, after] = [describe(expected), describe(found)];
  if (isDeepStrictEqual(before, after)) return;
  throw new ConfigError(
    'CONFIG_CURRICULUM_SPACES',
    `With the options ${JSON.stringify(options)} ${found.envId} has the agents ${JSON.stringify(after)}, and policies are for ${JSON.stringify(before)}: ` +
      'options may change in mid-run if agents and spaces stay.',
  );
}

const describeSeat = ({ name, observationSpace, actionSpace, masksActions = false }: AgentSeat) => ({
  ...{ name, masksActions },
  observationSpace: withoutBounds(observationSpace),
  actionSpace: spaceToJson(actionSpace),
});
