/** Games of several agents, step by step against PettingZoo, mpe2 and OpenSpiel (`fixtures/agents/generate.py`). */
import { describe, expect, test } from 'vitest';
import { connectFourKernel } from '../../envs/connect-four.ts';
import { kuhnPokerKernel } from '../../envs/kuhn-poker.ts';
import { leducPokerKernel } from '../../envs/leduc-poker.ts';
import { matrixGame } from '../../envs/matrix-game.ts';
import { simpleSpeakerListenerKernel } from '../../envs/simple-speaker-listener.ts';
import { simpleSpreadKernel } from '../../envs/simple-spread.ts';
import { ticTacToeKernel } from '../../envs/tic-tac-toe.ts';
import { createAgentsEnvs } from '../../src/env/agents/agents-envs.ts';
import { AgentEnd, type AgentsKernel } from '../../src/env/agents/agents-kernel.ts';
import type { Discrete } from '../../src/env/spaces.ts';
import { doubles, readFixture } from './fixtures.ts';

interface BoardGame {
  readonly plies: readonly { sees: string; mask: string; action: number }[];
  readonly rewards: readonly number[];
}
interface Hand {
  readonly cards: readonly number[];
  readonly moves: readonly { mover: number; sees: string; legal: readonly number[]; action: number }[];
  readonly returns: readonly number[];
}
interface ParticleRun {
  readonly options: { readonly N?: number; readonly local_ratio?: number; readonly max_cycles?: number };
  readonly goal: number | null;
  readonly positions: readonly number[];
  readonly first: string;
  readonly actions: readonly (readonly number[])[];
  readonly states: string;
  readonly sights: string;
  readonly rewards: string;
  readonly numSteps: number;
  readonly truncated: boolean;
}

/** Sines are not in it, exponentials are: the last bit of one, carried through 25 steps of contacts. */
const TOLERANCE = 1e-9;

const boards = readFixture<Record<string, BoardGame[]>>('agents/boards');
const pokers = readFixture<Record<string, Hand[]>>('agents/pokers');
const matrices = readFixture<Record<string, readonly (readonly (readonly number[])[])[]>>('agents/matrices');
const particles = readFixture<Record<string, ParticleRun[]>>('agents/particles');

/** What the mover sees as digits, and what they may do. */
function look(kernel: AgentsKernel) {
  const mover = kernel.results.acting.indexOf(1);
  const { observationSpace, actionSpace } = kernel.seats[mover];
  const size = (observationSpace as { shape: readonly number[] }).shape.reduce((a, b) => a * b, 1);
  const row = new Float32Array(size);
  const mask = new Uint8Array((actionSpace as Discrete).n).fill(1);
  kernel.writeObservation(0, mover, row, 0);
  kernel.writeMask?.(0, mover, mask, 0);
  return { mover, sees: row.join(''), mask: mask.join('') };
}

describe.each([
  ['TicTacToe', ticTacToeKernel],
  ['ConnectFour', connectFourKernel],
] as const)('%s and PettingZoo', (name, create) => {
  test.each(boards[name].map((game, k) => [k, game] as const))('game %i', (_k, { plies, rewards }) => {
    const kernel = create(1);
    const totals = [0, 0];
    kernel.reset(0, 0);
    for (const [ply, { sees, mask, action }] of plies.entries()) {
      expect(kernel.results.episodeEnd).toBe(AgentEnd.NONE);
      expect(look(kernel)).toEqual({ mover: ply % 2, sees, mask });
      kernel.step(0, new Float32Array(2).fill(action), 0);
      for (const s of [0, 1]) totals[s] += kernel.results.rewards[s];
    }
    expect(kernel.results.episodeEnd).toBe(AgentEnd.TERMINATED);
    expect(totals).toEqual(rewards);
  });
});

describe.each([
  ['KuhnPoker', kuhnPokerKernel, () => ({ moves: [] })],
  // A hand that ends in the first round never opened the card for both: any that is left does.
  [
    'LeducPoker',
    leducPokerKernel,
    ([first, second, open = first === second ? (first + 1) % 3 : first]: readonly number[]) => ({
      cards: [first, second, open],
      moves: [[], []],
    }),
  ],
] as const)('%s and OpenSpiel', (name, create, dealt) => {
  test('every hand', () => {
    const kernel = create(1);
    for (const { cards, moves, returns } of pokers[name]) {
      kernel.reset(0, 0);
      kernel.setState?.(0, { cards: [...cards], ...dealt(cards) });
      const totals = [0, 0];
      for (const { mover, sees, legal, action } of moves) {
        const seen = look(kernel);
        expect(seen).toMatchObject({ mover, sees });
        expect([...seen.mask].flatMap((allowed, a) => (allowed === '1' ? [a] : []))).toEqual(legal);
        kernel.step(0, new Float32Array(2).fill(action), 0);
        for (const s of [0, 1]) totals[s] += kernel.results.rewards[s];
      }
      expect(kernel.results.episodeEnd).toBe(AgentEnd.TERMINATED);
      expect(totals).toEqual(returns);
    }
  });
});

test.each(['rock-paper-scissors', 'matching-pennies'])('%s pays what OpenSpiel pays', (game) => {
  for (const [row, entries] of matrices[game].entries())
    for (const [column, [forRow, forColumn]] of entries.entries()) {
      const env = matrixGame({ game });
      env.reset();
      const { rewards } = env.step({ row, column });
      expect([rewards?.row ?? 0, rewards?.column ?? 0]).toEqual([forRow, forColumn]);
    }
});

describe.each([
  ['SimpleSpread', simpleSpreadKernel],
  ['SimpleSpeakerListener', simpleSpeakerListenerKernel],
] as const)('%s and mpe2', (name, create) => {
  test.each(particles[name].map((run, k) => [k, run] as const))('run %i', (_k, run) => {
    const { N, local_ratio, max_cycles } = run.options;
    const envs = createAgentsEnvs(
      create(1, {
        ...(N !== undefined && { numAgents: N }),
        ...(local_ratio !== undefined && { localRatio: local_ratio }),
        ...(max_cycles !== undefined && { maxEpisodeSteps: max_cycles }),
      }),
    );
    const S = envs.seats.length;
    const numMoving = name === 'SimpleSpread' ? S : 1;
    const sights = doubles(run.sights);
    const [states, rewards] = [doubles(run.states), doubles(run.rewards)];
    const state = new Float32Array(envs.stateSize);
    const sight = () => {
      envs.writeState(0, state, 0);
      return state;
    };
    envs.reset(0, 0);
    const begun = {
      positions: [...run.positions],
      velocities: new Array<number>(2 * numMoving).fill(0),
      ...(run.goal !== null && { goal: run.goal, said: -1 }),
    };
    envs.setState?.(0, { elapsed: 0, seed: 0, env: begun });
    expectAlike(sight(), doubles(run.first));
    for (const [t, actions] of run.actions.entries()) {
      expect(envs.results.episodeEnd).toBe(AgentEnd.NONE);
      envs.step(0, Float32Array.from(actions), 0);
      const { env } = envs.getState(0) as unknown as { env: { positions: number[]; velocities: number[] } };
      const width = states.length / run.numSteps;
      expectAlike([...env.positions, ...env.velocities], states.subarray(t * width, (t + 1) * width));
      expectAlike(sight(), sights.subarray(t * state.length, (t + 1) * state.length));
      expectAlike(envs.results.rewards, rewards.subarray(t * S, (t + 1) * S));
    }
    expect(envs.results.episodeEnd === AgentEnd.TRUNCATED).toBe(run.truncated);
  });
});

test('in the first run of SimpleSpread agents touch, and do not all of the time', () => {
  const given = doubles(particles.SimpleSpread[0].rewards);
  // What is common is everybody's: where rewards of three differ, some overlap and others do not.
  const differ = Array.from({ length: given.length / 3 }, (_, t) => given[3 * t] !== given[3 * t + 1]);
  expect(differ.filter(Boolean).length).toBeGreaterThan(0);
  expect(differ.filter(Boolean).length).toBeLessThan(differ.length);
});

function expectAlike(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let k = 0; k < expected.length; k++)
    expect(Math.abs(actual[k] - expected[k])).toBeLessThanOrEqual(TOLERANCE);
}
