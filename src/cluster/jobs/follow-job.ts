/** Watches a job until it is over. */
import { setTimeout } from 'node:timers/promises';
import type { JobInfo, JobsClient } from './jobs-client.ts';

const PAUSE_MS = 1_000;
const OVER = new Set(['STOPPED', 'SUCCEEDED', 'FAILED']);

export const isOver = ({ status }: JobInfo) => OVER.has(status);

/**
 * Hands on everything that a job writes, once, until it is over: also when the connection breaks in between.
 *
 * @returns how it ended; null when `signal` ended the watching. @throws ClusterError when the cluster does not answer any more.
 */
export async function followJob(
  client: JobsClient,
  id: string,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<JobInfo | null> {
  let numSeen = 0;
  for (;;) {
    let numTold = 0;
    const take = (text: string) => {
      const known = Math.max(0, numSeen - numTold);
      numTold += text.length;
      if (text.length > known) onText(text.slice(known));
    };
    await client.tail(id, take, signal);
    numSeen = Math.max(numSeen, numTold);
    if (signal.aborted) return null;
    const info = await client.info(id);
    if (isOver(info)) {
      const all = await client.logs(id);
      if (all.length > numSeen) onText(all.slice(numSeen));
      return info;
    }
    await setTimeout(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return null;
  }
}

/** Waits for the end of a job that was told to stop. @returns its last state, over or not. */
export async function waitForEnd(client: JobsClient, id: string, deadlineMs: number): Promise<JobInfo> {
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    const info = await client.info(id);
    if (isOver(info) || waitedMs >= deadlineMs) return info;
    await setTimeout(PAUSE_MS);
  }
}
