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
import { binaryFrame } from './web-socket-link.ts';

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

/** @param frame at any address. @returns views of it, or a copy where floats do not lie at a multiple of four @throws ServeError `SERVE_REQUEST`. */
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
  const end = HEADER_BYTES + observationBytes;
  const masks = actionMaskSize > 0 ? bytesOf(frame, end, frame.length) : null;
  if (masks?.some((x) => x > 1)) throw badRequest('Expected masks to hold 0 and 1 alone.');
  const observations =
    observationDtype === 'uint8'
      ? bytesOf(frame, HEADER_BYTES, end)
      : floatsOf(bytesOf(frame, HEADER_BYTES, end));
  checkFinite(observations);
  return { numRows, priority: frame[6], observations, masks };
}

/** Not a Buffer, whose `slice` is no copy. */
const bytesOf = ({ buffer, byteOffset }: Buffer, start: number, end: number) =>
  new Uint8Array(buffer, byteOffset + start, end - start);

function floatsOf(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** The answer as a whole message of a WebSocket, head and payload in one. */
export function actionMessage(id: number, numRows: number, actions: Float32Array | Int32Array): Buffer {
  const { frame, start } = binaryFrame(HEADER_BYTES + actions.byteLength);
  writeHeader(frame, start, id, 200, numRows);
  frame.set(new Uint8Array(actions.buffer, actions.byteOffset, actions.byteLength), start + HEADER_BYTES);
  return frame;
}

/** Likewise. */
export function errorMessage(
  id: number,
  { status, code, message }: { readonly status: number; readonly code: string; readonly message: string },
): Buffer {
  const text = Buffer.from(JSON.stringify({ error: message, code }));
  const { frame, start } = binaryFrame(HEADER_BYTES + text.length);
  writeHeader(frame, start, id, status, 0);
  frame.set(text, start + HEADER_BYTES);
  return frame;
}

function writeHeader(frame: Buffer, at: number, id: number, status: number, numRows: number): void {
  frame.writeUInt32LE(id, at);
  frame.writeUInt16LE(status, at + 4);
  frame.writeUInt16LE(numRows, at + 6);
}
