/** Seats in groups of equal spaces, and where each one's action lies: what memory, networks and replays are laid out by. */
import { ConfigError } from '../../errors.ts';
import { actionMaskSize, flatActionSize, flattenActionSpace } from '../flatten-action.ts';
import { flattenObservationSpace } from '../flatten-space.ts';
import { spaceToJson } from '../space-json.ts';
import { isSpace } from '../spaces.ts';
import type { AgentSeat } from './agents-kernel.ts';
import type { AgentSpaces, MultiAgentEnv } from './multi-agent-env.ts';

/** Seats whose spaces and masks are equal: one block of rows, and policies that may act for any of them. */
export interface SeatGroup {
  /** Seats of the environment, ascending. */
  readonly seats: readonly number[];
  readonly spaces: AgentSpaces;
  readonly observationSize: number;
  readonly observationDtype: 'float32' | 'uint8';
  /** 0 = no masks. */
  readonly maskSize: number;
  /** Elements of a flat action. */
  readonly actionSize: number;
}

export interface SeatLayout {
  readonly names: readonly string[]; // [S]
  readonly groups: readonly SeatGroup[];
  readonly groupOf: readonly number[]; // [S]
  /** Place of a seat within its group. */
  readonly placeOf: readonly number[]; // [S]
  /** Where a seat's action begins in the actions of a step. */
  readonly actionOffsets: readonly number[]; // [S]
  /** Elements of the actions of one step, all seats together. */
  readonly actionStride: number;
}

/** @throws ConfigError `CONFIG_ACTION_SPACE`, `CONFIG_ACTION_MASK` for spaces that no policy acts in. */
export function createSeatLayout(seats: readonly AgentSeat[]): SeatLayout {
  const keys: string[] = [];
  const groups: { seats: number[]; readonly group: SeatGroup }[] = [];
  const groupOf: number[] = [];
  const placeOf: number[] = [];
  const actionOffsets: number[] = [];
  let actionStride = 0;
  for (const [s, seat] of seats.entries()) {
    const { observationSpace, actionSpace, masksActions = false } = seat;
    const key = JSON.stringify([spaceToJson(observationSpace), spaceToJson(actionSpace), masksActions]);
    let g = keys.indexOf(key);
    if (g < 0) {
      g = keys.push(key) - 1;
      const members: number[] = [];
      groups.push({
        seats: members,
        group: describeGroup(members, { observationSpace, actionSpace, masksActions }),
      });
    }
    groupOf.push(g);
    placeOf.push(groups[g].seats.push(s) - 1);
    actionOffsets.push(actionStride);
    actionStride += groups[g].group.actionSize;
  }
  const names = seats.map(({ name }) => name);
  return { names, groups: groups.map(({ group }) => group), groupOf, placeOf, actionOffsets, actionStride };
}

function describeGroup(seats: readonly number[], spaces: AgentSpaces): SeatGroup {
  flattenActionSpace(spaces.actionSpace);
  const { size, dtype } = flattenObservationSpace(spaces.observationSpace);
  return {
    seats,
    spaces,
    observationSize: size,
    observationDtype: dtype,
    maskSize: spaces.masksActions === true ? actionMaskSize(spaces.actionSpace) : 0,
    actionSize: flatActionSize(spaces.actionSpace),
  };
}

/**
 * The seats of an environment, checked.
 *
 * @throws ConfigError `CONFIG_ENV_FACTORY` naming the agent whose spaces are none.
 */
export function seatsOf({ agents }: Pick<MultiAgentEnv, 'agents'>, envId: string): AgentSeat[] {
  const entries = Object.entries(agents);
  if (entries.length === 0) throw factoryError(envId, '`agents` names nobody');
  return entries.map(([name, spaces]) => {
    for (const key of ['observationSpace', 'actionSpace'] as const) {
      if (!isSpace(Object(spaces)[key]))
        throw factoryError(envId, `\`agents.${name}.${key}\` is not a space`);
    }
    if (!/^[\w.-]+$/.test(name))
      throw factoryError(
        envId,
        `an agent is called \`${name}\`; use letters, digits, dots, dashes and underscores`,
      );
    const { observationSpace, actionSpace, masksActions = false } = spaces;
    return { name, observationSpace, actionSpace, masksActions };
  });
}

function factoryError(envId: string, reason: string): ConfigError {
  return new ConfigError(
    'CONFIG_ENV_FACTORY',
    `Expected the factory of ${envId} to give an environment {agents: {name: {observationSpace, actionSpace}}, reset, step}, but ${reason}.`,
  );
}
