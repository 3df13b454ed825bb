/** Runs with several policies that begin with what others learned: by name, by a map, from a run with one agent, and back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WarmStartReport } from '../../../src/checkpoint/warm-start.ts';
import { type ConfigError, DQNConfig, type JsonObject, PPOConfig } from '../../../src/index.ts';

type Builder = InstanceType<typeof PPOConfig>;
type Choice = Parameters<Builder['initializeFrom']>[1];

const HIDDEN = fileURLToPath(new URL('./fixtures/hidden-env.ts', import.meta.url));
const COPIES = fileURLToPath(new URL('./fixtures/copies.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'operant-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const base = (env: string, seed: number) =>
  new PPOConfig()
    .environment(env)
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 33, normalizeObservations: true })
    .training({ hiddenSizes: [8, 8], minibatchSize: 33, numEpochs: 1 })
    .debugging({ seed });

/** Both seats by policies of their own, and one who does not learn. */
const pair = (seed: number, more: JsonObject = {}) =>
  base('TicTacToe', seed).multiAgent({
    policies: { crosses: {}, noughts: { hiddenSizes: [8, 6] }, still: {} },
    policyFor: { x: ['crosses', 'still'], o: ['noughts', 'noughts'] },
    policiesToTrain: ['crosses', 'noughts'],
    ...more,
  });

interface Finished {
  readonly tensors: Readonly<Record<string, Readonly<Record<string, { readonly data: ArrayLike<number> }>>>>;
  readonly state: JsonObject;
  readonly report: WarmStartReport | undefined;
}

async function trained(
  config: Builder | InstanceType<typeof DQNConfig>,
  numIterations: number,
  path?: string,
): Promise<Finished> {
  const algorithm = await config.build();
  try {
    for (let k = 0; k < numIterations; k++) await algorithm.train();
    if (path !== undefined) await algorithm.save(path);
    const { tensors, json } = await algorithm.getState();
    return { tensors, state: json['state.json'], report: algorithm.initializedFrom };
  } finally {
    await algorithm.stop();
  }
}

const begun = (config: Builder | InstanceType<typeof DQNConfig>) => trained(config, 0);
const refusal = (config: Builder): Promise<ConfigError> =>
  begun(config).then(
    () => Promise.reject(new Error('It was not refused.')),
    (error) => error as ConfigError,
  );
const weights = (policy: string) => `policies/${policy}/weights.safetensors`;
const moments = (policy: string) => `policies/${policy}/optimizer.safetensors`;

const two = join(folder, 'two');
const one = join(folder, 'one');
let saved: Finished;
let alone: Finished;
beforeAll(async () => {
  saved = await trained(pair(1), 3, two);
  alone = await trained(base('CartPole-v1', 2), 2, one);
});

async function savedAs(config: Builder): Promise<string> {
  const path = join(mkdtempSync(join(folder, 'saved-')), 'checkpoint');
  await trained(config.copy(), 1, path);
  return path;
}

const from = (config: Builder, path: string, choice?: Choice) => begun(config.initializeFrom(path, choice));

test('every policy takes that of its name: weights, statistics, and the optimizer where that is asked for', async () => {
  const { tensors, state, report } = await from(pair(7), two, { optimizer: true });
  const fresh = await begun(pair(7));
  for (const policy of ['crosses', 'noughts']) {
    expect(tensors[weights(policy)]).toEqual(saved.tensors[weights(policy)]);
    expect(fresh.tensors[weights(policy)]).not.toEqual(saved.tensors[weights(policy)]);
    expect(tensors[moments(policy)]).toEqual(saved.tensors[moments(policy)]);
  }
  expect(tensors[weights('still')]).toEqual(fresh.tensors[weights('still')]); // it does not learn
  expect(state.policies).toMatchObject({
    crosses: (saved.state.policies as JsonObject).crosses as JsonObject,
  });
  expect(state).toMatchObject({ iteration: 0, numEnvSteps: 0, seed: 7 });
  expect(report).toMatchObject({ checkpoint: two, left: [] });
  expect(report?.taken).toEqual(
    expect.arrayContaining([
      'crosses/actor/0',
      'noughts/critic/1',
      'crosses/observation statistics',
      'noughts/optimizer of all networks',
    ]),
  );
});

test('a map says who begins with whom; those that it leaves out begin anew, and what does not fit is told', async () => {
  const { tensors, report } = await from(pair(7), two, {
    policies: { noughts: 'crosses' },
    networks: ['actor'],
  });
  const fresh = await begun(pair(7));
  expect(tensors[weights('crosses')]).toEqual(fresh.tensors[weights('crosses')]);
  expect(report?.taken).toEqual(['noughts/actor/0', 'noughts/observation statistics']);
  expect(report?.left).toEqual(
    expect.arrayContaining([
      { name: 'noughts/actor/1', why: 'actor/1/kernel is [8, 8] in the checkpoint, [8, 6] here' },
      { name: 'noughts/critic/0', why: 'not among initNetworks' },
      { name: 'crosses', why: 'not among initPolicies' },
    ]),
  );
  const nothing = pair(7, { policies: { crosses: {}, noughts: { hiddenSizes: [5] }, still: {} } });
  const asked = nothing.initializeFrom(two, { policies: { crosses: 'crosses', noughts: 'crosses' } });
  expect(await refusal(asked)).toMatchObject({
    code: 'CONFIG_INIT_FROM',
    message: expect.stringMatching(/noughts/),
  });
});

test('names that there are not are refused, with those that there are', async () => {
  const of = (policies: Record<string, string>) => refusal(pair(7).initializeFrom(two, { policies }));
  expect(await of({ noughts: 'main' })).toMatchObject({
    code: 'CONFIG_INIT_POLICIES',
    message: expect.stringMatching(/`noughts` with `main`.* has the policies: crosses, noughts, still/),
  });
  expect(await of({ main: 'crosses' })).toMatchObject({
    code: 'CONFIG_INIT_POLICIES',
    message: expect.stringMatching(/`main`.*learn in this run are: crosses, noughts/),
  });
  expect(await of({ still: 'crosses' })).toMatchObject({ code: 'CONFIG_INIT_POLICIES' }); // it does not learn
  expect(await refusal(pair(7).checkpointing({ initPolicies: { crosses: 'crosses' } }))).toMatchObject({
    message: expect.stringMatching(/initPolicies says what to take of initFrom, which is null/),
  });
  expect(await refusal(base('TicTacToe', 7).initializeFrom(two))).toMatchObject({
    code: 'CONFIG_INIT_POLICIES',
    message: expect.stringMatching(
      /crosses, noughts, still, and none is called as default.*\{"default":"crosses"\}/,
    ),
  });
});

test('the only policy of a run is for all, and one of several can be for the only one', async () => {
  const many = await from(base(COPIES, 7), one); // CartPoles as agents: one policy, as in the run of one agent
  expect(many.tensors[weights('default')]).toEqual(alone.tensors[weights('default')]);
  const own = base(COPIES, 7).multiAgent({
    policies: { left: {}, right: {} },
    policyFor: { '*': ['left', 'right'] },
  });
  const both = await from(own, one);
  for (const policy of ['left', 'right'])
    expect(both.tensors[weights(policy)]).toEqual(alone.tensors[weights('default')]);
  const q = new DQNConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0 })
    .training({ hiddenSizes: [8, 8] });
  const other = await begun(q.initializeFrom(await savedAs(own), { policies: { default: 'right' } }));
  expect(other.report?.taken).toEqual(['actor/0', 'actor/1', 'actor/head']);
  const single = await from(base('TicTacToe', 7), two, { policies: { default: 'crosses' }, optimizer: true });
  expect(single.tensors[weights('default')]).toEqual(saved.tensors[weights('crosses')]);
  expect(single.tensors[moments('default')]).toEqual(saved.tensors[moments('crosses')]);
});

test('what acts is what was taken: the same evaluation before anything is learned', async () => {
  const returns = async (config: Builder, numIterations: number) => {
    const algorithm = await config.evaluation({ evaluationEpisodes: 30 }).build();
    for (let k = 0; k < numIterations; k++) await algorithm.train();
    const evaluation = await algorithm.evaluate();
    await algorithm.stop();
    return evaluation.returns;
  };
  expect(await returns(pair(1).initializeFrom(two), 0)).toEqual(await returns(pair(1), 3));
});

test('a central critic goes along, with the scale of its values', async () => {
  const build = (seed: number, multiAgent: JsonObject) =>
    base(HIDDEN, seed).training({ gamma: 1 }).multiAgent(multiAgent);
  const central = { critic: 'central', normalizeValues: true };
  const path = join(folder, 'central');
  const first = await trained(build(1, central), 3, path);
  const { tensors, state, report } = await from(build(7, central), path, { optimizer: true });
  for (const policy of ['default', 'default/critic']) {
    expect(tensors[weights(policy)]).toEqual(first.tensors[weights(policy)]);
    expect(tensors[moments(policy)]).toEqual(first.tensors[moments(policy)]);
  }
  expect(state.valueMoments).toEqual(first.state.valueMoments);
  expect(report?.left).toEqual([]);
  const onlyCritic = await from(build(7, central), path, { networks: ['critic'] });
  expect(onlyCritic.tensors[weights('default/critic')]).toEqual(first.tensors[weights('default/critic')]);
  expect(onlyCritic.report?.left).toContainEqual({ name: 'actor/0', why: 'not among initNetworks' });
  const own = join(folder, 'own');
  await trained(build(1, {}), 1, own);
  const actor = await from(build(7, central), own);
  expect(actor.report?.taken).toEqual(expect.arrayContaining(['actor/0', 'actor/head']));
  expect(actor.report?.left).toEqual(
    expect.arrayContaining([
      { name: 'critic/head', why: 'not in the checkpoint' },
      {
        name: 'value statistics',
        why: 'not in the checkpoint, whose critic told values in units of returns',
      },
    ]),
  );
});
