import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRunFolder } from '../../src/run/run-folder.ts';
import { readUnstartedRun } from '../../src/run/unstarted-run.ts';
import { exampleContent } from '../checkpoint/content.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test('a run folder without any checkpoint is one that can be begun anew', async () => {
  const path = join(temporaryFolder(), 'run');
  const folder = await createRunFolder(path, { algorithm: 'toy', debugging: { seed: 3 } });
  await folder.close();
  mkdirSync(join(path, 'checkpoints', '.tmp-000001-1-abc')); // killed in its first save
  const run = await readUnstartedRun(path);
  expect(run?.content.json['config.json']).toEqual({ algorithm: 'toy', debugging: { seed: 3 } });
  rmSync(join(path, 'checkpoints'), { recursive: true }); // killed before that was made
  expect(await readUnstartedRun(path)).not.toBeNull();
});

test('one that has a checkpoint, or has had one, is not', async () => {
  const path = join(temporaryFolder(), 'run');
  const folder = await createRunFolder(path, {});
  await folder.save(1, exampleContent(1), true);
  await folder.close();
  expect(await readUnstartedRun(path)).toBeNull();
  rmSync(join(path, 'checkpoints', '000001'), { recursive: true });
  expect(await readUnstartedRun(path)).toBeNull(); // the pointers name it: somebody took it away
  expect(await readUnstartedRun(join(path, 'checkpoints'))).toBeNull();
  expect(await readUnstartedRun(temporaryFolder())).toBeNull();
});

test('its config is not read through a link, and has to be an object', async () => {
  const path = temporaryFolder();
  writeFileSync(join(path, 'config.json'), '[1]');
  await expect(readUnstartedRun(path)).rejects.toMatchObject({ code: 'CHECKPOINT_JSON' });
  rmSync(join(path, 'config.json'));
  symlinkSync('/dev/zero', join(path, 'config.json'));
  await expect(readUnstartedRun(path)).rejects.toMatchObject({ code: 'CHECKPOINT_NOT_REGULAR' });
});
