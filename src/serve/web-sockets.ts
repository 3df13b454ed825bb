/**
 * WebSockets at `/act?model=NAME&version=V`: binary frames for those who act many times a second (see frames.ts). What the server says first, and
 * again when the version has changed, is text: sizes and dtypes of rows. Frames are answered in any order.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { ServeError } from '../errors.ts';
import { actionDtype, actionSize } from '../policy/policy-spec.ts';
import { type RequestDefaults, readPriority } from './act-route.ts';
import { actRows } from './act-rows.ts';
import { countRejection, describeError, errorAnswer, pathOf } from './answers.ts';
import { actionFrame, errorFrame, frameId, readFrame } from './frames.ts';
import type { LoadedModel } from './load-model.ts';
import type { Log } from './log.ts';
import type { ServeMetrics } from './metrics.ts';
import type { ModelRepository } from './model-repository.ts';
import type { ServedVersion } from './served-version.ts';

export interface WebSockets {
  readonly count: number;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Tells everybody that the server goes away; who does not answer that is cut off. */
  close(): void;
}

/** What holds for every request, over HTTP, too. */
export interface Admission {
  checkAccess(request: IncomingMessage): void;
  takeShare(request: IncomingMessage): void;
  expectOpen(): void;
  count(answer: () => Promise<number>): Promise<void>;
}

interface WebSocketOptions extends RequestDefaults {
  readonly maxBodyBytes: number;
  readonly log: Log;
}

const PROTOCOL = 'operant.act.v1';
/** Half-open connections do not answer these. */
const PING_MS = 30_000;
/** A client that sends and does not read is cut off. */
const MAX_UNREAD_BYTES = 16 * 2 ** 20;
const GOING_AWAY = 1001;
const GRACE_MS = 1_000;

export function createWebSockets(
  models: ModelRepository,
  metrics: ServeMetrics,
  options: WebSocketOptions,
  admission: Admission,
): WebSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxBodyBytes,
    perMessageDeflate: false,
    handleProtocols: (protocols) => (protocols.has(PROTOCOL) ? PROTOCOL : false),
  });
  const alive = new WeakSet<WebSocket>();
  const pings = setInterval(() => {
    for (const socket of server.clients) {
      if (!alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }, PING_MS);
  pings.unref();
  const accept = (socket: WebSocket, request: IncomingMessage, find: () => ServedVersion): void => {
    const answer = createFrameAnswer(socket, find, metrics, options);
    alive.add(socket);
    socket.on('pong', () => void alive.add(socket));
    socket.on('error', () => undefined); // a frame that is no frame closes it, with a code
    socket.on('message', (data: RawData, isBinary: boolean) => {
      void admission.count(() =>
        answer(data as Buffer, () => {
          if (!isBinary) throw new ServeError('SERVE_REQUEST', 400, 'Expected binary frames.');
          admission.takeShare(request);
          admission.expectOpen();
        }),
      );
    });
  };
  return {
    get count() {
      return server.clients.size;
    },
    upgrade(request, socket, head) {
      try {
        admission.checkAccess(request);
        admission.expectOpen();
        const find = finderOf(models, request);
        find();
        server.handleUpgrade(request, socket, head, (webSocket) => accept(webSocket, request, find));
      } catch (error) {
        countRejection(metrics, error);
        refuse(socket, error, options.log);
      }
    },
    close() {
      clearInterval(pings);
      for (const socket of server.clients) socket.close(GOING_AWAY, 'The server is closing.');
      setTimeout(() => {
        for (const socket of server.clients) socket.terminate();
      }, GRACE_MS).unref();
    },
  };
}

let numConnections = 0;

/** The default version moves under a connection that named none. @throws ServeError `SERVE_PATH`, `SERVE_MODEL`. */
function finderOf(models: ModelRepository, request: IncomingMessage): () => ServedVersion {
  if (pathOf(request) !== '/act')
    throw new ServeError('SERVE_PATH', 404, 'WebSockets are opened at /act?model=NAME.');
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const [name, version, session] = ['model', 'version', 'session'].map(
    (key) => searchParams.get(key) ?? undefined,
  );
  // A connection is a session: it stays on one side of a canary.
  const own = session ?? `connection ${(numConnections++).toString(36)}`;
  return () => models.find(name, version, own);
}

/** @returns answers one frame, and gives its status. */
function createFrameAnswer(
  socket: WebSocket,
  find: () => ServedVersion,
  metrics: ServeMetrics,
  options: WebSocketOptions,
): (frame: Buffer, admit: () => void) => Promise<number> {
  let told: LoadedModel | null = null;
  const served = (): ServedVersion => {
    const version = find();
    if (version.model !== told) socket.send(JSON.stringify(greeting(version.model)));
    told = version.model;
    return version;
  };
  const send = (frame: Buffer): void => {
    if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.terminate();
    else socket.send(frame);
  };
  served();
  return async (frame, admit) => {
    try {
      admit();
      const version = served();
      const { id, numRows, priority, observations, masks } = readFrame(version.model, frame);
      const { timeoutMs } = options;
      const actions = await actRows(version, {
        observations,
        masks,
        numRows,
        priority: readPriority(priority, options),
        timeoutMs,
      });
      send(actionFrame(id, numRows, actions));
      return 200;
    } catch (error) {
      countRejection(metrics, error);
      const described = describeError(error, options.log);
      send(errorFrame(frameId(frame), described));
      return described.status;
    }
  };
}

function greeting({ name, version, spec, maxRows }: LoadedModel): object {
  const { observationSize, observationDtype, actionMaskSize, distribution } = spec;
  return {
    model: name,
    version,
    observationSize,
    observationDtype,
    actionMaskSize,
    actionSize: actionSize(distribution),
    actionDtype: actionDtype(distribution),
    maxRows,
  };
}

function refuse(socket: Duplex, error: unknown, log: Log): void {
  const { status, body, headers = {} } = errorAnswer(error, log);
  const lines = Object.entries({ ...headers, 'content-type': 'application/json', connection: 'close' });
  const head = [`HTTP/1.1 ${status} Refused`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  socket.on('error', () => undefined);
  socket.end(`${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
