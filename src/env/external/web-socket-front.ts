/** Clients over WebSockets. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { ExternalOptions } from './external-options.ts';
import { createFrames } from './frames.ts';
import { reasonFor } from './hub.ts';
import { Garbage, PROTOCOL, readHello } from './messages.ts';
import type { Client, Front, Gate, Link } from './parties.ts';

const HELLO_SECONDS = 10;
const MAX_CLIENTS = 1024;
const MAX_MESSAGE_BYTES = 2 ** 28;
const END_MS = 1000;
/** A page on this machine, a program, or a page from a file. */
const OWN_ORIGIN = /^(null|file:\/\/.*|https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)$/;
/** Of WebSockets (RFC 6455): normal, a message that is not allowed; and ours. */
const Close = { DONE: 1000, GARBAGE: 4400, TOKEN: 4401 } as const;

/** @throws ConfigError `CONFIG_PORT` when somebody else listens there. */
export async function listenForWebSockets(options: ExternalOptions, gate: Gate): Promise<Front> {
  const { host, port, token } = options;
  const server = new WebSocketServer({
    ...{ host, port, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false },
    verifyClient: ({ origin }: { origin?: string }) =>
      token !== null || origin === undefined || OWN_ORIGIN.test(origin),
  });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error: NodeJS.ErrnoException) => reject(notListening(options, error)));
  });
  server.on('error', (error) => gate.tell(`the server: ${error.message}`));
  let isIdle = false;
  server.on('connection', (socket) => {
    if (server.clients.size > MAX_CLIENTS) socket.close(Close.GARBAGE, 'There are too many clients.');
    else serveClient(socket, options, gate);
    setRef(socket, isIdle);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    address: `ws://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    want: () => undefined,
    setIdle(value) {
      isIdle = value;
      const { _server: inner } = server as unknown as { _server: { ref(): void; unref(): void } };
      if (value) inner.unref();
      else inner.ref();
      for (const socket of server.clients) setRef(socket, value);
    },
    close() {
      server.close();
      const timer = setTimeout(() => {
        for (const socket of server.clients) socket.terminate();
      }, END_MS);
      server.once('close', () => clearTimeout(timer));
    },
  };
}

function setRef(socket: WebSocket, isIdle: boolean): void {
  const { _socket: inner } = socket as unknown as { _socket?: { ref(): void; unref(): void } };
  if (isIdle) inner?.unref();
  else inner?.ref();
}

function notListening({ host, port, reference }: ExternalOptions, error: NodeJS.ErrnoException): Error {
  const what = error.code === 'EADDRINUSE' ? 'another program listens there (another run?)' : error.message;
  return new ConfigError(
    'CONFIG_PORT',
    `${reference} cannot listen on ${host}:${port}: ${what}. Give another port: --env-options '{"port": ${port + 1}}'.`,
  );
}

function serveClient(socket: WebSocket, options: ExternalOptions, gate: Gate): void {
  let client: Client | null = null;
  let why = 'the connection ended';
  const refuse = (code: number, reason: string) => {
    why = reason;
    gate.tell(`a client was refused: ${reason}`);
    socket.send(JSON.stringify({ error: reason }));
    socket.close(code, clip(reason));
    client?.leave(reason);
  };
  const timer = setTimeout(
    () => refuse(Close.GARBAGE, `Expected a hello within ${HELLO_SECONDS} s.`),
    HELLO_SECONDS * 1000,
  ).unref();
  const frames = createFrames((bytes) => socket.send(bytes));
  const link: Link = {
    isLockstep: false,
    send: frames.send,
    end: (reason) => socket.close(Close.DONE, clip(reason)),
  };
  const greet = (hello: JsonObject) => {
    if (!isToken(options.token, hello.token)) {
      refuse(Close.TOKEN, 'Expected the `token` that the run was given.');
      return;
    }
    const description = readHello(hello);
    frames.open(() => {
      client = gate.join(description, link);
      return client;
    });
    clearTimeout(timer);
    const { stepDeadlineSeconds } = options;
    socket.send(JSON.stringify({ operant: PROTOCOL, stepDeadlineSeconds }));
  };
  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    try {
      if (isBinary) frames.read(data as Buffer);
      else if (client === null) greet(parse(data as Buffer));
      else frames.readText(parse(data as Buffer));
    } catch (error) {
      refuse(Close.GARBAGE, reasonFor(error));
    }
  });
  socket.on('error', (error) => {
    why = error.message;
  });
  socket.on('close', (code) => {
    clearTimeout(timer);
    client?.leave(code === Close.DONE ? 'it said goodbye' : why);
  });
}

function parse(data: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(data.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as JsonObject;
  } catch {}
  throw new Garbage('Expected a JSON object as a text message');
}

/** A reason has at most 123 bytes. */
function clip(reason: string): string {
  return Buffer.from(reason)
    .subarray(0, 120)
    .toString('utf8')
    .replace(/\uFFFD$/, '');
}

/** Hashes are compared, in constant time. */
function isToken(wanted: string | null, given: unknown): boolean {
  if (wanted === null) return true;
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(wanted), hash(typeof given === 'string' ? given : ''));
}
