/** What a Ray cluster has and lacks for rollout hosts of a learner on this machine. */
import { hasFma } from '../machine/fma.ts';
import { type ClusterNode, RequestFailure, startBridge } from './bridge.ts';
import { toClusterError } from './cluster-errors.ts';
import { parseRayAddress, probeAddress, requireToken } from './ray-address.ts';

export interface InspectedNode {
  readonly id: string;
  readonly address: string;
  readonly hostname: string;
  readonly isAlive: boolean;
  /** The learner here would be on it. */
  readonly isHere: boolean;
  readonly numCpus: number;
  readonly numGpus: number;
  /** GiB that Ray may give out, and of its object store. */
  readonly memoryGiB: number;
  readonly objectStoreGiB: number;
  /** Custom resources, for `hostResources`. */
  readonly resources: Readonly<Record<string, number>>;
  /** For `hostLabels`, without Ray's own. */
  readonly labels: Readonly<Record<string, string>>;
  /** Version of Node on its raylet's PATH; null = none is known. */
  readonly node: string | null;
  /** Why it cannot be a rollout host; empty = it can. */
  readonly lacks: readonly string[];
}

export interface InspectedCluster {
  readonly address: string;
  readonly ray: string;
  readonly python: string;
  readonly dashboard: string | null;
  readonly nodes: readonly InspectedNode[];
  /** That can be rollout hosts. */
  readonly numHostNodes: number;
}

const CONNECT_DEADLINE_MS = 60_000;
const GIB = 2 ** 30;
/** Every node has them, or Ray makes them for itself. */
const OWN_RESOURCE = /^(?:CPU|GPU|memory|object_store_memory|node:.*|accelerator_type:.*|.*_group_.*)$/;

/**
 * Joins the cluster and asks every node. Cost: some seconds. Thread: main.
 *
 * @throws ConfigError `CONFIG_RAY_ADDRESS`; ClusterError when it cannot be joined, as training on it would.
 */
export async function inspectCluster(rayAddress: string, insecure: boolean): Promise<InspectedCluster> {
  const address = parseRayAddress(rayAddress);
  requireToken(address, insecure);
  await probeAddress(address);
  const bridge = startBridge({ numReceived: 0, numSent: 0 });
  try {
    const { ray, python, dashboard, nodes, here } = await bridge.connect(
      {
        ...{ address: rayAddress, namespace: 'operant', workingDir: null, probe: true, node: 'node' },
        ...{
          arguments: [],
          resources: {},
          labels: {},
          bundles: [],
          numVersions: 1,
          slotBytes: 0,
          numHosts: 0,
        },
      },
      CONNECT_DEADLINE_MS,
    );
    const inspected = nodes.map((node) => inspect(node, here));
    return {
      ...{
        address: rayAddress,
        ray,
        python,
        dashboard: dashboard === '' ? null : dashboard,
        nodes: inspected,
      },
      numHostNodes: inspected.filter(({ lacks }) => lacks.length === 0).length,
    };
  } catch (error) {
    throw error instanceof RequestFailure ? toClusterError(error, rayAddress) : error;
  } finally {
    await bridge.end();
  }
}

function inspect(node: ClusterNode, here: string): InspectedNode {
  const { id, address, alive, resources, labels, probe } = node;
  const isOwn = (name: string) => OWN_RESOURCE.test(name);
  return {
    ...{ id, address, isAlive: alive, isHere: id === here, hostname: probe?.hostname ?? '' },
    numCpus: resources.CPU ?? 0,
    numGpus: resources.GPU ?? 0,
    memoryGiB: (resources.memory ?? 0) / GIB,
    objectStoreGiB: (resources.object_store_memory ?? 0) / GIB,
    resources: Object.fromEntries(Object.entries(resources).filter(([name]) => !isOwn(name))),
    labels: Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith('ray.io/'))),
    node: probe?.node ?? null,
    lacks: lacksOf(node),
  };
}

function lacksOf({ alive, resources, probe }: ClusterNode): string[] {
  if (!alive) return ['it is dead'];
  if (probe === undefined) return [];
  if (probe.error !== undefined) return [`it does not answer: ${probe.error}`];
  const lacks: string[] = [];
  const here = process.versions.node.split('.')[0];
  if ((resources.CPU ?? 0) < 1) lacks.push('it has no CPUs to give');
  if (probe.node === null || probe.node === undefined) lacks.push("there is no Node on its raylet's PATH");
  else if (probe.node.split('.')[0] !== here) lacks.push(`its Node is ${probe.node}, here it is ${here}`);
  if (probe.hasFma === false && hasFma())
    lacks.push('its processor has no fused multiply-add (`--deterministic` does without)');
  return lacks;
}
