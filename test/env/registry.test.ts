import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerShippedEnvs } from '../../envs/index.ts';
import { factorySource, resolveEnv } from '../../src/env/env-source.ts';
import { makeEnv, makeVectorEnv } from '../../src/env/load-env.ts';
import { findEnv, listEnvs, registerEnv } from '../../src/env/registry.ts';
import { installedEnvIds } from '../envs/installed-envs.ts';
import { makeRows } from './step-rows.ts';

const module = 'file:///nowhere/env.js';
let folder = '';

const ENV = `
const space = (n) => ({ kind: 'discrete', n, start: 0 });
const make = (n) => (options = {}) => ({
  observationSpace: space(n), actionSpace: space(2),
  reset: () => ({ observation: options.first ?? 0 }),
  step: () => ({ observation: 1, reward: 0.5, terminated: false, truncated: false }),
});
export default make(3);
export const maze = make(5);
export const notAFunction = 7;
export const thrower = () => { throw new Error('no licence'); };
export const badVector = () => 3;
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'operant-registry-'));
  writeFileSync(join(folder, 'my-env.mjs'), ENV);
  writeFileSync(join(folder, 'broken.mjs'), 'export default (;');
  const add = (name: string, manifest: object) => {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    writeFileSync(join(folder, 'node_modules', name, 'index.mjs'), ENV);
    writeFileSync(join(folder, 'node_modules', name, 'package.json'), JSON.stringify(manifest));
  };
  add('plain-envs', { name: 'plain-envs', main: 'index.mjs' });
  add('@me/envs', {
    name: '@me/envs',
    type: 'module',
    exports: { '.': { import: './index.mjs' }, './two': './index.mjs' },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('ids', () => {
  it('without a version resolve to the newest', () => {
    registerEnv('RegistryTest-v9', { module });
    registerEnv('RegistryTest-v10', { module, maxEpisodeSteps: 7 });
    registerEnv('mine/RegistryTest-v3', { module });
    expect(findEnv('RegistryTest').id).toBe('RegistryTest-v10');
    expect(findEnv('RegistryTest-v9').id).toBe('RegistryTest-v9');
    expect(findEnv('mine/RegistryTest').id).toBe('mine/RegistryTest-v3');
    expect(listEnvs().map((env) => env.id)).toContain('RegistryTest-v9');
  });

  it('of shipped environments are there, and an unknown one names the nearest', () => {
    registerShippedEnvs();
    expect(findEnv('CartPole').id).toBe('CartPole-v1');
    for (const [given, nearest] of [
      ['CartPool', 'CartPole-v1'],
      ['cartpole', 'CartPole-v1'],
      ['Pendulum-v3', 'Pendulum-v1'],
    ]) {
      expect(() => findEnv(given)).toThrowError(
        expect.objectContaining({
          code: 'CONFIG_ENV_UNKNOWN',
          message: expect.stringContaining(`Did you mean ${nearest}`),
        }),
      );
    }
    expect(() => findEnv('zzzzzzzzzz')).toThrow(/operant envs/);
  });

  it('and module URLs are checked', () => {
    expect(() => registerEnv('two words', { module })).toThrowError(
      expect.objectContaining({ code: 'CONFIG_ENV_ID' }),
    );
    expect(() => registerEnv('Ok-v1', { module: './x.ts' })).toThrowError(
      expect.objectContaining({
        code: 'CONFIG_ENV_MODULE',
        message: expect.stringContaining('import.meta.url'),
      }),
    );
  });
});

describe('resolveEnv', () => {
  it('gives a source that survives JSON and a thread', () => {
    registerShippedEnvs();
    const source = resolveEnv('CartPole', { suttonBartoReward: true });
    expect(structuredClone(source)).toEqual(source);
    expect(JSON.parse(JSON.stringify(source))).toEqual(source);
    expect(source).toMatchObject({
      kind: 'module',
      id: 'CartPole-v1',
      rewardThreshold: 475,
      options: { suttonBartoReward: true },
    });
  });

  it('lays options over the registered ones', () => {
    registerEnv('Options-v0', { module, options: { a: 1, b: 2 }, maxEpisodeSteps: 9 });
    expect(resolveEnv('Options', { b: 3 })).toMatchObject({
      options: { a: 1, b: 3 },
      maxEpisodeSteps: 9,
      export: 'default',
    });
  });

  it('takes relative and absolute paths and URLs, with an export', () => {
    const href = pathToFileURL(join(folder, 'my-env.mjs')).href;
    for (const path of ['./my-env.mjs', 'my-env.mjs', join(folder, 'my-env.mjs'), href]) {
      expect(resolveEnv(path, {}, folder)).toMatchObject({ module: href, export: 'default', id: path });
      expect(resolveEnv(`${path}#maze`, {}, folder)).toMatchObject({ module: href, export: 'maze' });
    }
    expect(() => resolveEnv('./absent.ts', {}, folder)).toThrowError(
      expect.objectContaining({
        code: 'CONFIG_ENV_MODULE',
        message: expect.stringContaining('does not exist'),
      }),
    );
  });

  it('takes packages, those with only an import condition too', async () => {
    for (const specifier of ['plain-envs#maze', '@me/envs#maze', '@me/envs/two#maze', '@me/envs']) {
      const env = await makeEnv(resolveEnv(specifier, {}, folder));
      expect(env.observationSpace).toMatchObject({ n: specifier.includes('#') ? 5 : 3 });
    }
    expect(() => resolveEnv('absent-envs#x', {}, folder)).toThrow(/no installed package `absent-envs`/);
  });
});

describe('makeVectorEnv', () => {
  it('passes the options to the factory and the limit to the vector', async () => {
    const source = { ...resolveEnv('./my-env.mjs', { first: 2 }, folder), maxEpisodeSteps: 1 };
    const env = await makeVectorEnv(source, 2);
    const rows = makeRows(env);
    env.reset(Uint32Array.of(1, 2), rows);
    expect([...rows.observations]).toEqual([0, 0, 1, 0, 0, 1]);
    env.step(Int32Array.of(0, 1), Uint32Array.of(1, 2), rows);
    expect([...rows.truncated]).toEqual([1, 1]);
  });

  it('uses the vector export, in every autoreset mode, with the registered limit', async () => {
    registerShippedEnvs();
    for (const autoreset of ['same-step', 'next-step', 'disabled'] as const) {
      const env = await makeVectorEnv({ ...resolveEnv('CartPole'), maxEpisodeSteps: 1 }, 3, autoreset);
      expect(env.autoreset).toBe(autoreset);
      const rows = makeRows(env);
      env.reset(Uint32Array.of(1, 2, 3), rows);
      env.step(Int32Array.of(0, 1, 0), Uint32Array.of(1, 2, 3), rows);
      expect([...rows.truncated]).toEqual([1, 1, 1]);
    }
  });

  it('limits: given options over registered ones, a limit of the source over both', async () => {
    registerShippedEnvs();
    const limitOf = async (source: ReturnType<typeof resolveEnv>) => {
      const env = await makeVectorEnv(source, 1);
      const rows = makeRows(env);
      env.reset(Uint32Array.of(1), rows);
      // Standing on S and walking into the wall: no hole is near while `isSlippery` is off.
      for (let t = 1; t <= 300; t++) {
        env.step(Int32Array.of(0), Uint32Array.of(1), rows);
        if (rows.truncated[0] === 1) return t;
      }
      return null;
    };
    const dry = { isSlippery: false };
    expect(await limitOf(resolveEnv('FrozenLake', dry))).toBe(100);
    expect(await limitOf(resolveEnv('FrozenLake8x8', dry))).toBe(200);
    expect(await limitOf(resolveEnv('FrozenLake8x8', { ...dry, maxEpisodeSteps: 30 }))).toBe(30);
    expect(await limitOf({ ...resolveEnv('FrozenLake8x8', dry), maxEpisodeSteps: 7 })).toBe(7);
    expect(await limitOf(resolveEnv('FrozenLake', { ...dry, maxEpisodeSteps: null }))).toBe(null);
    registerEnv('Limited-v1', {
      ...resolveEnv('FrozenLake'),
      vectorExport: 'frozenLakeVector',
      maxEpisodeSteps: 9,
      rewardThreshold: 1,
    });
    expect(await limitOf(resolveEnv('Limited', dry))).toBe(9);
    expect(await limitOf(resolveEnv('Limited', { ...dry, maxEpisodeSteps: 4 }))).toBe(4);
  });

  it('works with a bare factory', async () => {
    const { default: factory } = await import(pathToFileURL(join(folder, 'my-env.mjs')).href);
    const env = await makeVectorEnv(factorySource(factory, { first: 1 }, 'mine'), 1);
    expect(env.numEnvs).toBe(1);
    expect(() => factorySource(3 as never)).toThrowError(
      expect.objectContaining({ code: 'CONFIG_ENV_FACTORY' }),
    );
  });

  it.each([
    ['./my-env.mjs#nothing', 'CONFIG_ENV_EXPORT', /`nothing`.*default, maze, thrower/],
    ['./my-env.mjs#notAFunction', 'CONFIG_ENV_EXPORT', /got 7/],
    ['./my-env.mjs#thrower', 'CONFIG_ENV_FACTORY', /threw: no licence/],
    ['./my-env.mjs#badVector', 'CONFIG_ENV_FACTORY', /gave 3/],
    ['./broken.mjs', 'CONFIG_ENV_MODULE', /could not be loaded/],
  ])('%s', async (path, code, message) => {
    await expect(makeVectorEnv(resolveEnv(path, {}, folder), 1)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('checks what a vector export gives', async () => {
    const source = { ...resolveEnv('./my-env.mjs', {}, folder), vectorExport: 'badVector' };
    await expect(makeVectorEnv(source, 1)).rejects.toMatchObject({ code: 'CONFIG_ENV_FACTORY' });
  });
});

describe('shipped environments', () => {
  it.each(installedEnvIds())('%s refuses unknown options and wrong types', async (id) => {
    registerShippedEnvs();
    for (const options of [{ nonsense: 1 }, { maxEpisodeSteps: 'many' }]) {
      await expect(makeEnv(resolveEnv(id, options))).rejects.toMatchObject({ code: 'CONFIG_ENV_OPTION' });
    }
  });
});
