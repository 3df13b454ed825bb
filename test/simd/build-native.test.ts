/** What may go wrong when machine code is compiled costs nothing but that code. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { buildNative } from '../../src/simd/build-native.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** A compiler that is this shell script. */
function compilerOf(script: string): void {
  const path = join(temporaryFolder(), 'cc');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  const before = process.env.CC;
  process.env.CC = path;
  onTestFinished(() => {
    if (before === undefined) delete process.env.CC;
    else process.env.CC = before;
  });
}

const isAlive = (pid: number) => {
  try {
    // A zombie that nobody has collected yet has ended, too.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

test.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
  'a compiler that hangs is ended at its deadline, with what it started, and is not asked again',
  async () => {
    const folder = join(temporaryFolder(), 'build');
    const pids = join(temporaryFolder(), 'pids');
    compilerOf(`sleep 600 & echo $! >> ${pids}; echo $$ >> ${pids}; wait`);
    const begin = performance.now();
    const outcome = await buildNative(folder, false, 1500);
    expect(outcome.problem).toMatch(/did not end within 1\.5 s/);
    expect(performance.now() - begin).toBeLessThan(15_000);
    expect(existsSync(folder)).toBe(true);
    const started = readFileSync(pids, 'utf8').trim().split('\n').map(Number);
    expect(started.length).toBeGreaterThanOrEqual(2);
    await expect.poll(() => started.filter(isAlive)).toEqual([]);
    writeFileSync(pids, '');
    expect(await buildNative(folder, false, 1500)).toEqual(outcome);
    expect(readFileSync(pids, 'utf8')).toBe('');
  },
);
