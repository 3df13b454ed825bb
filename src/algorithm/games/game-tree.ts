/** All that can happen in a small game in turns: its states as a graph, from what an environment does. */

import type { AgentsEnvs } from '../../env/agents/agents-envs.ts';
import { AgentEnd } from '../../env/agents/agents-kernel.ts';
import { createSeatLayout, type SeatLayout } from '../../env/agents/seat-layout.ts';
import { ConfigError } from '../../errors.ts';
import type { JsonValue } from '../../json.ts';

/** What a mover knows: states that look alike to an agent are one situation. */
export interface Situation {
  readonly seat: number;
  readonly observation: Float32Array; // [obsSize] f32
  /** 1 = allowed; null without masks. */
  readonly mask: Uint8Array | null; // [numActions] u8
  /** Allowed actions. */
  readonly actions: readonly number[];
}

export interface GameNode {
  /** Steps since the beginning; children are one deeper. */
  readonly depth: number;
  /** Index of the situation of whoever moves; -1 = the game is over. */
  readonly situation: number;
  /** By allowed action. */
  readonly children: readonly number[];
  /** By seat, what the step into this node gave; 0 before. */
  readonly rewards: readonly number[];
}

/** Nodes in the order of their depths. */
export interface GameTree {
  readonly seats: readonly string[];
  readonly nodes: readonly GameNode[];
  readonly situations: readonly Situation[];
  readonly roots: readonly { readonly node: number; readonly probability: number }[];
}

const MAX_NODES = 1_000_000;
/** Seeds with which a game that tells no beginnings has to begin alike. */
const NUM_PROBES = 8;

/**
 * Explores a game from all of its beginnings (`initialStates`; a game that has none must begin alike whatever the seed). One agent moves at a
 * time, actions are Discrete, and chance has no part after the beginning.
 *
 * @throws ConfigError `CONFIG_GAME` for any other environment, or one with more than a million nodes. Cost: a step and a state a node.
 */
export function exploreGame(envs: AgentsEnvs): GameTree {
  checkGame(envs);
  const layout = createSeatLayout(envs.seats);
  const { groups, groupOf } = layout;
  const nodes: GameNode[] = [];
  const situations: Situation[] = [];
  const indexOf = new Map<string, number>();
  const situationOf = new Map<string, number>();
  const states: JsonValue[] = [];
  /** Takes over where the environment stands; a state that was met before is the same node. */
  const arrive = (depth: number, rewards: readonly number[]): number => {
    const isOver = envs.results.episodeEnd !== AgentEnd.NONE;
    const state = isOver ? null : envs.getState(0);
    const key = `${depth} ${rewards.join()} ${JSON.stringify(state)}`;
    const known = indexOf.get(key);
    if (known !== undefined) return known;
    if (nodes.length >= MAX_NODES) throw unusable(envs, `has more than ${MAX_NODES} states`);
    const situation = isOver ? -1 : look();
    states.push(state);
    indexOf.set(key, nodes.length);
    return nodes.push({ depth, situation, children: [], rewards }) - 1;
  };
  const look = (): number => {
    const movers = [...envs.results.acting.keys()].filter((s) => envs.results.acting[s] === 1);
    if (movers.length !== 1) throw unusable(envs, `has ${movers.length} agents that act at once`);
    const [seat] = movers;
    const { observationSize, maskSize } = groups[groupOf[seat]];
    const observation = new Float32Array(observationSize);
    envs.writeObservation(0, seat, observation, 0);
    const mask = maskSize > 0 ? new Uint8Array(maskSize) : null;
    if (mask !== null) envs.writeMask(0, seat, mask, 0);
    const key = `${seat} ${observation.join()} ${mask?.join() ?? ''}`;
    const known = situationOf.get(key);
    if (known !== undefined) return known;
    const space = envs.seats[seat].actionSpace;
    const count = space.kind === 'discrete' ? space.n : 0;
    const actions = Array.from({ length: count }, (_, k) => k).filter((k) => mask === null || mask[k] === 1);
    situationOf.set(key, situations.length);
    return situations.push({ seat, observation, mask, actions }) - 1;
  };
  const roots = beginnings(envs).map(({ begin, probability }) => {
    begin();
    return {
      node: arrive(
        0,
        envs.seats.map(() => 0),
      ),
      probability,
    };
  });
  for (let n = 0; n < nodes.length; n++) expand(envs, layout, nodes, situations, states, n, arrive);
  return { seats: envs.seats.map(({ name }) => name), nodes, situations, roots };
}

function expand(
  envs: AgentsEnvs,
  { actionOffsets, actionStride }: SeatLayout,
  nodes: GameNode[],
  situations: readonly Situation[],
  states: JsonValue[],
  n: number,
  arrive: (depth: number, rewards: readonly number[]) => number,
): void {
  const { situation, depth, rewards } = nodes[n];
  if (situation < 0) return;
  const { seat, actions } = situations[situation];
  const space = envs.seats[seat].actionSpace;
  const start = space.kind === 'discrete' ? (space.start ?? 0) : 0;
  const given = new Float32Array(actionStride);
  const children = actions.map((action) => {
    envs.setState?.(0, structuredClone(states[n]));
    given[actionOffsets[seat]] = start + action;
    envs.step(0, given, 0);
    return arrive(depth + 1, [...envs.results.rewards]);
  });
  nodes[n] = { depth, situation, children, rewards };
  states[n] = null;
}

function checkGame(envs: AgentsEnvs): void {
  if (envs.setState === null) throw unusable(envs, 'has no getState and setState');
  for (const { name, actionSpace } of envs.seats)
    if (actionSpace.kind !== 'discrete')
      throw unusable(envs, `has an agent, ${name}, whose actions are not Discrete`);
}

/** A reset, or a state that one may lead to; then `results` say who acts. */
function beginnings(envs: AgentsEnvs): { begin(): void; probability: number }[] {
  if (envs.initialStates !== null)
    return envs.initialStates.map(({ state, probability }) => ({
      begin: () => {
        envs.reset(0, 0);
        envs.setState?.(0, state);
      },
      probability,
    }));
  const seen = new Set<string>();
  for (let seed = 0; seed < NUM_PROBES; seed++) {
    envs.reset(0, seed);
    seen.add(JSON.stringify(stateWithoutSeed(envs.getState(0))));
  }
  if (seen.size > 1)
    throw unusable(envs, 'begins in several ways and does not say in which: it needs `initialStates`');
  return [{ begin: () => envs.reset(0, 0), probability: 1 }];
}

function stateWithoutSeed(state: JsonValue): JsonValue {
  return { ...(state as Record<string, JsonValue>), seed: 0 };
}

function unusable({ envId }: AgentsEnvs, problem: string): ConfigError {
  return new ConfigError(
    'CONFIG_GAME',
    `Only small games in turns can be explored, and ${envId} ${problem}.`,
  );
}
