/** One process at a time per run folder. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asWriteError, errorCode, temporaryBeside } from '../checkpoint/durable-files.ts';
import { CheckpointError } from '../errors.ts';

export const LOCK_NAME = 'lock';

export interface RunLock {
  /** @throws CheckpointError `CHECKPOINT_LOCKED` when somebody removed or took the lock meanwhile. */
  check(): Promise<void>;
  /** Removes the lock if it is still ours. */
  release(): Promise<void>;
}

interface LockHolder {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  /** When the process started, as the system counts it; null where that is not known. Tells a reused pid apart. */
  readonly processStart: string | null;
}

/** Locks that this process holds: its own pid in a lock file proves nothing (a container's processes often share pid 1). */
const heldTokens = new Set<string>();

/**
 * Takes the lock of a run folder.
 *
 * The lock is a small file naming the process. One left behind by a dead process on this host is taken over: the file
 * that grants the take-over carries the dead lock's token in its name, so only one of several waiters can create it.
 *
 * @throws CheckpointError `CHECKPOINT_LOCKED` naming pid and host when a living process, or one on another host (which
 *   cannot be checked from here), holds it; `CHECKPOINT_NOT_WRITABLE`.
 */
export async function takeRunLock(folder: string): Promise<RunLock> {
  const path = join(folder, LOCK_NAME);
  const own: LockHolder = {
    token: randomUUID(),
    pid: process.pid,
    host: hostname(),
    processStart: processStart(process.pid),
  };
  const text = `${JSON.stringify(own)}\n`;
  try {
    while (!(await createExclusively(path, text))) await takeOverDead(path, folder);
  } catch (error) {
    throw asWriteError(error, path);
  }
  heldTokens.add(own.token);
  const isOurs = async () => {
    const holder = await readHolder(path);
    return holder !== 'gone' && holder?.token === own.token;
  };
  return {
    check: async () => {
      if (await isOurs()) return;
      const message = `Another process has taken the run folder \`${folder}\`. Nothing more is written to it from here`;
      throw new CheckpointError('CHECKPOINT_LOCKED', message);
    },
    release: async () => {
      if (await isOurs()) await rm(path, { force: true });
      heldTokens.delete(own.token);
    },
  };
}

async function createExclusively(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(text).finally(() => file.close());
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a dead process; returns when it is worth trying to create ours. */
async function takeOverDead(path: string, folder: string): Promise<void> {
  const holder = await readHolder(path);
  if (holder === 'gone') return;
  if (holder !== null && !isDead(holder)) {
    throw new CheckpointError(
      'CHECKPOINT_LOCKED',
      `The run folder \`${folder}\` is in use by process ${holder.pid} on ${holder.host}. Wait for it, stop it, or choose ` +
        `another \`--out\`; if that process no longer exists, delete \`${path}\``,
    );
  }
  const grant = join(folder, `.tmp-lock-${holder?.token ?? 'unreadable'}`);
  if (!(await createExclusively(grant, `${process.pid}\n`))) {
    // Somebody else is taking it over, or died while doing so.
    await sleep(100);
    const granted = Number(await readFile(grant, 'utf8').catch(() => 'NaN'));
    if (!isAlive(granted)) await rm(grant, { force: true });
    return;
  }
  const current = await readHolder(path);
  const isSame = current !== 'gone' && current?.token === holder?.token;
  const aside = temporaryBeside(path);
  if (isSame) await rename(path, aside);
  await rm(aside, { force: true });
  await rm(grant, { force: true });
}

/** null: a lock that holds no readable text, which a process left that died between creating and writing it. */
async function readHolder(path: string): Promise<LockHolder | null | 'gone'> {
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      const value = JSON.parse(await readFile(path, 'utf8'));
      if (typeof value?.token === 'string' && Number.isInteger(value.pid)) return value as LockHolder;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return 'gone';
      if (!(error instanceof SyntaxError)) throw error;
    }
    await sleep(20);
  }
  return null;
}

function isDead(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return false;
  if (holder.pid === process.pid) return !heldTokens.has(holder.token);
  if (!isAlive(holder.pid)) return true;
  const start = processStart(holder.pid);
  return start !== null && holder.processStart !== null && start !== holder.processStart;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is such a process, but it belongs to somebody else.
    return errorCode(error) === 'EPERM';
  }
}

/** Field 22 of Linux' /proc/PID/stat, with the boot's id: unique over reuse of pids and restarts of the machine. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`;
  } catch {
    return null;
  }
}
