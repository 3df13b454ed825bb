/** What a user's reset and step gave for several agents, checked on every step; each problem names its agent, its place is added by the caller. */
import { EnvError } from '../../errors.ts';
import { describeValue } from '../space-values.ts';
import { finiteReward } from '../user-results.ts';
import { AgentEnd, type AgentSeat, clearResults, type SeatResults } from './agents-kernel.ts';
import type { AgentFlags, AgentsReset, AgentsStep } from './multi-agent-env.ts';

/** Seats by name, once for an environment. */
export type SeatIndex = ReadonlyMap<string, NamedSeat>;

interface NamedSeat {
  readonly s: number;
  readonly masksActions: boolean;
}

export function checkAgentsReset(result: AgentsReset, phase: 'reset' | 'step'): void {
  const code = phase === 'reset' ? 'ENV_RESET_RESULT' : 'ENV_STEP_RESULT';
  if ((result as unknown) instanceof Promise)
    throw new EnvError(code, `${phase} returned a promise; reset and step must be synchronous.`);
  const { observations } = Object(result) as AgentsReset;
  if (typeof observations === 'object' && observations !== null) return;
  throw new EnvError(
    code,
    `Expected ${phase} to return { observations: { agent: observation } }, got ${describeValue(result)}.`,
  );
}

/** Writes rewards, ends and outcomes of a step; `readActing` follows. */
export function readStep(results: SeatResults, seats: SeatIndex, result: AgentsStep): void {
  clearResults(results);
  for (const name in result.rewards) {
    const { s } = seatNamed(seats, name, 'rewards');
    try {
      results.rewards[s] = finiteReward(result.rewards[name], false, []);
    } catch (error) {
      throw error instanceof EnvError ? ofAgent(error, name) : error;
    }
  }
  readFlags(results, seats, result.truncated, 'truncated', AgentEnd.TRUNCATED);
  readFlags(results, seats, result.terminated, 'terminated', AgentEnd.TERMINATED);
  const outcome = result.info?.outcome;
  for (const name in outcome) results.outcomes[seatNamed(seats, name, 'info.outcome').s] = outcome[name];
}

/** Terminated wins where both are set, so it is read last. */
function readFlags(
  results: SeatResults,
  seats: SeatIndex,
  flags: AgentFlags,
  field: 'terminated' | 'truncated',
  end: number,
): void {
  if (flags === true) results.episodeEnd = end;
  if (typeof flags === 'boolean') return;
  if (typeof flags !== 'object' || flags === null) {
    throw new EnvError(
      'ENV_FLAGS',
      `Expected \`${field}\` to be true, false or a record of them by agent, got ${describeValue(flags)}.`,
    );
  }
  for (const name in flags) {
    const { s } = seatNamed(seats, name, field);
    if (typeof flags[name] !== 'boolean') {
      throw new EnvError(
        'ENV_FLAGS',
        `Expected \`${field}.${name}\` to be true or false, got ${describeValue(flags[name])}.`,
      );
    }
    if (flags[name]) results.ended[s] = end;
  }
}

/** Writes who acts next; nobody does after the episode's end. */
export function readActing(results: SeatResults, seats: SeatIndex, result: AgentsReset): void {
  const { observations, acting } = result;
  for (const name in observations) {
    const { s } = seatNamed(seats, name, 'observations');
    if (acting === undefined && results.ended[s] === AgentEnd.NONE) results.acting[s] = 1;
  }
  for (const name of acting ?? []) {
    const { s } = seatNamed(seats, name, 'acting');
    if (observations[name] === undefined) {
      throw new EnvError(
        'ENV_AGENT_OBSERVATION',
        `Agent \`${name}\` acts next and has no observation. Give \`observations.${name}\` with everybody who acts next.`,
      );
    }
    results.acting[s] = 1;
  }
  for (const name in (result as Partial<AgentsStep>).finalObservations)
    seatNamed(seats, name, 'finalObservations');
  for (const name in result.actionMasks)
    if (!seatNamed(seats, name, 'actionMasks').masksActions) throw undeclaredMask(name);
  if (results.episodeEnd !== AgentEnd.NONE) results.acting.fill(0);
}

/** A mask that nothing would read lets forbidden actions through. */
function undeclaredMask(name: string): EnvError {
  return new EnvError(
    'ENV_MASK_UNDECLARED',
    `\`actionMasks.${name}\` was given, but \`agents.${name}\` does not declare that it masks actions, so forbidden ones would be taken. ` +
      `Set \`masksActions: true\` in \`agents.${name}\`.`,
  );
}

function seatNamed(seats: SeatIndex, name: string, field: string): NamedSeat {
  const seat = seats.get(name);
  if (seat !== undefined) return seat;
  throw new EnvError(
    'ENV_AGENT_UNKNOWN',
    `\`${field}\` names the agent \`${name}\`, which \`agents\` does not have: ${[...seats.keys()].join(', ')}.`,
  );
}

/** The error with the agent's name in front. */
export function ofAgent(error: EnvError, agent: string): EnvError {
  return new EnvError(error.code as 'ENV_STEP_THREW', `agent \`${agent}\`: ${error.message}`, error.place, {
    cause: error.cause,
  });
}

/** Seats by their names. */
export function indexSeats(seats: readonly AgentSeat[]): SeatIndex {
  return new Map(seats.map(({ name, masksActions = false }, s) => [name, { s, masksActions }]));
}
