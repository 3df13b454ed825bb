/** Hosts that come and go with a cluster's nodes: one on each, and rows dealt out anew between two rollouts. */
import { allOrFirstError } from '../rollout/all-or-first-error.ts';
import type { RowState } from '../rollout/row-states.ts';
import type { RunnerPart } from '../rollout/runner-group.ts';
import type { ClusterNode, FailureCode, RequestFailure } from './bridge.ts';
import { chooseNodes, type HostBounds, numHostsFor } from './choose-nodes.ts';
import type { Connection } from './connection.ts';
import { partsOf } from './host-plans.ts';
import type { HostQueue } from './host-queue.ts';
import { createMembership } from './membership.ts';
import type { Placement, RemoteHost } from './remote-host.ts';

/** What may happen to a host on a node that is as good as before. */
const IS_NODE_GOOD: ReadonlySet<FailureCode> = new Set(['CHILD_EXITED', 'BRIDGE_EXITED', 'CHECKSUM']);

export interface ElasticHostsOptions {
  readonly connection: Connection;
  readonly minHosts: number;
  readonly waitSeconds: number;
  /** Of an actor, by name; CPU besides. */
  readonly resources: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Once the cluster has been joined. */
  readonly bounds: () => HostBounds;
  /** By part, all three; they are changed here. */
  readonly parts: RunnerPart[];
  readonly hosts: RemoteHost[];
  readonly queues: HostQueue[];
  /** Another host, the number of which nobody else has. */
  readonly create: () => { readonly host: RemoteHost; readonly queue: HostQueue };
  readonly open: (
    part: number,
    states: () => readonly RowState[] | null,
    placement: Placement,
  ) => Promise<readonly number[]>;
}

export interface ElasticHosts {
  readonly nodes: readonly ClusterNode[] | null;
  readonly counts: { readonly numJoined: number; readonly numLeft: number };
  /** Deals the rows out to the nodes that there are. @returns rows whose episode began again. @throws ClusterError `CLUSTER_TOO_FEW_HOSTS` */
  start(states: readonly RowState[] | null): Promise<readonly number[]>;
  /** Does so again where nodes have come or gone. Nothing is in flight. @param states of all rows. */
  regroup(states: () => Promise<readonly RowState[]>): Promise<void>;
  placeAfter(host: RemoteHost, failure: RequestFailure): Promise<Placement>;
  hasLeft(host: RemoteHost): boolean;
  stop(): void;
}

export function createElasticHosts(options: ElasticHostsOptions): ElasticHosts {
  const { hosts, queues } = options;
  const counts = { numJoined: 0, numLeft: 0 };
  const membership = createMembership({
    ...options,
    wants: () => ({
      resources: { CPU: options.bounds().numThreads, ...options.resources },
      labels: options.labels,
    }),
    onDraining(leaving) {
      for (const [part, host] of hosts.entries())
        if (leaving.has(host.placement.node ?? '')) queues[part].leave();
    },
  });
  const dealing = createDealing(options, () => membership.eligible());
  return {
    get nodes() {
      return membership.nodes;
    },
    counts,
    async start(states) {
      await membership.untilEnough();
      membership.watch();
      return dealing.deal(dealing.chosen(), states, true);
    },
    async regroup(states) {
      if (dealing.isSettled() && membership.eligible().length >= options.minHosts) return;
      await membership.untilEnough();
      for (const queue of queues) queue.reset(); // who is about to go can still be asked
      const all = await states(); // whoever is gone by now is replaced, and rows are dealt out to whoever is there then
      if (dealing.isSettled()) return;
      const [before, next] = [dealing.dealtTo, dealing.chosen()];
      counts.numJoined += next.filter((node) => !before.includes(node)).length;
      counts.numLeft += before.filter((node) => !next.includes(node)).length;
      await dealing.deal(next, all, false);
    },
    async placeAfter(host, { code }) {
      const { placement } = host;
      if (IS_NODE_GOOD.has(code)) return placement;
      if (placement.node !== null && code !== 'DRAINING') membership.suspect(placement.node);
      await membership.untilEnough();
      const eligible = membership.eligible();
      const others = eligible.filter((node) => node !== placement.node);
      // On its own node there is room for it again; anywhere else it is a guest until rows are dealt out.
      if (others.length === 0) return placement;
      return { node: others[hosts.indexOf(host) % others.length], isGuest: true };
    },
    hasLeft: ({ placement }) => {
      const node = membership.nodes?.find(({ id }) => id === placement.node);
      return node !== undefined && (!node.alive || node.isDraining);
    },
    stop: membership.stop,
  };
}

/** Which host is where, and has which rows. */
function createDealing(options: ElasticHostsOptions, eligible: () => readonly string[]) {
  const { hosts, queues } = options;
  const spare: { readonly host: RemoteHost; readonly queue: HostQueue }[] = [];
  let dealtTo: readonly string[] = [];
  const homes = () => hosts.map(({ placement }) => (placement.isGuest ? '' : (placement.node ?? '')));
  const chosen = () => {
    const nodes = eligible();
    return chooseNodes(homes(), nodes, numHostsFor(nodes.length, options.bounds()));
  };
  return {
    /** Nodes, by part, as rows were dealt out last. */
    get dealtTo() {
      return dealtTo;
    },
    chosen,
    isSettled(): boolean {
      const [now, next] = [homes(), chosen()];
      return now.length === next.length && next.every((node, k) => node === now[k]);
    },
    /** @param isStart everybody begins from these states; else those whose node and rows stay go on. */
    deal(nodes: readonly string[], states: readonly RowState[] | null, isStart: boolean) {
      const now = homes();
      const old = hosts.map((host, part) => ({ host, queue: queues[part], rows: options.parts[part] }));
      const kept = nodes.map((node) => old[now.indexOf(node)] ?? null);
      for (const each of old) {
        if (kept.includes(each)) continue;
        each.host.close();
        spare.push(each);
      }
      const team = kept.map((each) => each ?? spare.pop() ?? options.create());
      replaceAll(options.parts, partsOf(options.bounds().numEnvs, nodes.length));
      replaceAll(
        hosts,
        team.map(({ host }) => host),
      );
      replaceAll(
        queues,
        team.map(({ queue }) => queue),
      );
      dealtTo = nodes;
      return openAll(options, nodes, states, (part) => {
        const { firstRow, numRows } = options.parts[part];
        const before = kept[part]?.rows;
        return !isStart && before?.firstRow === firstRow && before.numRows === numRows;
      });
    },
  };
}

async function openAll(
  { parts, queues, open }: ElasticHostsOptions,
  nodes: readonly string[],
  states: readonly RowState[] | null,
  isAsItWas: (part: number) => boolean,
): Promise<readonly number[]> {
  const restarted = await allOrFirstError(
    parts.map(({ firstRow, numRows }, part) => {
      if (isAsItWas(part)) return Promise.resolve([]);
      queues[part].reset();
      const ofPart = () => states?.slice(firstRow, firstRow + numRows) ?? null;
      return open(part, ofPart, { node: nodes[part], isGuest: false });
    }),
  );
  return restarted.flat();
}

/** The same array, so that whoever looks at it sees what is new. */
function replaceAll<T>(array: T[], content: readonly T[]): void {
  array.splice(0, array.length, ...content);
}
