/** The listener that acts: over HTTP and WebSockets, within limits, for those who may ask. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { ServeError } from '../errors.ts';
import { type CheckAccess, createAccessCheck } from './access.ts';
import { createRouter, type RouterOptions } from './act-router.ts';
import { type Answer, countRejection, errorAnswer, pathOf, send } from './answers.ts';
import { createInFlight } from './in-flight.ts';
import type { Log } from './log.ts';
import type { ServeMetrics } from './metrics.ts';
import type { ModelRepository } from './model-repository.ts';
import { createRateLimit } from './rate-limit.ts';
import type { Reply } from './reply.ts';
import type { SecureContext } from './secure-context.ts';
import type { RequestTrace, Tracing } from './tracing.ts';
import { createWebSockets } from './web-sockets.ts';

export interface ActServerOptions extends RouterOptions {
  readonly tokens: readonly string[];
  readonly maxConnections: number;
  /** Requests a second from one address; 0 = any number. */
  readonly maxRequestsPerSecond: number;
  /** null = without TLS. */
  readonly secure: SecureContext | null;
  readonly log: Log;
  /** null = nobody traces requests. */
  readonly tracing: Tracing | null;
}

export interface ActServer {
  readonly server: Server;
  /** Requests without an answer yet. */
  readonly inFlight: number;
  readonly numWebSockets: number;
  /** Readiness goes, new requests are refused with 503. @returns when those that had begun have their answers, or have taken too long to arrive. */
  stopAccepting(): Promise<void>;
  /** Says goodbye to those who are connected still. */
  closeWebSockets(): void;
}

/** Slow and half-open clients are cut off. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
/** How often these are looked at; Node's own 30 s would let a slow client hold its connection for half a minute. */
const CHECK_MS = 1_000;

/** For the rest of a request that has begun, when the server closes. */
const ARRIVAL_MS = 1_000;

/**
 * Without a token, and while it closes: health, and the page, which holds nothing and asks for the token. By whole paths: a model may be called
 * `health`.
 */
const OPEN_PATHS = new Set(['/', '/health/live', '/health/ready', '/v2/health/live', '/v2/health/ready']);

export function createActServer(
  models: ModelRepository,
  metrics: ServeMetrics,
  options: ActServerOptions,
): ActServer {
  const inFlight = createInFlight(metrics);
  let isClosing = false;
  const expectOpen = (): void => {
    if (isClosing) throw new ServeError('SERVE_DRAINING', 503, 'The server is closing.');
  };
  const limits = createRateLimit(options.maxRequestsPerSecond);
  const checkAccess: CheckAccess = createAccessCheck(options.tokens);
  const takeShare = ({ socket }: IncomingMessage): void => {
    if (options.maxRequestsPerSecond > 0) limits.take(socket.remoteAddress ?? '', performance.now());
  };
  const expectAdmission = (request: IncomingMessage): void => {
    checkAccess(request);
    takeShare(request);
    expectOpen();
  };
  const route = createRouter(models, options, () => !isClosing);
  const answerWith = (response: ServerResponse, began: number, given: Answer, trace: Trace): void => {
    try {
      send(response, given, isClosing);
    } catch {
      response.destroy();
    }
    inFlight.end(began, given.status);
    trace?.end(given.status);
  };
  const server = createListener(options.secure, (request, response) => {
    const began = inFlight.begin();
    const trace = options.tracing === null ? null : traceOf(options.tracing, request, began);
    const reply: Reply<Answer> = {
      answer(given) {
        answerWith(response, began, given, trace);
      },
      fail(error) {
        countRejection(metrics, error);
        answerWith(response, began, errorAnswer(error, options.log), trace);
      },
    };
    try {
      const pathname = pathOf(request);
      if (!OPEN_PATHS.has(pathname)) expectAdmission(request);
      route(request, pathname, reply, trace === null ? null : trace.times);
    } catch (error) {
      reply.fail(error);
    }
  });
  const webSockets = createWebSockets(models, metrics, options, {
    checkAccess,
    takeShare,
    expectOpen,
    begin: inFlight.begin,
    end: inFlight.end,
  });
  server.on('upgrade', webSockets.upgrade);
  server.maxConnections = options.maxConnections;
  return {
    server,
    get inFlight() {
      return inFlight.count;
    },
    get numWebSockets() {
      return webSockets.count;
    },
    stopAccepting() {
      isClosing = true;
      return inFlight.settled(ARRIVAL_MS);
    },
    closeWebSockets: webSockets.close,
  };
}

type Trace = RequestTrace | null;

function traceOf(tracing: Tracing, request: IncomingMessage, began: number): RequestTrace {
  // Names are few: whoever looks for a model finds it among the attributes.
  const path = pathOf(request).replace(/^\/v2\/models\/.*$/, '/v2/models');
  return tracing.begin(`${request.method} ${path}`, tracing.parentOf(request.headers), began);
}

function createListener(
  secure: SecureContext | null,
  listener: NonNullable<Parameters<typeof createServer>[1]>,
): Server {
  const options = {
    connectionsCheckingInterval: CHECK_MS,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
  };
  if (secure === null) return createServer(options, listener);
  const server = createSecureServer({ ...secure.current(), ...options }, listener);
  secure.follow(server);
  return server;
}
