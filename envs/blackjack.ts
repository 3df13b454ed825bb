/**
 * Blackjack-v1: draw cards and come closer to 21 than the dealer, without passing it.
 *
 * ## Description
 * Example 5.1 of Sutton and Barto, "Reinforcement Learning" (2018); cards from an infinite deck, the dealer sticks at 17.
 * The same rules as Gymnasium's Blackjack-v1.
 *
 * ## Action Space
 * `Discrete(2)`: 0 stick, 1 hit.
 *
 * ## Observation Space
 * `Tuple(Discrete(32), Discrete(11), Discrete(2))`: the player's sum, the dealer's open card (1 = ace), whether the player
 * holds an ace that counts 11.
 *
 * ## Rewards
 * 1 for a win, -1 for a loss, 0 for a draw; with `natural` (and not `sab`) 1.5 for a win with ace and ten.
 *
 * ## Starting State
 * Two cards each.
 *
 * ## Episode End
 * Terminated when the player sticks or passes 21.
 *
 * ## Options
 * `sab` (true: the rules of the book, a natural wins unless the dealer has one too), `natural` (false), `maxEpisodeSteps`
 * (null = none), `resetRng` (`operant`; `numpy` draws Gymnasium's seeded episodes).
 *
 * State for `setState`: `{ player, dealer, random }`, hands as lists of cards.
 */
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import type { EnvRandom } from '../src/env/env-random.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { Discrete, Tuple } from '../src/env/spaces.ts';
import type { JsonObject, JsonValue } from '../src/json.ts';

const ENV_ID = 'Blackjack-v1';
const NUM_RANKS = 13;
const NUM_SUITS = 4;
const NUM_FACES = 3;
const OBSERVATION_SIZE = 32 + 11 + 2;

interface Table {
  player: number[];
  dealer: number[];
  random: EnvRandom;
}

/** N tables; see the head of this file. */
export const blackjackKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    sab: true,
    natural: false,
    maxEpisodeSteps: null as JsonValue,
    resetRng: 'operant',
  });
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const tables = Array.from(
    { length: numEnvs },
    (): Table => ({ player: [], dealer: [], random: openRandom(0) }),
  );
  const results = stepResults(numEnvs);
  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Tuple([new Discrete(32), new Discrete(11), new Discrete(2)]),
    actionSpace: new Discrete(2),
    maxEpisodeSteps: options.maxEpisodeSteps as number | null,
    masksActions: false,
    ...results,
    reset(n, seed) {
      const random = openRandom(seed);
      const dealer = [drawCard(random), drawCard(random)];
      const player = [drawCard(random), drawCard(random)];
      // Gymnasium draws the open card's picture here; the draws that follow depend on it.
      random.integer(NUM_SUITS);
      if (dealer[0] === 10) random.integer(NUM_FACES);
      tables[n] = { player, dealer, random };
    },
    step(n, actions, offset) {
      const { player, dealer, random } = tables[n];
      if (actions[offset] === 1) {
        player.push(drawCard(random));
        const isBust = sumOf(player) > 21;
        results.terminated[n] = isBust ? 1 : 0;
        results.rewards[n] = isBust ? -1 : 0;
        return;
      }
      while (sumOf(dealer) < 17) dealer.push(drawCard(random));
      results.terminated[n] = 1;
      results.rewards[n] = rewardOf(tables[n], options.sab, options.natural);
    },
    writeObservation(n, out, offset) {
      const { player, dealer } = tables[n];
      out.fill(0, offset, offset + OBSERVATION_SIZE);
      out[offset + sumOf(player)] = 1;
      out[offset + 32 + dealer[0]] = 1;
      out[offset + 43 + (hasUsableAce(player) ? 1 : 0)] = 1;
    },
    getState(n) {
      const { player, dealer, random } = tables[n];
      return { player: [...player], dealer: [...dealer], random: random.getState() };
    },
    setState(n, state) {
      const { player, dealer, random } = state as JsonObject;
      tables[n].player = [...(player as number[])];
      tables[n].dealer = [...(dealer as number[])];
      tables[n].random.setState(random as JsonValue);
    },
    render: (n) =>
      `dealer ${tables[n].dealer[0]} ?   player ${tables[n].player.join(' ')} = ${sumOf(tables[n].player)}`,
  };
};

/** 1 = ace, 2-10 their number, knave, queen and king 10. */
function drawCard(random: EnvRandom): number {
  return Math.min(random.integer(NUM_RANKS) + 1, 10);
}

function hasUsableAce(hand: readonly number[]): boolean {
  return hand.includes(1) && plainSum(hand) + 10 <= 21;
}

function sumOf(hand: readonly number[]): number {
  return plainSum(hand) + (hasUsableAce(hand) ? 10 : 0);
}

function plainSum(hand: readonly number[]): number {
  return hand.reduce((sum, card) => sum + card, 0);
}

function isNatural(hand: readonly number[]): boolean {
  return hand.length === 2 && hand.includes(1) && hand.includes(10);
}

function scoreOf(hand: readonly number[]): number {
  const sum = sumOf(hand);
  return sum > 21 ? 0 : sum;
}

function rewardOf({ player, dealer }: Table, sab: boolean, natural: boolean): number {
  const reward = Math.sign(scoreOf(player) - scoreOf(dealer));
  if (sab) return isNatural(player) && !isNatural(dealer) ? 1 : reward;
  return natural && isNatural(player) && reward === 1 ? 1.5 : reward;
}

/** Options in, one table out. */
export const blackjack = singleFactory(blackjackKernel);
/** N tables in one thread. */
export const blackjackVector = vectorFactory(blackjackKernel);
