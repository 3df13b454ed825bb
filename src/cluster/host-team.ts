/** The rollout hosts together: started, asked, and replaced where they are lost. */

import type { EnvFaultPolicy } from '../env/env-faults.ts';
import type { EnvModuleSource } from '../env/env-source.ts';
import type { RolloutColumns } from '../experience/layout.ts';
import type { JsonObject } from '../json.ts';
import { hasFma } from '../machine/fma.ts';
import type { Arena } from '../memory/arena.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { RowState } from '../rollout/row-states.ts';
import type { RunnerPart, WorkerFailure } from '../rollout/runner-group.ts';
import type { SamplingLayout } from '../rollout/sampling-layout.ts';
import type { WeightBufferLayout } from '../weights/weight-buffer.ts';
import type { BridgeSettings, ClusterNode, RequestFailure } from './bridge.ts';
import { type AnswerTimes, createClusterMeter } from './cluster-meter.ts';
import { type Connection, createConnection } from './connection.ts';
import { describeHosts, describePlace } from './describe-hosts.ts';
import type { Expected } from './handshake.ts';
import type { HostPlan, HostReply, HostRequest } from './host-messages.ts';
import { createHostQueue, type HostQueue } from './host-queue.ts';
import { createHostSupervisor, type HostSupervisor } from './host-supervisor.ts';
import { parseRayAddress, requireToken } from './ray-address.ts';
import { createRemoteHost, type HostReplyFrame, type RemoteHost } from './remote-host.ts';
import { requireResources } from './require-resources.ts';
import { prepareShipment, type Shipment } from './shipping.ts';

/** What a user says of the cluster. */
export interface ClusterOptions {
  readonly rayAddress: string;
  readonly numRolloutHosts: number;
  readonly insecure: boolean;
  readonly rayWorkingDir: string | null;
  readonly rayPackageMb: number;
  readonly hostResources: Readonly<Record<string, number>>;
  readonly hostLabels: Readonly<Record<string, string>>;
  readonly hostDeadlineSeconds: number;
}

export interface HostTeamOptions {
  readonly cluster: ClusterOptions;
  readonly arena: Arena;
  readonly spec: ActingSpec;
  readonly source: EnvModuleSource;
  readonly seed: number;
  readonly numEnvs: number;
  /** Of a host; its actor reserves as many CPUs. auto = min(4, its rows, the CPUs of the largest node). */
  readonly numThreads: number | 'auto';
  readonly columns: RolloutColumns;
  readonly sampling: SamplingLayout;
  readonly weights: WeightBufferLayout;
  readonly kernelBuild: Expected['kernels'];
  readonly nativeKernels: boolean;
  readonly faultPolicy: EnvFaultPolicy;
  /** Of the first episodes, laid over the source's; null = options never change. */
  readonly envOptions: JsonObject | null;
  readonly poison: boolean;
  readonly deadlineMs: number;
  readonly maxRestarts: number;
  readonly restartWindowMs: number;
  readonly memoryMb: number | null;
  /** States of the rows [first, first + count) after the rollout that was booked last. */
  readonly rowStates: (first: number, count: number) => RowState[];
  /** Rows of the whole run whose episode began again. */
  readonly onRestarted: (rows: readonly number[]) => void;
}

export interface HostTeam {
  /** Rows of each host: contiguous; sizes differ by one at most. */
  readonly parts: readonly RunnerPart[];
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
/** As for local workers. */
const MAX_AUTO_THREADS = 4;
/** Of a message in front of a fragment: faults and sums of metrics; a longer one travels through the pipe. */
const MESSAGE_BYTES = 2 ** 20;

export function createHostTeam(options: HostTeamOptions): HostTeam {
  const { cluster } = options;
  const address = parseRayAddress(cluster.rayAddress);
  const parts = partsOf(options.numEnvs, cluster.numRolloutHosts);
  const shipping = createShipping(options);
  const { ship } = shipping;
  const { arena, weights } = options;
  const settings = () => bridgeSettings(options, ship());
  const traffic = { numReceived: 0, numSent: 0 };
  const times = { count: 0, ms: 0 };
  const connection = createConnection({ address, buffer: arena.buffer, weights, settings, traffic });
  const hosts: RemoteHost[] = [];
  const queues: HostQueue[] = [];
  const team = { hosts, queues, times };
  const threads = { perHost: 1 };
  const planOf = (part: RunnerPart): HostPlan => ({
    ...planForAll(options),
    source: ship().source,
    files: ship().files,
    numThreads: threads.perHost,
    ...part,
  });
  const supervisor = createHostSupervisor({ ...options, parts, hosts, planOf, connection });
  return {
    parts,
    async start(states) {
      requireToken(address, cluster.insecure);
      await connection.probe();
      for (let part = hosts.length; part < parts.length; part++)
        addHost(part, team, options, connection, supervisor);
      await connection.bridge();
      const nodes = connection.cluster?.nodes.filter((node) => node.alive) ?? [];
      threads.perHost = numThreadsOf(options, nodes, parts);
      requireResources(nodes, { CPU: threads.perHost, ...cluster.hostResources }, WANTS);
      for (const queue of queues) queue.reset();
      const started = await Promise.allSettled(
        parts.map(({ firstRow, numRows }, part) =>
          supervisor.open(part, () => states?.slice(firstRow, firstRow + numRows) ?? null, null),
        ),
      );
      return started.flatMap((result) => {
        if (result.status === 'rejected') throw result.reason;
        return result.value;
      });
    },
    run: (part, request, version, accept) => queues[part].run(request, version, accept),
    notify(request) {
      for (const host of hosts) host.notify(request);
    },
    get place() {
      return describePlace(cluster.rayAddress, connection.cluster);
    },
    takeFailures: supervisor.takeFailures,
    takeMetrics: createClusterMeter(traffic, times, () => ({ numHosts: parts.length, ...supervisor.counts })),
    describe: () => describeHosts(connection.cluster, hosts, parts),
    async stop() {
      supervisor.stop();
      await connection.stop();
      shipping.remove();
    },
  };
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

interface Team {
  readonly hosts: RemoteHost[];
  readonly queues: HostQueue[];
  readonly times: AnswerTimes;
}

function addHost(
  part: number,
  { hosts, queues, times }: Team,
  { cluster, kernelBuild }: HostTeamOptions,
  connection: Connection,
  supervisor: HostSupervisor,
): void {
  const expected: Expected = { kernels: kernelBuild, hasFma: hasFma() };
  const host = createRemoteHost(part, connection, expected, cluster.hostDeadlineSeconds * 1000, times);
  hosts.push(host);
  const recover = (failure: RequestFailure) => supervisor.recover(part, failure);
  const onAnswer = (answer: HostReply) => void supervisor.note(part, answer);
  queues.push(createHostQueue({ host, recover, onAnswer }));
}

function partsOf(numEnvs: number, numHosts: number): RunnerPart[] {
  return Array.from({ length: numHosts }, (_, part) => {
    const firstRow = Math.floor((part * numEnvs) / numHosts);
    return { firstRow, numRows: Math.floor(((part + 1) * numEnvs) / numHosts) - firstRow };
  });
}

function bridgeSettings(options: HostTeamOptions, shipment: Shipment): BridgeSettings {
  const { cluster, weights } = options;
  return {
    address: cluster.rayAddress,
    namespace: 'operant',
    workingDir: shipment.folder,
    node: 'node',
    arguments: shipment.arguments,
    resources: cluster.hostResources,
    labels: cluster.hostLabels,
    probe: false,
    numVersions: weights.slotAddresses.length + 1,
    ...sharedRoom(options),
  };
}

function planForAll(
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
function sharedRoom({ sampling, numEnvs, cluster }: HostTeamOptions) {
  const { byteLength, numRows } = sampling.rollout;
  const rows = Math.ceil(numEnvs / cluster.numRolloutHosts);
  return {
    slotBytes: Math.ceil((byteLength * rows) / numRows) + MESSAGE_BYTES,
    numHosts: cluster.numRolloutHosts,
  };
}

/** Never changes results. */
function numThreadsOf(
  { numThreads }: HostTeamOptions,
  alive: readonly ClusterNode[],
  parts: readonly RunnerPart[],
): number {
  if (numThreads !== 'auto') return numThreads;
  const numRows = Math.min(...parts.map((part) => part.numRows));
  const numCpus = Math.max(1, ...alive.map(({ resources }) => Math.floor(resources.CPU ?? 0)));
  return Math.min(MAX_AUTO_THREADS, numRows, numCpus);
}
