/** What becomes of a run on Ray whose parts are lost, again and again. */

import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { bridgePids, kill, type RayCluster } from '../../test/cluster/ray-cluster.ts';
import { comparable } from '../../test/invariants/run-content.ts';
import { load } from '../machine.ts';
import { median } from '../statistics.ts';
import { buildRun, NUM_HOSTS } from './build-run.ts';

/** A loss: how many hosts it takes away, and what brings the cluster back to what it was. */
interface Loss {
  readonly numHosts: number;
  readonly mend?: () => Promise<void>;
}

type Drill = (cluster: RayCluster) => Loss;

/** Back at full strength within so long, with fast health checks. */
const BAR_SECONDS = 10;

const oneOf = (pids: readonly number[], signal?: NodeJS.Signals): Loss => {
  kill(pids[0], signal);
  return { numHosts: 1 };
};

/** A node with hosts on it: its number, its processes, how many hosts. */
function busiestNode(cluster: RayCluster) {
  const actors = new Set(cluster.pids('actor'));
  const nodes = cluster.nodes.map((_, k) => {
    const pids = cluster.pidsOfNode(k);
    return { k, pids, numHosts: pids.filter((pid) => actors.has(pid)).length };
  });
  return nodes.sort((a, b) => b.numHosts - a.numHosts)[0];
}

const lostNode =
  (inflict: (cluster: RayCluster, node: ReturnType<typeof busiestNode>) => void): Drill =>
  (cluster) => {
    const node = busiestNode(cluster);
    inflict(cluster, node);
    return { numHosts: node.numHosts, mend: () => cluster.restartNode(node.k) };
  };

export const DRILLS: Readonly<Record<string, Drill>> = {
  rollout: (cluster) => oneOf(cluster.pids('rollout')),
  frozen: (cluster) => oneOf(cluster.pids('rollout'), 'SIGSTOP'),
  actor: (cluster) => oneOf(cluster.pids('actor')),
  bridge: () => ({ ...oneOf(bridgePids()), numHosts: NUM_HOSTS }),
  raylet: lostNode((_, { pids }) => kill(pids[0])),
  node: lostNode((_, { pids }) => pids.forEach((pid) => void kill(pid))),
  'frozen-node': lostNode((_, { pids }) => pids.forEach((pid) => void kill(pid, 'SIGSTOP'))),
  cut: (cluster) => {
    const { k, numHosts } = busiestNode(cluster);
    cluster.setLink(k, 'down');
    return {
      numHosts,
      async mend() {
        cluster.setLink(k, 'up');
        await cluster.restartNode(k);
      },
    };
  },
};

/** Rights to a network of one's own are needed. */
export const NEEDS_NETWORK = new Set(['cut']);

/**
 * So many losses of a kind, one before every other iteration, beside a local run that loses nothing.
 *
 * @returns whether the bits are those of the local run, every loss was counted once, everybody was back in time and nothing is left.
 */
export async function runDrill(cluster: RayCluster, kind: string, numLosses: number): Promise<boolean> {
  const [local, onRay] = [await buildRun(null, 8, 64), await buildRun(cluster, 8, 64)];
  const seconds: number[] = [];
  const replacing: number[] = [];
  const counts = { replaced: 0, expected: 0 };
  try {
    for (let k = 0; k < 2 * numLosses; k++) {
      await local.train();
      const loss = k % 2 === 1 ? DRILLS[kind](cluster) : null;
      const begin = performance.now();
      const { metrics, workerFailures } = await onRay.train();
      counts.replaced += metrics['rollout/numWorkerRestarts'];
      if (loss === null) continue;
      counts.expected += loss.numHosts;
      seconds.push((performance.now() - begin) / 1000);
      replacing.push(Math.max(0, ...(workerFailures ?? []).map((failure) => failure.seconds)));
      await loss.mend?.();
    }
    const isEqual = isDeepStrictEqual(comparable(await onRay.getState()), comparable(await local.getState()));
    await onRay.stop();
    const numLeft = await countLeft(cluster);
    const numInTime = seconds.filter((each) => each <= BAR_SECONDS).length;
    console.log(
      `${kind}: ${numLosses} losses, iteration with one ${median(seconds).toFixed(1)} s (median), ${Math.max(...seconds).toFixed(1)} s (longest), ` +
        `${numInTime} within ${BAR_SECONDS} s; replacing took ${median(replacing).toFixed(1)} s of it (median), ${Math.max(...replacing).toFixed(1)} s (longest); load ${load()}; ${counts.replaced} of ${counts.expected} hosts replaced; ` +
        `bits ${isEqual ? 'those of a local run' : 'DIFFER'}; ${numLeft} processes left`,
    );
    return isEqual && counts.replaced === counts.expected && numLeft === 0 && numInTime === numLosses;
  } finally {
    await Promise.all([local.stop(), onRay.stop()]);
  }
}

/** Ray ends actors of a bridge that is gone within seconds. */
async function countLeft(cluster: RayCluster): Promise<number> {
  const count = () => cluster.pids('rollout').length + bridgePids().length;
  for (let k = 0; k < 20 && count() > 0; k++) await setTimeout(500);
  return count();
}
