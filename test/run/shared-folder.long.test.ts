/**
 * A run folder that two machines share, as over NFS: two mounts of one folder, each of which keeps attributes and names for three seconds and renames
 * what is removed while somebody has it open. Needs bindfs and the rights to mount.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { createRunFolder, openRunFolder } from '../../src/run/run-folder.ts';
import { exampleContent } from '../checkpoint/content.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { createToyAlgorithm } from './toy-algorithm.ts';
import { startToy } from './toy-process.ts';

interface Shared {
  /** As the server sees it. */
  readonly server: string;
  /** As each machine does. */
  readonly machines: readonly string[];
}

/** null where that cannot be. */
function shareFolder(): Shared | null {
  const folder = temporaryFolder();
  const server = join(folder, 'server');
  const machines = ['one', 'two'].map((name) => join(folder, name));
  for (const path of [server, ...machines]) mkdirSync(path);
  const caches = 'attr_timeout=3,entry_timeout=3';
  for (const machine of machines) {
    if (spawnSync('bindfs', ['-o', caches, server, machine]).status !== 0) return null;
    onTestFinished(() => void spawnSync('fusermount', ['-u', '-z', machine]));
  }
  return { server, machines };
}

/** What runs under it has another host's name, so that its pid says nothing to others. */
const onHost = (name: string) => ['unshare', '--uts', 'bash', '-c', `hostname ${name}; exec "$@"`, '-'];
const canRename = spawnSync(onHost('elsewhere')[0], [...onHost('elsewhere').slice(1), 'true']).status === 0;
const canShare = canRename && spawnSync('bindfs', ['--version']).status === 0;

describe.skipIf(!canShare)('a run folder that two machines share', { timeout: 240_000 }, () => {
  test('is one machine at a time, and a run that was killed on one goes on exactly on the other', async ({
    skip,
  }) => {
    const shared = shareFolder();
    if (shared === null) return skip('bindfs may not mount here');
    const [first, second] = shared.machines.map((machine) => join(machine, 'run'));
    const one = startToy(first, { iterationMs: 20 }, { command: onHost('one') });
    await one.until(({ kind, iteration }) => kind === 'train' && (iteration as number) >= 5);
    await expect(openRunFolder(second)).rejects.toMatchObject({
      code: 'CHECKPOINT_LOCKED',
      message: expect.stringContaining('on one'),
    });
    one.child.kill('SIGKILL');
    await one.ended;
    const { manifest } = await loadCheckpoint(join(shared.server, 'run'));
    const last = manifest.description.iteration as number;
    const two = startToy(second, { stopIterations: last + 5 }, { command: onHost('two') });
    expect(await two.ended).toEqual({ status: 0, signal: null });
    expect(two.messages.find(({ kind }) => kind === 'train')).toMatchObject({ iteration: last + 1 });
    const toy = createToyAlgorithm();
    for (let k = 0; k < last + 5; k++) await toy.train();
    const { content } = await loadCheckpoint(first); // through the caches of the machine that was there first
    expect(content.json['state.json']).toEqual((await toy.getState()).json['state.json']);
    const lines = readFileSync(join(shared.server, 'run/progress.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).iteration)).toEqual(
      Array.from({ length: last + 5 }, (_, k) => k + 1),
    );
  });

  test('an old checkpoint of which somebody has a file open goes out of sight, and is removed by the next owner', async ({
    skip,
  }) => {
    const shared = shareFolder();
    if (shared === null) return skip('bindfs may not mount here');
    const path = join(shared.machines[0], 'run');
    const folder = await createRunFolder(path, {});
    for (const iteration of [1, 2]) await folder.save(iteration, exampleContent(iteration), true);
    const reader = openSync(join(path, 'checkpoints/000001/manifest.json'), 'r');
    const names = () => readdirSync(join(shared.server, 'run/checkpoints')).sort();
    expect(await folder.retain(1)).toEqual([1]);
    expect(names()).toEqual([expect.stringMatching(/^\.tmp-000001/), '000002']);
    await folder.save(3, exampleContent(3), true);
    expect(await folder.retain(1)).toEqual([2]);
    closeSync(reader);
    await folder.close();
    await (await openRunFolder(path)).close();
    expect(names()).toEqual(['000003']);
  });
});
