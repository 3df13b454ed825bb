/** How fast recurrent policies learn and act, in turns with PyTorch's cells where there is PyTorch: a part of `npm run bench:memory`. */
import process from 'node:process';
import { PPOConfig } from '../src/index.ts';
import { median } from './statistics.ts';
import { startTorch, type TorchProcess } from './torch-variants.ts';

const ROWS = 2048;
const UNITS = 128;
const NUM_ROUNDS = 12;
const EPOCHS = 10;
const UPDATES = 2 * EPOCHS; // two minibatches

type Cell = 'lstm' | 'gru';

async function build(cell: Cell, sequenceLength: number, numEnvRunners: number) {
  const config = new PPOConfig().environment('CartPoleNoVelocity-v0');
  config.envRunners({ numEnvRunners, numEnvs: 64, rolloutLength: 64 }).learners({ numLearnerThreads: 1 });
  const network = { recurrent: cell, recurrentSize: UNITS, sequenceLength, hiddenSizes: [] };
  return config.training({ ...network, minibatchSize: ROWS, numEpochs: EPOCHS }).build();
}

/** One line of what an update takes in processor time: best and median of the rounds, PyTorch's in between, and the ratio of the medians. */
async function updateLine(cell: Cell, length: number, torch: TorchProcess | null): Promise<string> {
  const algorithm = await build(cell, length, 0);
  const theirs = (await torch?.variant({ network: cell, rows: ROWS, length }, 1, false)) ?? null;
  const [ours, others]: [number[], number[]] = [[], []];
  for (let round = -1; round < NUM_ROUNDS; round++) {
    const begin = process.cpuUsage();
    await algorithm.train(); // twenty updates, and acting, which takes a fiftieth of it
    const { user, system } = process.cpuUsage(begin);
    await theirs?.run();
    if (round < 0) continue; // V8 compiles
    ours.push((user + system) / UPDATES / 1000);
    if (theirs?.ownTimes) others.push(theirs.ownTimes().cpu / theirs.units / 1000);
  }
  await algorithm.stop();
  const columns = (cell === 'lstm' ? 4 : 3) * UNITS;
  const operations = 2 * 3 * 2 * ROWS * (2 + UNITS) * columns; // of two cells; forward, and twice as much back
  const best = Math.min(...ours);
  const peer =
    others.length === 0
      ? ''
      : `; PyTorch ${Math.min(...others).toFixed(1)} ms (median ${median(others).toFixed(1)}), ${(median(others) / median(ours)).toFixed(1)} times as long`;
  return `${cell}, sequences of ${length}: update ${best.toFixed(2)} ms (median ${median(ours).toFixed(2)}), ${(operations / best / 1e6).toFixed(0)} GFLOP/s${peer}`;
}

async function actingLine(cell: Cell, numEnvRunners: number): Promise<string> {
  const algorithm = await build(cell, 64, numEnvRunners);
  const rollouts: number[] = [];
  for (let round = 0; round < 2 * NUM_ROUNDS; round++)
    rollouts.push((await algorithm.train()).metrics['time/rolloutMs']);
  await algorithm.stop();
  const rate = (ms: number) => Math.round(((64 * 64) / ms) * 1000).toLocaleString('en');
  const threads = numEnvRunners === 0 ? 'in the main thread' : `in ${numEnvRunners} workers`;
  return `${cell}, acting with 64 rows ${threads}: ${rate(Math.min(...rollouts))} rows/s (median ${rate(median(rollouts))}), CartPole's steps included`;
}

/** @param python as {@link startTorch}'s. */
export async function printSpeed(python: string): Promise<void> {
  const torch = await startTorch(python);
  console.log(typeof torch === 'string' ? torch : `PyTorch ${torch.version}, one thread, in turns with ours`);
  const peer = typeof torch === 'string' ? null : torch;
  for (const cell of ['lstm', 'gru'] as const) {
    for (const length of [16, 64]) console.log(await updateLine(cell, length, peer));
    for (const numEnvRunners of [0, 2]) console.log(await actingLine(cell, numEnvRunners));
  }
  peer?.stop();
}
