/**
 * A WebSocket that is open, on its socket itself. Frames that came in one read are answered in one write, at the end of the turn, and only some of a connection are read a
 * turn: whoever sends thousands at once does not keep the others, urgent ones, waiting.
 */
import type { Duplex } from 'node:stream';
import { createMessageReader } from './message-reader.ts';

export interface WebSocketLink {
  /** Neither side has said goodbye. */
  readonly isOpen: boolean;
  /** Sends a message or a control frame; see `messageHead`. Not sent where it is not open any more. */
  send(frame: Buffer): void;
  ping(): void;
  /** Says goodbye, waits a moment for the client's, and ends. */
  close(code: number, reason: string): void;
  /** Cuts it off. */
  terminate(): void;
}

export interface LinkEvents {
  /** @param data the listener's own, at any address. */
  message(data: Buffer, isBinary: boolean): void;
  /** A message, or an answer to a ping, has come. */
  alive(): void;
  /** Once, whoever closed it. */
  closed(): void;
}

/** Of one connection a turn of the event loop. */
const FRAMES_A_TURN = 8;
/** A client that sends and does not read is cut off. */
const MAX_UNREAD_BYTES = 16 * 2 ** 20;
/** For the rest of a connection that ends. */
const GRACE_MS = 1_000;
const NORMAL = 1000;
/** Of RFC 6455, 5.2: whole frames, not masked, which is a server's right. */
const [TEXT, BINARY, CLOSE, PING, PONG] = [0x81, 0x82, 0x88, 0x89, 0x8a];
const [SHORT, LENGTH_U16, LENGTH_U64] = [125, 126, 127];

/** @param stream of a client that has its 101, and has nothing else yet. @param head what it had sent by then. */
export function openLink(stream: Duplex, head: Buffer, maxBytes: number, events: LinkEvents): WebSocketLink {
  let isOpen = true;
  let isReading = true; // not waiting for its next turn
  let unsent: Buffer[] = [];
  const flush = (): void => {
    const frames = unsent;
    unsent = [];
    if (stream.writable) stream.write(frames.length === 1 ? frames[0] : Buffer.concat(frames));
    if (stream.writableLength > MAX_UNREAD_BYTES) stream.destroy();
  };
  const write = (frame: Buffer): void => {
    if (unsent.push(frame) === 1) atTickEnd(flush);
  };
  const end = (code: number, reason = ''): void => {
    if (!isOpen) return;
    isOpen = false;
    write(closeFrame(code, reason));
    letGo(stream);
  };
  const finish = (): void => {
    process.nextTick(() => stream.end()); // behind what is written at the end of this tick
  };
  const reader = createMessageReader(maxBytes, {
    message(data, isBinary) {
      events.alive();
      if (isOpen) events.message(data, isBinary);
    },
    ping(data) {
      if (isOpen) write(frameOf(PONG, data));
    },
    pong: events.alive,
    closed(code) {
      end(code ?? NORMAL);
      finish();
    },
    failed(code) {
      end(code);
      finish();
    },
  });
  const readSome = (): void => {
    isReading = !reader.read(FRAMES_A_TURN);
    if (isReading) return;
    stream.pause();
    setImmediate(readOn);
  };
  const readOn = (): void => {
    if (stream.destroyed) return;
    readSome();
    if (isReading) stream.resume();
  };
  stream.on('data', (chunk: Buffer) => {
    reader.add(chunk);
    if (isReading) readSome();
  });
  stream.on('end', () => {
    isOpen = false;
    letGo(stream.end()); // which waits for what was written to be read
  });
  stream.on('error', () => stream.destroy());
  stream.on('close', () => {
    isOpen = false;
    events.closed();
  });
  if (head.length > 0) stream.unshift(head);
  return {
    get isOpen() {
      return isOpen;
    },
    send(frame) {
      if (isOpen) write(frame);
    },
    ping() {
      if (isOpen) write(frameOf(PING, NOTHING));
    },
    close: end,
    terminate() {
      stream.destroy();
    },
  };
}

const NOTHING = Buffer.alloc(0);

/** A client that does not read must not keep it. */
const letGo = (stream: Duplex): void => void setTimeout(() => stream.destroy(), GRACE_MS).unref();

let tasks: (() => void)[] = [];

/** When what runs now is through, before anything else is read. */
function atTickEnd(task: () => void): void {
  if (tasks.push(task) === 1) process.nextTick(runAll);
}

function runAll(): void {
  const now = tasks;
  tasks = [];
  for (const task of now) task();
}

/** @returns a binary message of so many bytes, these not written yet, and where they begin. */
export function binaryFrame(numBytes: number): { readonly frame: Buffer; readonly start: number } {
  return emptyFrame(BINARY, numBytes);
}

export const textFrame = (text: string): Buffer => frameOf(TEXT, Buffer.from(text));

function closeFrame(code: number, reason: string): Buffer {
  const data = Buffer.from(`  ${reason}`);
  data.writeUInt16BE(code, 0);
  return frameOf(CLOSE, data);
}

function frameOf(opcode: number, data: Buffer): Buffer {
  const { frame, start } = emptyFrame(opcode, data.length);
  frame.set(data, start);
  return frame;
}

function emptyFrame(opcode: number, numBytes: number): { readonly frame: Buffer; readonly start: number } {
  const start = numBytes <= SHORT ? 2 : numBytes <= 0xffff ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + numBytes);
  frame[0] = opcode;
  frame[1] = start === 2 ? numBytes : start === 4 ? LENGTH_U16 : LENGTH_U64;
  if (start === 4) frame.writeUInt16BE(numBytes, 2);
  if (start === 10) frame.writeBigUInt64BE(BigInt(numBytes), 2);
  return { frame, start };
}
