/** The listener that acts: routes, limits, tokens, errors as JSON. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isOperantError, ServeError } from '../errors.ts';
import { answerAct, badRequest, type RequestDefaults } from './act-route.ts';
import { answerInfer, modelMetadata, serverMetadata } from './inference-v2.ts';
import type { ServeMetrics } from './metrics.ts';
import type { ModelRepository } from './model-repository.ts';
import { openApiDocument } from './open-api.ts';
import { TRY_PAGE } from './try-page.ts';

export interface ActServerOptions extends RequestDefaults {
  readonly tokens: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  log(level: 'info' | 'error', event: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface ActServer {
  readonly server: Server;
  /** Requests without an answer yet. */
  readonly inFlight: number;
  /** Readiness goes, new requests are refused with 503. */
  stopAccepting(): void;
}

/** Slow and half-open clients are cut off. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;

/** Without a token, and while it closes. By whole paths: a model may be called `health`. */
const OPEN_PATHS = new Set(['/health/live', '/health/ready', '/v2/health/live', '/v2/health/ready']);

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function createActServer(
  models: ModelRepository,
  metrics: ServeMetrics,
  options: ActServerOptions,
): ActServer {
  const isAllowed = createTokenCheck(options.tokens);
  let inFlight = 0;
  let isClosing = false;
  const route = createRouter(models, options, () => !isClosing);
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const pathname = pathOf(request);
    const isOpen = OPEN_PATHS.has(pathname);
    if (!isOpen && !isAllowed(request.headers.authorization)) {
      throw new ServeError(
        'SERVE_TOKEN',
        401,
        'Expected `Authorization: Bearer <token>` with a token of this server.',
      );
    }
    if (isClosing && !isOpen) throw new ServeError('SERVE_DRAINING', 503, 'The server is closing.');
    return route(request, pathname);
  };
  const server = createServer((request, response) => {
    const began = performance.now();
    inFlight += 1;
    answer(request)
      .catch((error: unknown) => errorAnswer(error, options.log))
      .then((given) => send(response, given, isClosing))
      .catch(() => response.destroy())
      .finally(() => {
        inFlight -= 1;
        metrics.countRequest(response.statusCode, (performance.now() - began) / 1000);
      });
  });
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.maxConnections = options.maxConnections;
  return {
    server,
    get inFlight() {
      return inFlight;
    },
    stopAccepting() {
      isClosing = true;
    },
  };
}

const MODEL_PATH = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/ready|\/infer)?$/;
const asJson = (value: unknown, status = 200): Answer => ({ status, body: JSON.stringify(value) });

function createRouter(models: ModelRepository, options: ActServerOptions, isReady: () => boolean) {
  const readBody = (request: IncomingMessage) => readJson(request, options.maxBodyBytes);
  const ofModel = async (request: IncomingMessage, path: RegExpExecArray): Promise<Answer> => {
    const [name, version] = [decodeURIComponent(path[1]), path[2] && decodeURIComponent(path[2])];
    if (path[3] === '/infer') {
      expectMethod(request, 'POST');
      return asJson(
        await answerInfer(models, options, [name, version || undefined], await readBody(request)),
      );
    }
    expectMethod(request, 'GET');
    const { model } = models.find(name, version || undefined);
    if (path[3] === '/ready') return asJson({ ready: isReady() });
    const versions = models
      .list()
      .filter((entry) => entry.name === name)
      .map((entry) => entry.version);
    return asJson(modelMetadata(model, versions));
  };
  const fixed: Readonly<Record<string, () => Answer>> = {
    '/': () => ({ status: 200, body: TRY_PAGE, type: 'text/html; charset=utf-8' }),
    '/openapi.json': () => asJson(openApiDocument()),
    '/models': () =>
      asJson(models.list().map(({ name, version, isDefault }) => ({ name, version, isDefault }))),
    '/v2': () => asJson(serverMetadata()),
    '/health/live': () => asJson({ live: true }),
    '/v2/health/live': () => asJson({ live: true }),
    '/health/ready': () => asJson({ ready: isReady() }, isReady() ? 200 : 503),
    '/v2/health/ready': () => asJson({ ready: isReady() }, isReady() ? 200 : 503),
  };
  return async (request: IncomingMessage, pathname: string): Promise<Answer> => {
    if (pathname === '/act') {
      expectMethod(request, 'POST');
      return asJson(await answerAct(models, options, await readBody(request)));
    }
    if (Object.hasOwn(fixed, pathname)) {
      expectMethod(request, 'GET');
      return fixed[pathname]();
    }
    const path = MODEL_PATH.exec(pathname);
    if (path !== null) return ofModel(request, path);
    throw new ServeError('SERVE_PATH', 404, `Nothing at ${pathname}; /openapi.json says what there is.`);
  };
}

/** Without what stands behind it. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0];
}

function expectMethod({ method }: IncomingMessage, expected: 'GET' | 'POST'): void {
  if (method === expected) return;
  throw new ServeError('SERVE_METHOD', 405, `Expected ${expected}, got ${method}.`);
}

/** Bounded before it is parsed, whatever the client says of its length. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  // The answer goes out over the same connection, so it is not cut off with the body.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > maxBytes)
      throw new ServeError('SERVE_BODY', 413, `Expected a body of at most ${maxBytes} bytes.`);
    chunks.push(chunk as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw badRequest('The body is not JSON.');
  }
}

/** Hashes are compared, in constant time: neither length nor content of a token shows in how long it takes. */
export function createTokenCheck(tokens: readonly string[]): (header: string | undefined) => boolean {
  if (tokens.length === 0) return () => true;
  const hash = (text: string) => createHash('sha256').update(text).digest();
  const known = tokens.map(hash);
  return (header = '') => {
    const given = hash(header.replace(/^Bearer /i, ''));
    return known.map((token) => timingSafeEqual(token, given)).includes(true);
  };
}

export function errorAnswer(error: unknown, log: ActServerOptions['log']): Answer {
  if (error instanceof ServeError) {
    const { status, code, message } = error;
    if (status >= 500) log('error', 'request failed', { code, message });
    const headers: Record<string, string> = {};
    if (status === 429 || status === 503) headers['retry-after'] = '1';
    if (status === 401) headers['www-authenticate'] = 'Bearer';
    // The protocol v2 wants `error` to be text; its clients show this.
    return { ...asJson({ error: message, code }, status), headers };
  }
  if (error instanceof URIError)
    return asJson({ error: 'The path is not well encoded.', code: 'SERVE_PATH' }, 400);
  // Nobody reads this; it is counted, and is no failure of the server.
  if ((error as NodeJS.ErrnoException)?.code === 'ECONNRESET')
    return asJson({ error: 'The client went away.', code: 'SERVE_REQUEST' }, 400);
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log('error', 'request failed', { code: isOperantError(error) ? error.code : null, reason });
  return asJson({ error: 'The server failed.', code: 'SERVE_FAILED' }, 500);
}

export function send(response: ServerResponse, answer: Answer, isClosing: boolean): void {
  const { status, body, type = 'application/json', headers = {} } = answer;
  // What was not read of a body that is too large would be taken for the next request.
  const mustClose = isClosing || status === 413;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...(mustClose && { connection: 'close' }),
    ...headers,
  });
  response.end(body);
}
