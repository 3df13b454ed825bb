/** Event files that TensorBoard opens. */
import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { openAppendFile } from './append-file.ts';
import { scalarsRecord, versionRecord, wholeRecordsUpTo } from './event-record.ts';
import { type Hyperparameters, hyperparametersRecord } from './hparams-record.ts';
import type { MetricsWriter } from './metrics-writer.ts';

/**
 * Opens the folder's event file to go on after `numEnvSteps`: records beyond it, and a last one that was cut short,
 * are removed. One file serves all resumes of a run.
 *
 * The step of every scalar is the number of environment steps, so runs with different batch sizes lie on one axis.
 *
 * @param hyperparameters as the run began, for the HParams plugin.
 * @param timestamp milliseconds since 1970; becomes part of a new file's name, as TensorBoard expects.
 * Source: TensorFlow's event.proto and summary.proto, and the TFRecord framing, written by hand for scalars alone.
 */
export function openTensorboardWriter(
  folder: string,
  numEnvSteps: number,
  timestamp: number,
  hyperparameters: Hyperparameters = {},
): MetricsWriter {
  const existing = readdirSync(folder)
    .filter((name) => name.startsWith('events.out.tfevents.'))
    .sort()
    .at(-1);
  const seconds = Math.floor(timestamp / 1000);
  const path = join(folder, existing ?? `events.out.tfevents.${seconds}.${hostname()}`);
  const file = openAppendFile(path);
  file.truncate(wholeRecordsUpTo(file.read(), numEnvSteps));
  if (file.size === 0) {
    file.append(versionRecord(timestamp / 1000));
    if (Object.keys(hyperparameters).length > 0)
      file.append(hyperparametersRecord(timestamp / 1000, hyperparameters));
  }
  return {
    path,
    write: (row) => file.append(scalarsRecord(row.timestamp / 1000, row.numEnvSteps, row.metrics)),
    amend: ({ numEnvSteps: step, timestamp: at, metrics }) =>
      file.append(scalarsRecord(at / 1000, step, metrics)),
    sync: file.sync,
    close: file.close,
  };
}
