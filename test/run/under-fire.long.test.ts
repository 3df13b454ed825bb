/** Processes that are killed, interrupted, locked out, or have nowhere to write. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { openStream } from '../../src/random/streams.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { createToyAlgorithm } from './toy-algorithm.ts';
import { startToy } from './toy-process.ts';

const isWindows = process.platform === 'win32';

/** States of an undisturbed toy after each iteration. */
async function undisturbedStates(numIterations: number) {
  const toy = createToyAlgorithm();
  const states = [await toy.getState()];
  while (states.length <= numIterations) {
    await toy.train();
    states.push(await toy.getState());
  }
  return states;
}

function iterationsLogged(path: string): number[] {
  const lines = readFileSync(join(path, 'progress.jsonl'), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line).iteration);
}

describe('SIGKILL', () => {
  test('at random moments while it saves all the time: the newest checkpoint always loads and goes on exactly', async () => {
    const path = join(temporaryFolder(), 'run');
    const moments = openStream(1, 'moments');
    const undisturbed = await undisturbedStates(5000);
    let killedInSave = 0;
    let last = 0;
    for (let kill = 0; kill < 12; kill++) {
      // A save overlaps with the next iteration: when iteration n begins, n - 2 is on the disk.
      // 400 kB per checkpoint and no pause: a random moment is most likely one inside a save.
      const toy = startToy(path, { ballast: { from: 0, to: 1e9, size: 100_000 } });
      await toy.until(({ kind, iteration }) => kind === 'train' && (iteration as number) > last + 2);
      await sleep(moments.uniform() * 60);
      toy.child.kill('SIGKILL');
      await toy.ended;
      killedInSave += Number(readdirSync(join(path, 'checkpoints')).some((name) => name.startsWith('.tmp-')));
      const { content, manifest } = await loadCheckpoint(path);
      const iteration = manifest.description.iteration as number;
      expect(iteration).toBeGreaterThan(last);
      expect(content.json['state.json']).toEqual(undisturbed[iteration].json['state.json']);
      const weights = 'policies/default/weights.safetensors';
      expect(content.tensors[weights].position).toEqual(undisturbed[iteration].tensors[weights].position);
      expect((await loadCheckpoint(join(path, 'best')).catch(() => null)) !== null || iteration < 4).toBe(
        true,
      );
      last = iteration;
    }
    expect(killedInSave).toBeGreaterThan(0);
    const end = startToy(path, { stopIterations: last + 2 });
    expect((await end.ended).status).toBe(0);
    expect(iterationsLogged(path)).toEqual(Array.from({ length: last + 2 }, (_, k) => k + 1));
    expect(readdirSync(join(path, 'checkpoints')).filter((name) => name.startsWith('.tmp-'))).toEqual([]);
  });
});

describe.skipIf(isWindows)('signals', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s: the iteration is finished, saved, and reported',
    async (signal) => {
      const path = join(temporaryFolder(), 'run');
      const toy = startToy(path, { handleSignals: true, iterationMs: 100, checkpointEvery: null });
      await toy.until(({ kind, iteration }) => kind === 'train' && iteration === 2);
      toy.child.kill(signal);
      expect(await toy.ended).toEqual({ status: 0, signal: null });
      expect(toy.messages.at(-1)).toMatchObject({
        kind: 'summary',
        stopReason: 'interrupted',
        iterations: 2,
      });
      expect((await loadCheckpoint(path)).manifest.description.iteration).toBe(2);
      expect(existsSync(join(path, 'lock'))).toBe(false);
    },
  );

  test('a closing terminal sends SIGHUP twice: the run is saved all the same', async () => {
    const path = join(temporaryFolder(), 'run');
    const toy = startToy(path, { handleSignals: true, iterationMs: 300, checkpointEvery: null });
    await toy.until(({ kind, iteration }) => kind === 'train' && iteration === 2);
    toy.child.kill('SIGHUP');
    await toy.until(({ kind, about }) => kind === 'warning' && about === 'interruption');
    toy.child.kill('SIGHUP');
    expect(await toy.ended).toEqual({ status: 0, signal: null });
    expect((await loadCheckpoint(path)).manifest.description.iteration).toBe(2);
  });

  test('the second SIGINT kills at once', async () => {
    const toy = startToy(join(temporaryFolder(), 'run'), { handleSignals: true, iterationMs: 600_000 });
    await toy.until(({ kind }) => kind === 'train');
    toy.child.kill('SIGINT');
    await sleep(100);
    expect(toy.child.exitCode).toBeNull();
    toy.child.kill('SIGINT');
    expect(await toy.ended).toEqual({ status: null, signal: 'SIGINT' });
  });
});

describe('two processes on one run folder', () => {
  test('the second one gets a clear error and harms nothing', async () => {
    const path = join(temporaryFolder(), 'run');
    const first = startToy(path, { stopIterations: 40, iterationMs: 50 });
    await first.until(({ kind, iteration }) => kind === 'train' && iteration === 3);
    const second = startToy(path, { stopIterations: 40 });
    expect((await second.ended).status).toBe(1);
    expect(second.messages).toMatchObject([{ kind: 'error', code: 'CHECKPOINT_LOCKED' }]);
    expect((await first.ended).status).toBe(0);
    expect(iterationsLogged(path)).toEqual(Array.from({ length: 40 }, (_, k) => k + 1));
  });
});

describe.skipIf(isWindows)('nowhere to write', () => {
  // A limit on the size of files stands in for a full disk: it needs no special rights.
  test('no space for some checkpoints: warnings, older ones stay, later ones succeed', async () => {
    const path = join(temporaryFolder(), 'run');
    const ballast = { from: 4, to: 7, size: 100_000 };
    const toy = startToy(path, { stopIterations: 8, ballast, metricsWindow: 10_000 }, { fileKiB: 64 });
    expect((await toy.ended).status).toBe(0);
    const warnings = toy.messages.filter(({ kind }) => kind === 'warning');
    expect(warnings).toHaveLength(2);
    for (const { message } of warnings)
      expect(message).toMatch(/was not written: No space left.*last whole one is .*000003/);
    expect(warnings[1].message).toMatch(/3 such warnings in all/);
    expect(toy.messages.at(-1)).toMatchObject({ kind: 'summary', checkpointError: null });
    expect((await loadCheckpoint(path)).manifest.description.iteration).toBe(8);
    expect(readdirSync(join(path, 'checkpoints')).sort()).toEqual(['000007', '000008']);
  });

  test('no space at the end: the summary says what is lost', async () => {
    const path = join(temporaryFolder(), 'run');
    const ballast = { from: 4, to: 100, size: 100_000 };
    const toy = startToy(path, { stopIterations: 5, ballast, metricsWindow: 10_000 }, { fileKiB: 64 });
    await toy.ended;
    const checkpoint = join(path, 'checkpoints', '000003');
    expect(toy.messages.at(-1)).toMatchObject({
      checkpoint,
      checkpointError: expect.stringContaining('No space left'),
    });
    expect((await loadCheckpoint(path)).path).toBe(checkpoint);
  });

  test('no space for the logs: one warning each, the run goes on, the files are whole', async () => {
    const path = join(temporaryFolder(), 'run');
    const toy = startToy(
      path,
      { stopIterations: 80, checkpointEvery: null, metricsWindow: 10_000 },
      { fileKiB: 8 },
    );
    expect((await toy.ended).status).toBe(0);
    const warnings = toy.messages.filter(({ kind, about }) => kind === 'warning' && about === 'metrics');
    expect(warnings).toHaveLength(3);
    const logged = iterationsLogged(path);
    expect(logged.length).toBeGreaterThan(10);
    // Up to the first row that found no space all are there; a shorter one may fit after it.
    expect(logged.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, k) => k + 1));
    expect(logged).toEqual([...new Set(logged)].toSorted((a, b) => a - b));
    expect((await loadCheckpoint(path)).manifest.description.iteration).toBe(80);
  });

  test.skipIf(process.platform !== 'linux')(
    'a file system that takes no folders: a clear error, at once',
    { timeout: 20_000 },
    async () => {
      const toy = startToy('/proc/no/run', {});
      expect((await toy.ended).status).toBe(1);
      expect(toy.messages).toMatchObject([{ kind: 'error', code: 'CONFIG_OUT_NOT_WRITABLE' }]);
    },
  );

  test('a folder that only others may write: a clear error and nothing made', async () => {
    const parent = join(temporaryFolder(), 'theirs');
    mkdirSync(parent);
    chmodSync(join(parent, '..'), 0o755);
    chmodSync(parent, 0o555);
    // For root every folder is writable, so root tries as somebody else.
    const toy = startToy(join(parent, 'run'), {}, process.getuid?.() === 0 ? { uid: 65534 } : {});
    expect((await toy.ended).status).toBe(1);
    expect(toy.messages).toMatchObject([{ kind: 'error', code: 'CONFIG_OUT_NOT_WRITABLE' }]);
    expect(readdirSync(parent)).toEqual([]);
  });
});
