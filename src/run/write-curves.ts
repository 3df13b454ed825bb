/** The picture of a run, from its own log. */
import { basename, join } from 'node:path';
import { replaceTextFile } from '../files/durable-files.ts';
import { readProgress } from '../metrics/curves/read-progress.ts';
import { drawRunCurves } from '../metrics/curves/run-curves.ts';
import type { RunWarning } from './run-callbacks.ts';

/** Writes `curves.svg` from `progress.jsonl`. A picture that cannot be drawn is a warning, as a log that cannot be written is. */
export async function writeCurves(runFolder: string, warn: (warning: RunWarning) => void): Promise<void> {
  const path = join(runFolder, 'curves.svg');
  try {
    const picture = drawRunCurves(basename(runFolder), await readProgress(runFolder));
    if (picture !== null) await replaceTextFile(path, picture);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn({ kind: 'metrics', message: `Cannot write \`${path}\`: ${reason}`, error });
  }
}
