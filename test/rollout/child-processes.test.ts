/** What an environment started does not outlive the thread that was to end it. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { endProcesses, noteChildProcesses } from '../../src/machine/child-processes.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { fixture, openGroup, play } from './open-group.ts';

const isAlive = (pid: number) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
const pidsIn = (file: string) =>
  existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];

describe.skipIf(process.platform !== 'linux')('programs of environments', () => {
  test.each(['exit', 'hang'] as const)(
    'of a worker that is lost (%s) are killed, with what they started',
    { timeout: 180_000 },
    async (trouble) => {
      const folder = temporaryFolder();
      const pids = join(folder, 'pids');
      const source = fixture('program-env', { pids, trouble, atStep: 3, marker: join(folder, 'marker') });
      const opened = await openGroup({
        numEnvs: 2,
        rolloutLength: 6,
        numEnvRunners: 1,
        source,
        deadlineMs: 2000,
      });
      onTestFinished(() => opened.group.stop());
      const probes = pidsIn(pids); // of the instance that was asked for its spaces
      await play(opened, 1);
      const [failure] = opened.group.takeFailures();
      expect(failure).toMatchObject({ isRecovered: true, numProcessesEnded: 2 });
      await expect
        .poll(() => pidsIn(pids).length - probes.length, { timeout: 50_000 })
        .toBeGreaterThanOrEqual(8);
      const alive = () => pidsIn(pids).filter((pid) => !probes.includes(pid) && isAlive(pid));
      await expect.poll(() => alive().length, { timeout: 50_000 }).toBe(4); // those of the replacement
      await opened.group.stop();
      await expect.poll(alive, { timeout: 50_000 }).toEqual([]); // which close() ends
    },
  );

  test('are noted when they begin and end, and not killed twice', async () => {
    const { takeChanges } = noteChildProcesses();
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    const pid = child.pid as number;
    expect(takeChanges()).toEqual({ started: [pid], ended: [] });
    expect(takeChanges()).toBeNull();
    expect(endProcesses([pid])).toBe(1);
    await new Promise((resolve) => child.once('exit', resolve));
    expect(takeChanges()).toEqual({ started: [], ended: [pid] });
    await sleep(10);
    expect(endProcesses([pid, process.pid, 1])).toBe(0); // gone, ourselves, and somebody else's
    spawn('/no/such/program').on('error', () => undefined);
    expect(takeChanges()).toBeNull();
  });
});
