/** A warm start from the command line and from a builder: what is written down, what is refused. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { A2CConfig, DQNConfig, type JsonObject, PPOConfig } from '../../src/index.ts';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const small = ['--env', 'CartPole', '--no-tuned', '--num-env-runners', '0', '--rollout-length', '16'];
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

test('a run says what it took, keeps that over resumes, and another algorithm takes what acts', async () => {
  const folder = temporaryFolder();
  const first = join(folder, 'first');
  const second = join(folder, 'second');
  await operant('train', ...small, '--stop-iterations', '1', '--out', first);
  const flags = [...small, '--stop-iterations', '1', '--hidden-sizes', '64,32', '--out', second];
  const run = await operant('train', ...flags, '--init-from', first);
  expect(run.stdout).toMatch(/Initialised from .*first.checkpoints.000001: actor\/0, critic\/0/);
  expect(run.stdout).toMatch(
    /not taken: actor\/1 \(actor\/1\/kernel is \[64, 64\] in the checkpoint, \[64, 32\] here\)/,
  );
  const initializedFrom = {
    checkpoint: join(first, 'checkpoints', '000001'),
    taken: ['actor/0', 'critic/0'],
  };
  expect(json(join(second, 'config.json'))).toMatchObject({ initializedFrom });
  const resumed = await operant('train', '--resume', second, '--stop-iterations', '2');
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect(resumed.stdout).not.toContain('Initialised');
  expect(json(join(second, 'config.json'))).toMatchObject({ initializedFrom, history: [{ iteration: 1 }] });
  const changed = await operant('train', '--resume', second, '--init-from', second);
  expect(changed.stderr).toMatch(/belong to the beginning of a run[\s\S]*checkpointing\.initFrom/);

  const dqn = new DQNConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0 })
    .training({ hiddenSizes: [64, 64], activation: 'tanh' })
    .initializeFrom(first, { networks: ['q'] });
  const algorithm = await dqn.build();
  expect(algorithm.initializedFrom?.taken).toEqual(['actor/0', 'actor/1', 'actor/head']);
  expect(algorithm.initializedFrom?.left).toContainEqual({
    name: 'critic/0',
    why: 'in the checkpoint alone',
  });
  await algorithm.train();
  expect(() =>
    algorithm.initializeFrom?.({ description: {}, tensors: {}, json: {} }, first, {
      networks: null,
      optimizer: false,
      policies: null,
    }),
  ).toThrow();
  await algorithm.stop();
});

test('what would have no effect is refused', async () => {
  const folder = temporaryFolder();
  const base = () =>
    new PPOConfig().environment('CartPole-v1').envRunners({ numEnvRunners: 0, rolloutLength: 16 });
  const first = await base().build();
  const path = await first.save(join(folder, 'saved'));
  await first.stop();
  const refused = async (builder: InstanceType<typeof PPOConfig>) =>
    builder.build().then((algorithm) => algorithm.stop());
  await expect(
    refused(
      base()
        .training({ hiddenSizes: [7] })
        .initializeFrom(path),
    ),
  ).rejects.toMatchObject({ code: 'CONFIG_INIT_FROM', message: expect.stringMatching(/Nothing of .* fits/) });
  await expect(
    refused(
      base()
        .training({ hiddenSizes: [64, 7] })
        .initializeFrom(path, { optimizer: true }),
    ),
  ).rejects.toMatchObject({ code: 'CONFIG_INIT_FROM', message: expect.stringMatching(/initOptimizer asks/) });
  await expect(refused(base().checkpointing({ initOptimizer: true }))).rejects.toThrow(
    /initOptimizer says what to take of initFrom, which is null/,
  );
  await expect(refused(base().initializeFrom(join(folder, 'nowhere')))).rejects.toMatchObject({
    code: 'CHECKPOINT_NOT_FOUND',
  });
});

test('memory goes along; a head does not without what it stood on', async () => {
  const path = join(temporaryFolder(), 'lstm');
  const small = { numEnvRunners: 0, rolloutLength: 32 };
  const ppo = (training: JsonObject) =>
    new PPOConfig()
      .environment('CartPole-v1')
      .envRunners(small)
      .training({ minibatchSize: 32, ...training });
  const lstm = { recurrent: 'lstm', recurrentSize: 8, sequenceLength: 16, hiddenSizes: [6] };
  const first = await ppo(lstm).build();
  await first.train();
  await first.save(path);
  await first.stop();
  const report = async (config: Pick<InstanceType<typeof PPOConfig>, 'build'>) => {
    const algorithm = await config.build();
    const { initializedFrom } = algorithm;
    await algorithm.train();
    await algorithm.stop();
    return initializedFrom;
  };
  const a2c = new A2CConfig()
    .environment('CartPole-v1')
    .envRunners(small)
    .training(lstm as never);
  expect(await report(a2c.initializeFrom(path))).toMatchObject({ left: [] });
  const gru = await report(ppo({ ...lstm, recurrent: 'gru' }).initializeFrom(path));
  expect(gru?.taken).toEqual(['actor/0', 'actor/head', 'critic/0', 'critic/head']); // only the cell below begins anew
  expect(gru?.left[0].why).toMatch(/^actor\/cell\/input is \[4, 32\] in the checkpoint, \[4, 24\] here$/);
  // heads of the right shape are all that an MLP, or a network of other layers, has in common with it
  for (const training of [{ hiddenSizes: [6] }, { hiddenSizes: [5, 6] }, { ...lstm, recurrentSize: 9 }])
    await expect(report(ppo(training).initializeFrom(path))).rejects.toMatchObject({
      code: 'CONFIG_INIT_FROM',
      message: expect.stringMatching(
        /actor\/head: (actor\/0, on which it stands, begins anew|it stands on actor\/0 in the checkpoint, on actor\/1 here)/,
      ),
    });
});

test('an exported policy, or what was copied to act elsewhere, is told from a run', async () => {
  const folder = temporaryFolder();
  const run = join(folder, 'run');
  await operant('train', ...small, '--stop-iterations', '1', '--out', run);
  const file = join(folder, 'model.json');
  for (const to of ['safetensors', 'js'])
    await operant(
      'export',
      '--checkpoint',
      run,
      '--to',
      to,
      '--out',
      to === 'js' ? join(folder, 'model.js') : file,
    );
  const deployed = join(folder, 'deployed');
  for (const part of ['manifest.json', 'policies'])
    cpSync(join(run, 'checkpoints/000001', part), join(deployed, part), { recursive: true });
  for (const initFrom of [
    file,
    join(folder, 'model.safetensors'),
    join(folder, 'model.js'),
    folder,
    deployed,
  ]) {
    const { exitCode, stderr } = await operant('train', ...small, '--init-from', initFrom);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/is no checkpoint: .* give the run that it came from/);
  }
});
