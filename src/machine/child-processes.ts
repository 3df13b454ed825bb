/** Programs that an environment started: known, so that they do not outlive the thread that was to end them. */
import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';

export interface ProcessChanges {
  readonly started: readonly number[];
  readonly ended: readonly number[];
}

export interface StartedProcesses {
  /** What has changed since the last call; null when nothing has. Cheap. */
  takeChanges(): ProcessChanges | null;
  /** No more are noted. */
  end(): void;
}

/**
 * Notes every process that this thread starts from now on with `node:child_process`, those of the synchronous calls excepted, which
 * have ended when they return, until `end`.
 *
 * Source: Node's diagnostics channel `child_process`.
 */
export function noteChildProcesses(): StartedProcesses {
  const fresh = new Set<ChildProcess>();
  const running = new Map<ChildProcess, number>();
  const note = (message: unknown) => {
    fresh.add((message as { readonly process: ChildProcess }).process);
  };
  subscribe('child_process', note);
  return {
    end: () => void unsubscribe('child_process', note),
    takeChanges() {
      if (fresh.size === 0 && running.size === 0) return null;
      const [started, ended]: [number[], number[]] = [[], []];
      for (const child of fresh) {
        // The channel is told before the process has a pid; one that cannot be started never has.
        if (child.pid === undefined) continue;
        running.set(child, child.pid);
        started.push(child.pid);
      }
      fresh.clear();
      for (const [child, pid] of running) {
        if (child.exitCode === null && child.signalCode === null) continue;
        running.delete(child);
        ended.push(pid);
      }
      return started.length + ended.length === 0 ? null : { started, ended };
    },
  };
}

/**
 * Kills processes that a lost thread of this process had started, with their groups where they lead one (`detached: true`).
 *
 * @returns how many were still there.
 */
export function endProcesses(pids: Iterable<number>): number {
  let numEnded = 0;
  for (const pid of pids) if (isOurChild(pid) && kill(pid)) numEnded += 1;
  return numEnded;
}

function kill(pid: number): boolean {
  if (process.platform !== 'win32' && sendKill(-pid)) return true;
  return sendKill(pid);
}

function sendKill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false; // it leads no group, or has ended
  }
}

/** A pid may have been given to another process since; elsewhere than on Linux that is not looked at. */
function isOurChild(pid: number): boolean {
  if (process.platform !== 'linux') return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(parent) === process.pid && state !== 'Z';
  } catch {
    return false;
  }
}
