/** Games of several agents against numbers that are known of them. */
import { describe, expect, test } from 'vitest';
import { cartPolesKernel } from '../../envs/cart-poles.ts';
import { connectFourKernel } from '../../envs/connect-four.ts';
import { registerShippedEnvs } from '../../envs/index.ts';
import { kuhnPayoff, kuhnPoker } from '../../envs/kuhn-poker.ts';
import { leducPokerKernel } from '../../envs/leduc-poker.ts';
import { matrixGame } from '../../envs/matrix-game.ts';
import { pongDuelKernel } from '../../envs/pong-duel.ts';
import { pursuitKernel } from '../../envs/pursuit.ts';
import { simpleSpeakerListenerKernel } from '../../envs/simple-speaker-listener.ts';
import { simpleSpreadKernel } from '../../envs/simple-spread.ts';
import { ticTacToeKernel } from '../../envs/tic-tac-toe.ts';
import { type AgentsEnvs, createAgentsEnvs } from '../../src/env/agents/agents-envs.ts';
import { AgentEnd, type AgentsKernel } from '../../src/env/agents/agents-kernel.ts';
import { makeAgentsEnvs } from '../../src/env/agents/load-agents-env.ts';
import type { MultiAgentEnvFactory } from '../../src/env/agents/multi-agent-env.ts';
import { createSeatLayout } from '../../src/env/agents/seat-layout.ts';
import { userAgentsKernel } from '../../src/env/agents/user-agents-kernel.ts';
import { checkEnv } from '../../src/env/check-env.ts';
import { formatCheckReport } from '../../src/env/check-report.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import type { Discrete } from '../../src/env/spaces.ts';
import type { JsonValue } from '../../src/json.ts';
import { openStream } from '../../src/random/streams.ts';
import { installedEnvIds } from './installed-envs.ts';

registerShippedEnvs();

/** Walks the whole tree of a two-player game; `visit` sees each position once for every way to it. */
function walk(
  kernel: AgentsKernel,
  numActions: number,
  visit: (outcome: number | null, ply: number) => boolean,
) {
  const go = (state: JsonValue, ply: number): void => {
    kernel.setState?.(0, state);
    const mover = kernel.results.acting.indexOf(1);
    const mask = new Uint8Array(numActions);
    kernel.writeMask?.(0, mover, mask, 0);
    for (let action = 0; action < numActions; action++) {
      if (mask[action] === 0) continue;
      kernel.setState?.(0, state);
      const actions = new Float32Array(2).fill(action);
      kernel.step(0, actions, 0);
      const isOver = kernel.results.episodeEnd !== AgentEnd.NONE;
      const next = kernel.getState?.(0) ?? null;
      if (visit(isOver ? kernel.results.outcomes[0] : null, ply + 1) && !isOver) go(next, ply + 1);
    }
  };
  kernel.reset(0, 0);
  go(kernel.getState?.(0) ?? null, 0);
}

test('tic-tac-toe has 255,168 games: 131,184 that X wins, 77,904 that O wins, 46,080 draws', () => {
  const counts = { '1': 0, '-1': 0, '0': 0 };
  walk(ticTacToeKernel(1), 9, (outcome) => {
    if (outcome !== null) counts[String(outcome) as keyof typeof counts] += 1;
    return true;
  });
  expect(counts).toEqual({ '1': 131_184, '-1': 77_904, '0': 46_080 });
});

test('connect four has 1, 7, 49, 238, 1120, 4263 positions after so many moves', () => {
  const kernel = connectFourKernel(1);
  const positions = Array.from({ length: 6 }, () => new Set<string>());
  walk(kernel, 7, (_outcome, ply) => {
    const key = JSON.stringify(kernel.getState?.(0));
    if (positions[ply].has(key)) return false;
    positions[ply].add(key);
    return ply < 5;
  });
  expect(positions.slice(1).map(({ size }) => size)).toEqual([7, 49, 238, 1120, 4263]);
});

test('4 x 4 connect four: a line of four down a column wins', () => {
  const kernel = connectFourKernel(1, { rows: 4, columns: 4 });
  kernel.reset(0, 0);
  for (const column of [0, 1, 0, 1, 0, 1]) kernel.step(0, Float32Array.of(column, column), 0);
  expect(kernel.results.episodeEnd).toBe(AgentEnd.NONE);
  kernel.step(0, Float32Array.of(0, 0), 0);
  expect([...kernel.results.rewards, kernel.results.episodeEnd]).toEqual([1, -1, AgentEnd.TERMINATED]);
});

test('Kuhn poker between uniform players is worth 1/8 to the first', () => {
  let value = 0;
  for (const cards of [0, 1, 2].flatMap((first) =>
    [0, 1, 2].filter((c) => c !== first).map((c) => [first, c]),
  )) {
    const play = (moves: readonly number[], probability: number): void => {
      const payoff = kuhnPayoff(moves, cards);
      if (payoff !== null) value += (probability * payoff) / 6;
      else for (const move of [0, 1]) play([...moves, move], probability / 2);
    };
    play([], 1);
  }
  expect(value).toBeCloseTo(1 / 8, 12);
});

test('Kuhn poker deals all six pairs of cards, alike often, and the chips of both add up to none', () => {
  const env = kuhnPoker();
  const deals = new Map<string, number>();
  for (let seed = 0; seed < 1200; seed++) {
    env.reset({ seed });
    const { cards } = (env.getState!() as unknown as { env: { cards: number[] } }).env;
    deals.set(cards.join(), (deals.get(cards.join()) ?? 0) + 1);
    env.step({ player_0: 1 });
    const { rewards } = env.step({ player_1: 1 });
    expect(rewards?.player_0).toBe(cards[0] > cards[1] ? 2 : -2);
    expect(rewards?.player_1).toBe(cards[0] > cards[1] ? -2 : 2);
  }
  expect([...deals.keys()].sort()).toEqual(['0,1', '0,2', '1,0', '1,2', '2,0', '2,1']);
  for (const count of deals.values()) expect(Math.abs(count - 200)).toBeLessThan(60);
});

test('Leduc poker deals each pair of cards and the open card as often as six cards fall', () => {
  const kernel = leducPokerKernel(1);
  const expected = new Map(
    kernel.initialStates?.map(({ state, probability }) => [
      (state as { cards: number[] }).cards.join(),
      probability,
    ]),
  );
  expect([...expected.values()].reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  expect(expected.get('0,0,1')).toBeCloseTo((2 / 6) * (1 / 5) * (2 / 4), 12);
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 12_000; seed++) {
    kernel.reset(0, seed);
    const key = (kernel.getState!(0) as { cards: number[] }).cards.join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [key, probability] of expected) {
    const deviation = Math.sqrt(12_000 * probability * (1 - probability));
    expect(Math.abs((counts.get(key) ?? 0) - 12_000 * probability)).toBeLessThan(4.5 * deviation);
  }
});

/** Mean return of an agent, all of whom draw their actions. */
function randomReturn(kernel: AgentsKernel, numActions: readonly number[], numEpisodes: number): number {
  const envs = createAgentsEnvs(kernel);
  const stream = openStream(3, 'test');
  let total = 0;
  for (let seed = 0; seed < numEpisodes; seed++) {
    envs.reset(0, seed);
    while (envs.results.episodeEnd === AgentEnd.NONE) {
      envs.step(
        0,
        Float32Array.from(numActions, (n) => stream.integer(n)),
        0,
      );
      total += envs.results.rewards[0];
    }
  }
  return total / numEpisodes;
}

// The references were measured with mpe2, 95% of the mean: -27.0 +- 0.5, -53.2 +- 1.1, -40.2 +- 2.3.
test.each([
  ['SimpleSpread', simpleSpreadKernel(1), [5, 5, 5], -27.0, 0.9],
  ['SimpleSpread, localRatio 0', simpleSpreadKernel(1, { localRatio: 0 }), [5, 5, 5], -53.2, 1.9],
  ['SimpleSpeakerListener', simpleSpeakerListenerKernel(1), [3, 5], -40.2, 3.5],
] as const)('%s: random play makes what it makes in mpe2', (_name, kernel, numActions, mean, margin) => {
  expect(Math.abs(randomReturn(kernel, numActions, 1500) - mean)).toBeLessThan(margin);
});

test('in Pong both see the same of a mirrored table, and a ball that gets past is a point', () => {
  const kernel = pongDuelKernel(1, { points: 2 });
  const put = (ball: readonly number[], paddles: readonly number[]) =>
    kernel.setState?.(0, { ball, paddles, points: [1, 0], seed: 5, serves: 1, elapsed: 3 });
  const seen = (s: number) => {
    const row = new Float32Array(8);
    kernel.writeObservation(0, s, row, 0);
    return [...row];
  };
  put([0.5, 0.25, 0.04, -0.02], [0.1, -0.3]);
  expect(seen(0)).toEqual([0.1, -0.3, 0.5, 0.25, 0.5, -0.25, 0.5, 0].map(Math.fround));
  expect(seen(1)).toEqual([-0.3, 0.1, -0.5, 0.25, -0.5, -0.25, 0, 0.5].map(Math.fround));
  // The right one stands away from where the ball arrives.
  put([0.98, 0.9, 0.04, 0], [0, 0]);
  kernel.step(0, Float32Array.of(0, 0), 0);
  expect([[...kernel.results.rewards], [...kernel.results.outcomes], kernel.results.episodeEnd]).toEqual([
    [1, -1],
    [1, -1],
    AgentEnd.TERMINATED,
  ]);
  // It stands there: a stroke with the upper half goes up, and is 1.1 times as fast.
  put([0.98, 0.1, 0.04, 0], [0, 0]);
  kernel.step(0, Float32Array.of(0, 0), 0);
  expect([...kernel.results.rewards]).toEqual([0, 0]);
  const { ball } = kernel.getState!(0) as { ball: number[] };
  for (const [k, value] of [0.98, 0.1, -0.044, 0.044 * 1.2 * 0.5].entries())
    expect(ball[k]).toBeCloseTo(value, 12);
});

test('a game of Pong that is cut has an outcome by its points', () => {
  const kernel = pongDuelKernel(1, { maxEpisodeSteps: 5 });
  const ball = [0, 0, 0.04, 0];
  for (const [points, outcomes] of [
    [
      [2, 1],
      [1, -1],
    ],
    [
      [1, 1],
      [0, 0],
    ],
  ]) {
    kernel.setState?.(0, { ball, paddles: [0, 0], points, seed: 5, serves: 1, elapsed: 4 });
    kernel.step(0, Float32Array.of(0, 0), 0);
    expect([...kernel.results.outcomes]).toEqual(outcomes);
  }
});

test('pursuers catch an evader when enough of them stand beside it, wherever it ran', () => {
  const size = 4;
  const kernel = pursuitKernel(1, { size, numPursuers: 3, numEvaders: 2, numCatchers: 2 });
  const distance = (a: number, b: number) =>
    Math.abs(Math.floor(a / size) - Math.floor(b / size)) + Math.abs((a % size) - (b % size));
  const seen = { caught: 0, beside: 0, away: 0 };
  for (let seed = 0; seed < 300; seed++) {
    kernel.reset(0, seed);
    const before = kernel.getState!(0) as { pursuers: number[]; evaders: number[]; random: JsonValue };
    // Where the second run goes: the same stream, nobody near enough to catch.
    kernel.step(0, new Float32Array(3), 0);
    const rewards = [...kernel.results.rewards];
    const after = kernel.getState!(0) as { pursuers: number[]; evaders: number[] };
    expect(after.pursuers).toEqual(before.pursuers);
    const lone = pursuitKernel(1, { size, numPursuers: 3, numEvaders: 2, numCatchers: 3 });
    lone.setState?.(0, before);
    lone.step(0, new Float32Array(3), 0);
    const { evaders } = lone.getState!(0) as { evaders: number[] };
    const expected = [0, 0, 0].map(() => -0.02);
    for (const [e, cell] of evaders.entries()) {
      if (cell < 0) continue; // all three stood beside it
      expect(distance(before.evaders[e], cell)).toBeLessThanOrEqual(1);
      const near = before.pursuers.flatMap((pursuer, s) => (distance(pursuer, cell) <= 1 ? [s] : []));
      for (const s of near) expected[s] += near.length >= 2 ? 1 : 0.05;
      expect(after.evaders[e]).toBe(near.length >= 2 ? -1 : cell);
      seen[near.length >= 2 ? 'caught' : near.length === 1 ? 'beside' : 'away'] += 1;
    }
    if (evaders.some((cell) => cell < 0)) continue;
    for (const s of [0, 1, 2]) expect(rewards[s]).toBeCloseTo(expected[s], 12);
    expect(kernel.results.episodeEnd !== AgentEnd.NONE).toBe(after.evaders.every((cell) => cell < 0));
  }
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
});

test('matrix games pay what their table says', () => {
  const rounds = matrixGame({ game: 'prisoners-dilemma', rounds: 2 });
  rounds.reset();
  const { rewards, observations, terminated } = rounds.step({ row: 0, column: 1 });
  expect([rewards, terminated]).toEqual([{ column: 5 }, {}]);
  expect([...(observations.row as Float32Array)]).toEqual([1, 0, 0, 1]);
  expect([...(observations.column as Float32Array)]).toEqual([0, 1, 1, 0]);
  expect(rounds.step({ row: 1, column: 1 })).toMatchObject({
    rewards: { row: 1, column: 1 },
    terminated: true,
  });
  const own = matrixGame({ payoffs: [[1, -2, [3, 4]]] });
  own.reset();
  expect(own.step({ row: 0, column: 1 }).rewards).toEqual({ row: -2, column: 2 });
  expect(() => matrixGame({ payoffs: [[1], [2, 3]] })).toThrow(/equally long rows/);
});

test('poles leave when they fall, and the episode with the last of them; with `respawn` they begin again', () => {
  const run = (respawn: boolean) => {
    const kernel = cartPolesKernel(1, { numPoles: 3, respawn });
    const falls = [0, 0, 0];
    kernel.reset(0, 5);
    for (let step = 1; ; step++) {
      kernel.step(0, new Float32Array(3), 0);
      for (const [s, end] of kernel.results.ended.entries()) if (end !== AgentEnd.NONE) falls[s] += 1;
      const isLeft = kernel.results.acting.includes(1);
      if (!isLeft || step === 60) return { falls, step, isLeft };
    }
  };
  const once = run(false);
  expect([once.falls, once.isLeft]).toEqual([[1, 1, 1], false]);
  expect(once.step).toBeLessThan(15);
  const again = run(true);
  expect(again.isLeft).toBe(true);
  expect(Math.min(...again.falls)).toBeGreaterThan(3);
});

describe.each(installedEnvIds('several agents'))('%s', (id) => {
  test('passes checkEnv', async () => {
    const report = checkEnv(await factoryOf(resolveEnv(id)), { numSteps: 400 });
    expect(report.findings, formatCheckReport(report)).toEqual([]);
  });

  test('plays alike on the fast path and as single environments made into one', async () => {
    const source = resolveEnv(id, {});
    const factory = await factoryOf(source);
    const fast = await makeAgentsEnvs(source, 2);
    const single = createAgentsEnvs(userAgentsKernel(() => factory(source.options), 2, id));
    expect(play(single)).toEqual(play(fast));
  });
});

async function factoryOf(source: ReturnType<typeof resolveEnv>): Promise<MultiAgentEnvFactory> {
  return (await import(source.module))[source.export];
}

/** What 60 steps of environment 1 give, by choices that depend on nothing but masks and a seed. */
function play(envs: AgentsEnvs): unknown[] {
  const layout = createSeatLayout(envs.seats);
  const stream = openStream(7, 'test');
  const actions = new Float32Array(layout.actionStride);
  const lines: unknown[] = [];
  const look = () => {
    const seen = envs.seats.map(({ actionSpace }, s) => {
      const { observationSize, maskSize } = layout.groups[layout.groupOf[s]];
      if (envs.results.acting[s] === 0) return null;
      const row = new Float32Array(observationSize);
      const mask = new Uint8Array(maskSize);
      envs.writeObservation(1, s, row, 0);
      if (maskSize > 0) envs.writeMask(1, s, mask, 0);
      const size = (actionSpace as Discrete).n;
      const allowed = Array.from({ length: size }, (_, a) => a).filter(
        (a) => maskSize === 0 || mask[a] === 1,
      );
      actions[layout.actionOffsets[s]] = allowed[stream.integer(allowed.length)];
      return [...row, ...mask];
    });
    const { rewards, ended, outcomes, episodeEnd } = envs.results;
    lines.push([seen, [...rewards], [...ended].map((end) => end || episodeEnd), [...outcomes], episodeEnd]);
  };
  envs.reset(0, 99);
  envs.reset(1, 3);
  look();
  for (let t = 0; t < 60; t++) {
    envs.step(1, actions, 0);
    look();
    if (envs.results.episodeEnd === AgentEnd.NONE) continue;
    envs.reset(1, 100 + t);
    look();
  }
  return lines;
}
