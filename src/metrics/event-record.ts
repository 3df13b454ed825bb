/** TensorBoard's event files, byte by byte: TFRecord frames around Event messages of protocol buffers. */
import { maskedCrc32c } from './crc32c.ts';

/** u64 length, u32 checksum of it, data, u32 checksum of the data. */
const HEAD_BYTES = 12;
const TAIL_BYTES = 4;

/** Wire types of protocol buffers. */
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** Field numbers of tensorflow.Event, Summary and Summary.Value. */
const EVENT_WALL_TIME = 1;
const EVENT_STEP = 2;
const EVENT_FILE_VERSION = 3;
const EVENT_SUMMARY = 5;
const SUMMARY_VALUE = 1;
const VALUE_TAG = 1;
const VALUE_SIMPLE = 2;

/** The record that every event file begins with. */
export function versionRecord(wallTimeSeconds: number): Buffer {
  return frame(
    Buffer.concat([
      fixed64Field(EVENT_WALL_TIME, wallTimeSeconds),
      bytesField(EVENT_FILE_VERSION, Buffer.from('brain.Event:2')),
    ]),
  );
}

/** A record of one Summary.Value that is no scalar, at step 0. */
export function summaryRecord(wallTimeSeconds: number, value: Buffer): Buffer {
  return frame(
    Buffer.concat([
      fixed64Field(EVENT_WALL_TIME, wallTimeSeconds),
      bytesField(EVENT_SUMMARY, bytesField(SUMMARY_VALUE, value)),
    ]),
  );
}

/** A record of scalars at one step; NaN and infinities are allowed by the format. Cost: one allocation, O(bytes). */
export function scalarsRecord(
  wallTimeSeconds: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Buffer {
  const tags = Object.keys(scalars);
  let summarySize = 0;
  for (const tag of tags) summarySize += valueHead(tag).length + FLOAT_BYTES;
  const start = Buffer.concat([
    fixed64Field(EVENT_WALL_TIME, wallTimeSeconds),
    key(EVENT_STEP, VARINT),
    varint(step),
    key(EVENT_SUMMARY, DELIMITED),
    varint(summarySize),
  ]);
  const record = Buffer.allocUnsafe(HEAD_BYTES + start.length + summarySize + TAIL_BYTES);
  let end = HEAD_BYTES + start.copy(record, HEAD_BYTES);
  for (const tag of tags) {
    end += valueHead(tag).copy(record, end);
    end = record.writeFloatLE(scalars[tag], end);
  }
  return seal(record);
}

const FLOAT_BYTES = 4;
/** By tag: the same come in every iteration. */
const MAX_HEADS = 10_000;
const valueHeads = new Map<string, Buffer>();

/** A Summary.Value up to its four bytes of value. */
function valueHead(tag: string): Buffer {
  let head = valueHeads.get(tag);
  if (head === undefined) {
    if (valueHeads.size >= MAX_HEADS) valueHeads.clear(); // names that never come again
    const value = Buffer.concat([bytesField(VALUE_TAG, Buffer.from(tag)), key(VALUE_SIMPLE, FIXED32)]);
    head = Buffer.concat([key(SUMMARY_VALUE, DELIMITED), varint(value.length + FLOAT_BYTES), value]);
    valueHeads.set(tag, head);
  }
  return head;
}

/** Bytes of the leading records that are whole, have the right checksums, and whose step is not beyond `step`. */
export function wholeRecordsUpTo(bytes: Buffer, step: number): number {
  let offset = 0;
  while (offset + HEAD_BYTES + TAIL_BYTES <= bytes.length) {
    const length = Number(bytes.readBigUInt64LE(offset));
    const data = offset + HEAD_BYTES;
    const next = data + length + TAIL_BYTES;
    if (next > bytes.length) break;
    const event = bytes.subarray(data, data + length);
    const isHeadWhole = bytes.readUInt32LE(offset + 8) === maskedCrc32c(bytes.subarray(offset, offset + 8));
    if (!isHeadWhole || bytes.readUInt32LE(data + length) !== maskedCrc32c(event) || stepOf(event) > step)
      break;
    offset = next;
  }
  return offset;
}

function frame(data: Buffer): Buffer {
  const record = Buffer.alloc(HEAD_BYTES + data.length + TAIL_BYTES);
  data.copy(record, HEAD_BYTES);
  return seal(record);
}

/** Fills in length and checksums around the data that lies in a record. */
function seal(record: Buffer): Buffer {
  const end = record.length - TAIL_BYTES;
  record.writeBigUInt64LE(BigInt(end - HEAD_BYTES));
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  record.writeUInt32LE(maskedCrc32c(record.subarray(HEAD_BYTES, end)), end);
  return record;
}

/** The step of an Event that this file wrote: its fields come in order, the wall time first. 0 where it has none. */
function stepOf(event: Buffer): number {
  const afterWallTime = 9;
  if (event[afterWallTime] !== key(EVENT_STEP, VARINT)[0]) return 0;
  let step = 0;
  for (let i = afterWallTime + 1, scale = 1; i < event.length; i++, scale *= 128) {
    step += (event[i] & 0x7f) * scale;
    if (event[i] < 0x80) break;
  }
  return step;
}

function key(field: number, wireType: number): Buffer {
  return Buffer.from([(field << 3) | wireType]);
}

/** Arithmetic instead of shifts: steps pass 2^32. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

export function fixed64Field(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = key(field, FIXED64)[0];
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

/** A number from 0, of any size. */
export function varintField(field: number, value: number): Buffer {
  return Buffer.concat([key(field, VARINT), varint(value)]);
}

export function bytesField(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([key(field, DELIMITED), varint(bytes.length), bytes]);
}
