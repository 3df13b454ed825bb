/** The rollout hosts together: started, asked, and replaced where they are lost. */

import type { JsonObject } from '../json.ts';
import { hasFma } from '../machine/fma.ts';
import { allOrFirstError } from '../rollout/all-or-first-error.ts';
import type { RowState } from '../rollout/row-states.ts';
import type { RunnerPart, WorkerFailure } from '../rollout/runner-group.ts';
import type { RequestFailure } from './bridge.ts';
import type { NodeWants } from './choose-nodes.ts';
import { type AnswerTimes, createClusterMeter } from './cluster-meter.ts';
import { type Connection, createConnection } from './connection.ts';
import { describeHosts, describePlace } from './describe-hosts.ts';
import { createElasticHosts, type ElasticHosts } from './elastic-hosts.ts';
import type { Expected } from './handshake.ts';
import type { HostPlan, HostReply, HostRequest } from './host-messages.ts';
import { bridgeSettings, isElastic, maxHostsOf, numThreadsOf, partsOf, planForAll } from './host-plans.ts';
import { createHostQueue, type HostQueue } from './host-queue.ts';
import { createHostSupervisor, type HostSupervisor } from './host-supervisor.ts';
import type { HostTeamOptions } from './host-team-options.ts';
import { parseRayAddress, requireToken } from './ray-address.ts';
import { ANYWHERE, createRemoteHost, type HostReplyFrame, type RemoteHost } from './remote-host.ts';
import { requireResources } from './require-resources.ts';
import { prepareShipment, type Shipment } from './shipping.ts';
import { type RoomOptions, untilRoom } from './until-room.ts';

export interface HostTeam {
  /** Rows of each host: contiguous; sizes differ by one at most. One array for the life of a team, the content of which `start` and `regroup` may change. */
  readonly parts: readonly RunnerPart[];
  /** Where nodes have come or gone rows are dealt out anew. Nothing is in flight. @param states of all rows, asked for then. */
  regroup(states: () => Promise<readonly RowState[]>): Promise<void>;
  start(states: readonly RowState[] | null): Promise<readonly number[]>;
  run<T>(
    part: number,
    request: HostRequest,
    version: number | null,
    accept: (answer: HostReplyFrame) => T,
  ): Promise<T>;
  notify(request: HostRequest): void;
  takeFailures(): WorkerFailure[];
  /** The cluster, for people. */
  readonly place: string;
  /** `cluster/*` since they were taken last. */
  takeMetrics(): Readonly<Record<string, number>>;
  /** Who and where hosts are, and how their logs are read; null = the cluster has not been joined. */
  describe(): JsonObject | null;
  stop(): Promise<void>;
}

/** What no node may have. */
const WANTS = {
  who: 'a host',
  advice: 'Lower `numEnvRunners` (threads of a host, a CPU each) or change `hostResources`.',
};

export function createHostTeam(options: HostTeamOptions): HostTeam {
  const { cluster } = options;
  const address = parseRayAddress(cluster.rayAddress);
  const shipping = createShipping(options);
  const { ship } = shipping;
  const { arena, weights } = options;
  const settings = () => bridgeSettings(options, ship());
  const traffic = { numReceived: 0, numSent: 0 };
  const times = { count: 0, ms: 0 };
  const connection = createConnection({ address, buffer: arena.buffer, weights, settings, traffic });
  const fixed = isElastic(cluster) ? 0 : maxHostsOf(options);
  const team: Team = { parts: partsOf(options.numEnvs, fixed), hosts: [], queues: [], times };
  const { parts, hosts, queues } = team;
  const threads = { perHost: 1 };
  const planOf = (part: RunnerPart): HostPlan => ({
    ...planForAll(options),
    source: ship().source,
    files: ship().files,
    numThreads: threads.perHost,
    ...part,
  });
  const places = {
    placeAfter: async (host: RemoteHost, failure: RequestFailure) =>
      (await elastic?.placeAfter(host, failure)) ?? ANYWHERE,
    hasLeft: (host: RemoteHost) => elastic?.hasLeft(host) ?? false,
  };
  const supervisor = createHostSupervisor({ ...options, parts, hosts, planOf, connection, ...places });
  const create = createHosts(team, options, connection, supervisor);
  const elastic = isElastic(cluster)
    ? createElastic(team, options, connection, supervisor, create, threads)
    : null;
  return {
    parts,
    async start(states) {
      requireToken(address, cluster.insecure);
      await connection.probe();
      await connection.bridge();
      const nodes = connection.cluster?.nodes.filter((node) => node.alive) ?? [];
      threads.perHost = numThreadsOf(options, nodes, parts);
      if (elastic !== null) return elastic.start(states);
      const resources = { CPU: threads.perHost, ...cluster.hostResources };
      if (cluster.requestHosts) await untilRoom(connection, roomOptions(options, resources));
      else requireResources(nodes, resources, WANTS);
      return startFixed(team, supervisor, create, states);
    },
    regroup: async (states) => elastic?.regroup(states),
    run: (part, request, version, accept) => queues[part].run(request, version, accept),
    notify(request) {
      for (const host of hosts) host.notify(request);
    },
    get place() {
      return describePlace(cluster.rayAddress, connection.cluster);
    },
    takeFailures: supervisor.takeFailures,
    takeMetrics: createClusterMeter(traffic, times, () => ({
      ...{ numHosts: parts.length, numJoined: 0, numLeft: 0, ...elastic?.counts },
      ...supervisor.counts,
    })),
    describe: () => describeHosts(connection.cluster, elastic?.nodes ?? null, hosts, parts),
    async stop() {
      supervisor.stop();
      elastic?.stop();
      await connection.stop();
      shipping.remove();
    },
  };
}

function roomOptions(options: HostTeamOptions, resources: NodeWants['resources']): RoomOptions {
  const { rayAddress, hostLabels, hostWaitSeconds } = options.cluster;
  const wants = { resources, labels: hostLabels };
  return { rayAddress, wants, numHosts: maxHostsOf(options), waitSeconds: hostWaitSeconds };
}

async function startFixed(
  { parts, hosts, queues }: Team,
  supervisor: HostSupervisor,
  create: () => Member,
  states: readonly RowState[] | null,
): Promise<readonly number[]> {
  while (hosts.length < parts.length) {
    const { host, queue } = create();
    hosts.push(host);
    queues.push(queue);
  }
  for (const queue of queues) queue.reset();
  const restarted = await allOrFirstError(
    parts.map(({ firstRow, numRows }, part) =>
      supervisor.open(part, () => states?.slice(firstRow, firstRow + numRows) ?? null, null, ANYWHERE),
    ),
  );
  return restarted.flat();
}

function createElastic(
  team: Team,
  options: HostTeamOptions,
  connection: Connection,
  supervisor: HostSupervisor,
  create: () => Member,
  threads: { readonly perHost: number },
): ElasticHosts {
  const { minRolloutHosts, hostWaitSeconds, hostResources, hostLabels } = options.cluster;
  const { numEnvs, isEven } = options;
  return createElasticHosts({
    ...{ ...team, connection, create },
    ...{ minHosts: minRolloutHosts ?? 1, waitSeconds: hostWaitSeconds },
    ...{ resources: hostResources, labels: hostLabels },
    bounds: () => ({ maxHosts: maxHostsOf(options), numEnvs, isEven, numThreads: threads.perHost }),
    open: (part, states, placement) => supervisor.open(part, states, null, placement),
  });
}

/** Put together when it is first needed. */
function createShipping({ source, cluster }: HostTeamOptions) {
  const { rayWorkingDir: workingDir, rayPackageMb: maxMegabytes } = cluster;
  let shipment: Shipment | null = null;
  return {
    ship(): Shipment {
      shipment ??= prepareShipment({ source, workingDir, maxMegabytes });
      return shipment;
    },
    remove: () => shipment?.remove(),
  };
}

/** By part, but for the times. */
interface Team {
  readonly parts: RunnerPart[];
  readonly hosts: RemoteHost[];
  readonly queues: HostQueue[];
  readonly times: AnswerTimes;
}

interface Member {
  readonly host: RemoteHost;
  readonly queue: HostQueue;
}

/** Gives one after the other, each with a number of its own. Which part it has may change. */
function createHosts(
  { hosts, times }: Team,
  { cluster, kernelBuild }: HostTeamOptions,
  connection: Connection,
  supervisor: HostSupervisor,
): () => Member {
  const expected: Expected = { kernels: kernelBuild, hasFma: hasFma() };
  let numCreated = 0;
  return () => {
    const deadlineMs = cluster.hostDeadlineSeconds * 1000;
    const host = createRemoteHost(numCreated++, connection, expected, deadlineMs, times);
    const part = () => hosts.indexOf(host);
    const recover = (failure: RequestFailure) => supervisor.recover(part(), failure);
    const onAnswer = (answer: HostReply) => void supervisor.note(part(), answer);
    return { host, queue: createHostQueue({ host, recover, onAnswer }) };
  };
}
