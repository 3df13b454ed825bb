/**
 * Frames between learner, bridge and rollout process: 40 bytes, little-endian, then the payload. `ray_bridge.py` has the same.
 *
 *     u32 magic | u16 protocol | u8 type | u8 flags | u64 payloadLength | u64 requestId | u32 host | u32 incarnation | u32 version | u32 crc32
 *
 * The checksum is of the payload and goes from end to end: who makes a payload computes it, who reads it checks it, and the bridge
 * between them only hands it on.
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
} as const;

export type FrameCode = (typeof FrameType)[keyof typeof FrameType];

export interface FrameHeader {
  readonly type: FrameCode;
  readonly requestId: number;
  readonly host: number;
  /** Of the host's rollout process, counted from 1: answers of an earlier one are nobody's. */
  readonly incarnation: number;
  /** Of weights, counted from 1; 0 = none. */
  readonly version: number;
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

/** Header of a frame with this payload. 40 bytes */
export function encodeHeader(header: FrameHeader, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(PROTOCOL, 4);
  bytes.writeUInt8(header.type, 6);
  bytes.writeBigUInt64LE(BigInt(payload.length), 8);
  bytes.writeBigUInt64LE(BigInt(header.requestId), 16);
  bytes.writeUInt32LE(header.host, 24);
  bytes.writeUInt32LE(header.incarnation, 28);
  bytes.writeUInt32LE(header.version, 32);
  bytes.writeUInt32LE(hasChecksum(header) ? crc32(payload) : 0, 36);
  return bytes;
}

/**
 * Cuts a stream into frames.
 *
 * @returns what takes the stream's chunks, of any size. @throws RangeError for bytes that are no frame.
 */
export function createFrameReader(onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  const head = Buffer.alloc(HEADER_BYTES);
  let numHeadBytes = 0;
  let payload: Buffer | null = null; // while one is read
  let numPayloadBytes = 0;
  const finish = (bytes: Buffer) => {
    payload = null;
    numHeadBytes = 0;
    numPayloadBytes = 0;
    onFrame(decode(head, bytes));
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

function decode(head: Buffer, payload: Buffer): Frame {
  const header = {
    type: head.readUInt8(6) as FrameCode,
    requestId: Number(head.readBigUInt64LE(16)),
    host: head.readUInt32LE(24),
    incarnation: head.readUInt32LE(28),
    version: head.readUInt32LE(32),
  };
  const isIntact = !hasChecksum(header) || head.readUInt32LE(36) === crc32(payload);
  return { ...header, payload, isIntact };
}
