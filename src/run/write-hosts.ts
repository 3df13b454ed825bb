/** Where the rollout hosts of a run are, and how their logs are read. */
import { join } from 'node:path';
import type { Algorithm } from '../algorithm/algorithm.ts';
import { replaceTextFile } from '../files/durable-files.ts';
import type { RunWarning } from './run-callbacks.ts';

/** Writes `hosts.json`, where there are hosts. A file that cannot be written is a warning, as a log that cannot be written is. */
export async function writeHosts(
  runFolder: string,
  algorithm: Algorithm,
  warn: (warning: RunWarning) => void,
): Promise<void> {
  const hosts = algorithm.describeHosts?.() ?? null;
  if (hosts === null) return;
  const path = join(runFolder, 'hosts.json');
  try {
    await replaceTextFile(path, `${JSON.stringify(hosts, null, 2)}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn({ kind: 'metrics', message: `Cannot write \`${path}\`: ${reason}`, error });
  }
}
