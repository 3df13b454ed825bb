/** One model version and the requests for it: whatever waits when the model is free goes through it together, and nothing waits for more. */
import { ServeError } from '../errors.ts';
import { type BreakerLimits, type BreakerState, createCircuitBreaker } from './circuit-breaker.ts';
import type { BatchRows, LoadedModel, RowAnswers } from './load-model.ts';
import type { ModelMetrics, ServeMetrics } from './metrics.ts';
import { createRecordedRows, type RecordedRows } from './recorded-rows.ts';
import { promised, type Reply } from './reply.ts';
import {
  createRequestQueue,
  type QueuedRequest,
  type QueueLimits,
  type RequestQueue,
} from './request-queue.ts';
import type { RequestTimes } from './request-times.ts';
import { atTurnEnd } from './turn-end.ts';

export interface ActRequest extends BatchRows {
  /** 1 is the most urgent. */
  readonly priority: number;
  readonly timeoutMs: number;
  /** Asked to compare, by nobody: it is not recorded. */
  readonly isShadow?: boolean;
  /** Where to write when what happened; null = nobody asks. */
  readonly times: RequestTimes | null;
}

export interface Batcher {
  /** The answer comes in a later turn of the event loop; a refusal may come at once. */
  submit(request: ActRequest, reply: Reply<RowAnswers>): void;
  act(request: ActRequest): Promise<RowAnswers>;
  /** Waiting or in the model. */
  readonly numPending: number;
  depths(): readonly number[];
  breaker(): BreakerState;
  /** What it was asked of late. */
  recorded(): ReturnType<RecordedRows['rows']>;
  /** Refuses new requests; resolves when the last one has its answer. */
  drain(): Promise<void>;
}

export interface BatcherLimits extends QueueLimits, BreakerLimits {
  /** A model that takes longer for a batch has failed, ms. */
  readonly modelTimeoutMs: number;
}

interface Pending extends QueuedRequest, BatchRows {
  readonly times: RequestTimes | null;
  readonly reply: Reply<RowAnswers>;
}

export function createBatcher(model: LoadedModel, limits: BatcherLimits, metrics: ServeMetrics): Batcher {
  let numPending = 0;
  let isScheduled = false;
  let isDraining = false;
  const drained: (() => void)[] = [];
  const settle = (): void => {
    numPending -= 1;
    if (numPending === 0) for (const resolve of drained.splice(0)) resolve();
  };
  const settled: Settled = {
    answer({ reply, times }, answers) {
      settle();
      if (times !== null) times.answeredAt = performance.now();
      reply.answer(answers);
    },
    fail({ reply }, error) {
      settle();
      reply.fail(error);
    },
  };
  const queue = createRequestQueue<Pending>(limits, settled.fail);
  const recorded = createRecordedRows(model);
  const runner = createBatchRunner(model, limits, queue, settled, metrics.ofModel(model));
  const runBatches = (): void => {
    const running = runner.next();
    if (running === null) goOn();
    else void running.then(goOn);
  };
  // Kernels answer at once: without a turn between batches nobody urgent would be read before the queue is empty.
  const goOn = (): void => {
    isScheduled = queue.size > 0;
    if (isScheduled) setImmediate(runBatches);
  };
  const submit: Batcher['submit'] = (request, reply) => {
    if (isDraining) {
      const message = `Version ${model.version} of ${model.name} is being unloaded. Try again.`;
      return reply.fail(new ServeError('SERVE_DRAINING', 503, message));
    }
    if (runner.state() === 'open') return reply.fail(isOpen(model));
    try {
      queue.add(pendingOf(model, request, reply));
    } catch (error) {
      return reply.fail(error);
    }
    if (request.isShadow !== true) recorded.add(request);
    numPending += 1;
    if (isScheduled) return;
    isScheduled = true;
    atTurnEnd(runBatches);
  };
  return {
    submit,
    act: (request) => promised((reply) => submit(request, reply)),
    get numPending() {
      return numPending;
    },
    depths: queue.depths,
    breaker: runner.state,
    recorded: recorded.rows,
    drain() {
      isDraining = true;
      if (numPending === 0) return Promise.resolve();
      return new Promise((resolve) => void drained.push(resolve));
    },
  };
}

function pendingOf({ name, version }: LoadedModel, request: ActRequest, reply: Reply<RowAnswers>): Pending {
  const { observations, masks, states, numRows, priority, timeoutMs, times } = request;
  const enqueuedAt = performance.now();
  if (times !== null) Object.assign(times, { enqueuedAt, priority, model: name, version });
  return {
    observations,
    masks,
    states,
    numRows,
    priority,
    times,
    enqueuedAt,
    deadline: enqueuedAt + timeoutMs,
    reply,
  };
}

function isOpen({ name, version }: LoadedModel): ServeError {
  const message = `Version ${version} of ${name} failed again and again, and is not asked for a while. Try again later.`;
  return new ServeError('SERVE_BREAKER', 503, message);
}

/** How often a slow model, and the requests behind it, are looked at for their timeouts. */
const WATCH_MS = 10;

interface Settled {
  answer(request: Pending, answers: RowAnswers): void;
  fail(request: Pending, error: unknown): void;
}

interface BatchRunner {
  /** Runs what waits; null = it is done. Neither throws nor rejects. */
  next(): Promise<void> | null;
  state(): BreakerState;
}

function createBatchRunner(
  model: LoadedModel,
  limits: BatcherLimits,
  queue: RequestQueue<Pending>,
  settled: Settled,
  metrics: ModelMetrics,
): BatchRunner {
  const breaker = createCircuitBreaker(limits);
  let isHung = false; // its rows are still the model's: nothing else goes in
  const state = (): BreakerState => (isHung ? 'open' : breaker.state(performance.now()));
  const watch = (running: Promise<readonly RowAnswers[]>, began: number) => {
    const inTime = watchModel(model, running, began, queue, limits.modelTimeoutMs);
    return inTime.catch((cause: unknown) => {
      if (cause instanceof ServeError && cause.code === 'SERVE_MODEL_TIMEOUT') {
        isHung = true;
        const ended = () => {
          isHung = false;
        };
        running.then(ended, ended);
      }
      throw cause;
    });
  };
  const observe = (batch: readonly Pending[], began: number): void => {
    const numRows = countRows(batch);
    const modelEndedAt = performance.now();
    metrics.observeBatch(numRows, (modelEndedAt - began) / 1000);
    for (const { times } of batch) if (times !== null) times.modelEndedAt = modelEndedAt;
  };
  const succeed = (batch: readonly Pending[], began: number, answers: readonly RowAnswers[]): void => {
    breaker.succeed();
    observe(batch, began);
    for (let k = 0; k < batch.length; k++) settled.answer(batch[k], answers[k]);
  };
  const fail = (batch: readonly Pending[], began: number, cause: unknown): void => {
    breaker.fail(performance.now());
    observe(batch, began);
    for (const request of batch) settled.fail(request, asServeError(model, cause));
    if (state() === 'open') queue.rejectAll(isOpen(model));
  };
  const next = (): Promise<void> | null => {
    const began = performance.now();
    const batch = queue.take(model.maxRows, began);
    if (batch.length === 0) return null;
    for (const { enqueuedAt, priority } of batch) metrics.observeWait(priority, (began - enqueuedAt) / 1000);
    tellTaken(batch, began);
    let running: ReturnType<LoadedModel['run']>;
    try {
      running = model.run(batch);
    } catch (cause) {
      fail(batch, began, cause);
      return null;
    }
    if (running instanceof Promise) {
      return watch(running, began).then(
        (answers) => succeed(batch, began, answers),
        (cause: unknown) => fail(batch, began, cause),
      );
    }
    succeed(batch, began, running);
    return null;
  };
  return { next, state };
}

function countRows(batch: readonly Pending[]): number {
  let numRows = 0;
  for (const request of batch) numRows += request.numRows;
  return numRows;
}

function tellTaken(batch: readonly Pending[], takenAt: number): void {
  if (batch.every(({ times }) => times === null)) return;
  const told = { takenAt, modelBeganAt: performance.now(), numRows: countRows(batch) };
  for (const { times } of batch) if (times !== null) Object.assign(times, told);
}

/** @throws ServeError `SERVE_MODEL_TIMEOUT`; requests that wait meanwhile are dropped when their time is up. */
function watchModel(
  { name }: LoadedModel,
  running: Promise<readonly RowAnswers[]>,
  began: number,
  queue: RequestQueue<Pending>,
  modelTimeoutMs: number,
): Promise<readonly RowAnswers[]> {
  return new Promise((resolve, reject) => {
    const watch = setInterval(() => {
      const now = performance.now();
      queue.expire(now);
      if (now - began < modelTimeoutMs) return;
      clearInterval(watch);
      const message = `The model ${name} took longer than ${modelTimeoutMs} ms for a batch.`;
      reject(new ServeError('SERVE_MODEL_TIMEOUT', 504, message));
    }, WATCH_MS);
    running.then(resolve, reject).finally(() => clearInterval(watch));
  });
}

function asServeError({ name }: LoadedModel, cause: unknown): ServeError {
  if (cause instanceof ServeError) return cause;
  const message = `The model ${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new ServeError('SERVE_MODEL_FAILED', 500, message, { cause });
}
