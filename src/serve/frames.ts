/**
 * Binary frames of a WebSocket, little-endian.
 *
 * | request | bytes | |
 * | --- | --- | --- |
 * | id | u32 | chosen by the client, comes back with the answer |
 * | numRows | u16 | 1 to `maxRows` |
 * | priority | u8 | 1 is the most urgent, 0 = the default |
 * | flags | u8 | 1 = an episode begins, 2 = it is over with this step; recurrent policies alone look at them |
 * | observations | [numRows, observationSize] f32, or u8 for images | |
 * | masks | [numRows, actionMaskSize] u8 | where the policy was trained with masks |
 *
 * The answer: id u32, status u16 (200, else as over HTTP), numRows u16, then actions [numRows, actionSize] f32 or i32, or the error as JSON.
 */
import { badRequest, checkFinite } from './act-route.ts';
import type { LoadedModel } from './load-model.ts';

export const HEADER_BYTES = 8;
const BEGINS = 1;
const ENDS = 2;

export interface RequestFrame {
  readonly numRows: number;
  readonly priority: number;
  readonly observations: Float32Array | Uint8Array; // [numRows, obsSize]
  readonly masks: Uint8Array | null; // [numRows, maskSize] u8
}

/** The id alone, so that an error finds its request; 0 where not even that is there. */
export function frameId(frame: Buffer): number {
  return frame.length >= 4 ? frame.readUInt32LE(0) : 0;
}

/** Whether an episode begins or ends with it; `readFrame` checks the rest. */
export function frameEpisode(frame: Buffer): { readonly begins: boolean; readonly ends: boolean } {
  const flags = frame[7] ?? 0;
  return { begins: (flags & BEGINS) !== 0, ends: (flags & ENDS) !== 0 };
}

/** @throws ServeError `SERVE_REQUEST`. The arrays are the caller's. */
export function readFrame({ spec, maxRows }: LoadedModel, frame: Buffer): RequestFrame {
  if (frame.length < HEADER_BYTES)
    throw badRequest(`Expected a frame of at least ${HEADER_BYTES} bytes, got ${frame.length}.`);
  const numRows = frame.readUInt16LE(4);
  if (numRows < 1 || numRows > maxRows) throw badRequest(`Expected 1 to ${maxRows} rows, got ${numRows}.`);
  const flags = frame[7];
  if ((flags & ~(BEGINS | ENDS)) !== 0)
    throw badRequest(`Expected the flags of a frame, its byte 7, to be 0 to 3, got ${flags}.`);
  const { observationSize, observationDtype, actionMaskSize } = spec;
  const observationBytes = numRows * observationSize * (observationDtype === 'uint8' ? 1 : 4);
  const expected = HEADER_BYTES + observationBytes + numRows * actionMaskSize;
  if (frame.length !== expected) {
    const shape = `${numRows} rows of ${observationSize} ${observationDtype} observations${actionMaskSize > 0 ? ` and masks of ${actionMaskSize}` : ''}`;
    throw badRequest(`Expected ${expected} bytes for ${shape}, got ${frame.length}.`);
  }
  const body = Uint8Array.prototype.slice.call(frame, HEADER_BYTES); // aligned, and no longer the socket's
  const masks = actionMaskSize > 0 ? body.subarray(observationBytes) : null;
  if (masks?.some((x) => x > 1)) throw badRequest('Expected masks to hold 0 and 1 alone.');
  const observations =
    observationDtype === 'uint8'
      ? body.subarray(0, observationBytes)
      : new Float32Array(body.buffer, 0, observationBytes / 4);
  checkFinite(observations);
  return { numRows, priority: frame[6], observations, masks };
}

/** Of RFC 6455, 5.2: a binary message in one fragment. */
const BINARY = 0x82;
const [SHORT, LENGTH_U16, LENGTH_U64] = [125, 126, 127];

/**
 * The answer as a whole message of a WebSocket, for its socket itself: `ws` writes the two bytes of a message's head and the payload apart, which takes 1 us of a frame's 10.
 * A server's messages are not masked.
 */
export function actionMessage(id: number, numRows: number, actions: Float32Array | Int32Array): Buffer {
  const numBytes = HEADER_BYTES + actions.byteLength;
  const start = numBytes <= SHORT ? 2 : numBytes <= 0xffff ? 4 : 10;
  const message = Buffer.allocUnsafe(start + numBytes);
  message[0] = BINARY;
  message[1] = start === 2 ? numBytes : start === 4 ? LENGTH_U16 : LENGTH_U64;
  if (start === 4) message.writeUInt16BE(numBytes, 2);
  if (start === 10) message.writeBigUInt64BE(BigInt(numBytes), 2);
  writeHeader(message, start, id, 200, numRows);
  const bytes = new Uint8Array(actions.buffer, actions.byteOffset, actions.byteLength);
  message.set(bytes, start + HEADER_BYTES);
  return message;
}

export function errorFrame(
  id: number,
  { status, code, message }: { readonly status: number; readonly code: string; readonly message: string },
): Buffer {
  const text = Buffer.from(JSON.stringify({ error: message, code }));
  const frame = Buffer.allocUnsafe(HEADER_BYTES + text.length);
  writeHeader(frame, 0, id, status, 0);
  frame.set(text, HEADER_BYTES);
  return frame;
}

function writeHeader(frame: Buffer, at: number, id: number, status: number, numRows: number): void {
  frame.writeUInt32LE(id, at);
  frame.writeUInt16LE(status, at + 4);
  frame.writeUInt16LE(numRows, at + 6);
}
