/** The safetensors file format: named arrays as one block of little-endian bytes behind a JSON header. */

import { CheckpointError } from '../errors.ts';
import type { NamedTensor, TensorDtype } from './content.ts';

const LENGTH_BYTES = 8;
/** The format's own limit; a longer header is taken for garbage before anything is allocated. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA_KEY = '__metadata__';

interface DtypeFormat {
  readonly dtype: TensorDtype;
  readonly code: string;
  readonly bytes: number;
  readonly view: (buffer: ArrayBuffer) => NamedTensor['data'];
}

/** In the order in which the reference implementation writes tensors: largest items first. */
const FORMATS: readonly DtypeFormat[] = [
  { dtype: 'float64', code: 'F64', bytes: 8, view: (buffer) => new Float64Array(buffer) },
  { dtype: 'float32', code: 'F32', bytes: 4, view: (buffer) => new Float32Array(buffer) },
  { dtype: 'int32', code: 'I32', bytes: 4, view: (buffer) => new Int32Array(buffer) },
  { dtype: 'uint8', code: 'U8', bytes: 1, view: (buffer) => new Uint8Array(buffer) },
];
const FORMAT_OF_DTYPE = new Map(FORMATS.map((format) => [format.dtype, format]));
const FORMAT_OF_CODE = new Map(FORMATS.map((format) => [format.code, format]));

export interface SafetensorsContent {
  readonly tensors: Readonly<Record<string, NamedTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface HeaderEntry {
  readonly name: string;
  readonly format: DtypeFormat;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * The bytes of a safetensors file, as pieces to be written one after the other.
 *
 * The first piece is the header, the others are views of the tensors' own memory: nothing is copied, so the arrays
 * must not change until the pieces are written. Tensors are ordered by dtype (largest items first), then by name,
 * and the header is padded to 8 bytes, so every tensor is aligned for whoever maps the file.
 *
 * @param metadata free text by name, kept in the header.
 * @throws CheckpointError `CHECKPOINT_TENSORS` when an array's length is not the product of its shape, or a tensor is
 *   called `__metadata__`.
 *
 * Source: the safetensors format description (github.com/huggingface/safetensors), restricted to four dtypes.
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, NamedTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const entries = Object.entries(tensors).map(([name, tensor]) => ({
    name,
    tensor,
    format: formatOf(name, tensor),
  }));
  entries.sort((a, b) => FORMATS.indexOf(a.format) - FORMATS.indexOf(b.format) || (a.name < b.name ? -1 : 1));
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push([METADATA_KEY, metadata]);
  let offset = 0;
  for (const { name, tensor, format } of entries) {
    const end = offset + tensor.data.byteLength;
    header.push([name, { dtype: format.code, shape: tensor.shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(LENGTH_BYTES + headerBytes).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(headerBytes), true);
  head.set(json, LENGTH_BYTES);
  const pieces = entries.map(
    ({ tensor: { data } }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return [head, ...pieces];
}

function formatOf(name: string, tensor: NamedTensor): DtypeFormat {
  const format = FORMAT_OF_DTYPE.get(tensor.dtype);
  const length = tensor.shape.reduce((product, size) => product * size, 1);
  if (format === undefined || name === METADATA_KEY || length * format.bytes !== tensor.data.byteLength) {
    throw new CheckpointError(
      'CHECKPOINT_TENSORS',
      `Expected tensor \`${name}\` to hold ${tensor.dtype} [${tensor.shape.join(', ')}] = ${length} items, got ${tensor.data.byteLength} bytes`,
    );
  }
  return format;
}

/**
 * Reads a safetensors file that is wholly in memory. The tensors are copies: `bytes` may be reused.
 *
 * Every byte after the header must belong to exactly one tensor, as the format demands. Malformed input of any kind,
 * random bytes included, gives a CheckpointError; no allocation is larger than the input.
 *
 * @param source what to call the file in an error.
 * @throws CheckpointError `CHECKPOINT_TENSORS` for a malformed file, `CHECKPOINT_DTYPE` for a dtype other than F32, F64,
 *   I32 and U8.
 */
export function decodeSafetensors(bytes: Uint8Array, source = 'safetensors'): SafetensorsContent {
  const { header, dataStart } = readHeader(bytes, source);
  const dataBytes = bytes.length - dataStart;
  const metadata: [string, string][] = [];
  const entries: HeaderEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA_KEY) metadata.push(...readMetadata(value, source));
    else entries.push(readEntry(name, value, dataBytes, source));
  }
  checkCoverage(entries, dataBytes, source);
  const tensors = entries.map(({ name, format, shape, begin, end }): [string, NamedTensor] => {
    const copy = new Uint8Array(end - begin);
    copy.set(bytes.subarray(dataStart + begin, dataStart + end));
    return [name, { dtype: format.dtype, shape, data: format.view(copy.buffer) }];
  });
  return { tensors: Object.fromEntries(tensors), metadata: Object.fromEntries(metadata) };
}

function malformed(source: string, detail: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_TENSORS',
    `\`${source}\` is not a whole safetensors file: ${detail}`,
    { cause },
  );
}

function readHeader(
  bytes: Uint8Array,
  source: string,
): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < LENGTH_BYTES) {
    throw malformed(source, `expected at least ${LENGTH_BYTES} bytes, got ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declared = view.getBigUint64(0, true);
  const available = Math.min(bytes.length - LENGTH_BYTES, MAX_HEADER_BYTES);
  if (declared > BigInt(available)) {
    throw malformed(source, `its header says ${declared} bytes, but at most ${available} are there`);
  }
  const dataStart = LENGTH_BYTES + Number(declared);
  let header: unknown;
  try {
    // Copied because TextDecoder refuses shared memory on some versions of Node.
    const text = new Uint8Array(bytes.subarray(LENGTH_BYTES, dataStart));
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (cause) {
    throw malformed(source, 'its header is not JSON', cause);
  }
  if (!isRecord(header)) throw malformed(source, 'its header is not a JSON object');
  return { header, dataStart };
}

function readMetadata(value: unknown, source: string): [string, string][] {
  if (!isRecord(value)) throw malformed(source, `\`${METADATA_KEY}\` is not an object`);
  return Object.entries(value).map(([key, text]) => {
    if (typeof text !== 'string') throw malformed(source, `\`${METADATA_KEY}.${key}\` is not text`);
    return [key, text];
  });
}

function readEntry(name: string, value: unknown, dataBytes: number, source: string): HeaderEntry {
  if (!isRecord(value)) throw malformed(source, `tensor \`${name}\` has no description`);
  const { dtype, shape, data_offsets: offsets } = value;
  const format = typeof dtype === 'string' ? FORMAT_OF_CODE.get(dtype) : undefined;
  if (format === undefined) {
    const known = FORMATS.map(({ code }) => code).join(', ');
    throw new CheckpointError(
      'CHECKPOINT_DTYPE',
      `Tensor \`${name}\` in \`${source}\`: expected dtype to be one of ${known}, got ${JSON.stringify(dtype)}`,
    );
  }
  if (!isCounts(shape)) throw malformed(source, `tensor \`${name}\` has no valid shape`);
  if (!isCounts(offsets) || offsets.length !== 2)
    throw malformed(source, `tensor \`${name}\` has no valid data_offsets`);
  const [begin, end] = offsets as [number, number];
  const expected = shape.reduce((product, size) => product * size, format.bytes);
  if (begin > end || end > dataBytes || end - begin !== expected) {
    throw malformed(
      source,
      `tensor \`${name}\` of ${expected} bytes lies at [${begin}, ${end}) of ${dataBytes} bytes of data`,
    );
  }
  return { name, format, shape, begin, end };
}

function checkCoverage(entries: readonly HeaderEntry[], dataBytes: number, source: string): void {
  const sorted = entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  let offset = 0;
  for (const { name, begin, end } of sorted) {
    if (begin !== offset)
      throw malformed(source, `tensor \`${name}\` begins at ${begin}, expected ${offset}`);
    offset = end;
  }
  if (offset !== dataBytes)
    throw malformed(source, `its tensors take ${offset} bytes, but ${dataBytes} follow the header`);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
