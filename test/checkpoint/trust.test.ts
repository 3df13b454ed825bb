/** A checkpoint that somebody sent is data: what its files name is run only with consent. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { saveCheckpoint } from '../../src/checkpoint/save-checkpoint.ts';
import { Algorithm, Box, Discrete, loadPolicy, PPOConfig } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const ENV_URL = new URL('../rollout/fixtures/counting-env.ts', import.meta.url).href;

/** A module that leaves a file behind when it is run. */
function hostileModule(folder: string, body = ''): { readonly path: string; hasRun(): boolean } {
  const mark = join(folder, 'it-ran');
  const path = join(folder, 'hostile.mjs');
  writeFileSync(
    path,
    `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(mark)}, ''); ${body}`,
  );
  return { path, hasRun: () => existsSync(mark) };
}

interface Forgery {
  readonly algorithm?: string;
  readonly env?: string;
  readonly envOptions?: JsonObject;
  readonly python?: string;
  readonly network?: string;
  readonly policyNetwork?: JsonObject;
  readonly curriculum?: string;
  readonly learningRate?: JsonObject;
}

const shared = mkdtempSync(join(tmpdir(), 'operant-trust-'));
afterAll(() => rmSync(shared, { recursive: true, force: true }));

let genuine: string;
beforeAll(async () => {
  const algorithm = await new PPOConfig()
    .environment(() => ({
      observationSpace: new Box(-1, 1, [2]),
      actionSpace: new Discrete(2),
      maxEpisodeSteps: 5,
      reset: () => ({ observation: [0, 0] }),
      step: () => ({ observation: [0, 0], reward: 1, terminated: false, truncated: false }),
    }))
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 8 })
    .training({ numEpochs: 1, minibatchSize: 16, hiddenSizes: [4] })
    .build();
  genuine = await algorithm.save(join(shared, 'checkpoint'));
  await algorithm.stop();
});

/** The genuine checkpoint with other names in it, and right checksums. */
async function forge(forgery: Forgery): Promise<string> {
  const { algorithm, env, envOptions, python, network, policyNetwork, curriculum, learningRate } = forgery;
  const { content } = await loadCheckpoint(genuine);
  const config = structuredClone(content.json['config.json']) as Record<string, Record<string, unknown>>;
  const policy = structuredClone(content.json['policies/default/policy.json']) as Record<string, JsonObject>;
  config.environment.env = env ?? 'CartPole-v1';
  if (envOptions !== undefined) config.environment.envOptions = envOptions;
  if (python !== undefined) config.environment.python = python;
  if (network !== undefined) config.training.network = network;
  if (curriculum !== undefined) config.environment.curriculum = curriculum;
  if (learningRate !== undefined) config.training.learningRate = learningRate;
  if (algorithm !== undefined) Object.assign(config, { algorithm });
  if (policyNetwork !== undefined) Object.assign(policy.spec, { network: policyNetwork });
  const json = { ...content.json, 'config.json': config, 'policies/default/policy.json': policy };
  return saveCheckpoint(join(temporaryFolder(), 'forged'), { ...content, json: json as never });
}

/** Every way in which a checkpoint is opened; each gives the message of its refusal. */
const openings: Readonly<Record<string, (path: string) => Promise<string>>> = {
  'train --resume': async (path) =>
    (await operant('train', '--resume', path, '--stop-iterations', '1')).stderr,
  evaluate: async (path) => (await operant('evaluate', '--checkpoint', path)).stderr,
  'evaluate --watch': async (path) => (await operant('evaluate', '--checkpoint', path, '--watch')).stderr,
  fromCheckpoint: (path) => Algorithm.fromCheckpoint(path).then(String, (error: Error) => error.message),
};

describe.each(Object.entries(openings))('%s', (_, open) => {
  test('names an environment of somebody and does not run it', async () => {
    const { path, hasRun } = hostileModule(temporaryFolder());
    const message = await open(await forge({ env: `${path}#env` }));
    expect(message).toContain(`environment.env: ${path}#env`);
    expect(message).toContain('--trust');
    expect(hasRun()).toBe(false);
  });

  test('names a network of somebody and does not run it', async () => {
    const { path, hasRun } = hostileModule(temporaryFolder());
    expect(await open(await forge({ network: path }))).toContain(`training.network: ${path}`);
    expect(hasRun()).toBe(false);
  });

  test.each([
    ['gymnasium:CartPole-v1', {}],
    ['envpool:Pong-v5', {}],
    ['python:FILE#make', {}],
    ['CartPole-v1', { python: 'bin/python' }], // a path that looks like no module
    ['CartPole-v1', { python: 'python3' }],
  ])('names what runs in Python and starts none: %s, %o', async (id, { python }: { python?: string }) => {
    const folder = temporaryFolder();
    const file = join(folder, 'hostile.py');
    const mark = join(folder, 'it-ran');
    writeFileSync(file, `open(${JSON.stringify(mark)}, 'w').close()`);
    const env = id.replace('FILE', file);
    const message = await open(await forge(python === undefined ? { env } : { env, python }));
    expect(message).toContain(
      python === undefined ? `environment.env: ${env}` : `environment.python: ${python}`,
    );
    expect(message).toContain('--trust');
    expect(existsSync(mark)).toBe(false);
  });

  test('imports no algorithm by a path that stands in a file', async () => {
    const { path, hasRun } = hostileModule(temporaryFolder());
    expect(await open(await forge({ algorithm: path }))).toContain('give the algorithm yourself');
    expect(hasRun()).toBe(false);
  });
});

describe('consent', () => {
  test('does not extend to data: URLs', async () => {
    const folder = temporaryFolder();
    const { path, hasRun } = hostileModule(folder);
    const url = `data:text/javascript,import ${JSON.stringify(pathToFileURL(path).href)}`;
    const forged = await forge({ env: url });
    for (const argv of [
      ['train', '--resume', forged, '--trust', '--out', join(folder, 'run')],
      ['evaluate', '--checkpoint', forged, '--trust'],
    ]) {
      const { exitCode, stderr } = await operant(...argv);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('never loaded from data:')]);
    }
    await expect(Algorithm.fromCheckpoint(forged, {}, { trust: true })).rejects.toThrow('data:');
    await expect(
      Algorithm.fromCheckpoint(await forge({ network: url }), {}, { trust: true }),
    ).rejects.toThrow('data:');
    expect(hasRun()).toBe(false);
  });

  test('to an environment in Python does not extend to a program among its options', async () => {
    const { path, hasRun } = hostileModule(temporaryFolder());
    writeFileSync(path, `#!/usr/bin/env node\n${readFileSync(path, 'utf8')}`);
    chmodSync(path, 0o755);
    const forged = await forge({ envOptions: { python: path } });
    const env = 'gymnasium:CartPole-v1';
    await expect(Algorithm.fromCheckpoint(forged, { environment: { env } })).rejects.toMatchObject({
      code: 'CONFIG_ENV_OPTION',
      message: expect.stringContaining('--python'),
    });
    expect(hasRun()).toBe(false);
  });

  test('is the flag, the option, or the module given anew', async () => {
    const algorithm = await new PPOConfig()
      .environment(ENV_URL)
      .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 8 })
      .training({ numEpochs: 1, minibatchSize: 16, hiddenSizes: [4] })
      .build();
    const path = await algorithm.save(join(temporaryFolder(), 'checkpoint'));
    await algorithm.stop();
    const refused = expect.objectContaining({ code: 'CHECKPOINT_TRUST' });
    await expect(Algorithm.fromCheckpoint(path)).rejects.toEqual(refused);
    for (const open of [
      () => Algorithm.fromCheckpoint(path, {}, { trust: true }),
      () => Algorithm.fromCheckpoint(path, { environment: { env: ENV_URL } }),
    ]) {
      const restored = await open();
      expect(restored.iteration).toBe(0);
      await restored.stop();
    }
    for (const consent of [['--trust'], ['--env', ENV_URL]]) {
      const argv = ['--resume', path, '--stop-iterations', '1', '--quiet'];
      const { exitCode, stderr } = await operant(
        'train',
        ...argv,
        ...consent,
        '--out',
        join(temporaryFolder(), 'r'),
      );
      expect(exitCode, stderr).toBe(0);
    }
    expect((await operant('evaluate', '--checkpoint', path, '--trust', '--episodes', '1')).exitCode).toBe(0);
  });
});

describe('what only looks', () => {
  test('loadPolicy and doctor --compare run nothing', async () => {
    const { path, hasRun } = hostileModule(temporaryFolder());
    const forged = await forge({ algorithm: path, env: path, network: path });
    expect((await loadPolicy(forged)).actor().act([0, 0])).toBeTypeOf('number');
    expect((await operant('doctor', '--compare', forged)).exitCode).toBe(0);
    expect(hasRun()).toBe(false);
  });

  test('evaluate runs neither schedule nor curriculum and asks nothing for them; a resume names both', async () => {
    const { path, hasRun } = hostileModule(temporaryFolder());
    const learningRate = { schedule: 'function', module: path };
    const forged = await forge({ env: ENV_URL, curriculum: path, learningRate });
    const shown = await operant('evaluate', '--checkpoint', forged, '--env', ENV_URL, '--episodes', '1');
    expect(shown.stderr).toContain('the policy was trained for Box(2)'); // it plays; that is what this environment is not for
    const { exitCode, stderr } = await operant('train', '--resume', forged, '--env', ENV_URL);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(`environment.curriculum: ${path}`);
    expect(stderr).toContain(`training.learningRate: ${path}`);
    expect(hasRun()).toBe(false);
  });

  test("loadPolicy wants consent to a policy's own network", async () => {
    const folder = temporaryFolder();
    const { path, hasRun } = hostileModule(folder);
    const network = (module: string) => ({ kind: 'custom', module, export: 'network', options: {} });
    const forged = await forge({ policyNetwork: network(pathToFileURL(path).href) });
    await expect(loadPolicy(forged)).rejects.toThrow(/training\.network: file:.*hostile\.mjs#network/);
    const inData = await forge({ policyNetwork: network('data:text/javascript,0') });
    await expect(loadPolicy(inData, { trust: true })).rejects.toThrow('data:');
    await expect(loadPolicy(genuine, { network: './mine.ts' })).rejects.toThrow('leave it out');
    expect(hasRun()).toBe(false);
  });
});
