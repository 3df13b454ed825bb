/** Who holds a run folder's lock, and whether that process still lives. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import * as z from 'zod/mini';

export interface LockHolder {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  /** When the process started, as the system counts it, behind the boot's id; null where that is not known. Tells a reused pid apart. */
  readonly processStart: string | null;
  /** Pids of another namespace (another container) mean other processes; null where there are none, or it is not known. */
  readonly pidNamespace: string | null;
}

/** Only what {@link describeThisProcess} writes: a token becomes part of a path, a pid is sent a signal (0). */
const HOLDER = z.object({
  token: z.string().check(z.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)),
  pid: z.int().check(z.positive()),
  host: z.string().check(z.maxLength(255)),
  processStart: z.nullable(z.string()),
  pidNamespace: z._default(z.nullable(z.string()), null),
});

/** null for anything but a lock as it is written here. */
export function parseHolder(text: string): LockHolder | null {
  try {
    const parsed = HOLDER.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

export function describeThisProcess(token: string): LockHolder {
  return {
    token,
    pid: process.pid,
    host: hostname(),
    processStart: processStart(process.pid),
    pidNamespace: pidNamespace(),
  };
}

/**
 * What can be known of a holder from its description alone. `unknown`: it lives on another host or in another pid namespace, where
 * its pid says nothing; its heartbeat does.
 *
 * @param heldTokens locks that this process holds itself.
 */
export function judgeHolder(
  holder: LockHolder,
  heldTokens: ReadonlySet<string>,
): 'alive' | 'dead' | 'unknown' {
  if (heldTokens.has(holder.token)) return 'alive';
  if (!sharesPidsWithUs(holder)) return 'unknown';
  // A lock of this very pid that we do not hold is from before a restart: a container's processes often get the same pid.
  if (holder.pid === process.pid || !isAlive(holder.pid)) return 'dead';
  const start = processStart(holder.pid);
  return start !== null && holder.processStart !== null && start !== holder.processStart ? 'dead' : 'alive';
}

function sharesPidsWithUs(holder: LockHolder): boolean {
  const here = describeThisProcess(holder.token);
  if (holder.host !== here.host || holder.pidNamespace !== here.pidNamespace) return false;
  if (process.platform !== 'linux') return true;
  // The first namespace of every Linux has the same name, so the boot has to be the same one, too.
  return here.pidNamespace !== null && bootOf(here) !== null && bootOf(holder) === bootOf(here);
}

function bootOf({ processStart: start }: LockHolder): string | null {
  return start?.split('/')[0] ?? null;
}

export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is such a process, but it belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
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

function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}
