/** Which threads the next build of a process gets, and what it may not get. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Algorithm, PPOConfig } from '../../src/index.ts';
import { dropIdleThreads, keepThreads, takeIdleThreads } from '../../src/rollout/idle-threads.ts';
import { takeThreads } from '../../src/rollout/thread-pool.ts';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}.ts`, import.meta.url));
const REMEMBERING = fixture('remembering-env');
const CART_LIKE = fixture('cart-like-env');
const TWO = { numThreads: 2, memoryMb: null };

/** Threads that were started since the test began. */
let started: Worker[] = [];
const note = (worker: Worker) => void started.push(worker);
beforeAll(async () => {
  await (await build('CartPole-v1', { workers: 0 })).stop(); // this thread's own, for the loader of TypeScript
});
beforeEach(() => {
  started = [];
  process.on('worker', note);
});
afterEach(async () => {
  process.off('worker', note);
  vi.useRealTimers();
  await dropIdleThreads();
});

interface Sections {
  readonly environment?: object;
  readonly evaluation?: object;
  readonly faultTolerance?: object;
  readonly workers?: number;
}

/** Without restarts, no thread stands by, however long a run takes on a busy machine. */
function build(env = 'CartPole-v1', more: Sections = {}): Promise<Algorithm> {
  const { environment, evaluation = {}, faultTolerance = { maxWorkerRestarts: 0 }, workers = 2 } = more;
  return new PPOConfig()
    .environment({ env, ...environment })
    .envRunners({ numEnvRunners: workers, numEnvs: 4, rolloutLength: 32 })
    .training({ numEpochs: 2, minibatchSize: 32, hiddenSizes: [16] })
    .learners({ engine: 'simd' })
    .evaluation(evaluation)
    .faultTolerance(faultTolerance)
    .debugging({ poison: true, seed: 3 })
    .build();
}

/** Everything that a run of two iterations leaves, and stops. */
async function run(env?: string) {
  const algorithm = await build(env);
  await algorithm.train();
  const { metrics } = await algorithm.train();
  const { tensors } = await algorithm.getState();
  await algorithm.stop();
  return { reward: metrics['rollout/episodeReturnMean'], tensors };
}

it('the second build starts no thread, and is to the bit the first', async () => {
  const first = await run();
  expect(started).toHaveLength(2);
  const second = await run();
  expect(started).toHaveLength(2);
  expect(second).toEqual(first);
});

it('another environment, and one after an algorithm that was stopped twice, get the threads and nothing else', async () => {
  const algorithm = await build('Pendulum-v1');
  await algorithm.stop();
  const cartPole = await build();
  await algorithm.stop(); // whose threads are another's by now
  await cartPole.train();
  await cartPole.stop();
  expect(started).toHaveLength(2);
  await dropIdleThreads();
  expect(await run()).toEqual(await run());
});

it('threads that ran a module of a user end with the run', async () => {
  await run(); // its threads may run it, since nothing of it was in them
  const rewards = [];
  for (let k = 0; k < 3; k++) rewards.push((await run(REMEMBERING)).reward);
  expect(rewards).toEqual([rewards[0], rewards[0], rewards[0]]);
  expect(started).toHaveLength(2 + 2 + 2);
});

const evaluation = { evaluationEnv: CART_LIKE, evaluationInterval: 1, evaluationEpisodes: 2 };
it.each([
  [
    'wrappers around the environment',
    { environment: { wrappers: [{ name: 'timeLimit', maxEpisodeSteps: 12 }] } },
  ],
  ['an evaluation in an environment of a user', { evaluation }],
])('so do those with %s', async (_, more) => {
  const algorithm = await build('CartPole-v1', more);
  await algorithm.train();
  await algorithm.stop();
  expect(takeIdleThreads(TWO)).toBeNull();
});

it('a run that lost a worker leaves no threads', async () => {
  const algorithm = await build('CartPole-v1', { faultTolerance: {} });
  await algorithm.train();
  await started[0].terminate();
  const { metrics } = await algorithm.train();
  expect(metrics['rollout/episodeReturnMean']).toBeGreaterThan(1);
  await algorithm.stop();
  expect(takeIdleThreads(TWO)).toBeNull();
});

it('where one dies while they are kept, none is used', async () => {
  await run();
  await started[1].terminate();
  const again = await run();
  expect(started).toHaveLength(2 + 2);
  expect(again).toEqual(await run());
});

it('threads that were born into other variables, or with other limits, are not used', async () => {
  await run();
  expect(takeIdleThreads({ ...TWO, memoryMb: 64 })).toBeNull();
  expect(takeIdleThreads({ ...TWO, numThreads: 1 })).toBeNull();
  vi.stubEnv('OPERANT_TEST_VARIABLE', 'new');
  expect(takeIdleThreads(TWO)).toBeNull();
  vi.unstubAllEnvs();
  const pool = takeIdleThreads(TWO);
  expect(pool?.threads).toHaveLength(2);
  await pool?.destroy();
});

it('serve eight runs', async () => {
  for (let k = 0; k < 9; k++) {
    const algorithm = await build();
    await algorithm.stop();
  }
  expect(started).toHaveLength(4);
});

it('end after five seconds, and when others take their place', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const pools = [takeThreads(TWO), takeThreads(TWO)];
  await keepThreads(pools[0], TWO);
  await keepThreads(pools[1], TWO);
  expect(pools.map(({ threads }) => threads.length)).toEqual([0, 2]);
  vi.advanceTimersByTime(4999);
  expect(pools[1].threads).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(pools[1].threads).toHaveLength(0);
});

it('do not keep the process alive', async () => {
  const index = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href);
  const code = `import { PPOConfig } from ${index};
    const algorithm = await new PPOConfig().environment('CartPole-v1').envRunners({ numEnvRunners: 2, rolloutLength: 32 }).training({ minibatchSize: 32 }).build();
    await algorithm.train();
    await algorithm.stop();
    console.log('stopped');`;
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', code],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  const stoppedAt = performance.now();
  const [exitCode] = await ended;
  expect(exitCode).toBe(0);
  expect(performance.now() - stoppedAt).toBeLessThan(3000);
}, 60_000);
