/** When a thread looks for an answer before it sleeps, and that what comes is read either way. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createPatience, createPatientRead } from '../../../src/env/python/patience.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

/** What each of some waits begins with, where the answers come in time or do not. */
function waitsOf(patience: ReturnType<typeof createPatience>, count: number, comes: boolean): string {
  let waits = '';
  for (let k = 0; k < count; k++) {
    const looks = patience.mayLook();
    waits += looks ? 'l' : 's';
    if (looks) patience.note(comes);
  }
  return waits;
}
const looks = (waits: string) => waits.split('l').length - 1;

/** One that has looked at the machine, which was idle. */
function openPatience(microsecondsInLine = () => 0) {
  const patience = createPatience(microsecondsInLine);
  expect(looks(waitsOf(patience, 256, true))).toBe(0);
  return patience;
}

test('a slow answer is looked for ever more seldom, and a quick one always again', () => {
  const patience = openPatience();
  expect(waitsOf(patience, 11, false)).toBe('lslsslssssl'); // 1, 2, 4, 8 waits asleep
  waitsOf(patience, 8, true);
  expect(waitsOf(patience, 10, true)).toBe('llllllllll');
  expect(waitsOf(patience, 3, false)).toBe('lsl');
  expect(looks(waitsOf(openPatience(), 10_000, false))).toBe(19); // 1 + 2 + ... + 1024, and 1024 each from then on
});

test('a machine on which others wait for a core is left to them, longer each time', () => {
  let inLine = 0;
  const crowd = (us: number) => {
    inLine += 256 * us;
  };
  const patience = openPatience(() => inLine);
  const looksOf = (count: number) => looks(waitsOf(patience, count, true));
  crowd(50); // the other side on the same core
  expect(looksOf(511)).toBe(511);
  crowd(51);
  expect(looksOf(256)).toBe(0);
  expect(looksOf(256)).toBe(256);
  crowd(51);
  expect(looksOf(512)).toBe(0);
  expect(looksOf(512)).toBe(512); // in peace: the next time is as the first
  crowd(51);
  expect([looksOf(256), looksOf(256)]).toEqual([0, 256]);
  for (let k = 0; k < 50; k++) {
    crowd(51);
    expect(looksOf(256)).toBe(0);
  }
});

test('where the system does not tell, every wait is slept', () => {
  const patience = openPatience(() => Number.POSITIVE_INFINITY);
  expect(looks(waitsOf(patience, 100_000, true))).toBe(0);
});

describe.skipIf(process.platform === 'win32')('what comes through a pipe', () => {
  /** A shell's output, read by looking for 5 ms. */
  function openPipe(script: string) {
    const path = join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [path]);
    const child: ChildProcess = spawn('sh', ['-c', `exec > "$1"; ${script}`, 'sh', path], {
      stdio: 'ignore',
    });
    const replies = openSync(path, 'r');
    const waiting = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    onTestFinished(async () => {
      for (const fd of [replies, waiting]) closeSync(fd);
      if (child.exitCode === null) await once(child, 'exit');
    });
    return createPatientRead({ replies, waiting }, 5, openPatience());
  }

  test.each([
    ['at once', 'printf abcd'],
    ['in parts', 'printf a; sleep 0.02; printf bcd'],
    ['after the thread has gone to sleep', 'sleep 0.1; printf abcd'],
  ])('%s, and then the end', (_, script) => {
    const { stackTraceLimit } = Error;
    const read = openPipe(script);
    const view = new Uint8Array(4);
    expect(read(view)).toBe(true);
    expect(String.fromCharCode(...view)).toBe('abcd');
    expect(read(view)).toBe(false);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });
});
