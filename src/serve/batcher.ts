/** One model version and the requests for it: whatever waits when the model is free goes through it together, and nothing waits for more. */
import { ServeError } from '../errors.ts';
import { type BreakerLimits, type BreakerState, createCircuitBreaker } from './circuit-breaker.ts';
import type { BatchRows, LoadedModel, RowAnswers } from './load-model.ts';
import type { ServeMetrics } from './metrics.ts';
import { createRecordedRows, type RecordedRows } from './recorded-rows.ts';
import {
  createRequestQueue,
  type QueuedRequest,
  type QueueLimits,
  type RequestQueue,
} from './request-queue.ts';

export interface ActRequest extends BatchRows {
  /** 1 is the most urgent. */
  readonly priority: number;
  readonly timeoutMs: number;
  /** Asked to compare, by nobody: it is not recorded. */
  readonly isShadow?: boolean;
}

export interface Batcher {
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

type Pending = QueuedRequest &
  ActRequest & { resolve(answers: RowAnswers): void; reject(error: Error): void };

export function createBatcher(model: LoadedModel, limits: BatcherLimits, metrics: ServeMetrics): Batcher {
  const queue = createRequestQueue<Pending>(limits);
  const recorded = createRecordedRows(model);
  const runner = createBatchRunner(model, limits, queue, metrics);
  let numPending = 0;
  let isScheduled = false;
  let isDraining = false;
  const drained: (() => void)[] = [];

  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    // After what this turn of the event loop has read: requests that came together go together, and a lone one waits for nothing.
    setImmediate(() => {
      void (async () => {
        while (queue.size > 0) {
          await runner.next();
          // Kernels answer at once: without a turn between batches nobody urgent would be read before the queue is empty.
          if (queue.size > 0) await nextTurn();
        }
        isScheduled = false;
      })();
    });
  };
  const settle = (): void => {
    numPending -= 1;
    if (numPending === 0) for (const resolve of drained.splice(0)) resolve();
  };
  return {
    act(request) {
      if (isDraining) {
        const message = `Version ${model.version} of ${model.name} is being unloaded. Try again.`;
        return Promise.reject(new ServeError('SERVE_DRAINING', 503, message));
      }
      if (runner.state() === 'open') return Promise.reject(isOpen(model));
      return new Promise((resolve, reject) => {
        const enqueuedAt = performance.now();
        queue.add({
          ...request,
          enqueuedAt,
          deadline: enqueuedAt + request.timeoutMs,
          resolve: (answers) => {
            settle();
            resolve(answers);
          },
          reject: (error) => {
            settle();
            reject(error);
          },
        });
        if (request.isShadow !== true) recorded.add(request);
        numPending += 1;
        schedule();
      });
    },
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

const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

function isOpen({ name, version }: LoadedModel): ServeError {
  const message = `Version ${version} of ${name} failed again and again, and is not asked for a while. Try again later.`;
  return new ServeError('SERVE_BREAKER', 503, message);
}

/** How often a slow model, and the requests behind it, are looked at for their timeouts. */
const WATCH_MS = 10;

interface BatchRunner {
  /** Runs what waits; never rejects. */
  next(): Promise<void>;
  state(): BreakerState;
}

function createBatchRunner(
  model: LoadedModel,
  limits: BatcherLimits,
  queue: RequestQueue<Pending>,
  metrics: ServeMetrics,
): BatchRunner {
  const breaker = createCircuitBreaker(limits);
  let isHung = false; // its rows are still the model's: nothing else goes in
  const state = (): BreakerState => (isHung ? 'open' : breaker.state(performance.now()));
  const run = (batch: readonly Pending[], began: number): Promise<readonly RowAnswers[]> => {
    const running = model.run(batch);
    return new Promise((resolve, reject) => {
      const watch = setInterval(() => {
        const now = performance.now();
        queue.expire(now);
        if (now - began < limits.modelTimeoutMs) return;
        clearInterval(watch);
        isHung = true;
        const ended = () => {
          isHung = false;
        };
        running.then(ended, ended);
        const message = `The model ${model.name} took longer than ${limits.modelTimeoutMs} ms for a batch.`;
        reject(new ServeError('SERVE_MODEL_TIMEOUT', 504, message));
      }, WATCH_MS);
      running.then(resolve, reject).finally(() => clearInterval(watch));
    });
  };
  const next = async (): Promise<void> => {
    const now = performance.now();
    const batch = queue.take(model.maxRows, now);
    if (batch.length === 0) return;
    for (const { enqueuedAt, priority } of batch)
      metrics.observeWait(model, priority, (now - enqueuedAt) / 1000);
    try {
      const answers = await run(batch, now);
      breaker.succeed();
      for (const [k, request] of batch.entries()) request.resolve(answers[k]);
    } catch (cause) {
      breaker.fail(performance.now());
      for (const request of batch) request.reject(asServeError(model, cause));
      if (state() === 'open') queue.rejectAll(isOpen(model));
    }
    const numRows = batch.reduce((sum, request) => sum + request.numRows, 0);
    metrics.observeBatch(model, numRows, (performance.now() - now) / 1000);
  };
  return { next, state };
}

function asServeError({ name }: LoadedModel, cause: unknown): ServeError {
  if (cause instanceof ServeError) return cause;
  const message = `The model ${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new ServeError('SERVE_MODEL_FAILED', 500, message, { cause });
}
