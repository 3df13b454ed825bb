/**
 * WebSockets at `/act?model=NAME&version=V`: binary frames for those who act many times a second (see frames.ts). What the server says first, and
 * again when the version has changed, is text: sizes and dtypes of rows. Frames are answered in any order. A connection is an episode of a recurrent
 * policy, or, with `&session=ID`, takes up one that may outlive it.
 */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ServeError } from '../errors.ts';
import { actionDtype, actionSize } from '../policy/policy-spec.ts';
import { type Acted, type Asked, actInSession, addStarts } from './act-in-session.ts';
import { type RequestDefaults, readPriority, readSession } from './act-route.ts';
import { countRejection, describeError, errorAnswer, pathOf } from './answers.ts';
import type { ActRequest } from './batcher.ts';
import { actionMessage, errorMessage, frameEpisode, frameId, readFrame } from './frames.ts';
import type { InFlight } from './in-flight.ts';
import type { LoadedModel } from './load-model.ts';
import type { Log } from './log.ts';
import type { ServeMetrics } from './metrics.ts';
import type { ModelRepository } from './model-repository.ts';
import type { Reply } from './reply.ts';
import type { RequestTimes } from './request-times.ts';
import type { ServedVersion } from './served-version.ts';
import type { Sessions } from './sessions.ts';
import type { Tracing } from './tracing.ts';
import { acceptWebSocket } from './web-socket-handshake.ts';
import { openLink, textFrame, type WebSocketLink } from './web-socket-link.ts';

export interface WebSockets {
  readonly count: number;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** Tells everybody that the server goes away; who does not answer that is cut off. */
  close(): void;
}

/** What holds for every request, over HTTP, too. */
export interface Admission extends Pick<InFlight, 'begin' | 'end'> {
  checkAccess(request: IncomingMessage): void;
  takeShare(request: IncomingMessage): void;
  expectOpen(): void;
}

interface WebSocketOptions extends RequestDefaults {
  readonly maxBodyBytes: number;
  readonly log: Log;
  readonly tracing: Tracing | null;
}

const PROTOCOL = 'operant.act.v1';
const ignore = (): void => undefined;
/** Half-open connections do not answer these. */
const PING_MS = 30_000;
const GOING_AWAY = 1001;

export function createWebSockets(
  models: ModelRepository,
  metrics: ServeMetrics,
  options: WebSocketOptions,
  admission: Admission,
): WebSockets {
  const links = new Set<WebSocketLink>();
  const alive = new WeakSet<WebSocketLink>();
  const pings = setInterval(() => {
    for (const link of links) {
      if (!alive.delete(link)) link.terminate();
      else link.ping();
    }
  }, PING_MS);
  pings.unref();
  const accept = (socket: Duplex, head: Buffer, request: IncomingMessage, caller: Caller): void => {
    socket.write(acceptWebSocket(request, PROTOCOL));
    if (socket instanceof Socket) socket.setTimeout(0).setNoDelay(true);
    const { tracing } = options;
    const parent = tracing?.parentOf(request.headers);
    const link = openLink(socket, head, options.maxBodyBytes, {
      alive() {
        alive.add(link);
      },
      closed() {
        links.delete(link);
        models.sessions.release(link);
      },
      message(data, isBinary) {
        const began = admission.begin();
        const trace = tracing === null ? null : tracing.begin('frame', parent, began);
        answer(data, {
          times: trace === null ? null : trace.times,
          admit() {
            if (!isBinary) throw new ServeError('SERVE_REQUEST', 400, 'Expected binary frames.');
            admission.takeShare(request);
            admission.expectOpen();
          },
          tell(status) {
            admission.end(began, status);
            trace?.end(status);
          },
        });
      },
    });
    links.add(link);
    alive.add(link);
    const answer = createFrameAnswer(link, caller, models.sessions, metrics, options);
  };
  return {
    get count() {
      return links.size;
    },
    async upgrade(request, socket, head) {
      socket.on('error', ignore); // while the model is loaded
      try {
        admission.checkAccess(request);
        admission.expectOpen();
        const caller = callerOf(models, request);
        await caller.prepare();
        caller.find();
        if (!socket.destroyed) accept(socket, head, request, caller);
      } catch (error) {
        countRejection(metrics, error);
        refuse(socket, error, options.log);
      }
    },
    close() {
      clearInterval(pings);
      for (const link of links) link.close(GOING_AWAY, 'The server is closing.');
    },
  };
}

let numConnections = 0;

interface Caller {
  /** Loads the model where it is not in memory. */
  prepare(): Promise<void> | null;
  /** The default version moves under a connection that named none. @throws ServeError `SERVE_MODEL`. */
  find(): ServedVersion;
  /** null = the connection is the session. */
  readonly session: string | null;
}

/** @throws ServeError `SERVE_PATH`, `SERVE_REQUEST`. */
function callerOf(models: ModelRepository, request: IncomingMessage): Caller {
  if (pathOf(request) !== '/act')
    throw new ServeError('SERVE_PATH', 404, 'WebSockets are opened at /act?model=NAME.');
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const [name, version, session] = ['model', 'version', 'session'].map(
    (key) => searchParams.get(key) ?? undefined,
  );
  // A connection is a session: it stays on one side of a canary.
  const own = readSession(session) ?? `connection ${(numConnections++).toString(36)}`;
  return {
    prepare: () => models.prepare(name),
    find: () => models.find(name, version, own),
    session: session ?? null,
  };
}

interface Asking {
  /** @throws where it may not ask. */
  admit(): void;
  tell(status: number): void;
  readonly times: RequestTimes | null;
}

/** @returns answers one frame, and tells its status. */
function createFrameAnswer(
  link: WebSocketLink,
  { prepare, find, session }: Caller,
  sessions: Sessions,
  metrics: ServeMetrics,
  options: WebSocketOptions,
): (frame: Buffer, asking: Asking) => void {
  let told: LoadedModel | null = null;
  let hasBegun = session !== null; // a connection's own episode begins with its first frame
  const served = (): ServedVersion => {
    const version = find();
    if (version.model !== told) link.send(textFrame(JSON.stringify(greeting(version.model))));
    told = version.model;
    return version;
  };
  served();
  const read = (model: LoadedModel, frame: Buffer, times: RequestTimes | null): ActRequest => {
    const { priority: level, observations, masks, numRows } = readFrame(model, frame);
    const priority = readPriority(level, options);
    return { observations, masks, states: null, numRows, priority, timeoutMs: options.timeoutMs, times };
  };
  const act = (frame: Buffer, times: RequestTimes | null, reply: Reply<Acted>): void => {
    const { begins, ends } = frameEpisode(frame);
    const isFirst = !hasBegun;
    hasBegun = true;
    const asked: Asked = {
      find: served,
      read(model) {
        return read(model, frame, times);
      },
      session: session ?? link,
      begins: begins || isFirst,
      ends,
    };
    actInSession(sessions, asked, reply);
  };
  return (frame, { admit, tell, times }) => {
    const reply: Reply<Acted> = {
      answer({ model, actions }) {
        const numRows = actions.length / actionSize(model.spec.distribution);
        link.send(actionMessage(frameId(frame), numRows, addStarts(model, actions)));
        tell(200);
      },
      fail(error) {
        countRejection(metrics, error);
        const described = describeError(error, options.log);
        link.send(errorMessage(frameId(frame), described));
        tell(described.status);
      },
    };
    try {
      admit();
      const loading = prepare();
      if (loading === null) act(frame, times, reply);
      else loading.then(() => act(frame, times, reply), reply.fail);
    } catch (error) {
      reply.fail(error);
    }
  };
}

function greeting({ name, version, spec, maxRows, stateSize }: LoadedModel): object {
  const { observationSize, observationDtype, actionMaskSize, distribution } = spec;
  return {
    model: name,
    version,
    observationSize,
    observationDtype,
    actionMaskSize,
    actionSize: actionSize(distribution),
    actionDtype: actionDtype(distribution),
    stateSize,
    maxRows: stateSize > 0 ? 1 : maxRows,
  };
}

function refuse(socket: Duplex, error: unknown, log: Log): void {
  const { status, body, headers = {} } = errorAnswer(error, log);
  const lines = Object.entries({ ...headers, 'content-type': 'application/json', connection: 'close' });
  const head = [`HTTP/1.1 ${status} Refused`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  socket.on('error', () => undefined);
  socket.end(`${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
