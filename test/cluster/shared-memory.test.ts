/** Slots that are written and read in turn, and parts that come out one behind the other whatever a pipe takes at a time. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createSharedReader, createSharedWriter, writeAll } from '../../src/cluster/shared-memory.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Bytes in memory that threads share, as an arena's are. */
function shared(length: number, first: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length)).map((_, k) => (first + 31 * k) % 251);
}

test('an answer stays until the next but one; one that has grown beyond its slot is refused', () => {
  const path = join(temporaryFolder(), 'shared');
  const file = openSync(path, 'w+');
  const writer = createSharedWriter(file);
  const reader = createSharedReader();
  onTestFinished(() => {
    closeSync(file);
    reader.close();
  });
  reader.open(path);
  expect(reader.isOpen).toBe(true);
  const place = (length: number, first: number) => writer.write([Buffer.from('said'), shared(length, first)]);
  const readAt = (where: Buffer | null) =>
    reader.read(Number(where?.readBigUInt64LE(0)), Number(where?.readBigUInt64LE(8)));
  const expected = (length: number, first: number) =>
    Buffer.concat([Buffer.from('said'), shared(length, first)]);
  const [one, two] = [place(5000, 1), place(7000, 2)];
  expect(readAt(one)).toEqual(expected(5000, 1));
  expect(readAt(two)).toEqual(expected(7000, 2));
  const three = place(4000, 3);
  expect(three?.readBigUInt64LE(0)).toBe(one?.readBigUInt64LE(0));
  expect(readAt(two)).toEqual(expected(7000, 2));
  expect(readAt(three)).toEqual(expected(4000, 3));
  expect(place(20_000, 4)).toBe(null);
  expect(() => reader.read(1_000_000, 10)).toThrow(/Expected 10 shared bytes, got 0/);
});

test('more parts than a call takes, through a pipe that is read slowly', async () => {
  const folder = temporaryFolder();
  const [pipe, copy] = [join(folder, 'pipe'), join(folder, 'copy')];
  execFileSync('mkfifo', [pipe]);
  const reader = spawn('bash', ['-c', `(sleep 0.2; cat) < ${pipe} > ${copy}`]);
  const ended = new Promise((resolve) => reader.on('close', resolve));
  const parts = Array.from({ length: 2500 }, (_, k) => shared(k % 200, k));
  const file = openSync(pipe, 'w');
  writeAll(file, parts);
  closeSync(file);
  await ended;
  expect(readFileSync(copy).equals(Buffer.concat(parts))).toBe(true);
});

test('where nothing can be opened nothing is shared', () => {
  const reader = createSharedReader();
  reader.open('/proc/1/fd/there-is-none');
  expect(reader.isOpen).toBe(false);
});
