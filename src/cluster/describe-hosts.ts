/** Who and where a run's hosts are, as `hosts.json` of its folder tells it. */
import type { JsonObject } from '../json.ts';
import type { RunnerPart } from '../rollout/runner-group.ts';
import type { ClusterDescription, ClusterNode } from './bridge.ts';
import type { RemoteHost } from './remote-host.ts';

/** The cluster in a line. */
export function describePlace(address: string, cluster: ClusterDescription | null): string {
  const where = `the Ray cluster ${address}`;
  if (cluster === null) return where;
  const { ray, nodes, dashboard } = cluster;
  const numAlive = nodes.filter(({ alive }) => alive).length;
  const page = dashboard === '' ? '' : `, dashboard ${dashboard}`;
  return `${where} (Ray ${ray}, ${numAlive} node${numAlive === 1 ? '' : 's'}${page})`;
}

/**
 * @param nodesNow those of now, where they are asked for; else as the cluster was joined.
 * @param hosts by part, as `parts`: a host keeps its number when its part changes. @returns null = it has not been joined.
 */
export function describeHosts(
  joined: ClusterDescription | null,
  nodesNow: readonly ClusterNode[] | null,
  hosts: readonly RemoteHost[],
  parts: readonly RunnerPart[],
): JsonObject | null {
  if (joined === null) return null;
  const cluster = { ...joined, nodes: nodesNow ?? joined.nodes };
  const { ray, python, head, dashboard, nodes } = cluster;
  return {
    ...{ ray, python, head, dashboard: dashboard === '' ? null : dashboard },
    hosts: hosts.map(({ index, hello }, part) => describeHost(index, parts[part], hello, cluster)),
    nodes: nodes.map(({ id, address, alive, isDraining, resources }) => ({
      ...{ id, address, alive, isDraining },
      resources: { ...resources },
    })),
  };
}

function describeHost(
  index: number,
  { firstRow, numRows }: RunnerPart,
  hello: RemoteHost['hello'],
  { dashboard, nodes }: ClusterDescription,
): JsonObject {
  const environments = `${firstRow} to ${firstRow + numRows - 1}`;
  if (hello === null) return { host: index, environments };
  const { hostname, pid, rayNode, rayActor, node } = hello;
  const address = nodes.find(({ id }) => id === rayNode)?.address ?? null;
  return {
    ...{ host: index, environments, hostname, address, pid, node, rayNode, rayActor },
    // What a rollout process writes to stderr and stdout is its actor's.
    logs: `ray logs actor --id ${rayActor}`,
    page: dashboard === '' ? null : `${dashboard}/#/actors/${rayActor}`,
  };
}
