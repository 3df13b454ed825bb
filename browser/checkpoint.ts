/** What a page keeps of a training, as bytes: for a download, a server, or the page's store. */
import { CheckpointError } from '../src/errors.ts';
import type { JsonValue } from '../src/json.ts';
import type { ActingSpec } from '../src/policy/policy-spec.ts';
import type { PageTraining, PageTrainingState, PolicyWeights } from './training.ts';

/** A policy, and everything that a training goes on from, where that is kept. */
export interface PageCheckpoint {
  readonly spec: ActingSpec;
  readonly weights: PolicyWeights;
  /** null = the policy alone. */
  readonly state: PageTrainingState | null;
}

/** What there is to keep of a training by now; plain data that can be posted. */
export function checkpointOf(training: PageTraining): PageCheckpoint {
  return { spec: training.spec, weights: training.weights(), state: training.getState() };
}

const MAGIC = 'operant-page-1\n\n'; // 16 bytes
const ARRAYS = { Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array } as const;
type ArrayName = keyof typeof ARRAYS;

/**
 * One file: 16 bytes of magic, u32 bytes of JSON, u32 of arrays (little endian), the JSON, padding to eight, the arrays, each padded to eight.
 * Numbers that JSON has not are `{"$number": text}`, arrays `{"$array": type, at, length}`.
 */
export function encodeCheckpoint(checkpoint: PageCheckpoint): Uint8Array<ArrayBuffer> {
  const arrays: Uint8Array[] = [];
  let size = 0;
  const text = JSON.stringify(checkpoint, (_, value: unknown) => {
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
      return { $number: Object.is(value, -0) ? '-0' : String(value) };
    if (!ArrayBuffer.isView(value)) return value;
    const { buffer, byteOffset, byteLength } = value;
    const at = size;
    arrays.push(new Uint8Array(buffer, byteOffset, byteLength));
    size += padded(byteLength);
    return { $array: value.constructor.name, at, length: (value as Uint8Array).length };
  });
  const json = new TextEncoder().encode(text);
  const begin = padded(MAGIC.length + 8 + json.length);
  const bytes = new Uint8Array(begin + size);
  bytes.set(new TextEncoder().encode(MAGIC));
  new DataView(bytes.buffer).setUint32(MAGIC.length, json.length, true);
  new DataView(bytes.buffer).setUint32(MAGIC.length + 4, size, true);
  bytes.set(json, MAGIC.length + 8);
  let at = begin;
  for (const array of arrays) {
    bytes.set(array, at);
    at += padded(array.length);
  }
  return bytes;
}

const padded = (size: number): number => Math.ceil(size / 8) * 8;

/**
 * The checkpoint of a file. Whether it fits a training is found out by `setState`, whether it fits an environment by `createPageActor`.
 *
 * @throws CheckpointError `CHECKPOINT_CORRUPT` for anything that `encodeCheckpoint` has not written whole.
 */
export function decodeCheckpoint(file: Uint8Array): PageCheckpoint {
  const bytes = new Uint8Array(file); // a copy from its own beginning, which `slice` of Node's Buffer is not
  if (bytes.length < MAGIC.length + 8 || new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC)
    throw corruptCheckpoint('it does not begin as one does');
  const view = new DataView(bytes.buffer);
  const jsonLength = view.getUint32(MAGIC.length, true);
  const begin = padded(MAGIC.length + 8 + jsonLength);
  if (bytes.length !== begin + view.getUint32(MAGIC.length + 4, true))
    throw corruptCheckpoint(`it has ${bytes.length} bytes, which are not those that it names`);
  const json = bytes.subarray(MAGIC.length + 8, MAGIC.length + 8 + jsonLength);
  try {
    return JSON.parse(new TextDecoder().decode(json), (_, value: unknown) =>
      revive(value, bytes, begin),
    ) as PageCheckpoint;
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    throw corruptCheckpoint(error instanceof Error ? error.message : String(error));
  }
}

function revive(value: unknown, bytes: Uint8Array<ArrayBuffer>, begin: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { $number, $array, at, length } = value as Record<string, JsonValue>;
  if ($number !== undefined) return Number($number);
  if ($array === undefined) return value;
  const type = Object.hasOwn(ARRAYS, String($array)) ? ARRAYS[$array as ArrayName] : null;
  const isInside =
    type !== null &&
    Number.isSafeInteger(at) &&
    Number.isSafeInteger(length) &&
    Number(at) >= 0 &&
    Number(length) >= 0 &&
    Number(at) % 8 === 0 &&
    begin + Number(at) + Number(length) * type.BYTES_PER_ELEMENT <= bytes.length;
  if (!isInside) throw corruptCheckpoint(`an array of it lies outside: ${JSON.stringify(value)}`);
  return new type(bytes.buffer, begin + Number(at), Number(length)).slice();
}

export function corruptCheckpoint(reason: string): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_CORRUPT',
    `This is no checkpoint of a page, or not all of it: ${reason}.`,
  );
}
