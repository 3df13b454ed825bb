/** Makes a kernel of a user's environments of several agents, and checks on every step what they give. */
import { ConfigError, EnvError, ShapeError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { choiceSizes, flattenActionSpace, unflattenAction } from '../flatten-action.ts';
import { flatSize, flattenObservation, unflattenObservation } from '../flatten-space.ts';
import { checkNumEnvs } from '../kernel-vector-env.ts';
import { copyState } from '../saved-state.ts';
import { describeValue } from '../space-values.ts';
import { isSpace, type Space } from '../spaces.ts';
import { reportMetrics, writeMask } from '../user-results.ts';
import type { ObservationArray } from '../vector-env.ts';
import { AgentEnd, type AgentsKernel, clearResults, seatResults } from './agents-kernel.ts';
import { type AgentsReset, type AgentsStep, isMultiAgentEnv, type MultiAgentEnv } from './multi-agent-env.ts';
import { createSeatLayout, type SeatLayout, seatsOf } from './seat-layout.ts';
import { checkAgentsReset, indexSeats, ofAgent, readActing, readStep } from './user-agents-results.ts';

/** What is remembered of environment n between its step and the writing of its rows. */
interface Slot {
  readonly env: MultiAgentEnv;
  result: AgentsReset;
  readonly acting: Uint8Array; // [S] u8, who acts in the coming step
}

interface UserGames {
  readonly slots: readonly Slot[];
  readonly kernel: Pick<AgentsKernel, 'seats' | 'results'>;
  readonly layout: SeatLayout;
}

/**
 * Steps `numEnvs` environments of several agents in one thread.
 *
 * @throws {@link ConfigError} `CONFIG_ENV_FACTORY` when the factory does not give fresh, alike environments of several agents.
 * @throws {@link EnvError} from `reset`, `step` and `writeObservation` of the result: `ENV_RESET_RESULT`, `ENV_STEP_RESULT`, `ENV_FLAGS`,
 * `ENV_AGENT_UNKNOWN`, `ENV_AGENT_OBSERVATION`, `ENV_OBSERVATION_SHAPE`, `ENV_OBSERVATION_NON_FINITE`,
 * `ENV_REWARD_NON_FINITE`, `ENV_MASK_MISSING`, `ENV_MASK_SIZE`, `ENV_MASK_EMPTY`, `ENV_METRIC`.
 */
export function userAgentsKernel(
  factory: () => MultiAgentEnv,
  numEnvs: number,
  envId: string,
  maxEpisodeSteps: number | null = null,
): AgentsKernel {
  const envs = createEnvs(factory, checkNumEnvs(numEnvs), envId);
  const seats = seatsOf(envs[0], envId);
  const index = indexSeats(seats);
  const results = seatResults(seats.length);
  const games: UserGames = {
    slots: envs.map((env) => ({ env, result: { observations: {} }, acting: new Uint8Array(seats.length) })),
    kernel: { seats, results },
    layout: createSeatLayout(seats),
  };
  const keep = (slot: Slot, result: AgentsReset) => {
    slot.result = result;
    readActing(results, index, result);
    slot.acting.set(results.acting);
  };
  const [first] = envs;
  return {
    envId,
    numEnvs,
    seats,
    results,
    maxEpisodeSteps: maxEpisodeSteps ?? first.maxEpisodeSteps ?? null,
    ...stateWriter(games, envId),
    reset(n, seed) {
      const slot = games.slots[n];
      const result = slot.env.reset({ seed });
      checkAgentsReset(result, 'reset');
      clearResults(results);
      keep(slot, result);
    },
    step(n, actions, offset) {
      const slot = games.slots[n];
      const result = slot.env.step(actionsOf(games, slot, actions, offset));
      checkAgentsReset(result, 'step');
      readStep(results, index, result);
      keep(slot, result);
    },
    writeObservation: (n, s, out, offset) =>
      writeObservation(games, s, observationOf(games, n, s), out, offset),
    writeFinalObservation: (n, s, out, offset) =>
      writeObservation(games, s, finalObservationOf(games, n, s), out, offset),
    writeMask: (n, s, out, offset) => writeAgentMask(games, n, s, out, offset),
    reportMetrics: (n, onMetric) =>
      reportMetrics(games.slots[n].result.info, n, (_, name, value) => onMetric(name, value)),
    ...(first.getState && first.setState && stateFunctions(games)),
    ...(first.render && { render: (n, mode) => games.slots[n].env.render?.(mode) ?? '' }),
    close: () => {
      for (const { env } of games.slots) env.close?.();
    },
  };
}

function createEnvs(factory: () => MultiAgentEnv, numEnvs: number, envId: string): MultiAgentEnv[] {
  const envs: MultiAgentEnv[] = [];
  for (let n = 0; n < numEnvs; n++) {
    const env: unknown = factory();
    if (!isMultiAgentEnv(env))
      throw factoryError(envId, `it gave ${describeValue(env)}, which is no environment of several agents`);
    if (envs.includes(env))
      throw factoryError(envId, 'it gave the same object twice. Create a new one on every call');
    if (n > 0 && Object.keys(env.agents).join() !== Object.keys(envs[0].agents).join())
      throw factoryError(envId, 'its agents differ from one call to the next');
    envs.push(env);
  }
  return envs;
}

function factoryError(envId: string, reason: string): ConfigError {
  return new ConfigError('CONFIG_ENV_FACTORY', `The factory of ${envId} cannot be used: ${reason}.`);
}

/** @throws ConfigError `CONFIG_ENV_FACTORY` for one of `stateSpace` and `state` without the other. */
function stateWriter({ slots }: UserGames, envId: string): Pick<AgentsKernel, 'stateSize' | 'writeState'> {
  const [{ env: first }] = slots;
  const { stateSpace } = first;
  if (stateSpace === undefined && first.state === undefined) return {};
  if (!isSpace(stateSpace) || typeof first.state !== 'function')
    throw factoryError(envId, 'a central state needs both a space `stateSpace` and a method `state`');
  const stateSize = flatSize(stateSpace);
  return {
    stateSize,
    writeState: (n, out, offset) =>
      writeFlat(stateSpace, stateSize, 'state', slots[n].env.state?.(), out, offset),
  };
}

function actionsOf(
  { kernel: { seats }, layout }: UserGames,
  { acting }: Slot,
  actions: Float32Array,
  offset: number,
): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (let s = 0; s < seats.length; s++) {
    if (acting[s] === 0) continue;
    record[seats[s].name] = unflattenAction(seats[s].actionSpace, actions, offset + layout.actionOffsets[s]);
  }
  return record;
}

/** How a seat ended, for messages, and who asks for what it saw last. */
function endOf({ kernel: { results } }: UserGames, s: number): readonly [end: string, asks: string] {
  const end = results.ended[s] === AgentEnd.NONE ? results.episodeEnd : results.ended[s];
  return end === AgentEnd.TERMINATED
    ? ['has terminated', 'for `curiosity` to judge']
    : ['is truncated', 'to bootstrap from'];
}

function observationOf(games: UserGames, n: number, s: number): unknown {
  const { slots, kernel } = games;
  const { env, result } = slots[n];
  const { name } = kernel.seats[s];
  const observation = result.observations[name] ?? env.observe?.(name);
  if (observation !== undefined) return observation;
  const [end, asks] = endOf(games, s);
  throw new EnvError(
    'ENV_AGENT_OBSERVATION',
    `Agent \`${name}\` ${end} and has no last observation ${asks}. Give \`observations.${name}\` with that step, or the method \`observe\`.`,
  );
}

/** @param what for messages: observation or state. */
function writeFlat(
  space: Space,
  size: number,
  what: string,
  value: unknown,
  out: ObservationArray,
  offset: number,
): void {
  try {
    flattenObservation(space, value, out, offset);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new EnvError('ENV_OBSERVATION_SHAPE', `the ${what} does not fit its space: ${error.message}`);
  }
  for (let k = 0; k < size; k++) {
    if (Number.isFinite(out[offset + k])) continue;
    throw new EnvError(
      'ENV_OBSERVATION_NON_FINITE',
      `Expected finite numbers, got ${out[offset + k]} as element ${k} of the flat ${what}.`,
    );
  }
}

/** An agent that acts next has begun another life: what it sees is not the end of the last one. */
function finalObservationOf(games: UserGames, n: number, s: number): unknown {
  const { name } = games.kernel.seats[s];
  const { result, acting } = games.slots[n];
  const given = (result as Partial<AgentsStep>).finalObservations?.[name];
  const hasBegunAnew = acting[s] === 1 && games.kernel.results.ended[s] !== AgentEnd.NONE;
  if (given !== undefined || !hasBegunAnew) return given ?? observationOf(games, n, s);
  throw new EnvError(
    'ENV_AGENT_OBSERVATION',
    `Agent \`${name}\` ${endOf(games, s)[0]} and begins its next life at once: give \`finalObservations.${name}\`, the last observation of the one before.`,
  );
}

function writeObservation(
  games: UserGames,
  s: number,
  observation: unknown,
  out: ObservationArray,
  offset: number,
): void {
  const { name, observationSpace } = games.kernel.seats[s];
  const { observationSize } = games.layout.groups[games.layout.groupOf[s]];
  try {
    writeFlat(observationSpace, observationSize, 'observation', observation, out, offset);
  } catch (error) {
    throw error instanceof EnvError ? ofAgent(error, name) : error;
  }
}

function writeAgentMask(
  { slots, kernel }: UserGames,
  n: number,
  s: number,
  out: Uint8Array,
  offset: number,
): void {
  const { name, actionSpace } = kernel.seats[s];
  const parts = choiceSizes(flattenActionSpace(actionSpace));
  try {
    writeMask(slots[n].result.actionMasks?.[name], parts, out, offset, `actionMasks.${name}`);
  } catch (error) {
    throw error instanceof EnvError ? ofAgent(error, name) : error;
  }
}

/** With what each seat saw: an environment's own state may not say it again. */
function stateFunctions(games: UserGames): Pick<AgentsKernel, 'getState' | 'setState'> {
  const { seats, results } = games.kernel;
  return {
    getState(n): JsonValue {
      const { env, result, acting } = games.slots[n];
      const seen = seats.map(({ name, observationSpace }, s) => {
        if (result.observations[name] === undefined) return null;
        const row = new Float32Array(flatSize(observationSpace));
        writeObservation(games, s, result.observations[name], row, 0);
        return [...row];
      });
      const masks = Object.entries(result.actionMasks ?? {}).map(([name, mask]) => [name, Array.from(mask)]);
      return {
        env: copyState(env.getState?.()),
        acting: [...acting],
        seen,
        masks: Object.fromEntries(masks),
      };
    },
    setState(n, state) {
      const { env, acting, seen, masks } = state as JsonObject;
      const slot = games.slots[n];
      slot.env.setState?.(copyState(env));
      slot.acting.set(acting as number[]);
      clearResults(results);
      results.acting.set(slot.acting);
      const observations = seats.flatMap(({ name, observationSpace }, s) => {
        const row = (seen as (readonly number[] | null)[])[s];
        return row === null
          ? []
          : [[name, unflattenObservation(observationSpace, Float32Array.from(row))] as const];
      });
      slot.result = {
        observations: Object.fromEntries(observations),
        actionMasks: masks as unknown as Record<string, readonly number[]>,
      };
    },
  };
}
