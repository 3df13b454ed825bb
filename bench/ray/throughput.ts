/** What a rollout costs on hosts beside local threads, and where the processor time of what travels goes. */
import { bridgePids, type RayCluster } from '../../test/cluster/ray-cluster.ts';
import { median } from '../statistics.ts';
import { buildRun, NUM_HOSTS } from './build-run.ts';
import { processorMsOf } from './processor-time.ts';

/** Environments and steps: fragments of 13, 420 and 3400 kB from each host. */
const SIZES = [
  [8, 64],
  [16, 1024],
  [128, 1024],
] as const;
/** Of CartPole: what a step is in a fragment. */
const STEP_BYTES = 51;

/** Who spends what on Ray, ms so far. */
function spentBy(cluster: RayCluster) {
  const { user, system } = process.cpuUsage();
  return {
    learner: (user + system) / 1000,
    bridge: processorMsOf(bridgePids()),
    raylets: processorMsOf(cluster.nodes.map((_, k) => cluster.pidsOfNode(k)[0])),
    actors: processorMsOf(cluster.pids('actor')),
    hosts: processorMsOf(cluster.pids('rollout')),
  };
}

export async function measureThroughput(cluster: RayCluster, numRollouts: number): Promise<void> {
  for (const [numEnvs, rolloutLength] of SIZES) {
    const local = await buildRun(null, numEnvs, rolloutLength);
    const onRay = await buildRun(cluster, numEnvs, rolloutLength);
    const times = { local: [] as number[], ray: [] as number[] };
    const spent: Record<string, number> = { local: 0 };
    for (let k = 0; k < numRollouts; k++) {
      const { user, system } = process.cpuUsage();
      const here = await local.train();
      const after = process.cpuUsage({ user, system });
      const before = spentBy(cluster);
      const there = await onRay.train();
      const now = spentBy(cluster);
      if (k === 0) continue;
      spent.local += (after.user + after.system) / 1000;
      for (const [who, ms] of Object.entries(now))
        spent[who] = (spent[who] ?? 0) + ms - before[who as keyof typeof before];
      times.local.push(here.metrics['time/rolloutMs']);
      times.ray.push(there.metrics['time/rolloutMs']);
    }
    await Promise.all([local.stop(), onRay.stop()]);
    report(numEnvs, rolloutLength, median(times.local), median(times.ray), spent, times.ray.length);
  }
}

function report(
  numEnvs: number,
  rolloutLength: number,
  localMs: number,
  rayMs: number,
  spent: Readonly<Record<string, number>>,
  count: number,
): void {
  const megabytes = (numEnvs * rolloutLength * STEP_BYTES) / 1e6;
  const each = Object.entries(spent).map(([who, ms]) => `${who} ${(ms / count).toFixed(1)}`);
  console.log(
    `${numEnvs} x ${rolloutLength}: fragments of ${((1000 * megabytes) / NUM_HOSTS).toFixed(0)} kB, local ${localMs.toFixed(2)} ms, on Ray ${rayMs.toFixed(2)} ms a rollout: ` +
      `${((100 * localMs) / rayMs).toFixed(0)} % of local, ${((1000 * megabytes) / rayMs).toFixed(1)} MB/s; processor ms an iteration: ${each.join(', ')}`,
  );
}
