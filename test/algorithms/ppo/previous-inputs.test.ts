/** Runs whose policies see the last action and reward: exact as any, and a policy that asks for all of it. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Algorithm, loadPolicy } from '../../../src/index.ts';
import { probe, runOut, subjectOf } from '../../conformance/subject.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const subject = await subjectOf('ppo');
const build = (numEnvRunners: number, options = {}) =>
  subject.build(
    subject.settings.values,
    { environment: { previousInputs: 'both' }, envRunners: { numEnvRunners, rolloutLength: 18 } },
    { training: { recurrent: 'lstm', recurrentSize: 10, sequenceLength: 6 } },
    probe(subject, options),
  );

test('a worker that dies in mid-episode, and a resume there, change nothing: both bring back what came before', async () => {
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
    Algorithm.fromCheckpoint(path, { environment: { previousInputs: null } }, { trust: true }),
  ).rejects.toMatchObject({ name: 'CheckpointError' });
  const policy = await loadPolicy(path);
  const seen = { observation: [1, 0, 0, 0], previousAction: [0, 1, 0, 0], previousReward: [1] };
  expect([0, 1, 2, 3]).toContain(policy.actor().act(seen));
  expect(() => policy.actor().act([1, 0, 0, 0])).toThrow(/observation/);
});
