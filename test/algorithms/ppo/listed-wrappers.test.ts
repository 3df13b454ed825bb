/** Runs whose config lists wrappers: exact as any, the policy is that of what they show, and a resume keeps them. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Algorithm, exportPolicy, loadPolicy, PPOConfig } from '../../../src/index.ts';
import { probe, runOut, subjectOf } from '../../conformance/subject.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const subject = await subjectOf('ppo');
const WRAPPERS = [
  { name: 'stickyAction', probability: 0.2 },
  { name: 'maxAndSkipObservation', numSteps: 3 },
  { name: 'timeAwareObservation', limit: 3 },
  { name: 'frameStackObservation', numFrames: 2 },
];
const build = (numEnvRunners: number, options = {}) =>
  subject.build(
    subject.settings.values,
    { environment: { wrappers: WRAPPERS }, envRunners: { numEnvRunners, rolloutLength: 17 } },
    probe(subject, options),
  );

test('a worker that dies in mid-episode, and a resume there, change nothing', async () => {
  const expected = await runOut(await build(0), 4);
  expect(await runOut(await build(2, { exitFile: join(temporaryFolder(), 'exit') }), 4)).toEqual(expected);
  const first = await build(0);
  for (let k = 0; k < 3; k++) await first.train();
  const path = await first.save(join(temporaryFolder(), 'saved'));
  await first.stop();
  const unbroken = await build(0);
  for (let k = 0; k < 3; k++) await unbroken.train();
  const rest = await runOut(unbroken, 1);
  const resumed = await Algorithm.fromCheckpoint(path, { envRunners: { numEnvRunners: 1 } }, { trust: true });
  expect(await runOut(resumed, 1)).toEqual(rest);

  await expect(
    Algorithm.fromCheckpoint(path, { environment: { wrappers: WRAPPERS.slice(0, 2) } }, { trust: true }),
  ).rejects.toMatchObject({ name: 'CheckpointError' });
  const policy = await loadPolicy(path);
  // Two frames of four numbers and the time.
  expect([0, 1, 2, 3]).toContain(policy.actor().act([1, 0, 0, 0, 0, 0, 1, 0, 0, 0.3]));
  expect(() => policy.actor().act([1, 0, 0, 0])).toThrow(/observation/);
  await exportPolicy({ checkpoint: path, to: 'js', out: join(temporaryFolder(), 'policy.mjs') });
});

test('evaluation plays with them, in workers and alone, and on another environment', async () => {
  const returns = async (numEnvRunners: number) => {
    const algorithm = await new PPOConfig()
      .environment('Pendulum-v1')
      .environment({
        wrappers: [
          { name: 'discretizeAction', bins: 3 },
          { name: 'repeatAction', numSteps: 4 },
        ],
      })
      .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 16 })
      .training({ minibatchSize: 32, numEpochs: 1 })
      .build();
    try {
      return await algorithm.evaluate({ numEpisodes: 3 });
    } finally {
      await algorithm.stop();
    }
  };
  const alone = await returns(0);
  // 200 steps of the environment are 50 actions.
  expect(alone.lengths).toEqual([50, 50, 50]);
  expect(await returns(2)).toEqual(alone);
});

test('a factory is wrapped, and a list that does not fit says so before a thread starts', async () => {
  const config = () =>
    new PPOConfig()
      .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 8 })
      .training({ minibatchSize: 16 });
  await expect(
    config()
      .environment({ env: 'CartPole-v1', wrappers: [{ name: 'rescaleAction' }] })
      .build(),
  ).rejects.toThrow(/rescaleAction needs a Box action space, got Discrete\(2\)/);
  await expect(
    config()
      .environment({ env: 'CartPole-v1', wrappers: [{ name: 'clipActions' }] })
      .build(),
  ).rejects.toThrow(/Did you mean clipAction\?/);
  await expect(
    config()
      .environment({ env: 'TicTacToe-v0', wrappers: [{ name: 'clipReward' }] })
      .build(),
  ).rejects.toThrow(/wrappers is not there for environments of several agents/);
  expect(() => config().environment({ env: 'CartPole-v1', wrappers: 'clipReward' as never })).toThrow(
    /list of objects/,
  );
});
