import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { resolveEnv } from '../../src/env/env-source.ts';
import { registerEnv } from '../../src/env/registry.ts';
import { importModule } from '../../src/modules/import-module.ts';
import { locateModule } from '../../src/modules/module-reference.ts';
import { isModuleReference } from '../../src/modules/module-text.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const KIND = { code: 'CONFIG_NETWORK', what: 'network' } as const;
const REFUSED = [
  'data:text/javascript,globalThis.hasRun=true',
  'DATA:text/javascript;base64,Z2xvYmFsVGhpcy5oYXNSdW49dHJ1ZQ==',
  'blob:nodedata:c3a1b2',
  'http://127.0.0.1:9/x.js',
  'https://example.com/x.js',
  'file://example.com/share/x.js',
  'file:////example.com/share/x.js',
  'node:fs',
];
const refused = expect.objectContaining({ name: 'ConfigError', code: 'CONFIG_MODULE_URL' });

describe('what names a module', () => {
  it.each([
    ['./net.ts', true],
    ['../net', true],
    ['net.mjs', true],
    ['/home/me/net', true],
    ['my-nets#wide', true],
    ['@me/nets', true],
    ['file:///x.js', true],
    ['data:text/javascript,', true],
    ['mlp', false],
    ['CartPole-v1', false],
    ['mine/Maze-v2', false],
    ['ppo', false],
  ])('%s: %s', (text, expected) => {
    expect(isModuleReference(text)).toBe(expected);
  });
});

describe('a module', () => {
  it('is found by path, URL and package, with its export', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'node_modules/nets'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/nets/index.mjs'), '');
    writeFileSync(join(folder, 'node_modules/nets/package.json'), '{"name":"nets","exports":"./index.mjs"}');
    writeFileSync(join(folder, 'a #1 net.ts'), '');
    const file = pathToFileURL(join(folder, 'a #1 net.ts')).href;
    expect(locateModule('nets#wide', KIND, folder)).toEqual({
      url: pathToFileURL(join(folder, 'node_modules/nets/index.mjs')).href,
      exportName: 'wide',
    });
    expect(locateModule(`${file}#wide`, KIND, folder)).toEqual({ url: file, exportName: 'wide' });
    expect(locateModule('./a #1 net.ts#wide', KIND, folder)).toEqual({ url: file, exportName: 'wide' });
    const missing = expect.objectContaining({
      code: 'CONFIG_NETWORK',
      message: expect.stringContaining('does not exist'),
    });
    expect(() => locateModule('./absent.ts', KIND, folder)).toThrowError(missing);
  });

  it.each(REFUSED)('is never %s', async (url) => {
    expect(() => locateModule(url, KIND)).toThrowError(refused);
    expect(() => resolveEnv(url)).toThrowError(refused);
    expect(() => registerEnv('Refused-v0', { module: url })).toThrowError(refused);
    await expect(importModule(url)).rejects.toThrowError(refused);
    expect(globalThis).not.toHaveProperty('hasRun');
  });
});
