/** Answers over HTTP: JSON, errors as JSON, and bodies that are read within a bound. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { isOperantError, ServeError } from '../errors.ts';
import { badRequest } from './act-route.ts';
import type { Log } from './log.ts';
import type { ServeMetrics } from './metrics.ts';
import type { Reply } from './reply.ts';
import { atTurnEnd } from './turn-end.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const asJson = (value: unknown, status = 200): Answer => ({ status, body: JSON.stringify(value) });

/** Bounded before it is parsed, whatever the client says of its length. Answers at the end of this turn of the event loop or later. */
export function readJson(request: IncomingMessage, maxBytes: number, reply: Reply<unknown>): void {
  atTurnEnd(() => {
    // Most bodies come with their headers. Whole ones are taken as they lie there: events of a stream take longer than to parse them.
    if (request.complete) parse((request.read() as Buffer | null) ?? NOTHING, maxBytes, reply);
    else if (request.destroyed) reply.fail(goneAway());
    else collect(request, maxBytes, reply);
  });
}

const NOTHING = Buffer.alloc(0);

function collect(request: IncomingMessage, maxBytes: number, reply: Reply<unknown>): void {
  const chunks: Buffer[] = [];
  let size = 0;
  let isOver = false;
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    chunks.push(chunk);
    if (size <= maxBytes) return;
    // The answer goes out over the same connection, so it is not cut off with the body.
    request.off('data', take).pause();
    fail(tooLarge(maxBytes));
  };
  const fail = (error: unknown): void => {
    if (isOver) return; // a client that is refused may go away, too
    isOver = true;
    reply.fail(error);
  };
  request.on('data', take).on('error', fail);
  request.on('end', () => {
    if (isOver) return;
    isOver = true;
    parse(Buffer.concat(chunks), maxBytes, reply);
  });
}

function parse(body: Buffer, maxBytes: number, reply: Reply<unknown>): void {
  if (body.length > maxBytes) reply.fail(tooLarge(maxBytes));
  else {
    let value: unknown;
    try {
      value = JSON.parse(body.toString('utf8'));
    } catch {
      reply.fail(badRequest('The body is not JSON.'));
      return;
    }
    reply.answer(value);
  }
}

const tooLarge = (maxBytes: number) =>
  new ServeError('SERVE_BODY', 413, `Expected a body of at most ${maxBytes} bytes.`);

const goneAway = () => Object.assign(new Error('The client went away.'), { code: 'ECONNRESET' });

/** What a client is told of an error; what is the server's own is logged and not told. */
export function describeError(
  error: unknown,
  log: Log,
): { readonly status: number; readonly code: string; readonly message: string } {
  if (error instanceof ServeError) {
    const { status, code, message } = error;
    if (status >= 500) log('error', 'request failed', { code, message });
    return { status, code, message };
  }
  if (error instanceof URIError)
    return { status: 400, code: 'SERVE_PATH', message: 'The path is not well encoded.' };
  // Nobody reads this; it is counted, and is no failure of the server.
  if ((error as NodeJS.ErrnoException)?.code === 'ECONNRESET')
    return { status: 400, code: 'SERVE_REQUEST', message: 'The client went away.' };
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log('error', 'request failed', { code: isOperantError(error) ? error.code : null, reason });
  return { status: 500, code: 'SERVE_FAILED', message: 'The server failed.' };
}

export function errorAnswer(error: unknown, log: Log): Answer {
  const { status, code, message } = describeError(error, log);
  const headers: Record<string, string> = {};
  if (status === 429 || status === 503) headers['retry-after'] = '1';
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  // The protocol v2 wants `error` to be text; its clients show this.
  return { ...asJson({ error: message, code }, status), headers };
}

/** Counts why a model was not asked, for those errors that say so. */
export function countRejection(metrics: ServeMetrics, error: unknown): void {
  const reason = error instanceof ServeError ? REASONS[error.code] : undefined;
  if (reason !== undefined) metrics.countRejection(reason);
}

const REASONS: Readonly<Record<string, string>> = {
  SERVE_QUEUE_FULL: 'full',
  SERVE_TIMEOUT: 'timeout',
  SERVE_BREAKER: 'breaker',
  SERVE_DRAINING: 'draining',
  SERVE_RATE: 'rate',
  SERVE_LOAD: 'load',
  SERVE_MEMORY: 'memory',
  SERVE_SESSION_UNKNOWN: 'session',
  SERVE_SESSION_STATE: 'session',
  SERVE_SESSIONS_FULL: 'sessions',
  SERVE_TOKEN: 'token',
  SERVE_ORIGIN: 'origin',
};

export function send(response: ServerResponse, answer: Answer, isClosing: boolean): void {
  const { status, body, type = 'application/json', headers } = answer;
  const plain: OutgoingHttpHeaders = {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
  };
  // What was not read of a body that is too large would be taken for the next request.
  if (isClosing || status === 413) plain.connection = 'close';
  response.writeHead(status, headers === undefined ? plain : { ...plain, ...headers });
  const { socket } = response;
  if (socket === null)
    response.end(body); // an answer before it is on its way
  else {
    // Head and body in one write; `end(body)` makes it a list of two, which takes a microsecond more.
    socket.cork();
    response.write(body);
    socket.uncork();
    response.end();
  }
}

/** Without what stands behind it. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
