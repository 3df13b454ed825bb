/** What a megabyte of a fragment costs outside of Python: a rollout process to check and write it, the learner's main thread to read, check and copy it into its rows. */
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { packRollout, unpackRows } from '../../src/cluster/fragment.ts';
import { encodeHeader, FrameType } from '../../src/cluster/frames.ts';
import { createSharedReader, createSharedWriter } from '../../src/cluster/shared-memory.ts';
import { initializeRollout, ON_POLICY_COLUMNS, rolloutLayout } from '../../src/experience/layout.ts';
import { categorical, makeSpec } from '../../test/reference/policy-specs.ts';
import { median } from '../statistics.ts';

const NUM_ROWS = 24;
const ROLLOUT_LENGTH = 1024;
const NUM_ROUNDS = 50;

const spec = makeSpec(categorical(2), { observationSize: 4 });
const layout = rolloutLayout(spec, NUM_ROWS, ROLLOUT_LENGTH, ON_POLICY_COLUMNS);

function block(): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(layout.byteLength);
  initializeRollout(buffer, 0, layout);
  return buffer;
}

/** Processor seconds a megabyte; the median of `NUM_ROUNDS` fragments of 24 x 1024 steps of CartPole. */
function secondsPerMegabyte(numBytes: number, once: () => void): number {
  const seconds = Array.from({ length: NUM_ROUNDS }, () => {
    const before = process.cpuUsage();
    once();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  return median(seconds) / (numBytes / 1e6);
}

/** A file in memory, while it is used. */
function withFile<T>(use: (path: string) => T): T {
  const path = join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), `operant-pack-${process.pid}`);
  writeFileSync(path, '', { mode: 0o600 });
  try {
    return use(path);
  } finally {
    rmSync(path);
  }
}

export function packSecondsPerMegabyte(): number {
  const parts = packRollout(block(), 0, layout);
  const numBytes = parts.reduce((sum, { length }) => sum + length, 0);
  const header = { type: FrameType.REPLY, requestId: 1, host: 0, incarnation: 1, version: 1 };
  return withFile((path) => {
    const file = openSync(path, 'r+');
    const writer = createSharedWriter(file);
    try {
      return secondsPerMegabyte(numBytes, () => {
        writer.write(parts);
        encodeHeader(header, parts);
      });
    } finally {
      closeSync(file);
    }
  });
}

export function unpackSecondsPerMegabyte(): number {
  const fragment = Buffer.concat(packRollout(block(), 0, layout));
  const to = block();
  const checksum = crc32(fragment);
  return withFile((path) => {
    writeFileSync(path, fragment);
    const reader = createSharedReader();
    reader.open(path);
    try {
      return secondsPerMegabyte(fragment.length, () => {
        const bytes = reader.read(0, fragment.length);
        if (crc32(bytes) !== checksum) throw new Error('The fragment is not what was written.');
        unpackRows(bytes, to, 0, layout, { first: 0, count: NUM_ROWS, version: 1 });
      });
    } finally {
      reader.close();
    }
  });
}
