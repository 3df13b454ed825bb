/** Which nodes of a cluster that grows and shrinks are rollout hosts. Pure: the same nodes, the same answer. */
import type { ClusterNode } from './bridge.ts';

export interface NodeWants {
  /** CPUs, and custom resources by name. */
  readonly resources: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Alive, not about to go, with all that a host wants; in the order that they are given. */
export function eligibleNodes(nodes: readonly ClusterNode[], wants: NodeWants): ClusterNode[] {
  return nodes.filter(
    ({ alive, isDraining, resources, labels }) =>
      alive &&
      !isDraining &&
      Object.entries(wants.resources).every(([name, amount]) => (resources[name] ?? 0) >= amount) &&
      Object.entries(wants.labels).every(([name, label]) => labels[name] === label),
  );
}

export interface HostBounds {
  readonly maxHosts: number;
  readonly numEnvs: number;
  /** Of a host, each of which wants a row. */
  readonly numThreads: number;
  /** Every host has as many rows as every other (`lag: 'free'`). */
  readonly isEven: boolean;
}

/** Hosts for so many nodes, one on each: 1 at least, and no more than there are rows for. */
export function numHostsFor(numNodes: number, { maxHosts, numEnvs, numThreads, isEven }: HostBounds): number {
  let numHosts = Math.max(1, Math.min(numNodes, maxHosts, Math.floor(numEnvs / numThreads)));
  while (isEven && numEnvs % numHosts !== 0) numHosts -= 1;
  return numHosts;
}

/** Those that are hosts already stay, in their order; then whoever else there is. */
export function chooseNodes(
  current: readonly string[],
  eligible: readonly string[],
  numHosts: number,
): readonly string[] {
  const staying = current.filter((node, k) => eligible.includes(node) && current.indexOf(node) === k);
  const joining = eligible.filter((node) => !staying.includes(node));
  return [...staying, ...joining].slice(0, numHosts);
}
