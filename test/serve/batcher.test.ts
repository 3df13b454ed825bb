/** What becomes of requests when a model fails, hangs, or is well again. The model is the fault: everything else is the server's own. */
import { expect, test } from 'vitest';
import { type ActRequest, createBatcher } from '../../src/serve/batcher.ts';
import { createCircuitBreaker } from '../../src/serve/circuit-breaker.ts';
import type { LoadedModel, RowAnswers } from '../../src/serve/load-model.ts';
import { createServeMetrics } from '../../src/serve/metrics.ts';

const LIMITS = {
  numPriorities: 1,
  maxQueued: 100,
  modelTimeoutMs: 60_000,
  breakerFailures: 2,
  breakerMs: 60_000,
};
const ROW: ActRequest = {
  observations: new Float32Array(1),
  masks: null,
  states: null,
  numRows: 1,
  priority: 1,
  timeoutMs: 3_600_000,
  times: null,
};
const answerOf = (action: number): RowAnswers => ({
  actions: Int32Array.of(action),
  states: new Float32Array(0),
});
const answers: LoadedModel['run'] = async (batch) => batch.map(() => answerOf(7));

/** @param run what the model does, which a test may exchange. */
function open(run: LoadedModel['run'], limits: Partial<typeof LIMITS> = {}) {
  const behaviour = { run };
  const spec = { observationSize: 1, actionMaskSize: 0 };
  const run1: LoadedModel['run'] = (batch) => behaviour.run(batch);
  const model = { name: 'm', version: '1', maxRows: 1, spec, run: run1 } as unknown as LoadedModel;
  const metrics = createServeMetrics();
  metrics.stop();
  return { behaviour, batcher: createBatcher(model, { ...LIMITS, ...limits }, metrics) };
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: { code?: string }) => error.code,
  );

test('a model that fails again and again is left alone: what waits and what comes is refused at once', async () => {
  let numRuns = 0;
  const { batcher } = open(async () => {
    numRuns += 1;
    throw new Error('broken');
  });
  const codes = await Promise.all([1, 2, 3, 4].map(() => code(batcher.act(ROW))));
  expect(codes).toEqual(['SERVE_MODEL_FAILED', 'SERVE_MODEL_FAILED', 'SERVE_BREAKER', 'SERVE_BREAKER']);
  expect(await code(batcher.act(ROW))).toBe('SERVE_BREAKER');
  expect([numRuns, batcher.numPending, batcher.breaker()]).toEqual([2, 0, 'open']);
});

test('after a while one batch is tried, and its outcome decides', async () => {
  const { behaviour, batcher } = open(() => Promise.reject(new Error('broken')), {
    breakerFailures: 1,
    breakerMs: 1,
  });
  expect(await code(batcher.act(ROW))).toBe('SERVE_MODEL_FAILED');
  await expect.poll(() => batcher.breaker()).toBe('half-open');
  expect(await code(batcher.act(ROW))).toBe('SERVE_MODEL_FAILED'); // tried, and no better
  await expect.poll(() => batcher.breaker()).toBe('half-open');
  behaviour.run = answers;
  expect(await batcher.act(ROW)).toEqual(answerOf(7));
  expect(batcher.breaker()).toBe('closed');
});

test('a model that hangs gets nothing until it has returned', async () => {
  let release = (): void => undefined;
  const { behaviour, batcher } = open(
    (batch) =>
      new Promise((resolve) => {
        release = () => resolve(batch.map(() => answerOf(0)));
      }),
    { modelTimeoutMs: 20, breakerFailures: 1_000 },
  );
  const [first, second] = [code(batcher.act(ROW)), code(batcher.act(ROW))];
  expect(await first).toBe('SERVE_MODEL_TIMEOUT');
  expect(await second).toBe('SERVE_BREAKER');
  behaviour.run = answers;
  expect(await code(batcher.act(ROW))).toBe('SERVE_BREAKER');
  release();
  await expect.poll(() => batcher.breaker()).toBe('closed');
  expect(await batcher.act(ROW)).toEqual(answerOf(7));
});

test('a success between failures closes the account', () => {
  const breaker = createCircuitBreaker({ breakerFailures: 2, breakerMs: 100 });
  breaker.fail(0);
  breaker.succeed();
  breaker.fail(1);
  expect(breaker.state(2)).toBe('closed');
  breaker.fail(3);
  expect([breaker.state(102), breaker.state(103)]).toEqual(['open', 'half-open']);
});

test('between two batches whoever is urgent is read, and goes first', async () => {
  const order: number[] = [];
  const { batcher } = open(
    async (batch) => {
      order.push(...batch.map(({ observations }) => observations[0]));
      return batch.map(() => answerOf(7));
    },
    { numPriorities: 2 },
  );
  const ask = (name: number, priority: number) =>
    batcher.act({ ...ROW, observations: Float32Array.of(name), priority });
  const waiting = [1, 2, 3, 4, 5].map((name) => ask(name, 2));
  // What comes in while the first batches run: an event of the loop, as a socket's is.
  await new Promise<void>((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
  await Promise.all([...waiting, ask(9, 1)]);
  expect(order.indexOf(9)).toBeLessThan(4);
});
