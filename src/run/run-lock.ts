/** One process at a time per run folder. */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckpointError } from '../errors.ts';
import { asWriteError, errorCode, temporaryBeside } from '../files/durable-files.ts';
import { readRegularText } from '../files/regular-file.ts';
import { BEAT_MS, startHeartbeat } from './lock-heartbeat.ts';
import { describeThisProcess, isAlive, judgeHolder, type LockHolder, parseHolder } from './lock-holder.ts';

export const LOCK_NAME = 'lock';

/** A lock of another machine or container that shows no sign of life for this long is dead. */
const SILENCE_MS = 7 * BEAT_MS;
const LOOK_MS = 250;
/** More than a lock has; a file that only claims to be one is not read further. */
const MAX_BYTES = 4096;

export interface RunLock {
  /**
   * Cost: reads a small file, tens of microseconds; blocks.
   *
   * @throws CheckpointError `CHECKPOINT_LOCKED` from when somebody has removed or taken the lock, for good.
   */
  check(): void;
  /** Removes the lock if it is still ours. */
  release(): Promise<void>;
}

/** Locks that this process holds, by token: its own pid in a lock file proves nothing (a container's processes often share pid 1). */
const held = new Map<string, string>();

/**
 * Takes the lock of a run folder.
 *
 * The lock is a small file naming the process, and touched by it every two seconds. One left behind by a dead process is taken over:
 * at once where its pid can be looked up, after {@link SILENCE_MS} without a sign of life where it cannot (another machine, another container).
 * The file that grants the take-over carries the dead lock's token in its name, so only one of several waiters can create it.
 * A process that ends in any way but by a signal removes its locks.
 *
 * @param silenceMs for tests.
 * @throws CheckpointError `CHECKPOINT_LOCKED` naming pid and host when a living process holds it; `CHECKPOINT_NOT_WRITABLE`,
 *   `CHECKPOINT_NOT_REGULAR`.
 */
export async function takeRunLock(folder: string, silenceMs = SILENCE_MS): Promise<RunLock> {
  const path = join(folder, LOCK_NAME);
  const token = randomUUID();
  const text = `${JSON.stringify(describeThisProcess(token))}\n`;
  let descriptor = createExclusively(path, text);
  try {
    for (; descriptor === null; descriptor = createExclusively(path, text))
      await takeOverDead(folder, silenceMs);
  } catch (error) {
    throw asWriteError(error, path);
  }
  if (held.size === 0) process.on('exit', removeHeld);
  held.set(token, path);
  return heldLock(folder, token, descriptor);
}

function heldLock(folder: string, token: string, descriptor: number): RunLock {
  const path = join(folder, LOCK_NAME);
  const stopHeartbeat = startHeartbeat(descriptor);
  let isLost = false;
  const isOurs = () => {
    isLost ||= isTaken(path, token);
    return !isLost;
  };
  return {
    check: () => {
      if (isOurs()) return;
      const message = `Another process has taken the run folder \`${folder}\`. Nothing more is written to it from here`;
      throw new CheckpointError('CHECKPOINT_LOCKED', message);
    },
    release: async () => {
      await stopHeartbeat();
      closeSync(descriptor);
      if (isOurs()) await rm(path, { force: true });
      held.delete(token);
      if (held.size === 0) process.off('exit', removeHeld);
    },
  };
}

/** What `process.exit` in somebody's module would leave behind. */
function removeHeld(): void {
  for (const [token, path] of held) if (!isTaken(path, token)) rmSync(path, { force: true });
}

/** What says for certain that the lock is no longer there. A process without a free descriptor (EMFILE) still has its lock. */
const GONE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR'];

function isTaken(path: string, token: string): boolean {
  try {
    return parseHolder(readFileSync(path, 'utf8'))?.token !== token;
  } catch (error) {
    return GONE.includes(errorCode(error) ?? '');
  }
}

/** The open file; null when there is one already. */
function createExclusively(path: string, text: string): number | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'wx');
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return null;
    throw asWriteError(error, path);
  }
  try {
    writeSync(descriptor, text);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    rmSync(path, { force: true });
    throw asWriteError(error, path);
  }
}

/** Whether a living process holds the lock of a run folder, as far as can be said at once: one elsewhere has touched it within {@link SILENCE_MS}. */
export async function isLocked(folder: string): Promise<boolean> {
  const holder = await readHolder(folder).catch(() => 'gone' as const);
  if (holder === 'gone') return false;
  const verdict = holder === null ? 'unknown' : judgeHolder(holder, new Set(held.keys()));
  if (verdict !== 'unknown') return verdict === 'alive';
  const info = await stat(join(folder, LOCK_NAME)).catch(() => null);
  return info !== null && Date.now() - info.mtimeMs < SILENCE_MS;
}

/** Removes the lock of a dead process; returns when it is worth trying to create ours. */
async function takeOverDead(folder: string, silenceMs: number): Promise<void> {
  const path = join(folder, LOCK_NAME);
  const holder = await readHolder(folder);
  if (holder === 'gone') return;
  const verdict = holder === null ? 'unknown' : judgeHolder(holder, new Set(held.keys()));
  if (verdict === 'alive' || (verdict === 'unknown' && (await givesSign(folder, holder, silenceMs)))) {
    throw inUse(folder, holder);
  }
  const grant = join(folder, `.tmp-lock-${holder?.token ?? 'unreadable'}`);
  const granted = createExclusively(grant, `${process.pid}\n`);
  if (granted === null) return waitForGranted(folder, grant);
  closeSync(granted);
  const current = await readHolder(folder);
  const isSame = current !== 'gone' && current?.token === holder?.token;
  const aside = temporaryBeside(path);
  if (isSame) await rename(path, aside);
  await rm(aside, { force: true });
  await rm(grant, { force: true });
}

/** Somebody else is taking it over, or died while doing so. */
async function waitForGranted(folder: string, grant: string): Promise<void> {
  await sleep(100);
  const text = await readRegularText(folder, grant.slice(folder.length + 1), MAX_BYTES).catch(() => '');
  if (!isAlive(Number(text))) await rm(grant, { force: true });
}

/** Watches the lock until it changes, which a living holder's does every {@link BEAT_MS}; false when it stays as it is. */
async function givesSign(folder: string, holder: LockHolder | null, silenceMs: number): Promise<boolean> {
  const changedAt = async () => (await stat(join(folder, LOCK_NAME)).catch(() => null))?.mtimeMs ?? null;
  const first = await changedAt();
  const end = performance.now() + silenceMs;
  while (performance.now() < end) {
    await sleep(LOOK_MS);
    const now = await readHolder(folder);
    if (now === 'gone' || now?.token !== holder?.token) return false; // the caller looks again
    if ((await changedAt()) !== first) return true;
  }
  return false;
}

/** null: a lock as we do not write it, or one that is just being made, or whose maker died then. */
async function readHolder(folder: string): Promise<LockHolder | null | 'gone'> {
  try {
    return parseHolder(await readRegularText(folder, LOCK_NAME, MAX_BYTES));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

function inUse(folder: string, holder: LockHolder | null): CheckpointError {
  const who =
    holder === null ? 'a process that does not say which it is' : `process ${holder.pid} on ${holder.host}`;
  return new CheckpointError(
    'CHECKPOINT_LOCKED',
    `The run folder \`${folder}\` is in use by ${who}. Wait for it, stop it, or choose ` +
      `another \`--out\`; if that process no longer exists, delete \`${join(folder, LOCK_NAME)}\``,
  );
}
