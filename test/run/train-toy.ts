/**
 * Child process: trains the toy in the run folder argv[2], from its newest checkpoint if it has one.
 * argv[3] is JSON: driver options, and `toy` for the toy's. Prints one JSON object per line.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { isOperantError } from '../../src/errors.ts';
import { createRunFolder, openRunFolder } from '../../src/run/run-folder.ts';
import { readRunState } from '../../src/run/run-state.ts';
import { type RunOptions, runTraining } from '../../src/run/train-run.ts';
import { createToyAlgorithm } from './toy-algorithm.ts';

export interface TrainToyOptions extends Partial<Omit<RunOptions, 'folder' | 'resumed'>> {
  readonly iterationMs?: number;
  /** Calls process.exit(0) at the beginning of this iteration. */
  readonly exitAt?: number;
  /** Ballast of the iterations in [from, to): bytes are four times this. */
  readonly ballast?: { readonly from: number; readonly to: number; readonly size: number };
}

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
const [path, optionsText = '{}'] = process.argv.slice(2);
const { iterationMs, exitAt, ballast, ...options }: TrainToyOptions = JSON.parse(optionsText);

async function main(): Promise<void> {
  const algorithm = createToyAlgorithm({
    ...(iterationMs === undefined ? {} : { iterationMs }),
    ballast: (k) => (ballast !== undefined && k >= ballast.from && k < ballast.to ? ballast.size : 0),
    onTrain: (iteration) => {
      say({ kind: 'train', iteration });
      if (iteration === exitAt) process.exit(0);
    },
  });
  const isResumed = existsSync(join(path, 'checkpoints')) && existsSync(join(path, 'latest'));
  const folder = await (isResumed ? openRunFolder(path) : createRunFolder(path, { toy: true }));
  say({ kind: 'owner' });
  const loaded = isResumed ? await loadCheckpoint(path) : null;
  if (loaded !== null) await algorithm.setState(loaded.content);
  const summary = await runTraining(
    algorithm,
    {
      ...{ stopReturn: null, stopSteps: null, stopSeconds: null, stopIterations: null },
      ...{ stopProcessSeconds: null, stopEvaluationReturn: null, stopEvaluationPatience: null },
      ...{ checkpointEvery: 1, checkpointSeconds: null, keepCheckpoints: 2, metricsWindow: 10 },
      ...{ jsonl: true, csv: true, tensorboard: true, handleSignals: false },
      ...options,
      folder,
      ...(loaded === null ? {} : { resumed: readRunState(loaded.content) }),
    },
    { onWarning: ({ kind, message }) => say({ kind: 'warning', about: kind, message }) },
  ).finally(() => folder.close());
  say({ kind: 'summary', ...summary, checkpointError: summary.checkpointError?.message ?? null });
}

await main().catch((error: unknown) => {
  say({ kind: 'error', code: isOperantError(error) ? error.code : null, message: String(error) });
  process.exitCode = 1;
});
