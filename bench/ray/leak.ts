/** Random kills for minutes: nothing may stay in the object store, in memory, or among the processes. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { openStream, type Stream } from '../../src/random/streams.ts';
import { bridgePids, kill, type RayCluster } from '../../test/cluster/ray-cluster.ts';
import { load } from '../machine.ts';
import { buildRun } from './build-run.ts';
import { countLeft } from './drills.ts';

/** Kills every so often. */
const PERIOD_MS = 5_000;
/** A kill comes at some time of an iteration, about so long. */
const MID_ITERATION_MS = 100;
/** Kills between two looks at the object stores. */
const SAMPLE_EVERY = 10;

interface Plasma {
  readonly megabytes: number;
  readonly objects: number;
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
  const run = await buildRun(cluster, 32, 1024);
  const stream = openStream(1, 'kills');
  try {
    for (let k = 0; k < 5; k++) await run.train();
    const before = plasmaOf(cluster);
    const rssBefore = process.memoryUsage.rss();
    const end = performance.now() + minutes * 60_000;
    const numKills = { rollout: 0, actor: 0, bridge: 0 };
    const sum = () => numKills.rollout + numKills.actor + numKills.bridge;
    const samples: Plasma[] = [before];
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
        if (sum() % SAMPLE_EVERY === 0) samples.push(plasmaOf(cluster));
      }
      await train();
    }
    for (let k = 0; k < 5; k++) await train();
    const after = plasmaOf(cluster);
    const grown = (process.memoryUsage.rss() - rssBefore) / 2 ** 20;
    await run.stop();
    const numLeft = await countLeft(cluster);
    const left = plasmaOf(cluster);
    const objects = samples.map((each) => each.objects);
    console.log(
      `leak: ${minutes} min, ${numIterations} iterations, ${sum()} kills (${JSON.stringify(numKills)}), ${numReplaced} hosts replaced; object store ${before.objects} objects (${before.megabytes} MiB) before, ${after.objects} (${after.megabytes} MiB) after, ` +
        `in ${samples.length} samples ${Math.min(...objects)} to ${Math.max(...objects)}; ${left.objects} (${left.megabytes} MiB) and ${numLeft} processes when the run has stopped; the learner's memory grew by ${grown.toFixed(0)} MiB; load ${load()}`,
    );
    return after.objects <= before.objects + 2 && left.objects === 0 && numLeft === 0;
  } finally {
    await run.stop();
  }
}
