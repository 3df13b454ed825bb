/** What follows from a run's options for its bridge and each of its hosts. */
import type { RunnerPart } from '../rollout/runner-group.ts';
import type { BridgeSettings, ClusterNode } from './bridge.ts';
import type { HostPlan } from './host-messages.ts';
import type { ClusterOptions, HostTeamOptions } from './host-team-options.ts';
import type { Shipment } from './shipping.ts';

/** As for local workers. */
const MAX_AUTO_THREADS = 4;
/** Of a message in front of a fragment: faults and sums of metrics; a longer one travels through the pipe. */
const MESSAGE_BYTES = 2 ** 20;

/** Whether hosts come and go with the nodes of the cluster. */
export function isElastic({ numRolloutHosts, minRolloutHosts }: ClusterOptions): boolean {
  return numRolloutHosts === 'all' || minRolloutHosts !== null;
}

/** The most hosts that the run may have. */
export function maxHostsOf({ cluster, numEnvs }: Pick<HostTeamOptions, 'cluster' | 'numEnvs'>): number {
  return cluster.numRolloutHosts === 'all' ? numEnvs : cluster.numRolloutHosts;
}

/** Contiguous rows of each; sizes differ by one at most. */
export function partsOf(numEnvs: number, numHosts: number): RunnerPart[] {
  return Array.from({ length: numHosts }, (_, part) => {
    const firstRow = Math.floor((part * numEnvs) / numHosts);
    return { firstRow, numRows: Math.floor(((part + 1) * numEnvs) / numHosts) - firstRow };
  });
}

export function bridgeSettings(options: HostTeamOptions, shipment: Shipment): BridgeSettings {
  const { cluster, weights } = options;
  return {
    address: cluster.rayAddress,
    namespace: 'operant',
    workingDir: shipment.folder,
    node: 'node',
    arguments: shipment.arguments,
    resources: cluster.hostResources,
    labels: cluster.hostLabels,
    bundles: bundlesOf(options),
    probe: false,
    numVersions: weights.slotAddresses.length + 1,
    ...sharedRoom(options),
  };
}

/** What the autoscaler is asked for. */
function bundlesOf(options: HostTeamOptions): BridgeSettings['bundles'] {
  const { requestHosts, hostResources } = options.cluster;
  const numCpus = options.numThreads === 'auto' ? 1 : options.numThreads; // auto is refused beside requestHosts
  const bundle = { CPU: numCpus, ...hostResources };
  return requestHosts ? Array.from({ length: maxHostsOf(options) }, () => bundle) : [];
}

export function planForAll(
  options: HostTeamOptions,
): Omit<HostPlan, 'source' | 'files' | 'numThreads' | 'firstRow' | 'numRows'> {
  const { spec, seed, columns, weights, faultPolicy, envOptions, nativeKernels, poison } = options;
  const { deadlineMs, maxRestarts, restartWindowMs, memoryMb, kernelBuild } = options;
  return {
    ...{ spec, seed, columns, faultPolicy, envOptions, nativeKernels, poison },
    ...{ deadlineMs, maxRestarts, restartWindowMs, memoryMb },
    deterministic: kernelBuild === 'strict',
    rolloutLength: options.sampling.rollout.rolloutLength,
    parameterCount: weights.parameterCount,
  };
}

/** For the fragment of the host with the most rows, and what is said in front of it. */
function sharedRoom(options: HostTeamOptions) {
  const { sampling, numEnvs, cluster } = options;
  const { byteLength, numRows } = sampling.rollout;
  const numHosts = maxHostsOf(options);
  const fewest = isElastic(cluster) ? 1 : numHosts;
  const rows = Math.ceil(numEnvs / fewest);
  // Memory that nobody has written to takes no room.
  return { slotBytes: Math.ceil((byteLength * rows) / numRows) + MESSAGE_BYTES, numHosts };
}

/** Never changes results. */
export function numThreadsOf(
  { numThreads, numEnvs, cluster }: HostTeamOptions,
  alive: readonly ClusterNode[],
  parts: readonly RunnerPart[],
): number {
  if (numThreads !== 'auto') return numThreads;
  const numRows = Math.min(numEnvs, ...parts.map((part) => part.numRows));
  const cpus = alive.map(({ resources }) => Math.floor(resources.CPU ?? 0)).filter((count) => count > 0);
  // Where every node is a host, the smallest can be one, too.
  const numCpus = isElastic(cluster) ? Math.min(MAX_AUTO_THREADS, ...cpus) : Math.max(1, ...cpus);
  return Math.min(MAX_AUTO_THREADS, numRows, numCpus);
}
