/** A file that only grows by whole records, whatever happens. */
import { closeSync, ftruncateSync, readSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { temporaryBeside } from '../files/durable-files.ts';
import { openRegularFileSync } from '../files/regular-file.ts';

export interface AppendFile {
  readonly path: string;
  /** Bytes of whole records. */
  readonly size: number;
  /** Adds a record; on failure the file is cut back to what it was and the error is thrown. */
  append(bytes: Uint8Array): void;
  /** Everything that is in it. */
  read(): Buffer;
  /** Puts other content in its place, whole or not at all. */
  replace(bytes: Uint8Array): void;
  /** Cuts the file, keeping the first `size` bytes. */
  truncate(size: number): void;
  sync(): Promise<void>;
  close(): void;
}

/** Opens `path`, creating it if need be. @throws CheckpointError `CHECKPOINT_NOT_REGULAR`, `CHECKPOINT_TOO_LARGE`. */
export function openAppendFile(path: string): AppendFile {
  let { descriptor, size } = openRegularFileSync(path);
  const truncate = (length: number) => {
    ftruncateSync(descriptor, length);
    size = length;
  };
  return {
    path,
    get size() {
      return size;
    },
    append(bytes) {
      try {
        let written = 0;
        while (written < bytes.length) {
          written += writeSync(descriptor, bytes, written, bytes.length - written, size + written);
        }
        size += bytes.length;
      } catch (error) {
        truncate(size);
        throw error;
      }
    },
    read() {
      const bytes = Buffer.alloc(size);
      let done = 0;
      while (done < size) {
        const count = readSync(descriptor, bytes, done, size - done, done);
        if (count === 0) break;
        done += count;
      }
      return bytes.subarray(0, done);
    },
    replace(bytes) {
      const beside = temporaryBeside(path);
      try {
        writeFileSync(beside, bytes, { flush: true });
        // Closed first: Windows does not rename over an open file.
        closeSync(descriptor);
        try {
          renameSync(beside, path);
        } finally {
          ({ descriptor, size } = openRegularFileSync(path));
        }
      } catch (error) {
        rmSync(beside, { force: true });
        throw error;
      }
    },
    truncate,
    async sync() {
      // A handle of its own: `replace` may close the other one meanwhile.
      const handle = await open(path, 'r+');
      await handle.sync().finally(() => handle.close());
    },
    close: () => closeSync(descriptor),
  };
}

/** Where the last line begins, of bytes that end with a line's end. */
export function lastLineOf(bytes: Buffer): number {
  return bytes.subarray(0, -1).lastIndexOf(0x0a) + 1;
}
