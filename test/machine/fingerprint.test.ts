import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { describe, expect, test } from 'vitest';
import { collectFingerprint, compareFingerprints, type Fingerprint } from '../../src/machine/fingerprint.ts';
import { operantVersion } from '../../src/machine/operant-version.ts';

const EXAMPLE: Fingerprint = {
  operant: '1.0.0',
  node: '20.1.0',
  v8: '11',
  platform: 'linux-x64',
  cpuModel: 'A',
  numCores: 2,
  memoryBytes: 1e9,
  cpuFeatures: ['avx2', 'fma'],
  engine: 'simd',
  backend: 'relaxed SIMD',
  packages: { piscina: '5.0.0' },
  lockfileHash: 'abc',
  gitCommit: 'def',
};

describe('collectFingerprint', () => {
  test('agrees with what other sources say about this machine', async () => {
    const fingerprint = await collectFingerprint('simd', 'relaxed SIMD');
    const node = spawnSync(process.execPath, ['-p', 'JSON.stringify(process.versions)'], {
      encoding: 'utf8',
    });
    const { node: version, v8 } = JSON.parse(node.stdout);
    expect(fingerprint).toMatchObject({
      node: version,
      v8,
      engine: 'simd',
      backend: 'relaxed SIMD',
      numCores: cpus().length,
    });
    const { version: operant } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    expect(fingerprint.operant).toBe(operant);
    expect(operantVersion()).toBe(operant);
    const piscina = JSON.parse(
      readFileSync(new URL('../../node_modules/piscina/package.json', import.meta.url), 'utf8'),
    );
    expect(fingerprint.packages.piscina).toBe(piscina.version);
    const git = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' });
    if (git.status === 0) expect(fingerprint.gitCommit?.slice(0, 40)).toBe(git.stdout.trim());
    const lockfile = readFileSync(new URL('../../package-lock.json', import.meta.url));
    expect(fingerprint.lockfileHash).toBe(createHash('sha256').update(lockfile).digest('hex'));
  });
});

describe('compareFingerprints', () => {
  test('finds nothing between equal ones, also after JSON', () => {
    expect(compareFingerprints(EXAMPLE, JSON.parse(JSON.stringify(EXAMPLE)))).toEqual([]);
  });

  test('reports every field that differs, what can break exactness first', () => {
    const other: Fingerprint = {
      ...EXAMPLE,
      node: '22.0.0',
      cpuModel: 'B',
      cpuFeatures: ['avx2'],
      gitCommit: null,
    };
    const differences = compareFingerprints(EXAMPLE, other);
    expect(differences.map(({ field, severity }) => [field, severity])).toEqual([
      ['cpuFeatures', 'exactness'],
      ['cpuModel', 'speed'],
      ['node', 'note'],
      ['gitCommit', 'note'],
    ]);
    expect(differences[0]).toMatchObject({ first: 'avx2 fma', second: 'avx2' });
    expect(differences[3]).toMatchObject({ first: 'def', second: 'unknown' });
  });

  test('a field that one side lacks differs', () => {
    const { engine, ...older } = EXAMPLE;
    expect(engine).toBe('simd');
    expect(compareFingerprints(older, EXAMPLE)).toMatchObject([
      { field: 'engine', first: 'unknown', second: 'simd' },
    ]);
  });
});
