/** Whole algorithms on environments that answer later: the weights of the same environment that answers at once. */
import { expect, it } from 'vitest';
import '../../src/index.ts'; // registers the environments
import type { AsyncEnv, AsyncEnvFactory } from '../../src/env/async-env.ts';
import type { Env } from '../../src/env/env.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import { makeEnv } from '../../src/env/load-env.ts';
import { checkEnv, DQNConfig, PPOConfig, timeLimit } from '../../src/index.ts';

/** CartPole with a turn of the event loop before every third answer. */
async function later(): Promise<AsyncEnv> {
  const env = await makeEnv(resolveEnv('CartPole-v1'));
  let numCalls = 0;
  const answer = async <T>(result: T): Promise<T> => {
    numCalls += 1;
    if (numCalls % 3 === 0) await new Promise(setImmediate);
    return result;
  };
  return {
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    ...(env.maxEpisodeSteps !== undefined && { maxEpisodeSteps: env.maxEpisodeSteps }),
    reset: async (options) => answer(env.reset(options)),
    step: async (action) => answer(env.step(action)),
  };
}

type Environment = string | AsyncEnvFactory;
type Section = { env: Environment; previousInputs?: 'both' };

const ppo = (section: Section) =>
  new PPOConfig()
    .environment(section)
    .envRunners({ numEnvRunners: 0, numEnvs: 3, rolloutLength: 32 })
    .training({ minibatchSize: 32, numEpochs: 2, hiddenSizes: [8] });

const dqn = (section: Section) =>
  new DQNConfig()
    .environment(section)
    .envRunners({ numEnvRunners: 0, numEnvs: 2 })
    .training({ learningStarts: 64, batchSize: 32, hiddenSizes: [8] });

it.each([
  ['PPO', ppo, {}],
  ['PPO that sees its last action and reward', ppo, { previousInputs: 'both' as const }],
  ['DQN', dqn, {}],
])('%s learns the same, and evaluates the same', async (_, configure, inputs) => {
  const learnt = [];
  for (const env of ['CartPole-v1', later]) {
    const algorithm = await configure({ env, ...inputs }).build();
    for (let k = 0; k < 3; k++) await algorithm.train();
    const { tensors } = await algorithm.getState();
    const { returns } = await algorithm.evaluate({ numEpisodes: 3 });
    await algorithm.stop();
    const numbers = Object.entries(tensors).filter(([name]) => /polic|param|weight|moment/i.test(name));
    expect(numbers.length).toBeGreaterThan(0);
    learnt.push({ numbers, returns });
  }
  expect(learnt[1]).toEqual(learnt[0]);
});

it('check and wrappers say that they need answers at once', async () => {
  const env = await later();
  const { findings } = checkEnv(() => env as unknown as Env);
  expect(findings).toMatchObject([{ severity: 'error', code: 'CONFIG_ENV_ASYNC' }]);
  expect(() => timeLimit(env as unknown as Env, 2)).toThrow('A wrapper needs an environment whose');
});

it('a promise from an environment that does not say that it is asynchronous is refused, with what to do', async () => {
  const { asynchronous: _, ...env } = { ...(await later()), asynchronous: true as const };
  const reset = () => Promise.resolve(env.reset());
  const algorithm = ppo({
    env: (() => ({ ...env, reset, step: () => env.step(0) })) as unknown as AsyncEnvFactory,
  });
  await expect(algorithm.build()).rejects.toThrow('set `asynchronous: true`');
});
