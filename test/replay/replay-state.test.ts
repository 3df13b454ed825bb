import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { CheckpointContent } from '../../src/checkpoint/content.ts';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { saveCheckpoint } from '../../src/checkpoint/save-checkpoint.ts';
import type { CheckpointError } from '../../src/errors.ts';
import { openStream } from '../../src/random/streams.ts';
import { createReplay } from '../../src/replay/replay.ts';
import { replayState } from '../../src/replay/replay-state.ts';
import { createRunFolder, openRunFolder, type RunFolder } from '../../src/run/run-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { batchOf, recorder, vectorSpec } from './recorded-steps.ts';
import { createReplayToy, type ReplayToy } from './replay-toy.ts';

async function trained(iterations: number): Promise<ReplayToy> {
  const toy = createReplayToy();
  for (let k = 0; k < iterations; k++) await toy.train();
  return toy;
}

/** What an unbroken run has sampled after each iteration. */
const unbroken = async (iterations: number, seed = 0) => {
  const toy = createReplayToy({ seed });
  const digests = [toy.digest];
  for (let k = 0; k < iterations; k++) {
    await toy.train();
    digests.push(toy.digest);
  }
  return digests;
};

const save = async (toy: ReplayToy, folder: RunFolder) =>
  folder.save(toy.iteration, await toy.getState(folder.storedSegments), false);

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('did not fail'),
    (error: CheckpointError) => error,
  );

const segmentsIn = (folder: string) =>
  existsSync(join(folder, 'segments')) ? readdirSync(join(folder, 'segments')) : [];

describe('a restored buffer samples what the unbroken one does', () => {
  // before the first segment is full; with segments; after the ring has gone around
  test.each([0, 1, 5, 23])(
    'from memory and from a single checkpoint, after %i iterations',
    async (before) => {
      const digests = await unbroken(before + 12);
      const toy = await trained(before);
      const content = await toy.getState();
      const path = await saveCheckpoint(join(temporaryFolder(), 'c'), content);
      await toy.train(); // must not reach what was given
      for (const source of [content, (await loadCheckpoint(path)).content]) {
        const twin = createReplayToy();
        await twin.setState(source);
        expect(twin.replay.size).toBe(Math.min(300, before * 48));
        for (let k = 1; k <= 12; k++) {
          await twin.train();
          expect(twin.digest).toBe(digests[before + k]);
        }
      }
    },
  );

  test('also in a buffer that held something else', async () => {
    const digests = await unbroken(14);
    const content = await (await trained(8)).getState();
    const other = createReplayToy();
    for (let k = 0; k < 11; k++) await other.train();
    await other.setState(content);
    for (let k = 0; k < 6; k++) await other.train();
    expect(other.digest).toBe(digests[14]);
  });

  test('also when an episode was cut whose last step lay in a segment that had been saved', async () => {
    const spec = { ...vectorSpec, capacity: 60 };
    const replay = createReplay(spec);
    const part = replayState(replay, { sampler: null });
    replay.append(recorder(spec, () => null).play(4)); // a whole segment
    const early = await part.getState(new Set());
    replay.append(
      recorder(
        spec,
        () => null,
        () => [7, 8, 9],
      ).play(2),
    );
    const late = await part.getState(new Set(Object.keys(early.segments ?? {})));
    expect(Object.values(late.segments ?? {})).not.toContain(null);
    const twin = createReplay(spec);
    await replayState(twin, { sampler: null }).readState(late as CheckpointContent)();
    const [batch, again] = [batchOf(spec, 1), batchOf(spec, 1)];
    replay.gather(Int32Array.of(3), 2, 0.5, batch);
    twin.gather(Int32Array.of(3), 2, 0.5, again);
    expect(again).toEqual(batch);
    expect(again.discounts[0]).toBe(0.5);
  });

  test('and gives the same checkpoint', async () => {
    const toy = await trained(13);
    const content = await toy.getState();
    const twin = createReplayToy();
    await twin.setState(content);
    const again = await twin.getState();
    expect(again.tensors).toEqual(content.tensors);
    expect(again.json).toEqual(content.json);
    for (const [name, read] of Object.entries(content.segments ?? {})) {
      expect(await again.segments?.[name]?.()).toEqual(await read?.());
    }
    expect(Object.keys(again.segments ?? {})).toEqual(Object.keys(content.segments ?? {}));
  });
});

describe('checkpoints of a run', () => {
  test('write what is new, once', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    const toy = await trained(6);
    const whole = await save(toy, folder);
    const inodes = new Map(
      segmentsIn(path).map((name) => [name, statSync(join(path, 'segments', name)).ino]),
    );
    expect(inodes.size).toBeGreaterThan(10);
    await toy.train(); // 16 steps: two segments of 7 and a part of one
    const content = await toy.getState(folder.storedSegments);
    const given = Object.values(content.segments ?? {}).filter((read) => read !== null);
    expect(given.length).toBeGreaterThanOrEqual(2);
    expect(given.length).toBeLessThanOrEqual(3);
    await folder.save(toy.iteration, content, false);
    const fresh = segmentsIn(path).filter((name) => !inodes.has(name));
    expect(fresh).toHaveLength(given.length);
    for (const [name, inode] of inodes) expect(statSync(join(path, 'segments', name)).ino).toBe(inode);
    // Both load, and both name files of one folder.
    for (const checkpoint of [whole, path])
      await createReplayToy().setState((await loadCheckpoint(checkpoint)).content);
    await folder.close();
  });

  test('retention removes segments that no checkpoint names, and no other', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    const toy = await trained(0);
    for (let k = 1; k <= 30; k++) {
      await toy.train();
      await folder.save(toy.iteration, await toy.getState(folder.storedSegments), k === 4);
      await folder.retain(2);
      for (const name of readdirSync(join(path, 'checkpoints')))
        await loadCheckpoint(join(path, 'checkpoints', name));
    }
    const used = new Set<string>();
    for (const name of readdirSync(join(path, 'checkpoints'))) {
      const { manifest } = await loadCheckpoint(join(path, 'checkpoints', name));
      for (const segment of Object.keys(manifest.segments?.files ?? {})) used.add(`${segment}.safetensors`);
    }
    expect(readdirSync(join(path, 'checkpoints'))).toEqual(['000004', '000029', '000030']);
    expect(segmentsIn(path).sort()).toEqual([...used].sort());
    expect(used.size).toBeGreaterThan(20); // the best one's are no longer in the buffer, and stay
    await folder.close();
  });

  test('resumed from an older one: segments of those set aside stay, equal ones are shared', async () => {
    const path = join(temporaryFolder(), 'run');
    const digests = await unbroken(12);
    const first = await createRunFolder(path, {});
    const toy = await trained(3);
    for (let k = 3; k < 8; k++) {
      await toy.train();
      await save(toy, first);
    }
    await first.close();
    const folder = await openRunFolder(path);
    const { content } = await loadCheckpoint(join(path, 'checkpoints', '000005'));
    const again = createReplayToy();
    await again.setState(content);
    await folder.rewind(5, null);
    expect(folder.storedSegments.size).toBeGreaterThan(5);
    const before = segmentsIn(path);
    for (let k = 5; k < 8; k++) await again.train();
    await save(again, folder);
    expect(segmentsIn(path)).toEqual(before); // the same steps, so the same segments
    await folder.retain(1);
    await again.train();
    await save(again, folder);
    await loadCheckpoint(join(path, 'superseded', '000007'));
    expect(again.digest).toBe(digests[9]);
    await folder.close();
  });

  test('a manifest that cannot be read keeps every segment', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    const toy = await trained(0);
    for (let k = 0; k < 14; k++) {
      await toy.train();
      await save(toy, folder);
    }
    const before = segmentsIn(path);
    writeFileSync(join(path, 'checkpoints', '000013', 'manifest.json'), '{');
    expect((await failureOf(folder.retain(2))).code).toBe('CHECKPOINT_MANIFEST');
    expect(segmentsIn(path)).toEqual(before);
    await folder.close();
  });

  test('a kill between segments and checkpoint leaves the last one whole; leftovers go', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    const toy = await trained(5);
    await save(toy, folder);
    const whole = segmentsIn(path);
    await toy.train();
    const killed = await save(toy, folder);
    await folder.close();
    // As if the process had died after the segments, before the checkpoint's folder was renamed.
    await rename(killed, join(path, 'checkpoints', '.tmp-000006-1-abc'));
    writeFileSync(join(path, 'latest'), 'checkpoints/000005\n');
    writeFileSync(join(path, 'segments', '.tmp-replay-000099-aa.safetensors-1-abc'), 'half');
    const again = await openRunFolder(path);
    await createReplayToy().setState((await loadCheckpoint(path)).content);
    await again.rewind(5, null);
    await again.retain(2);
    expect(segmentsIn(path).sort()).toEqual(whole.sort());
    await again.close();
  });

  test('kills at random moments: the next process goes on as the unbroken run', {
    timeout: 120_000,
  }, async () => {
    const path = join(temporaryFolder(), 'run');
    const stream = openStream(11, 'kills');
    const script = fileURLToPath(new URL('./train-replay-toy.ts', import.meta.url));
    let last = 0;
    for (let kill = 0; kill < 4; kill++) {
      const child = spawn(process.execPath, ['--import', 'tsx', script, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const target = last + 3 + stream.integer(15);
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (text: Buffer) => {
          if (Number(String(text).trim().split('\n').at(-1)) < target) return;
          setTimeout(resolve, stream.integer(10));
        });
        child.on('exit', () => resolve());
      });
      child.kill('SIGKILL');
      await new Promise((resolve) => child.on('close', resolve));
      const { content, manifest } = await loadCheckpoint(path);
      const iteration = manifest.description.iteration as number;
      expect(iteration).toBeGreaterThanOrEqual(last);
      const twin = createReplayToy({ seed: 5 });
      await twin.setState(content);
      const digests = await unbroken(iteration + 3, 5);
      expect(twin.digest).toBe(digests[iteration]);
      for (let k = 0; k < 3; k++) await twin.train();
      expect(twin.digest).toBe(digests[iteration + 3]);
      last = iteration;
    }
    expect(last).toBeGreaterThan(8);
  });
});
