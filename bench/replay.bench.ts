/**
 * What a replay buffer of a million Pendulum transitions costs: `npm run bench:replay`.
 *
 * Microseconds of a batch of 256 by way of sampling, of appending a step; memory against the raw floats; seconds and bytes of its first checkpoint,
 * of the next one after 10,000 steps more, and of restoring it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCheckpoint } from '../src/checkpoint/load-checkpoint.ts';
import type { StatePart } from '../src/checkpoint/state-part.ts';
import { joinStates } from '../src/checkpoint/state-part.ts';
import { openStream } from '../src/random/streams.ts';
import { createPrioritisedSampler } from '../src/replay/prioritised-sampler.ts';
import { createReplay, type Replay } from '../src/replay/replay.ts';
import { type ReplaySpec, replayBytes } from '../src/replay/replay-spec.ts';
import { replayState } from '../src/replay/replay-state.ts';
import { sampleUniform } from '../src/replay/uniform-sampler.ts';
import { createRunFolder } from '../src/run/run-folder.ts';
import { describeMachine, machineLine } from './machine.ts';

const B = 256;
const T = 200;
const spec: ReplaySpec = {
  capacity: 1_000_000,
  numRows: 1,
  observationSize: 3,
  observationDtype: 'float32',
  actionSize: 1,
  actionDtype: 'float32',
  maskSize: 0,
};

/** An episode of 200 steps. */
function episode() {
  const stream = openStream(0, 'bench');
  return {
    numRows: 1,
    rolloutLength: T,
    observations: Float32Array.from({ length: 3 * T }, () => stream.normal()),
    actions: new Float32Array(T),
    rewards: new Float32Array(T),
    terminated: new Uint8Array(T),
    truncated: Uint8Array.from({ length: T }, (_, t) => (t === T - 1 ? 1 : 0)),
    actionMasks: new Uint8Array(0),
    bootstrapObservations: new Float32Array(3),
    bootstrapMasks: new Uint8Array(0),
    finalSlots: Int32Array.from({ length: T }, (_, t) => (t === T - 1 ? 0 : -1)),
    finalObservations: new Float32Array(3),
  };
}

/** Microseconds of the fastest of 20 rounds of 50 calls. */
function fastest(run: () => void): string {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round++) {
    const begin = performance.now();
    for (let k = 0; k < 50; k++) run();
    best = Math.min(best, (1000 * (performance.now() - begin)) / 50);
  }
  return `${best.toFixed(1)} us`;
}

function timeSampling(replay: Replay): void {
  const indices = new Int32Array(B);
  const weights = new Float32Array(B);
  const errors = new Float32Array(B).fill(0.5);
  const batch = {
    observations: new Float32Array(3 * B),
    nextObservations: new Float32Array(3 * B),
    actions: new Float32Array(B),
    rewards: new Float32Array(B),
    discounts: new Float32Array(B),
  };
  const stream = openStream(1, 'bench');
  const sampler = createPrioritisedSampler(replay, 1);
  console.log(`uniform draws of ${B}: ${fastest(() => sampleUniform(replay, 1, stream, indices))}`);
  console.log(
    `  drawn and gathered: ${fastest(() => {
      sampleUniform(replay, 1, stream, indices);
      replay.gather(indices, 1, 0.99, batch);
    })}`,
  );
  console.log(`  the same again, in the cache: ${fastest(() => replay.gather(indices, 1, 0.99, batch))}`);
  console.log(`  3-step returns: ${fastest(() => replay.gather(indices, 3, 0.99, batch))}`);
  console.log(
    `prioritised draws of ${B}: ${fastest(() => sampler.sample(stream, 0.6, 0.4, indices, weights))}, new priorities: ${fastest(() => sampler.update(indices, errors, 0.6))}`,
  );
}

async function sizesIn(folder: string): Promise<Map<string, number>> {
  const names = await readdir(folder, { recursive: true });
  const infos = await Promise.all(names.map(async (name) => [name, await stat(join(folder, name))] as const));
  return new Map(infos.flatMap(([name, info]) => (info.isFile() ? [[name, info.size] as const] : [])));
}

async function timeCheckpoints(replay: Replay): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'operant-bench-'));
  const folder = await createRunFolder(join(path, 'run'), {});
  const parts: readonly StatePart[] = [replayState(replay, { sampler: null })];
  const save = async (iteration: number, what: string) => {
    const before = await sizesIn(path);
    const begin = performance.now();
    const content = await joinStates(parts, folder.storedSegments);
    const copied = performance.now();
    await folder.save(iteration, content, false);
    const seconds = ((performance.now() - copied) / 1000).toFixed(2);
    let bytes = 0;
    for (const [name, size] of await sizesIn(path)) if (!before.has(name)) bytes += size;
    console.log(
      `${what}: ${(bytes / 1e6).toFixed(2)} MB, ${(copied - begin).toFixed(1)} ms before training goes on, ${seconds} s in the background`,
    );
  };
  await save(1, 'first checkpoint');
  const fragment = episode();
  for (let k = 0; k < 50; k++) replay.append(fragment);
  await save(2, 'after 10,000 steps more');
  await save(3, 'after nothing new');
  const begin = performance.now();
  const { content } = await loadCheckpoint(join(path, 'run'));
  const twin = createReplay(spec);
  await replayState(twin, { sampler: null }).readState(content)();
  console.log(`checked and restored: ${((performance.now() - begin) / 1000).toFixed(2)} s`);
  await folder.close();
  rmSync(path, { recursive: true });
}

console.log(machineLine(describeMachine()));
const { ring, finals, total } = replayBytes(spec);
const raw = 1_000_000 * 4 * 5;
console.log(
  `memory: ${(total / 1e6).toFixed(1)} MB (ring ${(ring / 1e6).toFixed(1)}, last observations ${(finals / 1e6).toFixed(1)}), ${(total / raw).toFixed(2)} times the raw floats`,
);
const replay = createReplay(spec);
const fragment = episode();
const begin = performance.now();
for (let k = 0; k < 1_000_000 / T; k++) replay.append(fragment);
console.log(`append: ${((1e6 * (performance.now() - begin)) / 1_000_000).toFixed(0)} ns a step`);
timeSampling(replay);
await timeCheckpoints(replay);
