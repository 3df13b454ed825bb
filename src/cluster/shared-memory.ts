/**
 * Fragments in memory that two processes share, rather than in a pipe between them. Node has no `mmap`, so it writes and reads a file that lies in memory: a copy each, into and out of
 * pages that are there already. (Half a gigabyte a second go through fresh memory on our machine, two through such a file.)
 */
import { closeSync, openSync, readSync, writevSync } from 'node:fs';
import { encodePlace, totalBytes } from './frames.ts';

/** Slots of a rollout process: as many answers as a host may have under way. */
const NUM_SLOTS = 2;
const PAGE = 4096;
/** Kernels take no more parts at a time. */
const MAX_PARTS = 1024;

export interface SharedWriter {
  /** @returns where it lies, as it travels; null = it does not fit any more. */
  write(parts: readonly Uint8Array[]): Buffer | null;
}

/**
 * Slots are used in turn: what was written is overwritten by the write after the next.
 *
 * @param file that grows when it is written.
 */
export function createSharedWriter(file: number): SharedWriter {
  let slotBytes = 0; // of a slot, from the first that is written: fragments are of one size but for observations of ends
  let numWritten = 0;
  return {
    write(parts) {
      const length = totalBytes(parts);
      if (slotBytes === 0) slotBytes = Math.ceil((2 * length) / PAGE) * PAGE;
      if (length > slotBytes) return null;
      const offset = (numWritten++ % NUM_SLOTS) * slotBytes;
      writeAll(file, parts, offset);
      return encodePlace(offset, length);
    },
  };
}

/** Writes all parts, one behind the other. @param offset null = where the file stands. */
export function writeAll(file: number, parts: readonly Uint8Array[], offset: number | null = null): void {
  let at = offset;
  for (let rest = parts.filter(({ length }) => length > 0); rest.length > 0; ) {
    const written = writevSync(file, rest.slice(0, MAX_PARTS), at ?? undefined);
    if (at !== null) at += written;
    rest = behind(rest, written);
  }
}

/** What is left of parts when so many bytes are gone: a pipe takes what it has room for. */
function behind(parts: readonly Uint8Array[], numBytes: number): Uint8Array[] {
  let first = 0;
  let left = numBytes;
  while (first < parts.length && parts[first].length <= left) left -= parts[first++].length;
  const rest = parts.slice(first);
  if (left > 0) rest[0] = rest[0].subarray(left);
  return rest;
}

export interface SharedReader {
  readonly isOpen: boolean;
  /** Nothing is shared where it cannot be opened. */
  open(path: string): void;
  /** A copy, which the next one from the same offset overwrites. @throws RangeError when there is less. */
  read(offset: number, length: number): Buffer;
  close(): void;
}

export function createSharedReader(): SharedReader {
  let file: number | null = null;
  const copies = new Map<number, Buffer>(); // by offset: a slot
  return {
    get isOpen() {
      return file !== null;
    },
    open(path) {
      try {
        file = openSync(path, 'r');
      } catch {
        file = null;
      }
    },
    read(offset, length) {
      let copy = copies.get(offset);
      if (copy === undefined || copy.length < length) {
        copy = Buffer.allocUnsafeSlow(length);
        copies.set(offset, copy);
      }
      const numRead = file === null ? 0 : readSync(file, copy, 0, length, offset);
      if (numRead !== length) throw new RangeError(`Expected ${length} shared bytes, got ${numRead}.`);
      return copy.subarray(0, length);
    },
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}
