/** Nothing is left behind: by iterations, by resumes, by algorithms that were stopped. Long runs stand in soak.long.test.ts. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { PPOConfig } from '../../src/index.ts';

const numPorts = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

function build(numEnvRunners: number, learners: object = { engine: 'simd' }) {
  return new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 32, normalizeObservations: true })
    .training({ numEpochs: 2, minibatchSize: 32, hiddenSizes: [16] })
    .learners(learners)
    .evaluation({ evaluationInterval: 1, evaluationEpisodes: 2 })
    .debugging({ poison: true })
    .build();
}

test('tensors stay the same number over iterations, evaluations and states, and go with the algorithm', async () => {
  const tf = await import('@tensorflow/tfjs');
  const first = await build(0, { engine: 'tensorflow', backend: 'wasm' });
  await first.stop(); // backends keep a few constants of their own
  const before = tf.memory().numTensors;
  const algorithm = await build(0, { engine: 'tensorflow', backend: 'wasm' });
  await algorithm.train();
  const { numTensors } = tf.memory();
  expect(numTensors).toBeGreaterThan(before);
  for (let k = 0; k < 10; k++) {
    await algorithm.train();
    await algorithm.setState(await algorithm.getState());
    expect(tf.memory().numTensors).toBe(numTensors);
  }
  await algorithm.stop();
  expect(tf.memory().numTensors).toBe(before);
});

test('threads and ports go with the algorithm, and a resume adds none', async () => {
  const before = numPorts();
  const algorithm = await build(2);
  await algorithm.train();
  const running = numPorts();
  expect(running).toBeGreaterThan(before);
  for (let k = 0; k < 4; k++) {
    await algorithm.setState(await algorithm.getState());
    await algorithm.train();
  }
  await vi.waitFor(() => expect(numPorts()).toBeLessThanOrEqual(running), 3000);
  await algorithm.stop();
  await vi.waitFor(() => expect(numPorts()).toBeLessThanOrEqual(before), 3000);
});

test('memory of stopped algorithms is given back', async () => {
  const measure = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collectGarbage();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return { heap: heapUsed, outside: external + arrayBuffers };
  };
  const buildAndStop = async () => {
    const algorithm = await build(0);
    await algorithm.train();
    await algorithm.stop();
  };
  for (let k = 0; k < 3; k++) await buildAndStop();
  const before = await measure();
  for (let k = 0; k < 20; k++) await buildAndStop();
  const after = await measure();
  // An algorithm of this size holds about 0.5 MiB in its arena alone: twenty of them would show.
  expect(after.heap - before.heap).toBeLessThan(4 * 2 ** 20);
  expect(after.outside - before.outside).toBeLessThan(4 * 2 ** 20);
});
