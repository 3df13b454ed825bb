/** What all environments of several agents in one thread share: time limits, ends, errors with their place, state. */
import { EnvError, type EnvErrorPlace } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { RgbFrame } from '../env.ts';
import type { ObservationArray } from '../vector-env.ts';
import {
  AgentEnd,
  type AgentSeat,
  type AgentsKernel,
  type InitialState,
  type SeatResults,
} from './agents-kernel.ts';

/** N environments that are stepped one at a time; whoever steps them resets them. Thread: lives in one thread. */
export interface AgentsEnvs {
  readonly envId: string;
  readonly numEnvs: number;
  readonly seats: readonly AgentSeat[];
  /** As `AgentsKernel.results`; an episode that runs has somebody who acts. */
  readonly results: SeatResults;
  reset(n: number, seed: number): void;
  step(n: number, actions: Float32Array, offset: number): void;
  writeObservation(n: number, s: number, out: ObservationArray, offset: number): void;
  /** The last one of a seat that ended in the last step. */
  writeFinalObservation(n: number, s: number, out: ObservationArray, offset: number): void;
  writeMask(n: number, s: number, out: Uint8Array, offset: number): void;
  /** Elements of the central state; 0 = there is none. */
  readonly stateSize: number;
  writeState(n: number, out: Float32Array, offset: number): void;
  readonly reportMetrics: ((n: number, onMetric: (name: string, value: number) => void) => void) | null;
  /** null = not this one, or not at all. */
  getState(n: number): JsonValue;
  readonly setState: ((n: number, state: JsonValue) => void) | null;
  /** As `AgentsKernel.initialStates`, as `setState` takes them; null = not told. */
  readonly initialStates: readonly InitialState[] | null;
  readonly render: ((n: number, mode?: 'rgb' | 'ansi') => RgbFrame | string) | null;
  close(): void;
}

/**
 * @throws EnvError from `reset`, `step` and the writers, with environment, episode seed and step: what the kernel throws,
 * `ENV_RESET_THREW`, `ENV_STEP_THREW`, and `ENV_NOBODY_ACTS` for a running episode in which nobody acts next.
 */
export function createAgentsEnvs(kernel: AgentsKernel): AgentsEnvs {
  const { numEnvs, results, seats, envId } = kernel;
  const limit = kernel.maxEpisodeSteps ?? Number.POSITIVE_INFINITY;
  const elapsed = new Float64Array(numEnvs);
  const seeds = new Float64Array(numEnvs);
  const writeFinal = (kernel.writeFinalObservation ?? kernel.writeObservation).bind(kernel);
  const placed = (error: unknown, n: number): EnvError =>
    placeError(error, { envId, envIndex: n, episodeSeed: seeds[n], episodeStep: elapsed[n] });
  return {
    envId,
    numEnvs,
    seats,
    results,
    reset(n, seed) {
      seeds[n] = seed;
      elapsed[n] = 0;
      try {
        kernel.reset(n, seed);
        checkSomebodyActs(results);
      } catch (error) {
        throw placed(error, n);
      }
    },
    step(n, actions, offset) {
      elapsed[n] += 1;
      try {
        kernel.step(n, actions, offset);
        endIfOver(results, elapsed[n] >= limit);
      } catch (error) {
        throw placed(error, n);
      }
    },
    writeObservation(n, s, out, offset) {
      try {
        kernel.writeObservation(n, s, out, offset);
      } catch (error) {
        throw placed(error, n);
      }
    },
    writeFinalObservation(n, s, out, offset) {
      try {
        writeFinal(n, s, out, offset);
      } catch (error) {
        throw placed(error, n);
      }
    },
    writeMask(n, s, out, offset) {
      try {
        kernel.writeMask?.(n, s, out, offset);
      } catch (error) {
        throw placed(error, n);
      }
    },
    stateSize: kernel.writeState === undefined ? 0 : (kernel.stateSize ?? 0),
    writeState(n, out, offset) {
      try {
        kernel.writeState?.(n, out, offset);
      } catch (error) {
        throw placed(error, n);
      }
    },
    reportMetrics: kernel.reportMetrics?.bind(kernel) ?? null,
    getState(n) {
      if (kernel.getState === undefined || kernel.setState === undefined) return null;
      return { elapsed: elapsed[n], seed: seeds[n], env: kernel.getState(n) };
    },
    setState:
      kernel.setState === undefined
        ? null
        : (n, state) => {
            const { elapsed: steps, seed, env } = state as JsonObject;
            elapsed[n] = steps as number;
            seeds[n] = seed as number;
            try {
              kernel.setState?.(n, env as JsonValue);
            } catch (error) {
              throw placed(error, n);
            }
          },
    initialStates: kernel.initialStates?.map(placeInitialState) ?? null,
    render: kernel.render?.bind(kernel) ?? null,
    close: () => kernel.close?.(),
  };
}

function placeInitialState({ state, probability }: InitialState): InitialState {
  return { state: { elapsed: 0, seed: 0, env: state }, probability };
}

function endIfOver(results: SeatResults, isAtLimit: boolean): void {
  if (results.episodeEnd === AgentEnd.NONE && isAtLimit) results.episodeEnd = AgentEnd.TRUNCATED;
  if (results.episodeEnd === AgentEnd.NONE) endWithLastAgent(results);
  if (results.episodeEnd !== AgentEnd.NONE) results.acting.fill(0);
  else checkSomebodyActs(results);
}

/** Nobody acts next and somebody ended now: the last one has gone, and the episode with them. It terminated unless all were cut. */
function endWithLastAgent(results: SeatResults): void {
  if (hasActor(results)) return;
  if (results.ended.includes(AgentEnd.TERMINATED)) results.episodeEnd = AgentEnd.TERMINATED;
  else if (results.ended.includes(AgentEnd.TRUNCATED)) results.episodeEnd = AgentEnd.TRUNCATED;
}

/** A loop: `includes` is a call, twice a step. */
function hasActor({ acting }: SeatResults): boolean {
  for (let s = 0; s < acting.length; s++) if (acting[s] === 1) return true;
  return false;
}

function checkSomebodyActs(results: SeatResults): void {
  if (hasActor(results)) return;
  throw new EnvError(
    'ENV_NOBODY_ACTS',
    'Nobody acts next, and the episode goes on. Give an observation for whoever acts next, or end the episode.',
  );
}

function placeError(error: unknown, place: EnvErrorPlace): EnvError {
  const { envId, episodeSeed, episodeStep } = place;
  const where = `${envId}, episode seed ${episodeSeed}, ${episodeStep === 0 ? 'reset' : `step ${episodeStep}`}`;
  if (error instanceof EnvError) {
    return new EnvError(error.code as 'ENV_STEP_THREW', `${where}: ${error.message}`, place, {
      cause: error.cause,
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new EnvError(
    episodeStep === 0 ? 'ENV_RESET_THREW' : 'ENV_STEP_THREW',
    `${where}: the environment threw: ${reason}`,
    place,
    { cause: error },
  );
}
