/** Whose lock is it, and does that process live? */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BEAT_MS } from '../../src/run/lock-heartbeat.ts';
import { describeThisProcess, type LockHolder, parseHolder } from '../../src/run/lock-holder.ts';
import { takeRunLock } from '../../src/run/run-lock.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { startToy } from './toy-process.ts';

const isLinux = process.platform === 'linux';
const SILENCE_MS = 600;
const here = (): LockHolder => describeThisProcess(randomUUID());

/** A folder with a lock in it. */
function lockedBy(content: object | string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'lock'), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
}

/** Resolves with how long it took to get the lock, or the error's code. */
async function takingTakes(folder: string): Promise<number | string> {
  const begin = performance.now();
  try {
    const lock = await takeRunLock(folder, SILENCE_MS);
    const ms = performance.now() - begin;
    await lock.release();
    return ms;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a lock that was left behind is taken over', () => {
  test.each<[string, () => object | string]>([
    ['whose process is no more', () => ({ ...here(), pid: 2 ** 30 })],
    ['of this very pid, from before a restart', here],
  ])('at once: %s', async (_, holder) => {
    expect(await takingTakes(lockedBy(holder()))).toBeLessThan(SILENCE_MS);
  });

  test.skipIf(!isLinux)('at once: whose pid a new process got', async () => {
    const boot = here().processStart?.split('/')[0];
    const holder = { ...here(), pid: process.ppid, processStart: `${boot}/1` };
    expect(await takingTakes(lockedBy(holder))).toBeLessThan(SILENCE_MS);
  });

  test.each<[string, () => object | string]>([
    ['another host', () => ({ ...here(), pid: 1, host: 'elsewhere' })],
    ['another boot of this host', () => ({ ...here(), pid: process.ppid, processStart: 'another boot/1' })],
    ['another pid namespace', () => ({ ...here(), pid: process.ppid, pidNamespace: 'pid:[1]' })],
    ['an older Operant', () => ({ ...here(), pid: process.ppid, pidNamespace: undefined })],
    ['nobody: it is empty', () => ''],
    ['nobody: it is no lock of ours', () => ({ pid: process.ppid, host: 'here', token: 'mine' })],
  ])('after silence: %s', async (name, holder) => {
    if (!isLinux && /boot|namespace|older/.test(name)) return;
    expect(await takingTakes(lockedBy(holder()))).toBeGreaterThanOrEqual(SILENCE_MS);
  });
});

describe('a lock that gives signs of life is respected', () => {
  test.each<[string, () => object | string]>([
    ['of another host', () => ({ ...here(), pid: 1, host: 'elsewhere' })],
    ['that this version cannot read', () => '{"version": 9}'],
  ])('%s', async (_, holder) => {
    const folder = lockedBy(holder());
    const timer = setInterval(() => utimesSync(join(folder, 'lock'), new Date(), new Date()), 100);
    onTestFinished(() => clearInterval(timer));
    expect(await takingTakes(folder)).toBe('CHECKPOINT_LOCKED');
  });

  test('it beats while the main thread is busy', async () => {
    const folder = temporaryFolder();
    const lock = await takeRunLock(folder);
    await sleep(1200);
    const end = performance.now() + 2.5 * BEAT_MS;
    const times = new Set<number>();
    while (performance.now() < end) times.add(statSync(join(folder, 'lock')).mtimeMs);
    await lock.release();
    expect(times.size).toBeGreaterThanOrEqual(3);
  });

  const canUnshare = isLinux && spawnSync('unshare', ['--fork', '--pid', 'true']).status === 0;
  test.skipIf(!canUnshare)('of a process in another pid namespace with the same host name', async () => {
    const path = join(temporaryFolder(), 'run');
    const toy = startToy(
      path,
      { iterationMs: 50 },
      { command: ['unshare', '--fork', '--pid', '--kill-child'] },
    );
    await toy.until(({ kind, iteration }) => kind === 'train' && iteration === 3);
    const holder = parseHolder(readFileSync(join(path, 'lock'), 'utf8'));
    expect(holder?.pid).toBeLessThan(100); // it means another process here
    const error = await takeRunLock(path).catch((reason: Error & { code: string }) => reason);
    expect(error).toMatchObject({ code: 'CHECKPOINT_LOCKED' });
    expect(parseHolder(readFileSync(join(path, 'lock'), 'utf8'))?.token).toBe(holder?.token);
  });
});

describe('a forged lock', () => {
  test.each(['/../../victim.txt', '../victim.txt', 'unreadable/../../victim.txt'])(
    'reaches nothing outside the folder: token %j',
    async (token) => {
      const folder = temporaryFolder();
      const run = join(folder, 'run');
      const victims = [join(folder, 'victim.txt'), join(run, 'victim.txt')];
      // With these, a path made from the token would lead to something.
      mkdirSync(join(run, '.tmp-lock-'), { recursive: true });
      mkdirSync(join(run, '.tmp-lock-unreadable'), { recursive: true });
      for (const victim of victims) writeFileSync(victim, 'mine');
      writeFileSync(join(run, 'lock'), JSON.stringify({ ...here(), token, pid: 4_194_303 }));
      await takingTakes(run);
      for (const victim of victims) expect(readFileSync(victim, 'utf8')).toBe('mine');
    },
  );

  test.skipIf(process.platform === 'win32')('that is a link to a device is not read', async () => {
    const folder = temporaryFolder();
    symlinkSync('/dev/zero', join(folder, 'lock'));
    expect(await takingTakes(folder)).toBe('CHECKPOINT_NOT_REGULAR');
  });
});

test('process.exit in the middle of a run leaves no lock', async () => {
  const path = join(temporaryFolder(), 'run');
  const toy = startToy(path, { exitAt: 3 });
  expect(await toy.ended).toEqual({ status: 0, signal: null });
  expect(toy.messages.at(-1)).toMatchObject({ kind: 'train', iteration: 3 });
  expect(existsSync(join(path, 'lock'))).toBe(false);
});
