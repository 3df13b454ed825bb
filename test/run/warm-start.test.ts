/** A warm start from the command line and from a builder: what is written down, what is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DQNConfig, PPOConfig } from '../../src/index.ts';
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
