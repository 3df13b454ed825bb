import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installTensorFlow } from '../../../../src/learner/tensorflow/install/install-tensorflow.ts';
import {
  currentInstallation,
  readInstallation,
  tensorFlowHome,
} from '../../../../src/learner/tensorflow/install/location.ts';
import { cudaRequirements, extractTensorFlow } from '../../../../src/learner/tensorflow/install/wheel.ts';
import {
  extractZipEntry,
  readZipEntries,
  readZipText,
} from '../../../../src/learner/tensorflow/install/zip.ts';
import { writeZip } from './write-zip.ts';

let folder: string;
const lines: string[] = [];
const output = { line: (text: string) => void lines.push(text) };
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'operant-install-'));
  lines.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sha256 = (content: Buffer, encoding: 'hex' | 'base64url') =>
  createHash('sha256').update(content).digest(encoding);

/** A wheel with stand-ins for the libraries, one needed and one needless header, and a right RECORD. */
function writeWheel(file: string, damage: Record<string, Buffer> = {}): void {
  const files: Record<string, Buffer> = {
    'tensorflow/libtensorflow_cc.so.2': Buffer.alloc(300_000, 'cc'),
    'tensorflow/libtensorflow_framework.so.2': Buffer.alloc(200_000, 'framework'),
    'tensorflow/include/tensorflow/c/c_api.h': Buffer.from('// header'),
    'tensorflow/include/absl/other.h': Buffer.from('// needless'),
    'tensorflow-9.9.9.dist-info/METADATA': Buffer.from(
      'Name: tensorflow\r\nRequires-Dist: numpy>=1\r\nRequires-Dist: nvidia-cudnn-cu12<10.0,>=9.3; extra == "and-cuda"\r\n',
    ),
  };
  const record = Object.entries(files).map(
    ([name, content]) => `${name},sha256=${sha256(content, 'base64url')},${content.length}`,
  );
  writeFileSync(
    file,
    writeZip({ ...files, ...damage, 'tensorflow-9.9.9.dist-info/RECORD': Buffer.from(record.join('\n')) }),
  );
}

describe('zip archives', () => {
  it('gives entries back, stored and deflated, with their sha256', async () => {
    const file = path.join(folder, 'a.zip');
    const big = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * i) % 251));
    writeFileSync(
      file,
      writeZip({ 'a.txt': Buffer.from('hello'), 'sub/b.bin': big, 'empty.txt': Buffer.alloc(0) }),
    );
    const entries = await readZipEntries(file);
    expect(entries.map(({ name, size, compressed }) => [name, size, compressed])).toEqual([
      ['a.txt', 5, false],
      ['sub/b.bin', 3_000_000, true],
      ['empty.txt', 0, false],
    ]);
    expect(await readZipText(file, entries[0])).toBe('hello');
    const target = path.join(folder, 'out', 'b.bin');
    expect(await extractZipEntry(file, entries[1], target)).toBe(sha256(big, 'hex'));
    expect(readFileSync(target).equals(big)).toBe(true);
  });

  it('says so when an archive is cut off', async () => {
    const file = path.join(folder, 'cut.whl');
    writeWheel(file);
    writeFileSync(file, readFileSync(file).subarray(0, 1000));
    await expect(readZipEntries(file)).rejects.toMatchObject({
      code: 'ENGINE_INSTALL_ARCHIVE',
      message: expect.stringContaining('cut off'),
    });
  });
});

describe('extractTensorFlow', () => {
  it('takes the libraries and the needed headers, and reports progress', async () => {
    const wheel = path.join(folder, 'tensorflow-9.9.9-x.whl');
    writeWheel(wheel);
    const target = path.join(folder, 'target');
    await extractTensorFlow(wheel, target, output);
    expect(readdirSync(path.join(target, 'deps/lib')).sort()).toEqual([
      'libtensorflow_cc.so.2',
      'libtensorflow_framework.so.2',
    ]);
    expect(existsSync(path.join(target, 'deps/include/tensorflow/c/c_api.h'))).toBe(true);
    expect(existsSync(path.join(target, 'deps/include/absl'))).toBe(false);
    expect(lines.length).toBeGreaterThan(1);
    expect(await cudaRequirements(wheel)).toEqual(['nvidia-cudnn-cu12<10.0,>=9.3']);
  });

  it('refuses a file whose checksum is not that of the RECORD', async () => {
    const wheel = path.join(folder, 'tensorflow-9.9.9-x.whl');
    writeWheel(wheel, { 'tensorflow/libtensorflow_framework.so.2': Buffer.alloc(200_000, 'changed') });
    await expect(extractTensorFlow(wheel, path.join(folder, 'target'), output)).rejects.toMatchObject({
      code: 'ENGINE_INSTALL_CHECKSUM',
    });
  });
});

describe('installTensorFlow', () => {
  const options = (overrides: object) => ({
    variant: 'cpu' as const,
    version: '9.9.9',
    from: null,
    home: path.join(folder, 'home'),
    ...overrides,
  });

  it('leaves nothing half-made when a step fails, and what was installed before stays current', async () => {
    const home = path.join(folder, 'home');
    const wheel = path.join(folder, 'tensorflow-9.9.9-x.whl');
    writeWheel(wheel); // its headers are no headers, so compiling fails
    const before = path.join(home, '1.0.0-cpu-napi8');
    mkdirSync(path.join(before, 'lib', 'napi-v8'), { recursive: true });
    writeFileSync(path.join(before, 'lib', 'napi-v8', 'tfjs_binding.node'), '');
    const description = { format: 1, variant: 'cpu', tensorflowVersion: '1.0.0', files: {} };
    writeFileSync(
      path.join(before, 'installation.json'),
      JSON.stringify({ ...description, platform: `${process.platform}-${process.arch}` }),
    );
    writeFileSync(path.join(home, 'current.json'), '{ "folder": "1.0.0-cpu-napi8" }');
    await expect(installTensorFlow(options({ from: wheel }), output)).rejects.toMatchObject({
      code: 'ENGINE_INSTALL_COMPILER',
    });
    expect(existsSync(path.join(home, '9.9.9-cpu-napi8'))).toBe(false);
    expect(existsSync(path.join(home, 'install.lock'))).toBe(false);
    expect(currentInstallation(home)?.tensorflowVersion).toBe('1.0.0');
    const unfinished = () => readdirSync(home).filter((name) => name.startsWith('.building-'));
    expect(unfinished()).toEqual([]);
    // The next try clears away what a killed one left.
    mkdirSync(path.join(home, '.building-killed'));
    await expect(installTensorFlow(options({ from: path.join(folder, 'none') }), output)).rejects.toThrow(
      /Expected --from to be a wheel or a folder/,
    );
    expect(unfinished()).toEqual([]);
  });

  it('lets one install run at a time, and ignores the lock of a dead process', async () => {
    const home = path.join(folder, 'home');
    mkdirSync(home);
    writeFileSync(path.join(home, 'install.lock'), String(process.ppid));
    const from = path.join(folder, 'none');
    await expect(installTensorFlow(options({ from }), output)).rejects.toMatchObject({
      code: 'ENGINE_INSTALL_LOCKED',
    });
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(path.join(home, 'install.lock'), String(dead));
    await expect(installTensorFlow(options({ from }), output)).rejects.toMatchObject({
      code: 'ENGINE_INSTALL_FROM',
    });
  });

  it('says in one line what is missing when there is no pip, and when there is no compiler', () => {
    const run = (args: string[], environment: Record<string, string> = {}) => {
      const module = new URL('../../../../src/cli/install-tensorflow.ts', import.meta.url).href;
      const code = `
        const { runInstallTensorFlow } = await import(${JSON.stringify(module)});
        process.exitCode = await runInstallTensorFlow(${JSON.stringify(args)});
      `;
      const empty = path.join(folder, 'empty');
      mkdirSync(empty, { recursive: true });
      return spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
        encoding: 'utf8',
        env: {
          PATH: empty,
          HOME: folder,
          OPERANT_TENSORFLOW_HOME: path.join(folder, 'home'),
          ...environment,
        },
      });
    };
    // Whatever runs will do for a compiler here, since the download comes first.
    const noPip = run(['--cpu'], { CXX: process.execPath });
    expect(noPip.status).toBe(1);
    expect(noPip.stderr).toMatch(/^error: Python's pip is needed.*--from\.\n$/);
    const noCompiler = run(['--cpu']);
    expect(noCompiler.status).toBe(1);
    expect(noCompiler.stderr).toMatch(/^error: A C\+\+ compiler is needed and none was found.*\n$/);
    const both = run(['--cpu', '--gpu']);
    expect(both.status).toBe(2);
    expect(both.stderr).toContain('not both');
  });
});

describe('where TensorFlow is kept', () => {
  it('is the platform cache folder, unless OPERANT_TENSORFLOW_HOME says otherwise', () => {
    const posix = (text: string) => text.split(path.sep).join('/');
    expect(posix(tensorFlowHome({}, 'linux', '/home/a'))).toBe('/home/a/.cache/operant/tensorflow');
    expect(posix(tensorFlowHome({ XDG_CACHE_HOME: '/c' }, 'linux', '/home/a'))).toBe('/c/operant/tensorflow');
    expect(posix(tensorFlowHome({}, 'darwin', '/Users/a'))).toBe(
      '/Users/a/Library/Caches/operant/tensorflow',
    );
    expect(posix(tensorFlowHome({ LOCALAPPDATA: '/L' }, 'win32', '/a'))).toBe('/L/operant/tensorflow');
    expect(tensorFlowHome({ OPERANT_TENSORFLOW_HOME: folder }, 'linux', '/home/a')).toBe(folder);
  });

  it('does not count an installation for another platform or without its binding', () => {
    mkdirSync(path.join(folder, 'lib', 'napi-v8'), { recursive: true });
    const write = (platform: string) =>
      writeFileSync(
        path.join(folder, 'installation.json'),
        JSON.stringify({ format: 1, platform, files: {} }),
      );
    write(`${process.platform}-${process.arch}`);
    expect(readInstallation(folder)).toBe(null);
    writeFileSync(path.join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'), '');
    expect(readInstallation(folder)).not.toBe(null);
    write('plan9-mips');
    expect(readInstallation(folder)).toBe(null);
  });
});
