/** Random kills for minutes: nothing may stay in the object store, in memory, or among the processes. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { kill, type RayCluster } from '../../test/cluster/ray-cluster.ts';
import { buildRun } from './build-run.ts';

/** Kills every so often. */
const PERIOD_MS = 5_000;

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

/** @returns whether no more objects are held in the end than a run holds after its first iterations, and none once it has stopped. */
export async function measureLeak(cluster: RayCluster, minutes: number): Promise<boolean> {
  const run = await buildRun(cluster, 32, 1024);
  try {
    for (let k = 0; k < 5; k++) await run.train();
    const before = plasmaOf(cluster);
    const rssBefore = process.memoryUsage.rss();
    const end = performance.now() + minutes * 60_000;
    let numKills = 0;
    let numIterations = 0;
    let most = before.objects;
    for (let killedAt = performance.now(); performance.now() < end; numIterations++) {
      if (performance.now() - killedAt >= PERIOD_MS) {
        killedAt = performance.now();
        numKills += 1;
        kill(cluster.pids(numKills % 2 === 0 ? 'rollout' : 'actor')[numKills % 3 === 0 ? 1 : 0]);
        if (numKills % 10 === 0) most = Math.max(most, plasmaOf(cluster).objects);
      }
      await run.train();
    }
    const after = plasmaOf(cluster);
    const grown = (process.memoryUsage.rss() - rssBefore) / 2 ** 20;
    await run.stop();
    const left = plasmaOf(cluster);
    console.log(
      `leak: ${minutes} min, ${numIterations} iterations, ${numKills} kills; object store ${before.objects} objects (${before.megabytes} MiB) before, ${after.objects} (${after.megabytes} MiB) after, ` +
        `${most} at most, ${left.objects} (${left.megabytes} MiB) when the run has stopped; the learner's memory grew by ${grown.toFixed(0)} MiB`,
    );
    return after.objects <= before.objects + 2 && left.objects === 0;
  } finally {
    await run.stop();
  }
}
