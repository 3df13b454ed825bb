/** Reads zip archives (wheels are zip files): the central directory, and single entries as streams. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { EngineError } from '../../../errors.ts';

export interface ZipEntry {
  readonly name: string;
  readonly compressed: boolean;
  readonly compressedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

const END_SIGNATURE = 0x06054b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
/** The end record is 22 bytes and a comment of at most 64 KiB. */
const END_SEARCH_BYTES = 22 + 65535;
const NEEDS_ZIP64 = 0xffffffff;

/**
 * Lists the entries of an archive.
 *
 * @throws EngineError `ENGINE_INSTALL_ARCHIVE` when the file is no zip archive, is cut off, or is a zip64 one (above 4 GiB).
 */
export async function readZipEntries(file: string): Promise<ZipEntry[]> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const tail = await readBytes(
      handle,
      Math.max(0, size - END_SEARCH_BYTES),
      Math.min(size, END_SEARCH_BYTES),
    );
    let end = tail.length - 22;
    while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end -= 1;
    if (end < 0) throw broken(file, 'it has no end record; the download may be cut off');
    const count = tail.readUInt16LE(end + 10);
    const directorySize = tail.readUInt32LE(end + 12);
    const directoryOffset = tail.readUInt32LE(end + 16);
    if (directoryOffset === NEEDS_ZIP64 || count === 0xffff)
      throw broken(file, 'zip64 archives are not supported');
    return parseDirectory(file, await readBytes(handle, directoryOffset, directorySize), count);
  } finally {
    await handle.close();
  }
}

function parseDirectory(file: string, directory: Buffer, count: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let k = 0; k < count; k += 1) {
    if (directory.readUInt32LE(at) !== CENTRAL_SIGNATURE) throw broken(file, 'its directory is damaged');
    const method = directory.readUInt16LE(at + 10);
    const nameLength = directory.readUInt16LE(at + 28);
    const extraLength = directory.readUInt16LE(at + 30);
    const commentLength = directory.readUInt16LE(at + 32);
    if (method !== 0 && method !== 8) throw broken(file, `compression method ${method} is not supported`);
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
      compressed: method === 8,
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      headerOffset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}

/** Writes one entry to `target` (folders are made) and returns its sha256 in hexadecimal. */
export async function extractZipEntry(
  file: string,
  entry: ZipEntry,
  target: string,
  onBytes: (count: number) => void = () => {},
): Promise<string> {
  await mkdir(path.dirname(target), { recursive: true });
  const hash = createHash('sha256');
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  await pipeline(...(await openEntry(file, entry)), meter, createWriteStream(target, { mode: 0o644 }));
  return hash.digest('hex');
}

/** A small entry as text. */
export async function readZipText(file: string, entry: ZipEntry): Promise<string> {
  const chunks: Buffer[] = [];
  await pipeline(...(await openEntry(file, entry)), async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) chunks.push(chunk);
  });
  return Buffer.concat(chunks).toString('utf8');
}

async function openEntry(file: string, entry: ZipEntry): Promise<[Readable, Transform]> {
  const handle = await open(file, 'r');
  let start: number;
  try {
    const header = await readBytes(handle, entry.headerOffset, 30);
    if (header.readUInt32LE(0) !== LOCAL_SIGNATURE) throw broken(file, `the entry ${entry.name} is damaged`);
    start = entry.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  } finally {
    await handle.close();
  }
  const end = start + entry.compressedSize - 1;
  const source = createReadStream(file, { start, end: Math.max(start, end), highWaterMark: 1 << 20 });
  const decoder = entry.compressed
    ? createInflateRaw({ chunkSize: 1 << 20 })
    : new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
  return [source, decoder];
}

async function readBytes(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function broken(file: string, reason: string): EngineError {
  return new EngineError(
    'ENGINE_INSTALL_ARCHIVE',
    `Cannot read ${file}: ${reason}. Delete it and try again.`,
  );
}
