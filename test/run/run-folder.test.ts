import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkpointName, loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { openJsonlWriter } from '../../src/metrics/jsonl-writer.ts';
import { makeFreshFolder } from '../../src/run/fresh-folder.ts';
import { describeThisProcess } from '../../src/run/lock-holder.ts';
import { createRunFolder, openRunFolder, runFolderOf } from '../../src/run/run-folder.ts';
import { exampleContent } from '../checkpoint/content.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { startToy } from './toy-process.ts';

const OTHER = randomUUID();

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: { code?: string }) => error.code ?? error,
  );

describe('createRunFolder', () => {
  test('makes a new folder, or uses an empty one', async () => {
    const path = join(temporaryFolder(), 'a', 'run');
    const folder = await createRunFolder(path, { seed: 1 });
    expect(readdirSync(path).sort()).toEqual(['checkpoints', 'config.json', 'lock']);
    await folder.close();
    expect(readdirSync(path).sort()).toEqual(['checkpoints', 'config.json']);
    const empty = temporaryFolder();
    await (await createRunFolder(empty, {})).close();
  });

  test('refuses a folder with something in it, and leaves it alone', async () => {
    const path = temporaryFolder();
    writeFileSync(join(path, 'thesis.tex'), 'do not touch');
    const error = await createRunFolder(path, {}).catch((reason: Error & { code: string }) => reason);
    expect(error).toMatchObject({
      code: 'CONFIG_OUT_EXISTS',
      message: expect.stringMatching(/thesis\.tex.*--resume/),
    });
    expect(readdirSync(path)).toEqual(['thesis.tex']);
  });

  test('refuses a path through a file', async () => {
    const path = temporaryFolder();
    writeFileSync(join(path, 'file'), '');
    expect(await codeOf(createRunFolder(join(path, 'file', 'run'), {}))).toBe('CONFIG_OUT_NOT_WRITABLE');
    expect(await codeOf(createRunFolder(join(path, 'file'), {}))).toBe('CONFIG_OUT_NOT_WRITABLE');
  });
});

test('forty runs that begin in the same second get forty folders', async () => {
  const base = join(temporaryFolder(), 'runs', 'CartPole-v1-ppo-20250131-142501');
  const folders = await Promise.all(
    Array.from({ length: 40 }, async () => createRunFolder(await makeFreshFolder(base), {})),
  );
  expect(new Set(folders.map(({ path }) => path)).size).toBe(40);
  expect(readdirSync(join(base, '..'))).toHaveLength(40);
  expect(existsSync(base) && existsSync(`${base}-40`)).toBe(true);
  for (const folder of folders) await folder.close();
});

describe('RunFolder', () => {
  test('save points latest and best; retain keeps the newest and what is pointed at', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    for (const iteration of [1, 2, 3, 4, 5])
      await folder.save(iteration, exampleContent(iteration), iteration === 2);
    expect([await folder.readPointer('latest'), await folder.readPointer('best')]).toEqual([5, 2]);
    expect(await folder.retain(2)).toEqual([1, 3]);
    expect(readdirSync(join(path, 'checkpoints')).sort()).toEqual(['000002', '000004', '000005']);
    expect((await loadCheckpoint(join(path, 'best'))).manifest.description.iteration).toBe(2);
    await folder.close();
  });

  test('a pointer that could not be written is written when the same iteration is saved again', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    // A folder in the pointer's place makes the rename fail for every user.
    mkdirSync(join(path, 'latest', 'in-the-way'), { recursive: true });
    expect(await codeOf(folder.save(1, exampleContent(1), false))).toMatch(/^CHECKPOINT_/);
    rmSync(join(path, 'latest'), { recursive: true });
    await folder.save(1, exampleContent(1), false);
    expect(await folder.readPointer('latest')).toBe(1);
    await folder.close();
  });

  test('numbers beyond six digits stay in order', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    for (const iteration of [999_999, 1_000_000, 1_000_001])
      await folder.save(iteration, exampleContent(iteration), false);
    expect(checkpointName(1_000_001)).toBe('1000001');
    expect(await folder.retain(1)).toEqual([999_999, 1_000_000]);
    expect((await loadCheckpoint(path)).manifest.description.iteration).toBe(1_000_001);
    await folder.close();
  });

  test('opening it removes what killed saves left, and nothing else', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    await folder.save(1, exampleContent(1), false);
    await folder.close();
    mkdirSync(join(path, 'checkpoints', '.tmp-000002-1-abc', 'policies'), { recursive: true });
    writeFileSync(join(path, 'checkpoints', '.tmp-000002-1-abc', 'policies', 'x'), '');
    writeFileSync(join(path, '.tmp-latest-1-abc'), '');
    writeFileSync(join(path, 'notes.txt'), 'mine');
    await (await openRunFolder(path)).close();
    expect(readdirSync(path).sort()).toEqual(['checkpoints', 'config.json', 'latest', 'notes.txt']);
    expect(readdirSync(join(path, 'checkpoints'))).toEqual(['000001']);
  });

  test('is found from a checkpoint inside it', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    const saved = await folder.save(1, exampleContent(1), false);
    await folder.close();
    expect(runFolderOf(saved)).toBe(path);
    expect(runFolderOf(join(path, '..', 'elsewhere'))).toBeNull();
    expect(await codeOf(openRunFolder(join(path, 'checkpoints')))).toBe('CHECKPOINT_NOT_FOUND');
  });
});

describe.skipIf(process.platform === 'win32')('a run folder that somebody prepared', () => {
  /** A run folder with one checkpoint and a log. */
  async function runFolder(): Promise<string> {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    await folder.save(1, exampleContent(1), true);
    await folder.close();
    return path;
  }

  const WEIGHTS = 'checkpoints/000001/policies/default/weights.safetensors';

  test.each([
    ['weights', WEIGHTS, '/dev/zero'],
    ['manifest', 'checkpoints/000001/manifest.json', '/dev/zero'],
    ['a folder of the checkpoint', 'checkpoints/000001/policies', '/tmp'],
    ['the checkpoint', 'checkpoints/000001', '/tmp'],
    ['all checkpoints', 'checkpoints', '/tmp'],
    ['a pointer', 'latest', '/dev/zero'],
  ])('%s as a link is refused, unread', async (_, name, target) => {
    const path = await runFolder();
    const place = join(path, name);
    // What it was lies elsewhere: a link to good content is refused, too.
    renameSync(place, join(path, '..', 'moved'));
    for (const to of [target, join(path, '..', 'moved')]) {
      symlinkSync(to, place);
      expect(await codeOf(loadCheckpoint(path))).toMatch(/^CHECKPOINT_(NOT_REGULAR|POINTER)$/);
      rmSync(place);
    }
    renameSync(join(path, '..', 'moved'), place);
    expect((await loadCheckpoint(path)).manifest.description.iteration).toBe(1);
  });

  test('a pipe is refused, and nobody waits for its other end', async () => {
    const path = await runFolder();
    rmSync(join(path, WEIGHTS));
    execFileSync('mkfifo', [join(path, WEIGHTS)]);
    expect(await codeOf(loadCheckpoint(path))).toBe('CHECKPOINT_NOT_REGULAR');
  });

  test('a sparse file of a terabyte is refused, unread', async () => {
    const path = await runFolder();
    truncateSync(join(path, 'checkpoints/000001/manifest.json'), 2 ** 40);
    expect(await codeOf(loadCheckpoint(path))).toBe('CHECKPOINT_TOO_LARGE');
    truncateSync(join(path, 'latest'), 2 ** 40);
    expect(await codeOf(loadCheckpoint(path))).toBe('CHECKPOINT_POINTER');
  });

  test('its logs are not written through links, and its checkpoints not in another place', async () => {
    const path = await runFolder();
    const victim = join(path, '..', 'victim.txt');
    writeFileSync(victim, 'mine');
    symlinkSync(victim, join(path, 'progress.jsonl'));
    expect(() => openJsonlWriter(join(path, 'progress.jsonl'), 1)).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_NOT_REGULAR' }),
    );
    expect(readFileSync(victim, 'utf8')).toBe('mine');
    for (const name of ['checkpoints', 'superseded', 'segments']) {
      rmSync(join(path, name), { recursive: true, force: true });
      symlinkSync(temporaryFolder(), join(path, name));
      expect(await codeOf(openRunFolder(path))).toBe('CHECKPOINT_NOT_REGULAR');
      rmSync(join(path, name));
      mkdirSync(join(path, name));
    }
    await (await openRunFolder(path)).close();
  });

  test('a name that only resembles a checkpoint is none', async () => {
    const path = await runFolder();
    for (const name of ['0000001', '12', '1e3', '000000000000000000012'])
      mkdirSync(join(path, 'checkpoints', name));
    const folder = await openRunFolder(path);
    expect(await folder.retain(1)).toEqual([]);
    writeFileSync(join(path, 'latest'), 'checkpoints/0000001\n');
    expect(await folder.readPointer('latest')).toBeNull();
    await folder.close();
  });
});

describe('the lock', () => {
  const lockOf = (path: string) => JSON.parse(readFileSync(join(path, 'lock'), 'utf8'));

  test('one process at a time, also within one process, and free again after closing', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    const error = await openRunFolder(path).catch((reason: Error & { code: string }) => reason);
    expect(error).toMatchObject({
      code: 'CHECKPOINT_LOCKED',
      message: expect.stringContaining(String(process.pid)),
    });
    await folder.close();
    await (await openRunFolder(path)).close();
  });

  test('of a living process is respected; after SIGKILL it is taken over', async () => {
    const path = join(temporaryFolder(), 'run');
    const toy = startToy(path, { iterationMs: 50 });
    await toy.until(({ kind, iteration }) => kind === 'train' && iteration === 3);
    const error = await openRunFolder(path).catch((reason: Error & { code: string }) => reason);
    expect(error).toMatchObject({
      code: 'CHECKPOINT_LOCKED',
      message: expect.stringContaining(String(toy.child.pid)),
    });
    toy.child.kill('SIGKILL');
    await toy.ended;
    expect(existsSync(join(path, 'lock'))).toBe(true);
    const folder = await openRunFolder(path);
    expect(lockOf(path).pid).toBe(process.pid);
    await folder.close();
  });

  test('of a dead process goes to exactly one of many who want it', async () => {
    const path = join(temporaryFolder(), 'run');
    await (await createRunFolder(path, {})).close();
    // No process has this pid: Linux and macOS stay below it.
    writeFileSync(join(path, 'lock'), JSON.stringify({ ...describeThisProcess(randomUUID()), pid: 2 ** 30 }));
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => openRunFolder(path)));
    const winners = results.filter((result) => result.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason.code).toBe('CHECKPOINT_LOCKED');
    await winners[0].value.close();
    expect(readdirSync(path).sort()).toEqual(['checkpoints', 'config.json']);
  });

  test('that somebody took is noticed before anything is written', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = await createRunFolder(path, {});
    writeFileSync(join(path, 'lock'), JSON.stringify({ ...describeThisProcess(OTHER), pid: process.ppid }));
    expect(await codeOf(folder.save(1, exampleContent(1), false))).toBe('CHECKPOINT_LOCKED');
    expect(readdirSync(join(path, 'checkpoints'))).toEqual([]);
    await folder.close();
    expect(lockOf(path).token).toBe(OTHER);
  });
});
