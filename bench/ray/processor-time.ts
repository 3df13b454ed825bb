/** Processor time of processes. Linux. */
import { readFileSync } from 'node:fs';
import { bridgePids, type RayCluster } from '../../test/cluster/ray-cluster.ts';

/** Of a clock tick, as /proc counts. */
const TICK_MS = 10;

/** User and system time of all of them together, ms; those that have ended count nothing. */
export function processorMsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + msOf(pid), 0);
}

function msOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return 0;
  }
}

export type Who = 'learner' | 'bridge' | 'actors' | 'rollouts';

/** What each spends while this process works, ms. To look for the others costs this one more than an iteration, so that is not between its own two looks. */
export async function processorMsDuring(
  cluster: RayCluster,
  work: () => Promise<void>,
): Promise<Readonly<Record<Who, number>>> {
  const others = () => ({
    bridge: processorMsOf(bridgePids()),
    actors: processorMsOf(cluster.pids('actor')),
    rollouts: processorMsOf(cluster.pids('rollout')),
  });
  const before = others();
  const begin = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begin);
  const after = others();
  return {
    learner: (user + system) / 1000,
    bridge: after.bridge - before.bridge,
    actors: after.actors - before.actors,
    rollouts: after.rollouts - before.rollouts,
  };
}
