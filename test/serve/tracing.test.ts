/** Spans of a server, as the SDK of OpenTelemetry gets them. */
import { propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createPolicyServer, type PolicyServer } from '../../src/serve/policy-server.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const traceparent = `00-${TRACE}-${CALLER}-01`;
const exporter = new InMemorySpanExporter();
let server: PolicyServer;
beforeAll(async () => {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const policies = [{ name: 'cart', path: await shippedCheckpoint('ppo, categorical'), version: '7' }];
  server = await createPolicyServer({ policies, port: 0, tracing: true, timeoutMs: 60_000 });
}, 120_000);
beforeEach(() => exporter.reset());
afterAll(async () => {
  trace.disable();
  propagation.disable();
  await server?.close();
});

const ask = (body: unknown, headers: Record<string, string> = {}, path = '/act') =>
  fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
const ROW = { observation: [0, 0, 0, 0], priority: 1 };

async function spansOf(number: number): Promise<Record<string, ReadableSpan>> {
  await expect.poll(() => exporter.getFinishedSpans().length).toBe(number);
  return Object.fromEntries(exporter.getFinishedSpans().map((span) => [span.name, span]));
}

const ms = ([seconds, ns]: readonly [number, number]): number => seconds * 1e3 + ns / 1e6;

test('a request is a span below its caller, with its time in the queue, in the batch, and in the model', async () => {
  const before = Date.now();
  expect((await ask(ROW, { traceparent })).status).toBe(200);
  const { 'POST /act': request, queue, batch, model } = await spansOf(4);
  expect(request.kind).toBe(SpanKind.SERVER);
  for (const span of [request, queue, batch, model]) expect(span.spanContext().traceId).toBe(TRACE);
  const parents = [request, queue, batch, model].map((span) => span.parentSpanContext?.spanId);
  const [own, ofBatch] = [request.spanContext().spanId, batch.spanContext().spanId];
  expect(parents).toEqual([CALLER, own, own, ofBatch]);
  expect(request.attributes).toEqual({
    'http.response.status_code': 200,
    'operant.model': 'cart',
    'operant.model.version': '7',
    'operant.priority': 1,
  });
  expect(batch.attributes).toEqual({ 'operant.batch.rows': 1 });
  const moments = [
    ...[before - 1_000, request.startTime, queue.startTime, queue.endTime], // the clock of spans may be off by some ms
    ...[batch.startTime, model.startTime, model.endTime, batch.endTime, request.endTime, Date.now() + 1_000],
  ].map((moment) => (typeof moment === 'number' ? moment : ms(moment)));
  expect(moments).toEqual([...moments].sort((a, b) => a - b));
});

test('the open inference protocol is traced alike', async () => {
  const inputs = [{ name: 'observation', shape: [1, 4], datatype: 'FP32', data: [0, 0, 0, 0] }];
  expect((await ask({ inputs }, {}, '/v2/models/cart/infer')).status).toBe(200);
  expect(Object.keys(await spansOf(4)).sort()).toEqual(['POST /v2/models', 'batch', 'model', 'queue']);
});

test('what is refused has no stages; without a traceparent a trace begins', async () => {
  expect((await ask({ observation: [0] })).status).toBe(400);
  const { 'POST /act': request } = await spansOf(1);
  expect(request.parentSpanContext).toBeUndefined();
  expect([request.attributes, request.status.code]).toEqual([
    { 'http.response.status_code': 400 },
    SpanStatusCode.UNSET,
  ]);
});

test('a frame is a span below the caller that opened its WebSocket', async () => {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/act`, { headers: { traceparent } });
  await new Promise((resolve) => void socket.once('open', resolve));
  const frame = Buffer.alloc(8 + 16);
  frame.writeUInt16LE(1, 4);
  socket.send(frame);
  const { frame: request, model } = await spansOf(4);
  socket.terminate();
  expect(request.parentSpanContext?.spanId).toBe(CALLER);
  expect(model.spanContext().traceId).toBe(TRACE);
  expect(request.attributes).toMatchObject({ 'operant.model': 'cart', 'operant.priority': 2 });
});
