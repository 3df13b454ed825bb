/** One model version and the requests for it: whatever waits when the model is free goes through it together, and nothing waits for more. */
import { ServeError } from '../errors.ts';
import type { LoadedModel } from './load-model.ts';
import type { ServeMetrics } from './metrics.ts';
import {
  createRequestQueue,
  type QueuedRequest,
  type QueueLimits,
  type RequestQueue,
} from './request-queue.ts';

export interface ActRequest {
  readonly observations: Float32Array | Uint8Array; // [numRows, obsSize]
  readonly masks: Uint8Array | null; // [numRows, maskSize] u8
  readonly numRows: number;
  /** 1 is the most urgent. */
  readonly priority: number;
  readonly timeoutMs: number;
}

export interface Batcher {
  /** Actions of all rows, flat, as the environment takes them. [numRows, A] */
  act(request: ActRequest): Promise<Float32Array | Int32Array>;
  /** Waiting or in the model. */
  readonly numPending: number;
  depths(): readonly number[];
  /** Refuses new requests; resolves when the last one has its answer. */
  drain(): Promise<void>;
}

type Pending = QueuedRequest &
  ActRequest & { resolve(actions: Float32Array | Int32Array): void; reject(error: Error): void };

export function createBatcher(model: LoadedModel, limits: QueueLimits, metrics: ServeMetrics): Batcher {
  const queue = createRequestQueue<Pending>(limits);
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
        while (queue.size > 0) await runBatch(model, queue, metrics);
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
      return new Promise((resolve, reject) => {
        const enqueuedAt = performance.now();
        queue.add({
          ...request,
          enqueuedAt,
          deadline: enqueuedAt + request.timeoutMs,
          resolve: (actions) => {
            settle();
            resolve(actions);
          },
          reject: (error) => {
            settle();
            reject(error);
          },
        });
        numPending += 1;
        schedule();
      });
    },
    get numPending() {
      return numPending;
    },
    depths: queue.depths,
    drain() {
      isDraining = true;
      if (numPending === 0) return Promise.resolve();
      return new Promise((resolve) => void drained.push(resolve));
    },
  };
}

/** How often requests behind a slow model are looked at for their timeouts. */
const EXPIRE_MS = 10;

async function runBatch(
  model: LoadedModel,
  queue: RequestQueue<Pending>,
  metrics: ServeMetrics,
): Promise<void> {
  const now = performance.now();
  const batch = queue.take(model.maxRows, now);
  if (batch.length === 0) return;
  for (const { enqueuedAt, priority } of batch)
    metrics.observeWait(model, priority, (now - enqueuedAt) / 1000);
  const timer = setInterval(() => queue.expire(performance.now()), EXPIRE_MS);
  try {
    const actions = await model.run(batch);
    for (const [k, request] of batch.entries()) request.resolve(actions[k]);
  } catch (cause) {
    const message = `The model ${model.name} failed: ${cause instanceof Error ? cause.message : String(cause)}`;
    for (const request of batch)
      request.reject(new ServeError('SERVE_MODEL_FAILED', 500, message, { cause }));
  } finally {
    clearInterval(timer);
  }
  const numRows = batch.reduce((sum, request) => sum + request.numRows, 0);
  metrics.observeBatch(model, numRows, (performance.now() - now) / 1000);
}
