/**
 * Frames between learner, bridge and rollout process: 40 bytes, little-endian, then the payload. `ray_bridge.py` has the same.
 *
 *     u32 magic | u16 protocol | u8 type | u8 flags | u64 payloadLength | u64 requestId | u32 host | u32 incarnation | u32 version | u32 crc32
 *
 * The checksum is of the payload and goes from end to end: who makes a payload computes it, who reads it checks it, and the bridge
 * between them only hands it on.
 *
 * A fragment need not travel through a pipe: where a frame's flags say so, its payload lies in memory that both sides share, and what follows the header is
 * where: u64 offset, u64 length. The checksum is of what lies there.
 */
import { crc32 } from 'node:zlib';

export const FrameType = {
  /** Learner to bridge: connect to the cluster (JSON). */
  INIT: 1,
  /** Bridge to learner: connected; what the cluster is (JSON). */
  READY: 2,
  /** Learner to bridge: make the actor of `host`, and in it a rollout process. Its answer is what the process says of itself (JSON). */
  OPEN: 3,
  /** Weights of `version`, as they lie in a slot of the weight buffer. */
  WEIGHTS: 4,
  /** To a rollout process; `version` are the weights that it needs, 0 = none. */
  REQUEST: 5,
  REPLY: 6,
  /** The request that has this number came to nothing (JSON). */
  FAILED: 7,
  /** To a rollout process, which does not answer. */
  NOTIFY: 8,
  PING: 9,
  /** Learner to bridge: end the actor of `host`. */
  CLOSE: 10,
  STOP: 11,
  /** Learner to bridge: what nodes there are now. The answer is JSON. */
  NODES: 12,
} as const;

export type FrameCode = (typeof FrameType)[keyof typeof FrameType];

/** Flag of a request: its answer may lie in shared memory. Of an answer: it does. */
export const SHARED = 1;

export interface FrameHeader {
  readonly type: FrameCode;
  readonly requestId: number;
  readonly host: number;
  /** Of the host's rollout process, counted from 1: answers of an earlier one are nobody's. */
  readonly incarnation: number;
  /** Of weights, counted from 1; 0 = none. */
  readonly version: number;
  /** Absent = 0. */
  readonly flags?: number;
}

export interface Frame extends FrameHeader {
  readonly payload: Buffer;
  /** False when the payload is not what was sent. */
  readonly isIntact: boolean;
}

const MAGIC = 0x4652504f; // 'OPRF'
const PROTOCOL = 1;
const HEADER_BYTES = 40;
/** More than this is no frame of ours: WebAssembly memory ends at 4 GiB, and a fragment is a part of it. */
const MAX_PAYLOAD = 2 ** 32;

const hasChecksum = ({ type }: FrameHeader) =>
  type === FrameType.REPLY || type === FrameType.REQUEST || type === FrameType.WEIGHTS;

/**
 * Header of a frame with this payload, in parts. 40 bytes
 *
 * @param wireLength of what follows the header, where that is not the payload.
 */
export function encodeHeader(
  header: FrameHeader,
  payload: readonly Uint8Array[],
  wireLength = totalBytes(payload),
): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(PROTOCOL, 4);
  bytes.writeUInt8(header.type, 6);
  bytes.writeUInt8(header.flags ?? 0, 7);
  bytes.writeBigUInt64LE(BigInt(wireLength), 8);
  bytes.writeBigUInt64LE(BigInt(header.requestId), 16);
  bytes.writeUInt32LE(header.host, 24);
  bytes.writeUInt32LE(header.incarnation, 28);
  bytes.writeUInt32LE(header.version, 32);
  bytes.writeUInt32LE(hasChecksum(header) ? checksumOf(payload) : 0, 36);
  return bytes;
}

export const totalBytes = (parts: readonly Uint8Array[]) => parts.reduce((sum, part) => sum + part.length, 0);

const checksumOf = (parts: readonly Uint8Array[]) => parts.reduce((sum, part) => crc32(part, sum), 0);

const PLACE_BYTES = 16;

/** Where a payload lies in shared memory, as it travels. */
export function encodePlace(offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(PLACE_BYTES);
  bytes.writeBigUInt64LE(BigInt(offset), 0);
  bytes.writeBigUInt64LE(BigInt(length), 8);
  return bytes;
}

/** Reads what lies in shared memory: the same bytes until the next but one answer of the same host. */
export type ReadShared = (offset: number, length: number) => Buffer;

/**
 * Cuts a stream into frames.
 *
 * @param readShared of payloads that lie elsewhere; absent = there are none.
 * @returns what takes the stream's chunks, of any size. @throws RangeError for bytes that are no frame.
 */
export function createFrameReader(
  onFrame: (frame: Frame) => void,
  readShared?: ReadShared,
): (chunk: Buffer) => void {
  const head = Buffer.alloc(HEADER_BYTES);
  let numHeadBytes = 0;
  let payload: Buffer | null = null; // while one is read
  let numPayloadBytes = 0;
  const finish = (bytes: Buffer) => {
    payload = null;
    numHeadBytes = 0;
    numPayloadBytes = 0;
    onFrame(decode(head, bytes, readShared));
  };
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (payload === null) {
        const taken = chunk.copy(head, numHeadBytes, at, at + HEADER_BYTES - numHeadBytes);
        at += taken;
        numHeadBytes += taken;
        if (numHeadBytes < HEADER_BYTES) return;
        payload = Buffer.allocUnsafe(payloadLength(head));
      } else {
        const taken = chunk.copy(payload, numPayloadBytes, at);
        at += taken;
        numPayloadBytes += taken;
      }
      if (payload !== null && numPayloadBytes === payload.length) finish(payload);
    }
  };
}

function payloadLength(head: Buffer): number {
  const [magic, protocol] = [head.readUInt32LE(0), head.readUInt16LE(4)];
  const length = Number(head.readBigUInt64LE(8));
  if (magic !== MAGIC || protocol !== PROTOCOL || length > MAX_PAYLOAD)
    throw new RangeError(
      `Expected a frame (magic ${MAGIC}, protocol ${PROTOCOL}), got magic ${magic}, protocol ${protocol}, ${length} bytes.`,
    );
  return length;
}

function decode(head: Buffer, bytes: Buffer, readShared?: ReadShared): Frame {
  const header = {
    type: head.readUInt8(6) as FrameCode,
    requestId: Number(head.readBigUInt64LE(16)),
    host: head.readUInt32LE(24),
    incarnation: head.readUInt32LE(28),
    version: head.readUInt32LE(32),
    flags: head.readUInt8(7),
  };
  const isElsewhere = header.type === FrameType.REPLY && (header.flags & SHARED) !== 0;
  const payload =
    isElsewhere && readShared !== undefined
      ? readShared(Number(bytes.readBigUInt64LE(0)), Number(bytes.readBigUInt64LE(8)))
      : bytes;
  const isIntact = !hasChecksum(header) || head.readUInt32LE(36) === crc32(payload);
  return { ...header, payload, isIntact };
}
