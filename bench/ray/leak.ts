/** Random kills for minutes: nothing may stay in the object store, in memory, or among the processes. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openStream, type Stream } from '../../src/random/streams.ts';
import { bridgePids, kill, type RayCluster } from '../../test/cluster/ray-cluster.ts';
import { load } from '../machine.ts';
import { buildRun, NUM_HOSTS, WIDE_ENV } from './build-run.ts';
import { countLeft } from './drills.ts';

/** Kills every so often. */
const PERIOD_MS = 5_000;
/** A kill comes at some time of an iteration, about so long. */
const MID_ITERATION_MS = 100;
/** Kills between two looks at the object stores. */
const SAMPLE_EVERY = 10;
/** Fragments of 10.7 MB from each host: what is shorter does not come into the object stores. */
const NUM_ENVS = 8;
const ROLLOUT_LENGTH = 1280;

interface Plasma {
  readonly megabytes: number;
  readonly objects: number;
}

/** A look at everything, at some time of the run. */
interface Sample extends Plasma {
  /** Resident MiB of the learner, and of hosts (actors and rollout processes) and bridge together. */
  readonly learner: number;
  readonly others: number;
}

const residentMegabytes = (pid: number): number => {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    return 0; // it has ended
  }
};

function sampleOf(cluster: RayCluster): Sample {
  const pids = [...cluster.pids('actor'), ...cluster.pids('rollout'), ...bridgePids()];
  const others = pids.reduce((sum, pid) => sum + residentMegabytes(pid), 0);
  return { ...plasmaOf(cluster), learner: residentMegabytes(process.pid), others };
}

/** What `ray memory` says of the object stores of all nodes. */
function plasmaOf(cluster: RayCluster): Plasma {
  const python = process.env.OPERANT_RAY_PYTHON ?? 'python3';
  const args = ['memory', '--stats-only', '--address', cluster.address];
  const { stdout } = spawnSync(join(dirname(python), 'ray'), args, { encoding: 'utf8' });
  const [, megabytes, objects] = /Plasma memory usage (\d+) MiB, (\d+) objects/.exec(stdout) ?? [];
  if (objects === undefined) throw new Error(`ray memory says: ${stdout.slice(0, 500)}`);
  return { megabytes: Number(megabytes), objects: Number(objects) };
}

type Kind = 'rollout' | 'actor' | 'bridge';
const KINDS: readonly Kind[] = ['rollout', 'actor', 'bridge'];

/** One of them, any. */
function killOne(cluster: RayCluster, kind: Kind, stream: Stream): void {
  const pids = kind === 'bridge' ? bridgePids() : cluster.pids(kind);
  kill(pids[stream.integer(pids.length)]);
}

/** @returns whether no more objects are held in the end than a run holds after its first iterations, and none, and no process, once it has stopped. */
export async function measureLeak(cluster: RayCluster, minutes: number): Promise<boolean> {
  const run = await buildRun(cluster, NUM_ENVS, ROLLOUT_LENGTH, NUM_HOSTS, [2], WIDE_ENV);
  const stream = openStream(1, 'kills');
  try {
    for (let k = 0; k < 5; k++) await run.train();
    const before = sampleOf(cluster);
    const end = performance.now() + minutes * 60_000;
    const numKills = { rollout: 0, actor: 0, bridge: 0 };
    const sum = () => numKills.rollout + numKills.actor + numKills.bridge;
    const samples: Sample[] = [before];
    let [numIterations, numReplaced] = [0, 0];
    const train = async () => {
      numIterations += 1;
      numReplaced += (await run.train()).metrics['rollout/numWorkerRestarts'];
    };
    for (let killedAt = performance.now(); performance.now() < end; ) {
      if (performance.now() - killedAt >= PERIOD_MS) {
        killedAt = performance.now();
        const kind = KINDS[stream.integer(KINDS.length)];
        numKills[kind] += 1;
        setTimeout(() => killOne(cluster, kind, stream), MID_ITERATION_MS * stream.uniform());
        if (sum() % SAMPLE_EVERY === 0) samples.push(sampleOf(cluster));
      }
      await train();
    }
    for (let k = 0; k < 5; k++) await train();
    const after = sampleOf(cluster);
    samples.push(after);
    await run.stop();
    const numLeft = await countLeft(cluster);
    const left = plasmaOf(cluster);
    const objects = samples.map((each) => each.objects);
    const series = (of: (sample: Sample) => number) => samples.map((each) => of(each).toFixed(0)).join(' ');
    console.log(
      `leak: ${minutes} min, ${numIterations} iterations, ${sum()} kills (${JSON.stringify(numKills)}), ${numReplaced} hosts replaced; object store ${before.objects} objects (${before.megabytes} MiB) before, ${after.objects} (${after.megabytes} MiB) after, ` +
        `in ${samples.length} samples ${Math.min(...objects)} to ${Math.max(...objects)}; ${left.objects} (${left.megabytes} MiB) and ${numLeft} processes when the run has stopped; the learner's memory grew by ${(after.learner - before.learner).toFixed(0)} MiB; load ${load()}`,
    );
    console.log(
      `every ${SAMPLE_EVERY} kills: objects ${series(({ objects }) => objects)}; object store, MiB ${series(({ megabytes }) => megabytes)}; learner, MiB ${series(({ learner }) => learner)}; hosts and bridge, MiB ${series(({ others }) => others)}`,
    );
    return after.objects <= before.objects + 2 && left.objects === 0 && numLeft === 0;
  } finally {
    await run.stop();
  }
}
