/** Processor time of other processes. Linux. */
import { readFileSync } from 'node:fs';

/** Of a clock tick, as /proc counts. */
const TICK_MS = 10;

/** User and system time of all of them together, ms; those that have ended count nothing. */
export function processorMsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + msOf(pid), 0);
}

function msOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return 0;
  }
}
