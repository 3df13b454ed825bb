/** What can be said without any Python: which one would be asked, and what is refused. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { registerShippedEnvs } from '../../../envs/index.ts';
import { environmentSource } from '../../../src/algorithm/environment-source.ts';
import { loadCheckpoint } from '../../../src/checkpoint/load-checkpoint.ts';
import { saveCheckpoint } from '../../../src/checkpoint/save-checkpoint.ts';
import { resolveEnv } from '../../../src/env/env-source.ts';
import { makeVectorEnv } from '../../../src/env/load-env.ts';
import { findPython, pythonOf } from '../../../src/env/python/find-python.ts';
import { PPOConfig } from '../../../src/index.ts';
import type { JsonObject } from '../../../src/json.ts';
import { operant } from '../../cli/run-in-process.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

registerShippedEnvs();

function withVariables(values: Record<string, string | undefined>): void {
  const before = { ...process.env };
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  onTestFinished(() => {
    process.env = before;
  });
}

test('the given Python comes first, then that of the variable, then the one in PATH', () => {
  withVariables({ OPERANT_PYTHON: 'other', OPERANT_PYTHON_HOME: temporaryFolder(), VIRTUAL_ENV: undefined });
  expect(findPython('mine')).toBe('mine');
  expect(findPython(null)).toBe('other');
  delete process.env.OPERANT_PYTHON;
  expect(findPython(null)).toBe('python3');
});

test('a Python that is not there is named, and what to do', async () => {
  const python = join(temporaryFolder(), 'python');
  const source = resolveEnv('gymnasium:CartPole-v1', { python });
  await expect(makeVectorEnv(source, 1)).rejects.toMatchObject({
    code: 'CONFIG_PYTHON',
    message: expect.stringMatching(/`.*\/python`[\s\S]*operant python install gymnasium/),
  });
});

test('a program that is no Python ends the attempt', async () => {
  const source = resolveEnv('gymnasium:CartPole-v1', { python: 'true' });
  await expect(makeVectorEnv(source, 1)).rejects.toMatchObject({ code: 'CONFIG_PYTHON' });
});

test.each([
  ['python:./my_env.py', 'CONFIG_ENV_EXPORT'],
  ['python:./no-such-file.py#make', 'CONFIG_ENV_MODULE'],
  ['gymnasium:', 'CONFIG_ENV_UNKNOWN'],
])('%s is refused', (id, code) => {
  expect(() => resolveEnv(id)).toThrow(expect.objectContaining({ code }));
});

test('options that nothing would read are refused', async () => {
  const make = (options: JsonObject) => makeVectorEnv(resolveEnv('gymnasium:CartPole-v1', options), 1);
  await expect(make({ continuous: true })).rejects.toMatchObject({ code: 'CONFIG_ENV_OPTION' });
  await expect(make({ wrappers: ['FrameStack'] })).rejects.toMatchObject({ code: 'CONFIG_ENV_OPTION' });
  const environment = {
    env: 'CartPole-v1',
    envOptions: {},
    maxEpisodeSteps: null,
    curriculum: null,
    wrappers: [],
    previousInputs: null,
    python: pythonOf('here'),
  };
  expect(() => environmentSource({ environment })).toThrow(
    expect.objectContaining({ code: 'CONFIG_PYTHON' }),
  );
});

test('a policy from Python is evaluated in a native environment without that Python', async () => {
  const algorithm = await new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 8 })
    .training({ numEpochs: 1, minibatchSize: 16, hiddenSizes: [4] })
    .build();
  const native = await algorithm.save(join(temporaryFolder(), 'native'));
  await algorithm.stop();
  const { content } = await loadCheckpoint(native);
  const config = structuredClone(content.json['config.json']) as Record<string, Record<string, unknown>>;
  Object.assign(config.environment, { env: 'gymnasium:CartPole-v1', python: '/nowhere/python' });
  const json = { ...content.json, 'config.json': config } as typeof content.json;
  const path = await saveCheckpoint(join(temporaryFolder(), 'python'), { ...content, json });
  const { exitCode, stderr } = await operant(
    ...['evaluate', '--checkpoint', path, '--env', 'CartPole-v1', '--trust', '--episodes', '1'],
  );
  expect(exitCode, stderr).toBe(0);
});
