/** Whether a cluster has what is asked of it. */
import { ClusterError } from '../errors.ts';
import type { ClusterNode } from './bridge.ts';

/**
 * Ray would wait for ever for a node that there is not.
 *
 * @param wanted amounts by name. @param who wants it, and what a user may do.
 * @throws ClusterError `CLUSTER_RESOURCES`
 */
export function requireResources(
  alive: readonly ClusterNode[],
  wanted: Readonly<Record<string, number>>,
  { who, advice }: { readonly who: string; readonly advice: string },
): void {
  const fits = (node: ClusterNode) =>
    Object.entries(wanted).every(([name, amount]) => (node.resources[name] ?? 0) >= amount);
  if (alive.some(fits)) return;
  const has = alive.map((node) => `${node.address}: ${node.resources.CPU ?? 0} CPUs`).join(', ');
  throw new ClusterError(
    'CLUSTER_RESOURCES',
    `No node of the cluster has what ${who} wants (${JSON.stringify(wanted)}); there is ${has || 'none'}. ${advice}`,
  );
}
