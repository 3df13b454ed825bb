/** The head of a frame that a client sends: RFC 6455, 5.2, without extensions. */

export const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0x0, 0x1, 0x2, 0x8, 0x9, 0xa];

export interface FrameHead {
  readonly opcode: number;
  readonly isControl: boolean;
  /** Of its message. */
  readonly isLast: boolean;
  /** Where its data begin, behind the mask. */
  readonly start: number;
  readonly numBytes: number;
}

export const MASK_BYTES = 4;
const [FIN, RESERVED, OPCODE, IS_CONTROL, MASKED, LENGTH] = [0x80, 0x70, 0x0f, 0x8, 0x80, 0x7f];
const [LENGTH_U16, LENGTH_U64] = [126, 127];

/**
 * @param isWithin a message has begun whose last fragment has not come.
 * @returns null = its length is not here yet; 'none' = these bytes are no frame.
 */
export function readFrameHead(bytes: Buffer, isWithin: boolean): FrameHead | 'none' | null {
  if (bytes.length < 2) return null;
  const [flags, size] = [bytes[0], bytes[1]];
  const opcode = flags & OPCODE;
  const isLast = (flags & FIN) !== 0;
  const isControl = (opcode & IS_CONTROL) !== 0;
  const short = size & LENGTH;
  if ((flags & RESERVED) !== 0 || (size & MASKED) === 0) return 'none';
  const isKnown = isControl
    ? opcode <= PONG && isLast && short < LENGTH_U16 && !(opcode === CLOSE && short === 1)
    : opcode <= BINARY && (opcode === CONTINUATION) === isWithin;
  if (!isKnown) return 'none';
  const lengthBytes = short === LENGTH_U16 ? 2 : short === LENGTH_U64 ? 8 : 0;
  if (bytes.length < 2 + lengthBytes) return null;
  const numBytes = lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : readU64(bytes);
  return { opcode, isControl, isLast, start: 2 + lengthBytes + MASK_BYTES, numBytes };
}

/** Past what a number counts exactly it is past every bound, too. */
const readU64 = (bytes: Buffer): number => bytes.readUInt32BE(2) * 2 ** 32 + bytes.readUInt32BE(6);
