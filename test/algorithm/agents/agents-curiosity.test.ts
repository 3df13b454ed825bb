/** Curiosity among several agents: each policy's own, by its own steps with holes; the bits of one agent; any number of workers, and a resume. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeOwnAdvantages, ownSteps } from '../../../src/algorithm/agents/agents-curiosity.ts';
import { samplesOf } from '../../../src/algorithm/agents/agents-samples.ts';
import type { Algorithm as RunningAlgorithm } from '../../../src/algorithm/algorithm.ts';
import { createIntrinsicSteps } from '../../../src/algorithm/curiosity/intrinsic-steps.ts';
import { ON_POLICY_COLUMNS } from '../../../src/experience/layout.ts';
import { A2CConfig, Algorithm, PPOConfig } from '../../../src/index.ts';
import { contentAfter } from '../../invariants/run-content.ts';
import { scheduleWorld } from '../../rollout/agents/schedule-world.ts';
import { createSmallRunner } from '../../rollout/agents/small-runner.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { MASTER_SEED } from './fixtures/copies.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const COPIES = path('./fixtures/copies.ts');
const PAIR = path('./fixtures/pair-env.ts');
const COLUMNS = { ...ON_POLICY_COLUMNS, finalObservations: true };
const CURIOUS = { curiosityHiddenSizes: [8], curiosityFeatures: 6, curiosityShare: 0.5 };

const CONFIGS = { ppo: PPOConfig, a2c: A2CConfig };

function build(
  name: keyof typeof CONFIGS,
  environment: object,
  training: object,
  layers: object = {},
  curious: object = CURIOUS,
) {
  const own = name === 'ppo' ? { numEpochs: 2, minibatchSize: 33 } : {};
  return new CONFIGS[name]({
    environment,
    envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 33 },
    training: { hiddenSizes: [8], ...own, ...curious, ...training },
    debugging: { seed: MASTER_SEED, deterministic: true },
    ...layers,
  } as never).build();
}

/** What a policy and its curiosity have learnt. */
async function learnt(building: Promise<RunningAlgorithm>): Promise<object> {
  const { tensors } = (await contentAfter(await building, 3)) as { tensors: Record<string, object> };
  expect(Object.keys(tensors)).toContain('curiosity/model.safetensors');
  return Object.fromEntries(
    Object.entries(tensors).filter(([file]) => /^(curiosity|policies\/default)\//.test(file)),
  );
}

test.each([
  ['ppo', 'rnd'],
  ['ppo', 'icm'],
  ['a2c', 'rnd'],
] as const)(
  '%s with %s: k cart-poles as k agents learn what k environments do, to the bit',
  async (name, curiosity) => {
    const of = (env: string, numEnvs: number) =>
      learnt(
        build(name, { env }, { curiosity }, { envRunners: { numEnvRunners: 0, numEnvs, rolloutLength: 33 } }),
      );
    expect(await of(COPIES, 1)).toEqual(await of('CartPole-v1', 6));
  },
);

/** In turns: three who learn, each with a bonus of its own or none, and chance; who plays changes with the episode. */
const GAME = {
  multiAgent: {
    policies: {
      main: {},
      other: { curiosity: 'icm', curiosityCoeff: 1 },
      plain: { curiosity: null },
      chance: 'random',
    },
    policyFor: { x: ['main', 'other', 'chance', 'plain'], o: ['other', 'main', 'plain', 'chance'] },
  },
};
const SHORT = { numEnvRunners: 0, numEnvs: 4, rolloutLength: 12 };
const play = (layers: object = {}) =>
  build('ppo', { env: 'TicTacToe' }, { curiosity: 'rnd' }, { ...GAME, envRunners: SHORT, ...layers });

describe('policies that are curious, each in its own way', () => {
  test('make the same run for 0, 1 and 4 worker threads, and when it is resumed', async () => {
    const whole = await contentAfter(await play(), 3);
    for (const numEnvRunners of [1, 4]) {
      const envRunners = { ...SHORT, numEnvRunners };
      expect(await contentAfter(await play({ envRunners }), 3)).toEqual(whole);
    }
    const directory = join(temporaryFolder(), 'half');
    const half = await play();
    await half.train();
    await half.save(directory);
    await half.stop();
    const resumed = await Algorithm.fromCheckpoint(directory, {}, { trust: true });
    expect(await contentAfter(resumed, 2)).toEqual(whole);
  });

  test('tell of it under their names, and keep it under their names', async () => {
    const algorithm = await play();
    const { metrics } = await algorithm.train();
    const { tensors } = await algorithm.getState();
    await algorithm.stop();
    const files = Object.keys(tensors).filter((file) => file.startsWith('curiosity/'));
    expect(files.toSorted()).toEqual(
      ['main', 'other'].flatMap((name) => [
        `curiosity/${name}/model.safetensors`,
        `curiosity/${name}/optimizer.safetensors`,
      ]),
    );
    expect(metrics['policy/main/intrinsicRewardMean']).toBeGreaterThan(0);
    expect(metrics['policy/other/inverseLoss']).toBeGreaterThan(0);
    expect(metrics['policy/plain/intrinsicRewardMean']).toBeUndefined();
    expect(metrics['time/curiosityMs']).toBeGreaterThan(0);
  });
});

test('a step leads to what its row saw when it acted next, or last in its life, whatever the schedule and the block', async () => {
  const cases = [fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 7 }), fc.integer()] as const;
  await fc.assert(
    fc.asyncProperty(...cases, async (numSeats, rolloutLength, seed) => {
      const seats = ['a', 'b', 'c'].slice(0, numSeats);
      const options = { numEnvs: 2, rolloutLength, seed, columns: COLUMNS };
      const runner = await createSmallRunner(() => scheduleWorld(seats), options);
      const rows: { seen: number; led: number; isEnd: boolean; closing: number | null }[][] = [];
      for (let k = 0; k < Math.ceil(80 / rolloutLength); k++) {
        const [group] = runner.collect().groups;
        const { rollout } = group;
        const samples = samplesOf(group, 0);
        const steps = ownSteps(group, 0, samples);
        const lastOf = new Map([...samples].map((i) => [Math.floor(i / rollout.rolloutLength), i]));
        for (const i of samples) {
          const n = Math.floor(i / rollout.rolloutLength);
          rows[n] ??= [];
          rows[n].push({
            seen: rollout.observations[2 * i],
            led: steps.nextRows(i)[2 * steps.nextRow(i)],
            isEnd: rollout.terminated[i] + rollout.truncated[i] > 0,
            closing: lastOf.get(n) === i ? steps.closingRows(n)[2 * steps.closingRow(n)] : null,
          });
        }
      }
      for (const row of rows.filter(Boolean)) {
        for (const [k, { led, isEnd, closing }] of row.entries()) {
          // An observation tells its tick; the last one of a life tells it below 0.
          if (isEnd) expect(led).toBeLessThan(0);
          else if (k + 1 < row.length) expect(led).toBe(row[k + 1].seen);
          // Who acts next closes the row; nobody there: what the last step led to.
          if (closing !== null && closing !== led && k + 1 < row.length)
            expect(closing).toBe(row[k + 1].seen);
        }
      }
    }),
    { numRuns: 10 },
  );
});

test("the bonus's return runs along own steps, over ends and holes", () => {
  const steps = createIntrinsicSteps(1, 5);
  steps.rewards.set([1, 9, 2, 9, 3]);
  steps.values.set([0.5, 9, 0.25, 9, 1]);
  steps.bootstrapValues[0] = 4;
  const own = { own: Uint8Array.of(1, 0, 1, 0, 1), rollout: { numRows: 1 } } as never;
  computeOwnAdvantages(own, steps, 0.5, 1);
  // from behind: 3 + 4 / 2 = 5, 2 + 5 / 2 = 4.5, 1 + 4.5 / 2 = 3.25
  expect([...steps.returns]).toEqual([3.25, 0, 4.5, 0, 5]);
  expect([...steps.advantages]).toEqual([2.75, 0, 4.25, 0, 4]);
});

test('an exploiter that begins anew is curious anew; the run is the same with two threads', async () => {
  const selfPlay = { selfPlay: 'uniform', mainExploiters: 1, snapshotInterval: 1, exploiterTimeout: 1 };
  const league = (numEnvRunners: number) =>
    build(
      'a2c',
      { env: 'TicTacToe' },
      { curiosity: 'rnd' },
      { selfPlay, envRunners: { numEnvRunners, numEnvs: 4, rolloutLength: 6 } },
    );
  const [alone, threads] = [await contentAfter(await league(0), 3), await contentAfter(await league(2), 3)];
  expect(threads).toEqual(alone);
  const { tensors } = alone as { tensors: Record<string, Record<string, { data: Float32Array }>> };
  const exploiter = Object.keys(tensors).find((file) => /^curiosity\/[^/]+\/optimizer/.test(file));
  const moments = Object.values(tensors[String(exploiter)]).flatMap(({ data }) => [...data]);
  expect(new Set(moments)).toEqual(new Set([0]));
  const own = Object.values(tensors['curiosity/optimizer.safetensors']).flatMap(({ data }) => [...data]);
  expect(new Set(own).size).toBeGreaterThan(10);
});

test('refused: counts of what is not discrete, and ends of which nothing is told', async () => {
  await expect(build('ppo', { env: 'TicTacToe' }, { curiosity: 'count' }, {}, {})).rejects.toThrow(
    /curiosity \(count\)/,
  );
  const algorithm = await build('ppo', { env: PAIR }, { curiosity: 'rnd' });
  await expect(algorithm.train()).rejects.toThrow(
    /`listener` has terminated and has no last observation for `curiosity` to judge. Give `observations.listener`/,
  );
  await algorithm.stop();
});
