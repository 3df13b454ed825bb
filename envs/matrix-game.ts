/**
 * MatrixGame-v0: two players choose at once, and a table says what each of them gets.
 *
 * ## Agents
 * `row` and `column`, both in every step.
 *
 * ## Action Space
 * `Discrete(rows of the table)` and `Discrete(columns)`.
 *
 * ## Observation Space
 * `Box(own actions + other's actions)` of 0 and 1: what was chosen in the round before, one's own first; all 0 in the first.
 *
 * ## Rewards
 * The table's entry, a number for `row` with its negative for `column`, or a pair of numbers.
 *
 * ## Episode End
 * Terminated after `rounds` rounds.
 *
 * ## Options
 * `game` (`rock-paper-scissors`; `matching-pennies`, `prisoners-dilemma`, `climbing`, `penalty`), or `payoffs`, a table of your own: rows of
 * numbers or of pairs `[row, column]`; `rounds` (1).
 *
 * Sources of the last two: Claus and Boutilier (1998), "The dynamics of reinforcement learning in cooperative multiagent systems", with
 * penalty -10. State for `setState`: `{ chosen, round }`.
 */
import {
  AgentEnd,
  type AgentsKernelFactory,
  clearResults,
  seatResults,
} from '../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../src/env/agents/kernel-multi-agent-env.ts';
import { checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import { ConfigError } from '../src/errors.ts';
import type { JsonObject, JsonValue } from '../src/json.ts';

const ENV_ID = 'MatrixGame-v0';

type Pair = readonly [number, number];

const both = (value: number): Pair => [value, value];
const GAMES: Readonly<Record<string, readonly (readonly (number | Pair)[])[]>> = {
  'rock-paper-scissors': [
    [0, -1, 1],
    [1, 0, -1],
    [-1, 1, 0],
  ],
  'matching-pennies': [
    [1, -1],
    [-1, 1],
  ],
  'prisoners-dilemma': [
    [both(3), [0, 5]],
    [[5, 0], both(1)],
  ],
  climbing: [
    [both(11), both(-30), both(0)],
    [both(-30), both(7), both(6)],
    [both(0), both(0), both(5)],
  ],
  penalty: [
    [both(10), both(0), both(-10)],
    [both(0), both(2), both(0)],
    [both(-10), both(0), both(10)],
  ],
};

/** N tables; see the head of this file. */
export const matrixGameKernel: AgentsKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    game: 'rock-paper-scissors',
    payoffs: null as JsonValue,
    rounds: 1,
  });
  checkInteger(ENV_ID, 'rounds', options.rounds, 1, 1_000_000);
  const table = readTable(
    options.payoffs ?? (GAMES[options.game] as JsonValue | undefined) ?? null,
    options.game,
  );
  const numActions = [table.length, table[0].length];
  const size = numActions[0] + numActions[1];
  const chosen = new Int32Array(numEnvs * 2).fill(-1); // [numEnvs, 2] i32, -1 = nothing yet
  const rounds = new Int32Array(numEnvs);
  const results = seatResults(2);
  return {
    envId: ENV_ID,
    numEnvs,
    seats: ['row', 'column'].map((name, s) => ({
      name,
      observationSpace: new Box(0, 1, [size]),
      actionSpace: new Discrete(numActions[s]),
    })),
    results,
    maxEpisodeSteps: null,
    reset(n) {
      chosen.fill(-1, 2 * n, 2 * n + 2);
      rounds[n] = 0;
      clearResults(results);
      results.acting.fill(1);
    },
    step(n, actions, offset) {
      clearResults(results);
      chosen.set([actions[offset], actions[offset + 1]], 2 * n);
      results.rewards.set(table[chosen[2 * n]][chosen[2 * n + 1]]);
      rounds[n] += 1;
      if (rounds[n] >= options.rounds) results.episodeEnd = AgentEnd.TERMINATED;
      else results.acting.fill(1);
    },
    writeObservation(n, s, out, offset) {
      out.fill(0, offset, offset + size);
      if (chosen[2 * n] < 0) return;
      out[offset + chosen[2 * n + s]] = 1;
      out[offset + numActions[s] + chosen[2 * n + 1 - s]] = 1;
    },
    getState: (n) => ({ chosen: [chosen[2 * n], chosen[2 * n + 1]], round: rounds[n] }),
    setState(n, state) {
      const { chosen: saved, round } = state as JsonObject;
      chosen.set(saved as number[], 2 * n);
      rounds[n] = round as number;
      clearResults(results);
      results.acting.fill(1);
    },
    render: (n) => (chosen[2 * n] < 0 ? 'nothing yet' : `row ${chosen[2 * n]}, column ${chosen[2 * n + 1]}`),
  };
};

function readTable(payoffs: JsonValue, game: string): readonly (readonly Pair[])[] {
  const rows = Array.isArray(payoffs) ? (payoffs as readonly (readonly JsonValue[])[]) : [];
  const isTable =
    rows.length > 0 &&
    rows.every((row) => Array.isArray(row) && row.length === rows[0].length && row.every(isEntry));
  if (isTable && rows[0].length > 0) {
    return rows.map((row) =>
      row.map(
        (entry): Pair =>
          typeof entry === 'number' ? [entry, entry === 0 ? 0 : -entry] : (entry as unknown as Pair),
      ),
    );
  }
  throw new ConfigError(
    'CONFIG_ENV_OPTION',
    `Expected option \`game\` of ${ENV_ID} to be one of ${Object.keys(GAMES).join(', ')}, or \`payoffs\` to be equally long rows of numbers ` +
      `or pairs of numbers, got ${payoffs === null ? game : JSON.stringify(payoffs)}.`,
  );
}

function isEntry(entry: JsonValue): boolean {
  if (typeof entry === 'number') return true;
  return Array.isArray(entry) && entry.length === 2 && entry.every((value) => typeof value === 'number');
}

/** Options in, one table out. */
export const matrixGame = multiAgentFactory(matrixGameKernel);
