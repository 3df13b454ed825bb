import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { CheckpointContent } from '../../src/checkpoint/content.ts';
import { loadCheckpoint, loadManifest } from '../../src/checkpoint/load-checkpoint.ts';
import { saveCheckpoint } from '../../src/checkpoint/save-checkpoint.ts';
import { CheckpointError } from '../../src/errors.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { exampleContent } from './content.ts';

async function failureOf(promise: Promise<unknown>): Promise<CheckpointError> {
  const error = await promise.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  return error as CheckpointError;
}

/** Every file below a folder with its bytes. */
function snapshot(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name)).toString('base64')]));
}

describe('saveCheckpoint and loadCheckpoint', () => {
  test('give back the content bit for bit, -0 and denormals included', async () => {
    const content = exampleContent(12);
    const path = await saveCheckpoint(join(temporaryFolder(), 'a', 'b'), content);
    const loaded = await loadCheckpoint(path);
    expect(loaded.path).toBe(path);
    expect(loaded.content).toEqual(content);
    expect(Object.is((loaded.content.json['state.json'].nested as { zero: number }).zero, -0)).toBe(true);
    expect(
      Object.is(loaded.content.tensors['policies/default/weights.safetensors']['actor.0.weight'].data[1], -0),
    ).toBe(true);
  });

  test('record versions, the config, the engine, and a size and checksum per file', async () => {
    const path = await saveCheckpoint(join(temporaryFolder(), 'c'), exampleContent(1));
    const { manifest } = await loadManifest(path);
    expect(manifest.formatVersion).toBe(1);
    expect(manifest.operantVersion).toMatch(/^\d+\.\d+\.\d+/);
    expect(manifest.fingerprint).toMatchObject({
      engine: 'simd',
      backend: 'none',
      node: process.versions.node,
    });
    expect(Object.keys(manifest.files).sort()).toEqual([
      'config.json',
      'policies/default/optimizer.safetensors',
      'policies/default/weights.safetensors',
      'state.json',
    ]);
    const size = statSync(join(path, 'state.json')).size;
    expect(manifest.files['state.json']).toEqual({ size, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const bytes = readFileSync(join(path, 'state.json'));
    expect(manifest.files['state.json'].sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('hash the config by its values, not by the order of its keys', async () => {
    const folder = temporaryFolder();
    const hashOf = async (name: string, config: CheckpointContent['json'][string]) => {
      const path = await saveCheckpoint(join(folder, name), {
        description: {},
        tensors: {},
        json: { 'config.json': config },
      });
      return (await loadManifest(path)).manifest.configHash;
    };
    const first = await hashOf('1', { a: 1, b: { c: 2, d: 3 } });
    expect(await hashOf('2', { b: { d: 3, c: 2 }, a: 1 })).toBe(first);
    expect(await hashOf('3', { a: 1, b: { c: 2, d: 4 } })).not.toBe(first);
  });

  test('leave nothing beside the checkpoint, and never overwrite', async () => {
    const folder = temporaryFolder();
    const path = await saveCheckpoint(join(folder, 'c'), exampleContent(1));
    const before = snapshot(folder);
    expect((await failureOf(saveCheckpoint(path, exampleContent(2)))).code).toBe('CHECKPOINT_EXISTS');
    expect(snapshot(folder)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['c']);
  });

  test('loading changes nothing on the disk', async () => {
    const folder = temporaryFolder();
    await saveCheckpoint(join(folder, 'c'), exampleContent(1));
    const before = snapshot(folder);
    await loadCheckpoint(join(folder, 'c'));
    expect(snapshot(folder)).toEqual(before);
  });
});

describe('saveCheckpoint refuses', () => {
  const withState = (state: CheckpointContent['json'][string]) => ({
    description: {},
    tensors: {},
    json: { 'state.json': state },
  });

  test.each([
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a bigint', 1n as unknown as number],
  ])('%s, which JSON cannot hold, naming its path', async (_, value) => {
    const folder = temporaryFolder();
    const error = await failureOf(saveCheckpoint(join(folder, 'c'), withState({ a: [{ b: value }] })));
    expect(error.code).toBe('CHECKPOINT_VALUE');
    expect(error.message).toContain('state.json.a[0].b');
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    '../x.json',
    '/x.json',
    'a\\b.json',
    'a//b.json',
    './a.json',
    'c:x.json',
    'manifest.json',
    'a.txt',
    'a.safetensors',
    '',
  ])('the path %j', async (path) => {
    const folder = temporaryFolder();
    const error = await failureOf(
      saveCheckpoint(join(folder, 'c'), { description: {}, tensors: {}, json: { [path]: {} } }),
    );
    expect(error.code).toBe('CHECKPOINT_PATH');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a damaged checkpoint', () => {
  test('a flipped bit anywhere in any file is found, and the file is named', async () => {
    const path = await saveCheckpoint(join(temporaryFolder(), 'c'), exampleContent(1));
    const original = await loadCheckpoint(path);
    for (const name of Object.keys(snapshot(path))) {
      const file = join(path, name);
      const bytes = readFileSync(file);
      // Every 7th byte with a rotating bit: all regions of every file, in a few hundred loads.
      for (let i = 0; i < bytes.length; i += 7) {
        const flipped = Buffer.from(bytes);
        flipped[i] ^= 1 << (i % 8);
        writeFileSync(file, flipped);
        const result = await loadCheckpoint(path).catch((error: unknown) => error);
        if (result instanceof CheckpointError)
          expect(result.message).toContain(name.endsWith('manifest.json') ? 'manifest.json' : file);
        // White space between two JSON tokens may turn into other white space; nothing else may pass.
        else expect(result).toEqual(original);
        if (name !== 'manifest.json') expect((result as CheckpointError).code).toBe('CHECKPOINT_CHECKSUM');
      }
      writeFileSync(file, bytes);
    }
    expect(await loadCheckpoint(path)).toEqual(original);
  });

  test('every truncation of every file is found', async () => {
    const path = await saveCheckpoint(join(temporaryFolder(), 'c'), exampleContent(1));
    for (const name of Object.keys(snapshot(path))) {
      const file = join(path, name);
      const bytes = readFileSync(file);
      for (const length of [0, 1, bytes.length >> 1, bytes.length - 2]) {
        writeFileSync(file, bytes.subarray(0, length));
        const { code, message } = await failureOf(loadCheckpoint(path));
        expect(code).toBe(name === 'manifest.json' ? 'CHECKPOINT_MANIFEST' : 'CHECKPOINT_FILE_SIZE');
        expect(message).toContain(file);
      }
      writeFileSync(file, bytes);
    }
  });

  test('a missing, a longer and an unlisted file', async () => {
    const path = await saveCheckpoint(join(temporaryFolder(), 'c'), exampleContent(1));
    writeFileSync(join(path, 'notes.txt'), 'a file of somebody else is no reason to fail');
    await loadCheckpoint(path);
    appendFileSync(join(path, 'state.json'), ' ');
    expect((await failureOf(loadCheckpoint(path))).code).toBe('CHECKPOINT_FILE_SIZE');
    rmSync(join(path, 'state.json'));
    const missing = await failureOf(loadCheckpoint(path));
    expect([missing.code, missing.message]).toEqual([
      'CHECKPOINT_FILE_MISSING',
      expect.stringContaining('state.json'),
    ]);
  });
});

describe('loadCheckpoint finds', () => {
  test('nothing: says what was expected', async () => {
    const folder = temporaryFolder();
    expect((await failureOf(loadCheckpoint(join(folder, 'none')))).code).toBe('CHECKPOINT_NOT_FOUND');
    expect((await failureOf(loadCheckpoint(folder))).code).toBe('CHECKPOINT_NOT_FOUND');
    writeFileSync(join(folder, 'some.txt'), 'text');
    expect((await failureOf(loadCheckpoint(join(folder, 'some.txt')))).code).toBe('CHECKPOINT_POINTER');
    expect((await failureOf(loadCheckpoint(join(folder, 'some.txt', 'below')))).code).toBe(
      'CHECKPOINT_NOT_FOUND',
    );
    expect((await failureOf(loadCheckpoint('a\0b'))).code).toBe('CHECKPOINT_READ');
  });

  test('the checkpoint of a run folder by its pointers, wherever the folder was moved', async () => {
    const folder = temporaryFolder();
    for (const iteration of [1, 2, 10]) {
      await saveCheckpoint(
        join(folder, 'checkpoints', `00000${iteration}`.slice(-6)),
        exampleContent(iteration),
      );
    }
    const iterationOf = async (path: string) => (await loadCheckpoint(path)).manifest.description.iteration;
    expect(await iterationOf(folder)).toBe(10);
    writeFileSync(join(folder, 'latest'), 'checkpoints/000002\n');
    writeFileSync(join(folder, 'best'), 'checkpoints/000001\n');
    expect(await iterationOf(folder)).toBe(2);
    expect(await iterationOf(join(folder, 'latest'))).toBe(2);
    expect(await iterationOf(join(folder, 'best'))).toBe(1);
    expect(await iterationOf(join(folder, 'checkpoints', '000010'))).toBe(10);
  });

  test.each([
    '',
    'checkpoints/',
    '../elsewhere',
    '/etc/passwd',
    'checkpoints/../../x',
    'checkpoints/000099',
    'x'.repeat(100_000),
  ])('a bad pointer', async (text) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'checkpoints'));
    writeFileSync(join(folder, 'latest'), text);
    expect((await failureOf(loadCheckpoint(folder))).code).toBe('CHECKPOINT_POINTER');
  });
});

describe('where nothing can be written', () => {
  test('a path through a file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const error = await failureOf(saveCheckpoint(join(folder, 'file', 'c'), exampleContent(1)));
    expect(error.code).toBe('CHECKPOINT_NOT_WRITABLE');
  });

  test.skipIf(process.platform === 'win32')(
    'a file-size limit stands in for a full disk: nothing is left, older ones load',
    async () => {
      const folder = temporaryFolder();
      const older = await saveCheckpoint(join(folder, '000001'), exampleContent(1));
      const script = fileURLToPath(new URL('./save-large.ts', import.meta.url));
      const child = spawnSync(
        'bash',
        [
          '-c',
          'ulimit -f 64; trap "" XFSZ; exec "$@"',
          '-',
          process.execPath,
          '--import',
          'tsx',
          script,
          join(folder, '000002'),
        ],
        {
          encoding: 'utf8',
        },
      );
      expect(child.stdout).toContain('CHECKPOINT_DISK_FULL');
      expect(readdirSync(folder)).toEqual(['000001']);
      await loadCheckpoint(older);
      expect(existsSync(join(folder, '000002'))).toBe(false);
    },
  );
});
