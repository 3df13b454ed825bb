/** What a page trains is what Node trains, to the bit; and what needs Node is refused by name. Here it runs in Node; test/examples opens it in a browser. */

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import {
  Box,
  cartPole,
  cartPoleVector,
  checkpointOf,
  createDQNTraining,
  createPageActor,
  createPPOTraining,
  Discrete,
  decodeCheckpoint,
  encodeCheckpoint,
  evaluatePolicy,
  loadPageKernels,
  type PageTraining,
  pendulumVector,
  vectorizeEnv,
} from '../../browser/index.ts';
import { DQNConfig, PPOConfig } from '../../src/index.ts';
import { loadKernels } from '../../src/simd/loader.ts';

const kernels = await loadKernels({ deterministic: true, native: false, shared: false });

const PPO = {
  training: { hiddenSizes: [16], learningRate: 1e-3, numEpochs: 2, minibatchSize: 48 },
  envRunners: { numEnvs: 4, rolloutLength: 33, normalizeObservations: true, normalizeRewards: true },
  debugging: { seed: 5 },
};
const DQN = {
  training: {
    hiddenSizes: [24],
    learningStarts: 300,
    stepsPerIteration: 300,
    batchSize: 32,
    trainEvery: 3,
    prioritised: true,
    nStep: 3,
    targetInterval: 120,
    replayCapacity: 500,
    epsilon: { schedule: 'linear' as const, from: 1, to: 0.1 },
    scheduleSteps: 900,
  },
  envRunners: { numEnvs: 2 },
  debugging: { seed: 6 },
};

async function runPage(training: PageTraining, numIterations: number) {
  const returns: number[] = [];
  for (let k = 0; k < numIterations; k++)
    returns.push(...(await training.train()).episodes.map(({ episodeReturn }) => episodeReturn));
  // The flat vector has zeros between its tensors, which a checkpoint leaves out.
  return { returns, parameters: [...training.weights().parameters].filter((x) => x !== 0) };
}

test.each([
  ['PPO on CartPole', cartPoleVector, 'CartPole-v1'],
  ['PPO on Pendulum, whose actions are numbers', pendulumVector, 'Pendulum-v1'],
] as const)('%s learns what it learns in Node', async (_, makeVectorEnv, id) => {
  const page = await runPage(await createPPOTraining(makeVectorEnv, kernels, PPO), 8);
  const algorithm = await new PPOConfig()
    .environment(id)
    .envRunners({ ...PPO.envRunners, numEnvRunners: 0 })
    .training(PPO.training)
    .debugging({ ...PPO.debugging, deterministic: true })
    .build();
  const returns: number[] = [];
  for (let k = 0; k < 8; k++)
    returns.push(...(await algorithm.train()).episodes.map(({ episodeReturn }) => episodeReturn));
  const { tensors } = await algorithm.getState();
  await algorithm.stop();
  expect(page.returns.length).toBeGreaterThan(3);
  expect(page.returns).toEqual(returns);
  expect(page.parameters).toEqual(weightsOf(tensors).slice(0, page.parameters.length));
});

test('DQN on CartPole learns what it learns in Node', async () => {
  const page = await runPage(await createDQNTraining(cartPoleVector, kernels, DQN), 4);
  const algorithm = await new DQNConfig()
    .environment('CartPole-v1')
    .envRunners({ ...DQN.envRunners, numEnvRunners: 0 })
    .training(DQN.training)
    .debugging({ ...DQN.debugging, deterministic: true })
    .build();
  const returns: number[] = [];
  for (let k = 0; k < 4; k++)
    returns.push(...(await algorithm.train()).episodes.map(({ episodeReturn }) => episodeReturn));
  const { tensors } = await algorithm.getState();
  await algorithm.stop();
  expect(page.returns.length).toBeGreaterThan(3);
  expect(page.returns).toEqual(returns);
  const all = weightsOf(tensors);
  expect(page.parameters).toEqual(all.slice(0, page.parameters.length));
});

test('an actor takes the action that the weights say, in an environment of one own', async () => {
  // The right action is the sign of what is seen.
  const env = () => {
    let seen = 1;
    const observe = () => ({ observation: [seen] });
    return {
      observationSpace: new Box(-1, 1, [1]),
      actionSpace: new Discrete(2),
      maxEpisodeSteps: 8,
      reset: ({ seed = 0 } = {}) => {
        seen = seed % 2 === 0 ? 1 : -1;
        return observe();
      },
      step: (action: unknown) => {
        const reward = (action === 1) === seen > 0 ? 1 : 0;
        seen = -seen;
        return { ...observe(), reward, terminated: false, truncated: false };
      },
    };
  };
  const training = await createPPOTraining((n) => vectorizeEnv(env, n), kernels, {
    training: { hiddenSizes: [8], learningRate: 0.01, minibatchSize: 64, gamma: 0 },
    envRunners: { numEnvs: 8, rolloutLength: 16 },
  });
  for (let k = 0; k < 8; k++) await training.train();
  const actor = createPageActor(kernels, training.spec, training.weights(), env());
  expect([actor.act([1]), actor.act([-1])]).toEqual([1, 0]);
  expect(cartPole().actionSpace).toEqual(new Discrete(2));
});

test('PPO goes on from a file as if it had not stopped; anything else is refused, and changes nothing', async () => {
  const options = { ...PPO, envRunners: { ...PPO.envRunners, rolloutLength: 40 } };
  const whole = await runPage(await createPPOTraining(pendulumVector, kernels, options), 6);
  const first = await createPPOTraining(pendulumVector, kernels, options);
  for (let k = 0; k < 3; k++) await first.train();
  const file = encodeCheckpoint(checkpointOf(first));
  const { state, weights } = decodeCheckpoint(file);
  expect(weights).toEqual(first.weights());
  const received = Buffer.concat([Buffer.alloc(3), file]).subarray(3); // as a server in Node gets it
  expect(decodeCheckpoint(received).weights).toEqual(weights);
  if (state === null) throw new Error('A training gives its state.');
  const second = await createPPOTraining(pendulumVector, kernels, options);
  expect(await second.setState(state)).toEqual([]);
  expect(second.numEnvSteps).toBe(3 * 4 * 40);
  expect((await runPage(second, 3)).parameters).toEqual(whole.parameters);

  const other = await createPPOTraining(pendulumVector, kernels, PPO);
  const before = other.weights();
  await expect(other.setState(state)).rejects.toMatchObject({ code: 'CHECKPOINT_MISMATCH' });
  await expect(second.setState({ ...state, parameters: new Float32Array(3) })).rejects.toThrow(/3 and/);
  expect(other.weights()).toEqual(before);
  const wrong = [
    file.subarray(0, 100),
    file.subarray(0, -8),
    Uint8Array.from(file, (x, k) => (k === 40 ? 0 : x)),
  ];
  for (const bytes of [...wrong, new Uint8Array(0)])
    expect(() => decodeCheckpoint(bytes)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_CORRUPT' }));
});

test.each([
  ['by priority, over a buffer that has gone round', DQN],
  [
    'uniformly, a fragment behind, with observations normalised',
    {
      ...DQN,
      training: { ...DQN.training, prioritised: false, nStep: 1, lag: 1, trainEvery: 2 },
      envRunners: { numEnvs: 2, normalizeObservations: true },
    },
  ],
])('DQN goes on from a file as if it had not stopped: drawing %s', async (_, options) => {
  const begin = () => createDQNTraining(cartPoleVector, kernels, options);
  const whole = await runPage(await begin(), 6);
  const first = await begin();
  for (let k = 0; k < 3; k++) await first.train();
  const { state } = decodeCheckpoint(encodeCheckpoint(checkpointOf(first)));
  if (state?.algorithm !== 'dqn') throw new Error('A training gives its state.');
  expect(state.replay.end).toBeGreaterThan(options.training.replayCapacity / 2);
  const second = await begin();
  await second.train(); // what it has learned and kept so far is all replaced
  expect(await second.setState(state)).toEqual([]);
  expect(second.numEnvSteps).toBe(900);
  const rest = await runPage(second, 3);
  expect(rest.parameters).toEqual(whole.parameters);
  expect(rest.returns.length).toBeGreaterThan(3);
  expect(rest.returns).toEqual(whole.returns.slice(-rest.returns.length));
});

test("a state of DQN that is another's or damaged is refused, and changes nothing", async () => {
  const training = await createDQNTraining(cartPoleVector, kernels, DQN);
  for (let k = 0; k < 2; k++) await training.train();
  const state = training.getState();
  if (state.algorithm !== 'dqn') throw new Error('A training gives its state.');
  const { replay, optimizer } = state;
  const uniform = { ...DQN, training: { ...DQN.training, prioritised: false } };
  const other = await createDQNTraining(cartPoleVector, kernels, uniform);
  await expect(other.setState(state)).rejects.toMatchObject({ code: 'CHECKPOINT_MISMATCH' });
  const ppo = await createPPOTraining(cartPoleVector, kernels, PPO);
  await expect(ppo.setState(state)).rejects.toMatchObject({ code: 'CHECKPOINT_MISMATCH' });
  await expect(training.setState(ppo.getState())).rejects.toThrow(/by dqn of .* got one by ppo/);
  const range = replay.ranges[0];
  const rewards = { ...range.tensors.rewards, data: new Float32Array([Number.NaN]) };
  const damaged = [
    { ...replay, end: replay.end + 1 },
    { ...replay, ranges: replay.ranges.slice(1) },
    { ...replay, priorities: null },
    { ...replay, ranges: [{ ...range, tensors: { ...range.tensors, rewards } }, ...replay.ranges.slice(1)] },
    { ...replay, priorities: replay.priorities && { ...replay.priorities, masses: new Float32Array(3) } },
  ];
  const before = encodeCheckpoint(checkpointOf(training));
  for (const wrong of damaged)
    await expect(training.setState({ ...state, replay: wrong })).rejects.toMatchObject({
      code: 'CHECKPOINT_REPLAY',
    });
  const short = { ...optimizer, m: new Float32Array(3) };
  await expect(training.setState({ ...state, optimizer: short })).rejects.toMatchObject({
    code: 'CHECKPOINT_MISMATCH',
  });
  expect(encodeCheckpoint(checkpointOf(training))).toEqual(before);
});

test('an evaluation plays the episodes that one in Node plays', async () => {
  const page = await createPPOTraining(cartPoleVector, kernels, PPO);
  const algorithm = await new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ ...PPO.envRunners, numEnvRunners: 0 })
    .training(PPO.training)
    .debugging({ ...PPO.debugging, deterministic: true })
    .build();
  for (let k = 0; k < 3; k++) await Promise.all([page.train(), algorithm.train()]);
  const played = { spec: page.spec, weights: page.weights() };
  for (const deterministic of [true, false]) {
    const here = evaluatePolicy(cartPoleVector, kernels, played, {
      numEpisodes: 7,
      numEnvs: 3,
      deterministic,
    });
    const there = await algorithm.evaluate({ numEpisodes: 7, deterministic });
    expect([here.returns, here.returnMean]).toEqual([there.returns, there.returnMean]);
  }
  await algorithm.stop();
  expect(() => evaluatePolicy(cartPoleVector, kernels, played, { numEpisodes: 0 })).toThrow(/numEpisodes/);
});

test('what is wrong, or needs Node, is refused by name', async () => {
  const refused = (options: object) => createPPOTraining(cartPoleVector, kernels, options as never);
  await expect(
    refused({ training: { minibatchSize: 64 }, envRunners: { numEnvs: 1, rolloutLength: 8 } }),
  ).rejects.toThrow(/minibatchSize \(64\) must not exceed/);
  await expect(refused({ training: { recurrent: 'lstm' } })).rejects.toThrow(
    /recurrent \("lstm"\) is not there in a page/,
  );
  await expect(refused({ training: { learningrate: 1 } })).rejects.toThrow(/learningRate/);
  await expect(refused({ learners: { engine: 'simd' } })).rejects.toThrow(/learners/);
  await expect(createDQNTraining(cartPoleVector, kernels, { training: { noisy: true } })).rejects.toThrow(
    /noisy \(true\) is not there in a page/,
  );
  await expect(createDQNTraining(pendulumVector, kernels)).rejects.toThrow(
    /dqn is for a choice among actions/,
  );
  const helpers = {
    numHelpers: 1,
    createWorker: () => ({ postMessage: () => {}, addEventListener: () => {} }),
  };
  await expect(createPPOTraining(cartPoleVector, kernels, {}, helpers)).rejects.toThrow(/shared memory/);
  await expect(loadPageKernels({ relaxed: 'data:,x', strict: 'data:,x' })).rejects.toMatchObject({
    code: 'ENGINE_KERNELS',
  });
});

test('the entry weighs less than 325 kB, and imports nothing of Node', async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../browser/index.ts', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'error', // an import of Node's is an error for the platform
  });
  expect(outputFiles[0].text.length).toBeLessThan(325_000);
  expect(/["'`](node:|piscina|@tensorflow)/.exec(outputFiles[0].text)).toBeNull();
});

/** All tensors of the policy's weights in the order in which they lie in the flat vector. */
function weightsOf(tensors: Readonly<Record<string, unknown>>): number[] {
  const [file] = Object.entries(tensors).filter(([name]) => name.endsWith('weights.safetensors'));
  expect(file).toBeDefined();
  const values = Object.values(file[1] as Record<string, { data: ArrayLike<number> }>);
  return values.flatMap(({ data }) => Array.from(data)).filter((x) => x !== 0);
}
