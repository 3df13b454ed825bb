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
  /** Wakes what was frozen, once the run has gone on without it. Resolves to how many processes of hosts do not end by themselves then. */
  readonly thaw?: () => Promise<number>;
  readonly mend?: () => Promise<void>;
}

type Drill = (cluster: RayCluster) => Loss;

/** Back at full strength within so long, with fast health checks. */
const BAR_SECONDS = 10;
/** A node that has joined is still starting its agents, in Python: that is not part of the next loss. */
const SETTLE_MS = 8_000;

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

async function replaceNode(cluster: RayCluster, k: number): Promise<void> {
  await cluster.restartNode(k);
  await setTimeout(SETTLE_MS);
}

const lostNode =
  (inflict: (cluster: RayCluster, node: ReturnType<typeof busiestNode>) => void): Drill =>
  (cluster) => {
    const node = busiestNode(cluster);
    inflict(cluster, node);
    return { numHosts: node.numHosts, mend: () => replaceNode(cluster, node.k) };
  };

/** For longer than anybody waits: when it wakes, others have its rows and the head has struck it off. */
function frozenNode(cluster: RayCluster): Loss {
  const { k, pids, numHosts } = busiestNode(cluster);
  const hostPids = () => new Set([...cluster.pids('actor'), ...cluster.pids('rollout')]);
  const hosts = hostPids();
  const frozen = pids.filter((pid) => hosts.has(pid));
  for (const pid of pids) kill(pid, 'SIGSTOP');
  return {
    numHosts,
    async thaw() {
      for (const pid of pids) kill(pid, 'SIGCONT');
      const numLeft = () => frozen.filter((pid) => hostPids().has(pid)).length;
      for (let tries = 0; tries < 60 && numLeft() > 0; tries++) await setTimeout(500);
      return numLeft();
    },
    mend: () => replaceNode(cluster, k),
  };
}

export const DRILLS: Readonly<Record<string, Drill>> = {
  rollout: (cluster) => oneOf(cluster.pids('rollout')),
  frozen: (cluster) => oneOf(cluster.pids('rollout'), 'SIGSTOP'),
  actor: (cluster) => oneOf(cluster.pids('actor')),
  bridge: () => ({ ...oneOf(bridgePids()), numHosts: NUM_HOSTS }),
  raylet: lostNode((_, { pids }) => kill(pids[0])),
  node: lostNode((_, { pids }) => pids.forEach((pid) => void kill(pid))),
  'frozen-node': frozenNode,
  cut: (cluster) => {
    const { k, numHosts } = busiestNode(cluster);
    cluster.setLink(k, 'down');
    return {
      numHosts,
      async mend() {
        cluster.setLink(k, 'up');
        await replaceNode(cluster, k);
      },
    };
  },
};

/** Rights to a network of one's own are needed. */
export const NEEDS_NETWORK = new Set(['cut']);

/** What became of a run that lost somebody again and again. */
export interface DrillResult {
  readonly kind: string;
  /** From the loss to the end of the first iteration with everybody back. */
  readonly seconds: readonly number[];
  /** Of it, the longest replacement; the rest is finding out, and the iteration itself. */
  readonly replacing: readonly number[];
  readonly numReplaced: number;
  readonly numExpected: number;
  readonly isEqual: boolean;
  readonly numLeft: number;
}

/** A loss that nobody has noticed by then is none that the run is back from. */
const NOTICED_WITHIN_SECONDS = 120;

/** So many losses of a kind, one before every other iteration, beside a local run that loses nothing. */
export async function runDrill(cluster: RayCluster, kind: string, numLosses: number): Promise<DrillResult> {
  const [local, onRay] = [await buildRun(null, 8, 64), await buildRun(cluster, 8, 64)];
  const seconds: number[] = [];
  const replacing: number[] = [];
  let numReplaced = 0;
  let numExpected = 0;
  let numThawed = 0;
  const train = async (): Promise<number> => {
    const { metrics, workerFailures } = await onRay.train();
    numReplaced += metrics['rollout/numWorkerRestarts'];
    return Math.max(0, ...(workerFailures ?? []).map((failure) => failure.seconds));
  };
  try {
    for (let k = 0; k < numLosses; k++) {
      await train();
      await local.train();
      const loss = DRILLS[kind](cluster);
      numExpected += loss.numHosts;
      const begin = performance.now();
      const elapsed = () => (performance.now() - begin) / 1000;
      let longest = await train();
      let numIterations = 1; // a raylet's actors live on for a while
      for (; numReplaced < numExpected && elapsed() < NOTICED_WITHIN_SECONDS; numIterations++)
        longest = Math.max(longest, await train());
      seconds.push(elapsed());
      replacing.push(longest);
      if (loss.thaw !== undefined) {
        const thawing = loss.thaw();
        await train(); // what it says now, nobody may count
        numIterations += 1;
        numThawed += await thawing;
      }
      for (let i = 0; i < numIterations; i++) await local.train();
      await loss.mend?.();
    }
    const isEqual = isDeepStrictEqual(comparable(await onRay.getState()), comparable(await local.getState()));
    await onRay.stop();
    const result = { kind, seconds, replacing, numReplaced, numExpected, isEqual };
    return { ...result, numLeft: numThawed + (await countLeft(cluster)) };
  } finally {
    await Promise.all([local.stop(), onRay.stop()]);
  }
}

const numInTime = ({ seconds }: DrillResult) => seconds.filter((each) => each <= BAR_SECONDS).length;

/** Whether the bits are those of the local run, every loss was counted once, everybody was back in time and nothing is left. */
export const isDrillFine = (result: DrillResult): boolean =>
  result.isEqual &&
  result.numReplaced === result.numExpected &&
  result.numLeft === 0 &&
  numInTime(result) === result.seconds.length;

export const DRILL_HEAD = [
  `| lost | times | back within ${BAR_SECONDS} s | median | longest | of it replacing, median | longest | hosts replaced | bits | processes left | load |`,
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
].join('\n');

/** A line of the table. */
export function describeDrill(result: DrillResult): string {
  const { kind, seconds, replacing, numReplaced, numExpected, isEqual, numLeft } = result;
  const both = (values: readonly number[]) =>
    `${median(values).toFixed(1)} s | ${Math.max(...values).toFixed(1)} s`;
  const cells = [
    ...[kind, seconds.length, numInTime(result), both(seconds), both(replacing)],
    ...[`${numReplaced} of ${numExpected}`, isEqual ? 'of a local run' : 'DIFFER', numLeft, load()],
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Processes of hosts and bridges. Ray ends actors of a bridge that is gone within seconds. */
export async function countLeft(cluster: RayCluster): Promise<number> {
  const count = () => cluster.pids('rollout').length + cluster.pids('actor').length + bridgePids().length;
  for (let k = 0; k < 20 && count() > 0; k++) await setTimeout(500);
  return count();
}
