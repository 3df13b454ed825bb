/** What a rollout costs on hosts beside local threads, and where the processor time of what travels goes. */
import { fileURLToPath } from 'node:url';
import { bridgePids, type RayCluster } from '../../test/cluster/ray-cluster.ts';
import { load } from '../machine.ts';
import { median } from '../statistics.ts';
import { buildRun, NUM_HOSTS } from './build-run.ts';
import { processorMsOf } from './processor-time.ts';
import { WIDTH } from './wide-env.ts';

/** What travels: fragments of 13, 420 and 3400 kB from each host, in which steps are what takes time, and of 260 kB and 2100 kB in which nothing but travelling does. */
const CASES = [
  { env: 'CartPole', numEnvs: 8, rolloutLength: 64 },
  { env: 'CartPole', numEnvs: 16, rolloutLength: 1024 },
  { env: 'CartPole', numEnvs: 128, rolloutLength: 1024 },
  { env: 'wide', numEnvs: 8, rolloutLength: 32 },
  { env: 'wide', numEnvs: 8, rolloutLength: 256 },
] as const;
type Case = (typeof CASES)[number];
/** What a step is in a fragment: its observation, and 35 bytes besides. */
const STEP_BYTES = { CartPole: 51, wide: 35 + 4 * WIDTH };

const buildCase = (cluster: RayCluster | null, { env, numEnvs, rolloutLength }: Case) =>
  env === 'CartPole'
    ? buildRun(cluster, numEnvs, rolloutLength)
    : buildRun(
        cluster,
        numEnvs,
        rolloutLength,
        NUM_HOSTS,
        [2],
        fileURLToPath(new URL('./wide-env.ts', import.meta.url)),
      );

/** Who else spends what on Ray, ms so far. Looking for them costs this process more than an iteration. */
function spentBy(cluster: RayCluster) {
  return {
    bridge: processorMsOf(bridgePids()),
    raylets: processorMsOf(cluster.nodes.map((_, k) => cluster.pidsOfNode(k)[0])),
    actors: processorMsOf(cluster.pids('actor')),
    hosts: processorMsOf(cluster.pids('rollout')),
  };
}

export async function measureThroughput(cluster: RayCluster, numRollouts: number): Promise<void> {
  for (const each of CASES) {
    const local = await buildCase(null, each);
    const onRay = await buildCase(cluster, each);
    const times = { local: [] as number[], ray: [] as number[] };
    const spent: Record<string, number> = { local: 0, learner: 0 };
    for (let k = 0; k < numRollouts; k++) {
      const { user, system } = process.cpuUsage();
      const here = await local.train();
      const after = process.cpuUsage({ user, system });
      const before = spentBy(cluster);
      const begin = process.cpuUsage();
      const there = await onRay.train();
      const own = process.cpuUsage(begin);
      const now = spentBy(cluster);
      if (k === 0) continue;
      spent.local += (after.user + after.system) / 1000;
      spent.learner += (own.user + own.system) / 1000;
      for (const [who, ms] of Object.entries(now))
        spent[who] = (spent[who] ?? 0) + ms - before[who as keyof typeof before];
      times.local.push(here.metrics['time/rolloutMs']);
      times.ray.push(there.metrics['time/rolloutMs']);
    }
    await Promise.all([local.stop(), onRay.stop()]);
    report(each, times, spent);
  }
}

function report(
  { env, numEnvs, rolloutLength }: Case,
  times: { readonly local: readonly number[]; readonly ray: readonly number[] },
  spent: Readonly<Record<string, number>>,
): void {
  const [localMs, rayMs] = [median(times.local), median(times.ray)];
  const ratios = times.ray.map((ms, k) => (100 * times.local[k]) / ms);
  const megabytes = (numEnvs * rolloutLength * STEP_BYTES[env]) / 1e6;
  const each = Object.entries(spent).map(([who, ms]) => `${who} ${(ms / times.ray.length).toFixed(1)}`);
  console.log(
    `${env}, ${numEnvs} x ${rolloutLength}: fragments of ${((1000 * megabytes) / NUM_HOSTS).toFixed(0)} kB, local ${localMs.toFixed(2)} ms, on Ray ${rayMs.toFixed(2)} ms a rollout: ` +
      `${median(ratios).toFixed(0)} % of local (${Math.min(...ratios).toFixed(0)} to ${Math.max(...ratios).toFixed(0)}), ${((1000 * megabytes) / rayMs).toFixed(1)} MB/s; processor ms an iteration: ${each.join(', ')}; load ${load()}`,
  );
}
