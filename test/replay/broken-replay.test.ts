import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import type { CheckpointError } from '../../src/errors.ts';
import { createRunFolder } from '../../src/run/run-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { createReplayToy } from './replay-toy.ts';

async function trained(iterations: number) {
  const toy = createReplayToy();
  for (let k = 0; k < iterations; k++) await toy.train();
  return toy;
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('did not fail'),
    (error: CheckpointError) => error,
  );

describe('a broken checkpoint', () => {
  async function savedRun() {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    const toy = await trained(9);
    await folder.save(toy.iteration, await toy.getState(folder.storedSegments), false);
    await folder.close();
    return { path, segment: join(path, 'segments', readdirSync(join(path, 'segments'))[2]) };
  }

  test('a segment that is missing, cut, or changed by a bit is named', async () => {
    const { path, segment } = await savedRun();
    const bytes = readFileSync(segment);
    const load = async () => {
      const { code, message } = await failureOf(loadCheckpoint(path));
      expect(message).toContain(segment);
      return code;
    };
    for (const at of [0, 9, bytes.length >> 1, bytes.length - 1]) {
      const flipped = Buffer.from(bytes);
      flipped[at] ^= 4;
      writeFileSync(segment, flipped);
      expect(await load()).toBe('CHECKPOINT_SEGMENT_DAMAGED');
    }
    writeFileSync(segment, bytes.subarray(0, 100));
    expect(await load()).toBe('CHECKPOINT_SEGMENT_DAMAGED');
    rmSync(segment);
    expect(await load()).toBe('CHECKPOINT_SEGMENT_MISSING');
    // What needs no replay buffer does not mind.
    const { content } = await loadCheckpoint(path, { withSegments: false });
    expect(content.segments).toBeUndefined();
    expect((await failureOf(createReplayToy().setState(content))).code).toBe('CHECKPOINT_SEGMENT_MISSING');
    writeFileSync(segment, bytes);
    await createReplayToy().setState((await loadCheckpoint(path)).content);
  });

  test('a segment that is damaged after loading is not taken', async () => {
    const { path, segment } = await savedRun();
    const { content } = await loadCheckpoint(path);
    const bytes = readFileSync(segment);
    bytes[200] ^= 1;
    writeFileSync(segment, bytes);
    expect((await failureOf(createReplayToy().setState(content))).code).toBe('CHECKPOINT_SEGMENT_DAMAGED');
    appendFileSync(segment, 'x');
    expect((await failureOf(createReplayToy().setState(content))).code).toBe('CHECKPOINT_SEGMENT_DAMAGED');
  });

  test('copied without its segments says so, and one that was saved alone can be copied', async () => {
    const { path } = await savedRun();
    const copied = join(temporaryFolder(), 'copied');
    await cp(join(path, 'checkpoints', '000009'), copied, { recursive: true });
    expect((await failureOf(loadCheckpoint(copied))).message).toMatch(
      /copy the whole run folder, or .*save\(\)/,
    );
    const alone = join(temporaryFolder(), 'alone');
    const toy = await trained(9);
    await toy.save(alone);
    const moved = join(temporaryFolder(), 'moved');
    await rename(alone, moved);
    const twin = createReplayToy();
    await twin.setState((await loadCheckpoint(moved)).content);
    expect(twin.digest).toBe(toy.digest);
  });

  test('without its replay buffer: refused, unless an empty one is asked for', async () => {
    const toy = createReplayToy({ isReplaySaved: false });
    for (let k = 0; k < 4; k++) await toy.train();
    const content = await toy.getState();
    expect(content.segments).toBeUndefined();
    const error = await failureOf(createReplayToy().setState(content));
    expect([error.code, error.message]).toEqual([
      'CHECKPOINT_REPLAY_MISSING',
      expect.stringContaining('checkpointReplay: false'),
    ]);
    const empty = createReplayToy({ isReplaySaved: false });
    await empty.train();
    await empty.setState(content);
    expect([empty.replay.size, empty.digest]).toEqual([0, toy.digest]);
    await empty.train();
  });

  test.each([
    [
      'of another size',
      (json: Record<string, unknown>) => ({
        ...json,
        layout: { ...(json.layout as object), rowCapacity: 5 },
      }),
      'CHECKPOINT_MISMATCH',
    ],
    [
      'with counters that do not fit',
      (json: Record<string, unknown>) => ({ ...json, end: 3 }),
      'CHECKPOINT_REPLAY',
    ],
    [
      'with counters that are none',
      (json: Record<string, unknown>) => ({ ...json, first: -1 }),
      'CHECKPOINT_REPLAY',
    ],
  ])('%s is refused before anything changes', async (_, change, code) => {
    const content = await (await trained(5)).getState();
    const json = { ...content.json, 'replay.json': change(content.json['replay.json']) as never };
    const toy = await trained(2);
    const before = toy.digest;
    expect((await failureOf(toy.setState({ ...content, json }))).code).toBe(code);
    expect([toy.digest, toy.replay.size]).toEqual([before, 96]);
  });
});
