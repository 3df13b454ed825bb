/** The memory of an evaluation does not grow with its length: neither its own, nor what is kept to bring back environments that fail. */
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Algorithm, PPOConfig } from '../../src/index.ts';

vi.setConfig({ testTimeout: 300_000 });

const ENDLESS = fileURLToPath(new URL('../algorithm/fixtures/endless-env.ts', import.meta.url));
const LONG = 1_200_000; // steps; 4.8 MB of actions

/** Bytes that are held while the episode is being played, at most. */
async function peakOf(algorithm: Algorithm, maxEpisodeSteps: number) {
  const collect = runInNewContext('gc') as () => void;
  let peak = 0;
  const timer = setInterval(() => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    peak = Math.max(peak, heapUsed + arrayBuffers);
  }, 50);
  const { lengths } = await algorithm.evaluate({ numEpisodes: 1, seed: 3, maxEpisodeSteps });
  clearInterval(timer);
  expect(lengths).toEqual([maxEpisodeSteps]);
  return peak;
}

test.each([false, true])('an endless episode of an environment with getState: %s', async (savesState) => {
  setFlagsFromString('--expose-gc');
  const algorithm = await new PPOConfig()
    .environment(ENDLESS, { savesState })
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16 })
    .training({ numEpochs: 1, minibatchSize: 16, hiddenSizes: [4] })
    .build();
  onTestFinished(() => algorithm.stop());
  await algorithm.train();
  const short = await peakOf(algorithm, LONG / 10);
  const long = await peakOf(algorithm, LONG);
  // What is kept of actions ends at 4 MiB, copied once while it grows, and is then let go of; states keep it at a sixteenth.
  const kept = savesState ? 2 ** 20 : 8 * 2 ** 20;
  expect(long - short).toBeLessThan(kept);
  expect((await peakOf(algorithm, 1.5 * LONG)) - long).toBeLessThan(2 ** 20); // four bytes a step would be 2.4 MB
});
