/** What a megabyte of a fragment costs the learner's main thread: read from shared memory, checked, copied into its rows. */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { packRollout, unpackRows } from '../../src/cluster/fragment.ts';
import { createSharedReader } from '../../src/cluster/shared-memory.ts';
import { initializeRollout, ON_POLICY_COLUMNS, rolloutLayout } from '../../src/experience/layout.ts';
import { categorical, makeSpec } from '../../test/reference/policy-specs.ts';
import { median } from '../statistics.ts';

const NUM_ROWS = 24;
const ROLLOUT_LENGTH = 1024;
const NUM_ROUNDS = 50;

/** Processor seconds; the median of `NUM_ROUNDS` fragments of 24 x 1024 steps of CartPole. */
export function unpackSecondsPerMegabyte(): number {
  const spec = makeSpec(categorical(2), { observationSize: 4 });
  const layout = rolloutLayout(spec, NUM_ROWS, ROLLOUT_LENGTH, ON_POLICY_COLUMNS);
  const [from, to] = [new SharedArrayBuffer(layout.byteLength), new SharedArrayBuffer(layout.byteLength)];
  for (const buffer of [from, to]) initializeRollout(buffer, 0, layout);
  const fragment = Buffer.concat(packRollout(from, 0, layout));
  const path = join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), `operant-unpack-${process.pid}`);
  writeFileSync(path, fragment, { mode: 0o600 });
  const reader = createSharedReader();
  try {
    reader.open(path);
    const checksum = crc32(fragment);
    const seconds = Array.from({ length: NUM_ROUNDS }, () => {
      const before = process.cpuUsage();
      const bytes = reader.read(0, fragment.length);
      if (crc32(bytes) !== checksum) throw new Error('The fragment is not what was written.');
      unpackRows(bytes, to, 0, layout, { first: 0, count: NUM_ROWS, version: 1 });
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1e6;
    });
    return median(seconds) / (fragment.length / 1e6);
  } finally {
    reader.close();
    rmSync(path);
  }
}
