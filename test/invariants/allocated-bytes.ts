/**
 * Prints the bytes that one iteration allocates on V8's heap:
 *
 *     node --expose-gc --min-semi-space-size=64 --max-semi-space-size=128 --import tsx allocated-bytes.ts ROLLOUT_LENGTH
 *
 * The young generation is large enough that nothing is collected between two looks at the heap, so their difference is what was
 * allocated; the smallest of several, since the engine adds something of its own now and then. One environment whose
 * episodes do not end: what the beginning of one costs is another matter.
 */
import process from 'node:process';
import { PPOConfig } from '../../src/index.ts';

const NUM_ITERATIONS = 8;
const rolloutLength = Number(process.argv[2]);
const numWarmUps = Math.ceil(150_000 / rolloutLength) + 40; // by then V8 has compiled what it will compile

const algorithm = await new PPOConfig()
  .environment({ env: 'Pendulum-v1', maxEpisodeSteps: 1_000_000_000 })
  .envRunners({ numEnvRunners: 0, numEnvs: 1, rolloutLength })
  .training({ numEpochs: 1, minibatchSize: 256, hiddenSizes: [16] })
  .debugging({ seed: 1 })
  .build();
for (let k = 0; k < numWarmUps; k++) await algorithm.train();

let fewest = Number.POSITIVE_INFINITY;
for (let sample = 0; sample < 12; sample++) {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let k = 0; k < NUM_ITERATIONS; k++) await algorithm.train();
  fewest = Math.min(fewest, (process.memoryUsage().heapUsed - before) / NUM_ITERATIONS);
}
process.stdout.write(`${Math.round(fewest)}\n`, () => process.exit(0));
