/** Child process: trains the replay toy in the run folder argv[2], from its newest checkpoint if it has one. One line an iteration. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { createRunFolder, openRunFolder } from '../../src/run/run-folder.ts';
import { readRunState } from '../../src/run/run-state.ts';
import { runTraining } from '../../src/run/train-run.ts';
import { createReplayToy } from './replay-toy.ts';

const path = process.argv[2];
const algorithm = createReplayToy({
  seed: 5,
  iterationMs: 2,
  onTrain: (iteration) => process.stdout.write(`${iteration}\n`),
});
const isResumed = existsSync(join(path, 'checkpoints'));
const folder = await (isResumed ? openRunFolder(path) : createRunFolder(path, { toy: true }));
const loaded = isResumed && existsSync(join(path, 'latest')) ? await loadCheckpoint(path) : null;
if (loaded !== null) await algorithm.setState(loaded.content);
await runTraining(algorithm, {
  ...{ stopReturn: null, stopSteps: null, stopSeconds: null, stopIterations: 100_000 },
  ...{ stopProcessSeconds: null, stopEvaluationReturn: null, stopEvaluationPatience: null },
  ...{ checkpointEvery: 1, checkpointSeconds: null, keepCheckpoints: 2, metricsWindow: 10 },
  ...{ jsonl: false, csv: false, tensorboard: false, handleSignals: false },
  folder,
  ...(loaded === null ? {} : { resumed: readRunState(loaded.content) }),
});
