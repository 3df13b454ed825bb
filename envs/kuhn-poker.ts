/**
 * KuhnPoker-v0: the smallest poker. Three cards, one for each of two players, an ante of 1 chip, one bet of 1 chip.
 *
 * ## Agents
 * `player_0`, who begins, and `player_1`. Both have the same spaces; an observation says whose it is.
 *
 * ## Action Space
 * `Discrete(2)`: 0 passes (checks, or folds to a bet), 1 bets (or calls).
 *
 * ## Observation Space
 * `Box(11)` of 0 and 1: player (2), own card (3, the highest last), and for each of three moves whether it was a pass or a bet (3 x 2).
 *
 * ## Central State
 * 12 of 0 and 1: both players' cards (2 x 3) and the moves (3 x 2).
 *
 * ## Rewards
 * At the end, the chips won or lost: 1 or 2, and the same with the other sign for the other. `info.outcome` has their sign.
 *
 * ## Episode End
 * Terminated by pass-pass, pass-bet-pass, pass-bet-bet, bet-pass, bet-bet. The value of the game is -1/18 for who begins.
 *
 * Source: H. W. Kuhn (1950), "Simplified two-person poker". State for `setState`: `{ cards, moves }`.
 */
import {
  AgentEnd,
  type AgentsKernelFactory,
  clearResults,
  seatResults,
} from '../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../src/env/agents/kernel-multi-agent-env.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import type { JsonObject } from '../src/json.ts';

const ENV_ID = 'KuhnPoker-v0';
const NUM_CARDS = 3;
const MAX_MOVES = 3;
const OBSERVATION_SIZE = 2 + NUM_CARDS + 2 * MAX_MOVES;
const STATE_SIZE = 2 * NUM_CARDS + 2 * MAX_MOVES;
const BET = 1;
const DEALS = [0, 1, 2].flatMap((first) =>
  [0, 1, 2].filter((card) => card !== first).map((card) => [first, card]),
);

/** Chips that player 0 wins after these moves, or null while the hand goes on. */
export function kuhnPayoff(moves: readonly number[], cards: ArrayLike<number>): number | null {
  const showdown = cards[0] > cards[1] ? 1 : -1;
  const line = moves.join('');
  if (line === '00') return showdown;
  if (line === '11' || line === '011') return 2 * showdown;
  if (line === '10') return 1;
  if (line === '010') return -1;
  return null;
}

/** N hands; see the head of this file. */
export const kuhnPokerKernel: AgentsKernelFactory = (numEnvs, given) => {
  readEnvOptions(ENV_ID, given, {});
  const cards = new Uint8Array(numEnvs * 2); // [numEnvs, 2] u8
  const moves: number[][] = Array.from({ length: numEnvs }, () => []);
  const results = seatResults(2);
  const spaces = { observationSpace: new Box(0, 1, [OBSERVATION_SIZE]), actionSpace: new Discrete(2) };
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
      cards.set([first, second], 2 * n);
      moves[n] = [];
      clearResults(results);
      results.acting[0] = 1;
    },
    step(n, actions, offset) {
      const mover = moves[n].length % 2;
      moves[n].push(actions[offset + mover] === BET ? 1 : 0);
      clearResults(results);
      const payoff = kuhnPayoff(moves[n], cards.subarray(2 * n, 2 * n + 2));
      if (payoff === null) {
        results.acting[1 - mover] = 1;
        return;
      }
      results.episodeEnd = AgentEnd.TERMINATED;
      results.rewards.set([payoff, -payoff]);
      results.outcomes.set([Math.sign(payoff), -Math.sign(payoff)]);
    },
    writeObservation(n, s, out, offset) {
      out.fill(0, offset, offset + OBSERVATION_SIZE);
      out[offset + s] = 1;
      out[offset + 2 + cards[2 * n + s]] = 1;
      for (const [k, move] of moves[n].entries()) out[offset + 2 + NUM_CARDS + 2 * k + move] = 1;
    },
    stateSize: STATE_SIZE,
    writeState(n, out, offset) {
      out.fill(0, offset, offset + STATE_SIZE);
      for (const s of [0, 1]) out[offset + NUM_CARDS * s + cards[2 * n + s]] = 1;
      for (const [k, move] of moves[n].entries()) out[offset + 2 * NUM_CARDS + 2 * k + move] = 1;
    },
    initialStates: DEALS.map((dealt) => ({
      state: { cards: dealt, moves: [] },
      probability: 1 / DEALS.length,
    })),
    getState: (n) => ({ cards: [cards[2 * n], cards[2 * n + 1]], moves: [...moves[n]] }),
    setState(n, state) {
      const { cards: saved, moves: made } = state as JsonObject;
      cards.set(saved as number[], 2 * n);
      moves[n] = [...(made as number[])];
      clearResults(results);
      results.acting[moves[n].length % 2] = 1;
    },
    render(n) {
      const names = 'JQK';
      const said = moves[n].map((move) => (move === BET ? 'bet' : 'pass')).join(', ') || 'nothing yet';
      return `player_0 ${names[cards[2 * n]]}  player_1 ${names[cards[2 * n + 1]]}\n${said}`;
    },
  };
};

/** Options in, one table out. */
export const kuhnPoker = multiAgentFactory(kuhnPokerKernel);
