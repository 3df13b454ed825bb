/** What a megabyte costs of a fragment that comes in one answer, and of longer ones that come in two. */
import type { RayCluster } from '../../test/cluster/ray-cluster.ts';
import { load } from '../machine.ts';
import { median } from '../statistics.ts';
import { buildRun, NUM_HOSTS, WIDE_ENV } from './build-run.ts';
import { processorMsDuring, type Who } from './processor-time.ts';

const NUM_ENVS = 8;
/** Fragments of 9.2 MB from each host, of 9.6 and of 18.4: the most that travels with an answer is 9.37. */
const ROLLOUT_LENGTHS = [1104, 1152, 2208] as const;
/** Iterations of a turn, so that clock ticks of 10 ms do not count. */
const ITERATIONS = 4;

type Run = Awaited<ReturnType<typeof buildRun>>;

/** Of a turn, ms a megabyte: the clock of the rollouts, and processor time by process. */
type Costs = Record<'rollout' | Who, number>;

async function turn(cluster: RayCluster, run: Run): Promise<Costs & { readonly megabytes: number }> {
  let [megabytes, rollout] = [0, 0];
  const spent = await processorMsDuring(cluster, async () => {
    for (let k = 0; k < ITERATIONS; k++) {
      const { metrics } = await run.train();
      megabytes += metrics['cluster/receivedMb'];
      rollout += metrics['time/rolloutMs'];
    }
  });
  const each = (who: Who) => spent[who] / megabytes;
  const processes = { learner: each('learner'), bridge: each('bridge'), actors: each('actors') };
  return { megabytes, rollout: rollout / megabytes, ...processes, rollouts: each('rollouts') };
}

/** Runs of each length in turns, behind a turn of each that does not count. */
export async function measureParts(cluster: RayCluster, numTurns: number): Promise<void> {
  const runs: Run[] = [];
  try {
    for (const length of ROLLOUT_LENGTHS)
      runs.push(await buildRun(cluster, NUM_ENVS, length, NUM_HOSTS, [2], WIDE_ENV));
    const turns = runs.map((): Awaited<ReturnType<typeof turn>>[] => []);
    for (let k = 0; k <= numTurns; k++)
      for (const [i, run] of runs.entries()) {
        const costs = await turn(cluster, run);
        if (k > 0) turns[i].push(costs);
      }
    for (const of of turns) report(of, turns[0]);
  } finally {
    for (const run of runs) await run.stop();
  }
}

function report(turns: readonly (Costs & { readonly megabytes: number })[], first: readonly Costs[]): void {
  const spread = (values: readonly number[]) =>
    `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;
  const who = ['rollout', 'learner', 'bridge', 'actors', 'rollouts'] as const;
  const travelling = ({ bridge, actors }: Costs) => bridge + actors;
  const ratios = turns.map((costs, k) => travelling(costs) / travelling(first[k]));
  const megabytes = turns[0].megabytes / NUM_HOSTS / ITERATIONS;
  console.log(
    `fragments of ${megabytes.toFixed(1)} MB, ms a megabyte: ${who.map((name) => `${name} ${spread(turns.map((costs) => costs[name]))}`).join(', ')}; ` +
      `bridge and actors x ${spread(ratios)} of the first; load ${load()}`,
  );
}
