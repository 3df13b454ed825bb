/** What a rollout costs on hosts beside local threads, how much of it Ray's own calls are, and where the processor time of what travels goes. */
import type { TrainResult } from '../../src/index.ts';
import { bridgePids, type RayCluster } from '../../test/cluster/ray-cluster.ts';
import { load } from '../machine.ts';
import { median } from '../statistics.ts';
import { type BareCalls, startBareCalls } from './bare-calls.ts';
import { buildRun, NUM_HOSTS, WIDE_ENV } from './build-run.ts';
import { processorMsOf } from './processor-time.ts';
import { WIDTH } from './wide-env.ts';

/** What travels: fragments of 13, 420 and 3400 kB from each host, of steps that take half a microsecond, of 550 and 250 kB of physics (some 7 and 80 us a step), and of 260 kB and 2100 kB in which nothing but travelling happens. */
const CASES = [
  { env: 'CartPole', numEnvs: 8, rolloutLength: 64 },
  { env: 'CartPole', numEnvs: 16, rolloutLength: 1024 },
  { env: 'CartPole', numEnvs: 128, rolloutLength: 1024 },
  { env: 'LunarLander-v3', numEnvs: 16, rolloutLength: 1024 },
  { env: 'HalfCheetah-v5', numEnvs: 16, rolloutLength: 256 },
  { env: 'wide', numEnvs: 8, rolloutLength: 32 },
  { env: 'wide', numEnvs: 8, rolloutLength: 256 },
] as const;
type Case = (typeof CASES)[number];
/** What a step is in a fragment: its observation, and 35 bytes besides (55 with six actions). */
const STEP_BYTES = { CartPole: 51, 'LunarLander-v3': 67, 'HalfCheetah-v5': 123, wide: 35 + 4 * WIDTH };

const buildCase = (cluster: RayCluster | null, { env, numEnvs, rolloutLength }: Case) =>
  env === 'wide'
    ? buildRun(cluster, numEnvs, rolloutLength, NUM_HOSTS, [2], WIDE_ENV)
    : buildRun(cluster, numEnvs, rolloutLength, NUM_HOSTS, [64, 64], env);

/** Who else spends what on Ray, ms so far. Looking for them costs this process more than an iteration. */
function spentBy(cluster: RayCluster) {
  return {
    bridge: processorMsOf(bridgePids()),
    raylets: processorMsOf(cluster.nodes.map((_, k) => cluster.pidsOfNode(k)[0])),
    actors: processorMsOf(cluster.pids('actor')),
    hosts: processorMsOf(cluster.pids('rollout')),
  };
}

/** ms of each round. */
interface Times {
  readonly local: number[];
  readonly ray: number[];
  readonly bare: number[];
}

/** Bytes that a host's call carried, there and back; all hosts get the same weights. */
const journeyOf = ({ metrics }: TrainResult) => ({
  sent: Math.round(1e6 * metrics['cluster/sentMb']),
  received: Math.round((1e6 * metrics['cluster/receivedMb']) / NUM_HOSTS),
});

export async function measureThroughput(cluster: RayCluster, numRollouts: number): Promise<void> {
  const bare = await startBareCalls(cluster);
  try {
    for (const each of CASES) await measureCase(cluster, bare, each, numRollouts);
  } finally {
    await bare.stop();
  }
}

async function measureCase(
  cluster: RayCluster,
  bare: BareCalls,
  each: Case,
  numRollouts: number,
): Promise<void> {
  const local = await buildCase(null, each);
  const onRay = await buildCase(cluster, each);
  const times: Times = { local: [], ray: [], bare: [] };
  const spent: Record<string, number> = { local: 0, learner: 0, bare: 0 };
  for (let k = 0; k < numRollouts; k++) {
    const { user, system } = process.cpuUsage();
    const here = await local.train();
    const after = process.cpuUsage({ user, system });
    const before = spentBy(cluster);
    const begin = process.cpuUsage();
    const there = await onRay.train();
    const own = process.cpuUsage(begin);
    const now = spentBy(cluster);
    const bareBefore = processorMsOf(bare.pids);
    const bareMs = await bare.round(journeyOf(there));
    if (k === 0) continue;
    spent.bare += processorMsOf(bare.pids) - bareBefore;
    spent.local += (after.user + after.system) / 1000;
    spent.learner += (own.user + own.system) / 1000;
    for (const [who, ms] of Object.entries(now))
      spent[who] = (spent[who] ?? 0) + ms - before[who as keyof typeof before];
    times.local.push(here.metrics['time/rolloutMs']);
    times.ray.push(there.metrics['time/rolloutMs']);
    times.bare.push(bareMs);
  }
  await Promise.all([local.stop(), onRay.stop()]);
  report(each, times, spent);
}

function report(
  { env, numEnvs, rolloutLength }: Case,
  times: Times,
  spent: Readonly<Record<string, number>>,
): void {
  const [localMs, rayMs, bareMs] = [times.local, times.ray, times.bare].map(median);
  const ratios = times.ray.map((ms, k) => (100 * times.local[k]) / ms);
  const megabytes = (numEnvs * rolloutLength * STEP_BYTES[env]) / 1e6;
  const each = Object.entries(spent).map(([who, ms]) => `${who} ${(ms / times.ray.length).toFixed(1)}`);
  console.log(
    `${env}, ${numEnvs} x ${rolloutLength}: fragments of ${((1000 * megabytes) / NUM_HOSTS).toFixed(0)} kB, local ${localMs.toFixed(2)} ms, on Ray ${rayMs.toFixed(2)} ms a rollout: ` +
      `${median(ratios).toFixed(0)} % of local (${Math.min(...ratios).toFixed(0)} to ${Math.max(...ratios).toFixed(0)}), ${((1000 * megabytes) / rayMs).toFixed(1)} MB/s; ` +
      `of the ${(rayMs - localMs).toFixed(1)} ms more ${bareMs.toFixed(1)} are bare calls of Ray (${Math.min(...times.bare).toFixed(1)} to ${Math.max(...times.bare).toFixed(1)}; with nothing else ${((100 * localMs) / (localMs + bareMs)).toFixed(0)} % of local); ` +
      `processor ms an iteration: ${each.join(', ')}; load ${load()}`,
  );
}
