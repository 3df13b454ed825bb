import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crc32c, maskedCrc32c } from '../../src/metrics/crc32c.ts';
import { openCsvWriter } from '../../src/metrics/csv-writer.ts';
import { wholeRecordsUpTo } from '../../src/metrics/event-record.ts';
import { openJsonlWriter } from '../../src/metrics/jsonl-writer.ts';
import type { MetricsRow } from '../../src/metrics/metrics-writer.ts';
import { openTensorboardWriter } from '../../src/metrics/tensorboard-writer.ts';
import { temporaryFolder } from '../temporary-folder.ts';

function row(
  iteration: number,
  metrics: Record<string, number> = { 'train/entropy': iteration / 10 },
): MetricsRow {
  return {
    iteration,
    numEnvSteps: iteration * 100,
    numEpisodes: iteration,
    seconds: 1.5,
    timestamp: 1_700_000_000_000,
    metrics,
  };
}

const HEADER = 'iteration,numEnvSteps,numEpisodes,seconds,timestamp';
const FIXED = (iteration: number) => `${iteration},${iteration * 100},${iteration},1.5,1700000000000`;

describe('openJsonlWriter', () => {
  test('writes a line per row that is on disk at once', () => {
    const path = join(temporaryFolder(), 'p.jsonl');
    const writer = openJsonlWriter(path, 0);
    writer.write(row(1));
    expect(readFileSync(path, 'utf8')).toBe(
      '{"iteration":1,"numEnvSteps":100,"numEpisodes":1,"seconds":1.5,"timestamp":1700000000000,"train/entropy":0.1}\n',
    );
    writer.close();
  });

  test('goes on after an iteration: later rows and half a line are cut', () => {
    const path = join(temporaryFolder(), 'p.jsonl');
    const first = openJsonlWriter(path, 0);
    for (const iteration of [1, 2, 3, 4]) first.write(row(iteration));
    first.close();
    appendFileSync(path, '{"iteration":2,"half');
    const second = openJsonlWriter(path, 2);
    second.write(row(3, { 'train/entropy': 9 }));
    second.close();
    const rows = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map((line) => [line.iteration, line['train/entropy']])).toEqual([
      [1, 0.1],
      [2, 0.2],
      [3, 9],
    ]);
  });

  test('adds late metrics to the last row, and to none of another iteration', () => {
    const folder = temporaryFolder();
    const late = (iteration: number) => ({ iteration, numEnvSteps: 200, timestamp: 5, metrics: { late: 7 } });
    const [json, csv] = [
      openJsonlWriter(join(folder, 'p.jsonl'), 0),
      openCsvWriter(join(folder, 'p.csv'), 0),
    ];
    for (const writer of [json, csv]) {
      writer.amend(late(1)); // there is no row
      writer.write(row(1));
      writer.write(row(2, { 'a "b", c': 3 }));
      writer.amend(late(1));
      writer.amend(late(2));
      writer.write(row(3, {}));
      writer.close();
    }
    const fixed = (iteration: number) => ({ ...row(iteration), metrics: undefined });
    const lines = readFileSync(json.path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { ...fixed(1), 'train/entropy': 0.1 },
      { ...fixed(2), 'a "b", c': 3, late: 7 },
      fixed(3),
    ]);
    expect(readFileSync(csv.path, 'utf8')).toBe(
      `${HEADER},train/entropy,"a ""b"", c",late\n${FIXED(1)},0.1,,\n${FIXED(2)},,3,7\n${FIXED(3)},,,\n`,
    );
  });

  test('cuts everything from a line that is no row', () => {
    const path = join(temporaryFolder(), 'p.jsonl');
    writeFileSync(path, '{"iteration":1}\nnonsense\n{"iteration":2}\n');
    openJsonlWriter(path, 5).close();
    expect(readFileSync(path, 'utf8')).toBe('{"iteration":1}\n');
  });
});

describe('openCsvWriter', () => {
  test('keeps its columns; later metrics become new last columns, absent ones empty cells', () => {
    const path = join(temporaryFolder(), 'p.csv');
    const writer = openCsvWriter(path, 0);
    writer.write(row(1, { a: 1, b: 2 }));
    writer.write(row(2, { b: 3 }));
    writer.write(row(3, { c: 4, a: 5 }));
    writer.write(row(4, { b: 6 }));
    writer.close();
    expect(readFileSync(path, 'utf8')).toBe(
      `${HEADER},a,b,c\n${FIXED(1)},1,2,\n${FIXED(2)},,3,\n${FIXED(3)},5,,4\n${FIXED(4)},,6,\n`,
    );
  });

  test('goes on after an iteration with the same columns', () => {
    const path = join(temporaryFolder(), 'p.csv');
    const first = openCsvWriter(path, 0);
    for (const iteration of [1, 2, 3]) first.write(row(iteration, { a: iteration, b: 0 }));
    first.close();
    appendFileSync(path, '4,4');
    const second = openCsvWriter(path, 1);
    second.write(row(2, { b: 7 }));
    second.close();
    expect(readFileSync(path, 'utf8')).toBe(`${HEADER},a,b\n${FIXED(1)},1,0\n${FIXED(2)},,7\n`);
  });

  test('quotes names that need it, and finds them again', () => {
    const path = join(temporaryFolder(), 'p.csv');
    for (const iteration of [1, 2]) {
      const writer = openCsvWriter(path, iteration - 1);
      writer.write(row(iteration, { 'env/a,"b"\n': iteration, z: 0 }));
      writer.close();
    }
    expect(readFileSync(path, 'utf8')).toBe(`${HEADER},"env/a,""b"" ",z\n${FIXED(1)},1,0\n${FIXED(2)},2,0\n`);
    expect(readdirSync(join(path, '..'))).toEqual(['p.csv']);
  });
});

describe('crc32c', () => {
  test("RFC 3720's vectors", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  });

  test('masked: rotate right by 15 bits, add 0xa282ead8', () => {
    // 0x8a9136aa rotated right by 15 is 0x6d551522; the sum is 0x10fd7fffa, of which 32 bits stay.
    expect(maskedCrc32c(new Uint8Array(32))).toBe(0x0fd7fffa);
  });
});

describe('openTensorboardWriter', () => {
  const eventFile = (folder: string) => join(folder, readdirSync(folder)[0]);

  test('writes what TensorBoard reads: byte for byte a file that its own reader has confirmed', () => {
    const folder = temporaryFolder();
    const writer = openTensorboardWriter(folder, 0, 1_700_000_000_000);
    writer.write({ ...row(1), metrics: { 'train/entropy': 0.5, 'rollout/episodeReturnMean': -2 } });
    writer.write({ ...row(3), numEnvSteps: 5_000_000_000, metrics: { 'train/entropy': 0.25 } });
    writer.close();
    const fixture = readFileSync(new URL('./fixtures/confirmed.tfevents', import.meta.url));
    expect(readFileSync(eventFile(folder)).equals(fixture)).toBe(true);
    expect(readdirSync(folder)[0]).toMatch(/^events\.out\.tfevents\.1700000000\./);
  });

  test('goes on in the same file: later records and half a record are cut', () => {
    const folder = temporaryFolder();
    const sizes: number[] = [];
    const first = openTensorboardWriter(folder, 0, 1_700_000_000_000);
    for (const iteration of [1, 2, 3]) {
      first.write(row(iteration));
      sizes.push(readFileSync(eventFile(folder)).length);
    }
    first.close();
    appendFileSync(eventFile(folder), Buffer.alloc(20, 7));
    openTensorboardWriter(folder, 200, 1_800_000_000_000).close();
    expect(readdirSync(folder)).toHaveLength(1);
    expect(readFileSync(eventFile(folder)).length).toBe(sizes[1]);
  });

  test('takes random bytes and flipped bits for the end of the file', () => {
    const folder = temporaryFolder();
    const writer = openTensorboardWriter(folder, 0, 1_700_000_000_000);
    writer.write(row(1));
    const firstTwo = readFileSync(eventFile(folder)).length;
    writer.write(row(2));
    writer.close();
    const bytes = readFileSync(eventFile(folder));
    expect(wholeRecordsUpTo(bytes, 1e9)).toBe(bytes.length);
    for (let i = firstTwo; i < bytes.length; i++) {
      const flipped = Buffer.from(bytes);
      flipped[i] ^= 1 << (i % 8);
      expect(wholeRecordsUpTo(flipped, 1e9)).toBe(firstTwo);
      expect(wholeRecordsUpTo(bytes.subarray(0, i), 1e9)).toBe(firstTwo);
    }
    expect(wholeRecordsUpTo(Buffer.alloc(64, 0xff), 1e9)).toBe(0);
  });
});
