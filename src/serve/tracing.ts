/**
 * Traces through the API of OpenTelemetry: a span a request or frame, below what its caller says in `traceparent`, with one of the queue, one of the batch and in it one of the
 * model. The API does nothing until the program registers an SDK, which says where spans go and which are kept: `node --import ./telemetry.mjs`.
 */

import type { IncomingHttpHeaders } from 'node:http';
import type { Context, Span, Tracer } from '@opentelemetry/api';
import { operantVersion } from '../machine/operant-version.ts';
import { importPeer } from '../modules/import-peer.ts';
import { createTimes, type RequestTimes } from './request-times.ts';

export interface Tracing {
  /** What a caller's headers say of its own span; once for a connection with many frames. */
  parentOf(headers: IncomingHttpHeaders): unknown;
  /** @param name `POST /act`. @param parent of `parentOf`. @param beganAt of `performance.now()`. */
  begin(name: string, parent: unknown, beganAt: number): RequestTrace;
  /** Whether an SDK is registered in this process: without one spans go nowhere. */
  hasSdk(): boolean;
  /** Has the SDK send what it holds. Resolves when it has, or after {@link FLUSH_MS}; rejects as the SDK does. */
  flush(): Promise<void>;
}

export interface RequestTrace {
  /** Filled in on the way. */
  readonly times: RequestTimes;
  /** @param status of HTTP. */
  end(status: number): void;
}

type Api = typeof import('@opentelemetry/api');

/** @throws ConfigError `CONFIG_PEER_MISSING` where the API is not installed. */
export async function openTracing(): Promise<Tracing> {
  const peer = { name: '@opentelemetry/api', version: '1' };
  // Only an import() that is caught is optional to those who bundle without the package.
  const load = () => import('@opentelemetry/api').catch((error) => Promise.reject(error));
  const api = await importPeer(peer, '`tracing`', load);
  const tracer = api.trace.getTracer('operant', operantVersion());
  return {
    parentOf: (headers) => api.propagation.extract(api.ROOT_CONTEXT, headers),
    begin: (name, parent, beganAt) => beginTrace(api, tracer, name, parent as Context, beganAt),
    // The API's own spans have no id; this one is never ended, so nobody sees it.
    hasSdk: () => api.isSpanContextValid(tracer.startSpan('operant').spanContext()),
    flush: () => flushSpans(api.trace.getTracerProvider() as Flushing),
  };
}

/** A collector that is away keeps no server from its end. */
const FLUSH_MS = 5_000;

/** What SDKs offer beyond the API. */
interface Flushing {
  /** What the API's own provider hands on to. */
  getDelegate?(): Flushing;
  forceFlush?(): Promise<void>;
}

async function flushSpans(provider: Flushing): Promise<void> {
  const sdk = provider.getDelegate?.() ?? provider;
  const flushed = sdk.forceFlush?.();
  if (flushed === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FLUSH_MS);
  });
  await Promise.race([flushed, late]).finally(() => clearTimeout(timer));
}

const FIRST_FAILURE = 500;

function beginTrace(api: Api, tracer: Tracer, name: string, parent: Context, beganAt: number): RequestTrace {
  // Once for all spans of a request: an SDK that is given times of `performance.now()` takes another offset for each, a millisecond apart.
  const offset = Date.now() - performance.now();
  const kind = api.SpanKind.SERVER;
  const span = tracer.startSpan(name, { kind, startTime: beganAt + offset }, parent);
  const within = api.trace.setSpan(parent, span);
  const times = createTimes();
  return {
    times,
    end(status) {
      const endedAt = performance.now() + offset;
      if (span.isRecording()) tellStages(api, tracer, within, inEpoch(times, offset), endedAt);
      span.setAttribute('http.response.status_code', status);
      if (times.model !== '') describe(span, times);
      if (status >= FIRST_FAILURE) span.setStatus({ code: api.SpanStatusCode.ERROR });
      span.end(endedAt);
    },
  };
}

function describe(span: Span, { model, version, priority }: RequestTimes): void {
  span.setAttribute('operant.model', model);
  span.setAttribute('operant.model.version', version);
  span.setAttribute('operant.priority', priority);
}

/** @param offset from `performance.now()` to the time since 1970, ms. */
function inEpoch(times: RequestTimes, offset: number): RequestTimes {
  const at = (time: number): number => (time === 0 ? 0 : time + offset);
  const { enqueuedAt, takenAt, modelBeganAt, modelEndedAt, answeredAt } = times;
  return {
    ...times,
    enqueuedAt: at(enqueuedAt),
    takenAt: at(takenAt),
    modelBeganAt: at(modelBeganAt),
    modelEndedAt: at(modelEndedAt),
    answeredAt: at(answeredAt),
  };
}

/** What has begun and not ended did so with the request: its time was up, or the model failed. */
function tellStages(
  api: Api,
  tracer: Tracer,
  within: Context,
  { enqueuedAt, takenAt, modelBeganAt, modelEndedAt, answeredAt, numRows }: RequestTimes,
  endedAt: number,
): void {
  if (enqueuedAt === 0) return;
  tracer.startSpan('queue', { startTime: enqueuedAt }, within).end(takenAt || endedAt);
  if (takenAt === 0) return;
  const attributes = { 'operant.batch.rows': numRows };
  const batch = tracer.startSpan('batch', { startTime: takenAt, attributes }, within);
  const inBatch = api.trace.setSpan(within, batch);
  tracer.startSpan('model', { startTime: modelBeganAt }, inBatch).end(modelEndedAt || endedAt);
  batch.end(answeredAt || endedAt);
}
