/** What of a run has to be the same bits, whatever happened to it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckpointContent } from '../../src/algorithm/algorithm.ts';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';

/** A checkpoint's tensors and state; without the clock, and without options that only say how to run. */
export function comparable({ tensors, json }: CheckpointContent): object {
  const { 'run.json': run, 'config.json': _config, ...rest } = json;
  const { seconds: _seconds, ...driver } = run ?? {};
  return { tensors, ...rest, driver };
}

export async function comparableAt(path: string): Promise<object> {
  return comparable((await loadCheckpoint(path)).content);
}

/** Rows of progress.jsonl without times. */
export function comparableRows(runFolder: string): object[] {
  const lines = readFileSync(join(runFolder, 'progress.jsonl'), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const { seconds: _seconds, timestamp: _timestamp, ...row } = JSON.parse(line);
    return Object.fromEntries(Object.entries(row).filter(([key]) => !key.startsWith('time/')));
  });
}
