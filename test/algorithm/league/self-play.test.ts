/** A run of self-play: the same matches and weights however it is made, opponents that stay what they were. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Algorithm, type JsonObject } from '../../../src/index.ts';
import { build, play, threads } from './self-play-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'operant-league-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the same matches and the same weights for any number of worker threads', async () => {
  const inProcess = await play(await build('TicTacToe'), 6);
  expect(
    new Set(inProcess.matches.flatMap((match) => match.match(/default@\d+|random/g) ?? [])).size,
  ).toBeGreaterThan(3);
  expect(await play(await build('TicTacToe', threads(2)), 6)).toEqual(inProcess);
});

describe.each<[string, JsonObject]>([
  ['TicTacToe', {}],
  ['KuhnPoker', {}],
  ['KuhnPoker', { multiAgent: { critic: 'central', normalizeValues: true } }],
])('%s, %j:', (env, layers) => {
  test('a run that is resumed in mid-league has the same matches, ratings and weights', async () => {
    const directory = join(mkdtempSync(join(folder, 'run-')), 'checkpoint');
    const whole = await play(await build(env, layers), 7);
    const first = await build(env, layers);
    for (let k = 0; k < 4; k++) await first.train();
    await first.save(directory);
    await first.stop();
    const resumed = await play(await Algorithm.fromCheckpoint(directory), 3);
    expect(resumed.content).toEqual(whole.content);
    expect(whole.matches.slice(-resumed.matches.length)).toEqual(resumed.matches);
  });
});

test('a snapshot is the learner as it was, and stays so; the oldest makes room', async () => {
  const algorithm = await build('TicTacToe');
  const checksums = new Map<string, string | null>();
  for (let k = 1; k <= 6; k++) {
    const { league = [], metrics } = await algorithm.train();
    expect(league[0]).toMatchObject({ name: 'default', kind: 'learner', iteration: k });
    const past = league.filter(({ kind }) => kind === 'past');
    expect(past.length).toBeLessThanOrEqual(3);
    for (const { name, checksum } of past) {
      expect(checksum).toBe(checksums.get(name) ?? checksum);
      checksums.set(name, checksum);
    }
    expect(metrics['league/numMembers']).toBe(1 + past.length);
    expect(metrics['league/ratingMargin']).toBeGreaterThan(0);
  }
  expect(new Set(checksums.values()).size).toBe(checksums.size);
  expect(checksums.size).toBeGreaterThan(3);
  const { tensors } = await algorithm.getState();
  const slots = Object.values(tensors['league.safetensors']);
  const weights = tensors['policies/default/weights.safetensors']['actor/head/bias'].data as Float32Array;
  const newest = slots.find(({ data }) => weights.every((value) => (data as Float32Array).includes(value)));
  expect(newest).toBeDefined();
  await algorithm.stop();
});

test('evaluation is against those that never change, from both seats, and against members by name', async () => {
  const algorithm = await build('TicTacToe');
  for (let k = 0; k < 2; k++) await algorithm.train();
  const { policies, opponents } = await algorithm.evaluate({ numEpisodes: 10 });
  expect(policies?.random.numEpisodes).toBe(10);
  expect(opponents).toBeUndefined();
  const named = await algorithm.evaluate({ numEpisodes: 12, opponents: ['random', 'default@1'] });
  expect(Object.keys(named.opponents ?? {})).toEqual(['random', 'default@1']);
  for (const { numEpisodes, wins, draws, losses, bySeat } of Object.values(named.opponents ?? {})) {
    expect([numEpisodes, wins + draws + losses]).toEqual([6, 6]);
    expect([bySeat.x.numEpisodes, bySeat.o.numEpisodes, bySeat.x.wins + bySeat.o.wins]).toEqual([3, 3, wins]);
  }
  await expect(algorithm.evaluate({ opponents: ['default@9'] })).rejects.toThrow(/no policy `default@9`/);
  await algorithm.stop();
});

test.each<[string, string, JsonObject, RegExp]>([
  ['one agent', 'CartPole', {}, /several agents|two agents/],
  ['a fixed cast', 'TicTacToe', { multiAgent: { policyFor: { x: 'default' } } }, /leave `policyFor` out/],
  ['two that learn', 'TicTacToe', { multiAgent: { policies: { a: {}, b: {}, c: 'random' } } }, /here 2 do/],
  [
    'shares beyond one',
    'TicTacToe',
    { selfPlay: { selfPlay: 'uniform', pastFraction: 0.95 } },
    /more than 1 together/,
  ],
  ['no self-play', 'TicTacToe', { selfPlay: { snapshotInterval: 3 } }, /snapshotInterval needs self-play/],
  [
    'an exponent for nothing',
    'TicTacToe',
    { selfPlay: { selfPlay: 'uniform', priorityExponent: 1 } },
    /'prioritized'/,
  ],
])('%s is refused', async (_what, env, layers, message) => {
  await expect(build(env, layers)).rejects.toThrow(message);
});
