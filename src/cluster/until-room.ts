/** Waits for the hosts that the autoscaler was asked for. */
import { setTimeout as pause } from 'node:timers/promises';
import { ClusterError } from '../errors.ts';
import { type ClusterNode, RequestFailure } from './bridge.ts';
import { eligibleNodes, type NodeWants } from './choose-nodes.ts';
import { toClusterError } from './cluster-errors.ts';
import type { Connection } from './connection.ts';

const WAIT_MS = 500;

export interface RoomOptions {
  readonly rayAddress: string;
  /** Of a host, CPU among them. */
  readonly wants: NodeWants;
  readonly numHosts: number;
  readonly waitSeconds: number;
}

/**
 * Resolves when there are nodes for so many hosts.
 *
 * @throws ClusterError `CLUSTER_TOO_FEW_HOSTS` when that takes too long; `CLUSTER_LOST` when the bridge ends meanwhile.
 */
export async function untilRoom(connection: Connection, options: RoomOptions): Promise<void> {
  const { numHosts, waitSeconds, wants } = options;
  const bridge = await connection.bridge();
  const end = performance.now() + waitSeconds * 1000;
  for (let isTold = false; ; isTold = true) {
    const nodes = await bridge.nodes().catch((error: unknown) => {
      throw error instanceof RequestFailure ? toClusterError(error, options.rayAddress) : error;
    });
    const room = roomFor(nodes, wants);
    if (room >= numHosts) return;
    if (performance.now() >= end)
      throw new ClusterError(
        'CLUSTER_TOO_FEW_HOSTS',
        `For ${waitSeconds} s (hostWaitSeconds) the cluster had room for ${room} hosts, and numRolloutHosts is ${numHosts}, of ${JSON.stringify(wants.resources)} each. Its autoscaler was asked (requestHosts): is there one (\`ray status\`), and may it start so many nodes? Lower \`numRolloutHosts\`, or raise \`hostWaitSeconds\`.`,
      );
    if (!isTold)
      process.emitWarning(
        `There is room for ${room} of ${numHosts} rollout hosts: the autoscaler has been asked for the rest, and is waited for, for ${waitSeconds} s.`,
        'OperantWarning',
      );
    await pause(WAIT_MS);
  }
}

/** Hosts that fit into what the nodes have in all, several on one where it is large. */
export function roomFor(nodes: readonly ClusterNode[], wants: NodeWants): number {
  const amounts = Object.entries(wants.resources);
  const roomOn = ({ resources }: ClusterNode) =>
    Math.min(...amounts.map(([name, amount]) => Math.floor((resources[name] ?? 0) / amount)));
  return eligibleNodes(nodes, wants).reduce((sum, node) => sum + roomOn(node), 0);
}
