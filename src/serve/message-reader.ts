/**
 * Messages out of the bytes that a client of a WebSocket sends: RFC 6455, section 5, without extensions. A frame is read where it lies in what the system gave, and taken off its
 * mask there: whoever is refused costs no copy, and the less memory comes and goes, the less often the server stands still to look for what is unused.
 */
import { isUtf8 } from 'node:buffer';
import { BINARY, CONTINUATION, MASK_BYTES, PING, PONG, readFrameHead, TEXT } from './frame-head.ts';
import { createHeldBytes } from './held-bytes.ts';

export interface MessageSink {
  /** @param data the sink's own, at any address; it keeps what came with it in memory, 64 KiB or less beside the message. */
  message(data: Buffer, isBinary: boolean): void;
  ping(data: Buffer): void;
  pong(): void;
  /** The client says goodbye. Nothing is read after it. @param code null = it gave none. */
  closed(code: number | null): void;
  /** What it sent is none of these. Nothing is read after it. @param code of a close frame. */
  failed(code: FailureCode): void;
}

/** 1002 = not the protocol, 1007 = not UTF-8, 1009 = too large. */
export type FailureCode = 1002 | 1007 | 1009;

export interface MessageReader {
  /** Takes bytes as they come. */
  add(chunk: Buffer): void;
  /** Reads at most so many frames of what it has. @returns whether there may be another whole one. */
  read(numFrames: number): boolean;
}

/** @param maxBytes of a message, all its fragments together. */
export function createMessageReader(maxBytes: number, sink: MessageSink): MessageReader {
  const held = createHeldBytes();
  const messages = createMessages(sink);
  const readOne = (): boolean => {
    const { bytes } = held;
    const head = readFrameHead(bytes, messages.isWithin);
    if (head === null) return false;
    if (head === 'none') return messages.fail(1002);
    const { opcode, isControl, isLast, start, numBytes } = head;
    // Refused by what it says of itself, before any of it is kept.
    if (!isControl && messages.numBytes + numBytes > maxBytes) return messages.fail(1009);
    if (bytes.length < start + numBytes) return false;
    const data = unmasked(bytes, start, numBytes);
    held.drop(start + numBytes);
    if (isControl) messages.takeControl(opcode, data);
    else messages.takeData(opcode, isLast, data);
    return true;
  };
  return {
    add: held.add,
    read(numFrames) {
      let isMore = true;
      for (let n = 0; n < numFrames && isMore; n++) isMore = !messages.isOver && readOne();
      if (messages.isOver) held.drop(held.bytes.length);
      return isMore && held.bytes.length > 0;
    },
  };
}

interface Messages {
  /** Goodbye was said, or something that is not the protocol. */
  readonly isOver: boolean;
  /** Of a message whose last fragment has not come. */
  readonly isWithin: boolean;
  readonly numBytes: number;
  takeData(opcode: number, isLast: boolean, data: Buffer): void;
  takeControl(opcode: number, data: Buffer): void;
  fail(code: FailureCode): false;
}

function createMessages(sink: MessageSink): Messages {
  const parts = createHeldBytes();
  let first = CONTINUATION; // opcode of the fragment that `parts` begins with
  let isOver = false;
  const fail = (code: FailureCode): false => {
    isOver = true;
    sink.failed(code);
    return false;
  };
  const deliver = (opcode: number, data: Buffer): void => {
    if (opcode === TEXT && !isUtf8(data)) fail(1007);
    else sink.message(data, opcode === BINARY);
  };
  return {
    get isOver() {
      return isOver;
    },
    get isWithin() {
      return first !== CONTINUATION;
    },
    get numBytes() {
      return parts.bytes.length;
    },
    takeData(opcode, isLast, data) {
      if (isLast && opcode !== CONTINUATION) return deliver(opcode, data);
      parts.add(data);
      if (opcode !== CONTINUATION) first = opcode;
      if (!isLast) return;
      const whole = Buffer.from(parts.bytes);
      const begun = first;
      parts.drop(whole.length);
      first = CONTINUATION;
      deliver(begun, whole);
    },
    takeControl(opcode, data) {
      if (opcode === PING) return sink.ping(data);
      if (opcode === PONG) return sink.pong();
      const code = data.length === 0 ? null : data.readUInt16BE(0);
      if (code !== null && !isCloseCode(code)) return void fail(1002);
      if (!isUtf8(data.subarray(2))) return void fail(1007);
      isOver = true;
      sink.closed(code);
    },
    fail,
  };
}

/** Shorter than this it is not worth to look at four bytes at a time. */
const WORDS_FROM = 48;
/** A mask as a word that begins where the words of its data do. */
const turned = new Uint8Array(MASK_BYTES);
const turnedWord = new Uint32Array(turned.buffer);

/** Takes data off their mask where they lie: nobody else has these bytes, and nothing is read from them again. */
function unmasked(bytes: Buffer, start: number, numBytes: number): Buffer {
  const data = bytes.subarray(start, start + numBytes);
  const mask = bytes.subarray(start - MASK_BYTES, start);
  let k = 0;
  if (numBytes >= WORDS_FROM) {
    for (; (data.byteOffset + k) % 4 !== 0; k++) data[k] ^= mask[k];
    const words = new Uint32Array(data.buffer, data.byteOffset + k, (numBytes - k) >> 2);
    for (let j = 0; j < MASK_BYTES; j++) turned[j] = mask[(j + k) & 3];
    for (let w = 0; w < words.length; w++) words[w] ^= turnedWord[0];
    k += words.length * 4;
  }
  for (; k < numBytes; k++) data[k] ^= mask[k & 3];
  return data;
}

const MEANT_FOR_NOBODY = [1004, 1005, 1006];

/** Those that may be sent: RFC 6455, 7.4. */
function isCloseCode(code: number): boolean {
  const isProtocols = code >= 1000 && code <= 1014 && !MEANT_FOR_NOBODY.includes(code);
  return isProtocols || (code >= 3000 && code <= 4999);
}
