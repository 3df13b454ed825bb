/**
 * LeducPoker-v0: a small poker with two rounds of bets. Six cards, two of each of three ranks; one for each of two players, and one for both.
 *
 * ## Agents
 * `player_0`, who begins both rounds, and `player_1`. Both have the same spaces; an observation says whose it is.
 *
 * ## Action Space
 * `Discrete(3)`: 0 folds, 1 calls (checks where there is nothing to call), 2 raises. A fold without a bet to fold to and a third raise of a
 * round are masked.
 *
 * ## Observation Space
 * `Box(24)` of 0 and 1: player (2), own card (3, the highest last), the card for both (3, once it lies open), and for each of two rounds
 * and four moves whether it was a call or a raise (2 x 4 x 2). With it a player remembers all that they have seen.
 *
 * ## Central State
 * 25 of 0 and 1: both players' cards (2 x 3), the card for both (3, once it lies open), the moves (2 x 4 x 2).
 *
 * ## Rewards
 * At the end, the chips won or lost, from -13 to 13, and the same with the other sign for the other. `info.outcome` has their sign.
 *
 * ## Rules
 * An ante of 1. A raise is of 2 chips in the first round, of 4 in the second, two of them at most in a round. A round ends when a bet is
 * called or both have checked; then the card for both is opened. At the showdown a pair with it wins, then the higher card; equal cards divide.
 *
 * ## Episode End
 * Terminated by a fold or the showdown. The value of the game is -0.0856 for who begins.
 *
 * Source: F. Southey et al. (2005), "Bayes' Bluff: Opponent Modelling in Poker". State for `setState`: `{ cards, moves }`: cards of the first
 * player, of the second, for both; the moves of each round.
 */
import {
  AgentEnd,
  type AgentsKernelFactory,
  clearResults,
  type InitialState,
  type SeatResults,
  seatResults,
} from '../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../src/env/agents/kernel-multi-agent-env.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import type { ObservationArray } from '../src/env/vector-env.ts';
import type { JsonObject } from '../src/json.ts';

const ENV_ID = 'LeducPoker-v0';
const NUM_RANKS = 3;
const NUM_CARDS = 2 * NUM_RANKS;
const NUM_ROUNDS = 2;
/** Check, raise, raise, call. */
const MAX_MOVES = 4;
const MAX_RAISES = 2;
const RAISES = [2, 4];
const FOLD = 0;
const RAISE = 2;
const MOVES_SIZE = NUM_ROUNDS * MAX_MOVES * 2;
const OBSERVATION_SIZE = 2 + 2 * NUM_RANKS + MOVES_SIZE;
const STATE_SIZE = 3 * NUM_RANKS + MOVES_SIZE;

interface Tables {
  readonly cards: Uint8Array; // [N, 3] u8: ranks of the first player, of the second, for both
  readonly moves: Uint8Array; // [N, rounds, MAX_MOVES] u8
  readonly numMoves: Uint8Array; // [N, rounds] u8
  readonly rounds: Uint8Array; // [N] u8
  readonly numRaises: Uint8Array; // [N] u8, of this round
  readonly paid: Uint8Array; // [N, 2] u8, chips
  readonly results: SeatResults;
}

/** N tables; see the head of this file. */
export const leducPokerKernel: AgentsKernelFactory = (numEnvs, given) => {
  readEnvOptions(ENV_ID, given, {});
  const tables: Tables = {
    cards: new Uint8Array(numEnvs * 3),
    moves: new Uint8Array(numEnvs * NUM_ROUNDS * MAX_MOVES),
    numMoves: new Uint8Array(numEnvs * NUM_ROUNDS),
    rounds: new Uint8Array(numEnvs),
    numRaises: new Uint8Array(numEnvs),
    paid: new Uint8Array(numEnvs * 2),
    results: seatResults(2),
  };
  const { cards, paid, rounds, results } = tables;
  const spaces = {
    observationSpace: new Box(0, 1, [OBSERVATION_SIZE]),
    actionSpace: new Discrete(3),
    masksActions: true,
  };
  return {
    envId: ENV_ID,
    numEnvs,
    seats: ['player_0', 'player_1'].map((name) => ({ name, ...spaces })),
    results,
    maxEpisodeSteps: null,
    reset(n, seed) {
      const random = openEnvRandom(seed);
      const first = random.integer(NUM_CARDS);
      const second = (first + 1 + random.integer(NUM_CARDS - 1)) % NUM_CARDS;
      let open = random.integer(NUM_CARDS - 2);
      for (const taken of [Math.min(first, second), Math.max(first, second)]) if (open >= taken) open += 1;
      deal(tables, n, first >> 1, second >> 1, open >> 1);
    },
    step(n, actions, offset) {
      move(tables, n, actions[offset + moverOf(tables, n)]);
    },
    writeObservation(n, s, out, offset) {
      out.fill(0, offset, offset + OBSERVATION_SIZE);
      out[offset + s] = 1;
      out[offset + 2 + cards[3 * n + s]] = 1;
      if (rounds[n] > 0) out[offset + 2 + NUM_RANKS + cards[3 * n + 2]] = 1;
      writeMoves(tables, n, out, offset + 2 + 2 * NUM_RANKS);
    },
    writeMask(n, _s, out, offset) {
      out[offset] = paid[2 * n] === paid[2 * n + 1] ? 0 : 1;
      out[offset + 1] = 1;
      out[offset + RAISE] = tables.numRaises[n] < MAX_RAISES ? 1 : 0;
    },
    stateSize: STATE_SIZE,
    writeState(n, out, offset) {
      out.fill(0, offset, offset + STATE_SIZE);
      for (const s of [0, 1]) out[offset + NUM_RANKS * s + cards[3 * n + s]] = 1;
      if (rounds[n] > 0) out[offset + 2 * NUM_RANKS + cards[3 * n + 2]] = 1;
      writeMoves(tables, n, out, offset + 3 * NUM_RANKS);
    },
    initialStates: allDeals(),
    getState: (n) => ({ cards: [...cards.subarray(3 * n, 3 * n + 3)], moves: movesOf(tables, n) }),
    setState(n, state) {
      const { cards: saved, moves } = state as JsonObject;
      const [first, second, open] = saved as number[];
      deal(tables, n, first, second, open);
      for (const action of (moves as number[][]).flat()) move(tables, n, action);
    },
    render: (n) => describe(tables, n),
  };
};

function deal({ cards, ...tables }: Tables, n: number, first: number, second: number, open: number): void {
  cards[3 * n] = first;
  cards[3 * n + 1] = second;
  cards[3 * n + 2] = open;
  tables.numMoves.fill(0, NUM_ROUNDS * n, NUM_ROUNDS * (n + 1));
  tables.rounds[n] = 0;
  tables.numRaises[n] = 0;
  tables.paid.fill(1, 2 * n, 2 * n + 2);
  clearResults(tables.results);
  tables.results.acting[0] = 1;
}

/** Players move in turn within a round, and `player_0` begins each. */
function moverOf({ numMoves, rounds }: Tables, n: number): number {
  return numMoves[NUM_ROUNDS * n + rounds[n]] % 2;
}

function move(tables: Tables, n: number, action: number): void {
  const { moves, numMoves, rounds, numRaises, paid, results } = tables;
  const mover = moverOf(tables, n);
  const round = NUM_ROUNDS * n + rounds[n];
  clearResults(results);
  moves[round * MAX_MOVES + numMoves[round]] = action;
  numMoves[round] += 1;
  if (action === FOLD) {
    finish(results, mover === 0 ? -paid[2 * n] : paid[2 * n + 1]);
    return;
  }
  paid[2 * n + mover] = paid[2 * n + 1 - mover];
  if (action === RAISE) {
    paid[2 * n + mover] += RAISES[rounds[n]];
    numRaises[n] += 1;
  }
  if (action === RAISE || numMoves[round] === 1) {
    results.acting[1 - mover] = 1;
    return;
  }
  if (rounds[n] === NUM_ROUNDS - 1) {
    finish(results, showdown(tables, n) * paid[2 * n]);
    return;
  }
  rounds[n] += 1;
  numRaises[n] = 0;
  results.acting[0] = 1;
}

/** 1 = `player_0` wins, -1 = the other, 0 = the chips are divided. */
function showdown({ cards }: Tables, n: number): number {
  const [first, second, open] = [cards[3 * n], cards[3 * n + 1], cards[3 * n + 2]];
  if (first === open) return 1;
  if (second === open) return -1;
  return Math.sign(first - second);
}

/** @param won chips that `player_0` wins. */
function finish(results: SeatResults, won: number): void {
  results.episodeEnd = AgentEnd.TERMINATED;
  results.rewards[0] = won;
  results.rewards[1] = won === 0 ? 0 : -won;
  for (const s of [0, 1]) results.outcomes[s] = Math.sign(results.rewards[s]);
}

function writeMoves({ moves, numMoves }: Tables, n: number, out: ObservationArray, offset: number): void {
  for (let k = 0; k < NUM_ROUNDS; k++) {
    const round = NUM_ROUNDS * n + k;
    for (let m = 0; m < numMoves[round]; m++) {
      const action = moves[round * MAX_MOVES + m];
      if (action !== FOLD) out[offset + 2 * (k * MAX_MOVES + m) + action - 1] = 1;
    }
  }
}

function movesOf({ moves, numMoves }: Tables, n: number): number[][] {
  return Array.from({ length: NUM_ROUNDS }, (_, k) => {
    const first = (NUM_ROUNDS * n + k) * MAX_MOVES;
    return [...moves.subarray(first, first + numMoves[NUM_ROUNDS * n + k])];
  });
}

/** Chance as it is after the deal: the card for both lies there from the beginning, unseen. */
function allDeals(): InitialState[] {
  const ranks = [0, 1, 2];
  return ranks.flatMap((first) =>
    ranks.flatMap((second) =>
      ranks.flatMap((open) => {
        const left = 2 - Number(open === first) - Number(open === second);
        const probability = (2 / 6) * ((2 - Number(second === first)) / 5) * (left / 4);
        const state = { cards: [first, second, open], moves: [[], []] };
        return probability > 0 ? [{ state, probability }] : [];
      }),
    ),
  );
}

function describe(tables: Tables, n: number): string {
  const { cards, paid, rounds } = tables;
  const names = 'JQK';
  const said = movesOf(tables, n)
    .slice(0, rounds[n] + 1)
    .map((made) => made.map((action) => ['fold', 'call', 'raise'][action]).join(', ') || 'nothing yet');
  const open = rounds[n] > 0 ? names[cards[3 * n + 2]] : '?';
  return (
    `player_0 ${names[cards[3 * n]]} (${paid[2 * n]} chips)  player_1 ${names[cards[3 * n + 1]]} (${paid[2 * n + 1]})  ` +
    `open ${open}\n${said.join('\n')}`
  );
}

/** Options in, one table out. */
export const leducPoker = multiAgentFactory(leducPokerKernel);
