/** Who belongs to the cluster: asked of Ray again and again while a run has as many hosts as there are nodes. */
import { setTimeout as pause } from 'node:timers/promises';
import { ClusterError } from '../errors.ts';
import { type ClusterNode, RequestFailure } from './bridge.ts';
import { eligibleNodes, type NodeWants } from './choose-nodes.ts';
import type { Connection } from './connection.ts';
import { requireHead } from './require-head.ts';

/** Between two questions: while a run goes on, and while it waits for hosts. */
const WATCH_MS = 2_000;
const WAIT_MS = 500;
/** A node on which a host was lost is avoided for so long: the head may take that long to notice that it is gone. */
const SUSPICION_MS = 20_000;

export interface MembershipOptions {
  readonly connection: Connection;
  /** Known once the cluster has been joined. */
  readonly wants: () => NodeWants;
  readonly minHosts: number;
  readonly waitSeconds: number;
  /** Nodes of which a notice has come that they go. */
  readonly onDraining: (nodes: ReadonlySet<string>) => void;
}

export interface Membership {
  /** As they were told of last; null = they have not been asked for. */
  readonly nodes: readonly ClusterNode[] | null;
  /** Ids of the nodes that may be hosts, those under suspicion only where there are not enough others. */
  eligible(): readonly string[];
  /** A host was lost there. */
  suspect(node: string): void;
  /**
   * Resolves when there are as many nodes as hosts must be.
   *
   * @throws ClusterError `CLUSTER_TOO_FEW_HOSTS` when that takes too long, `CLUSTER_LOST` when the head is gone.
   */
  untilEnough(): Promise<void>;
  /** Begins to ask now and then. */
  watch(): void;
  stop(): void;
}

export function createMembership(options: MembershipOptions): Membership {
  const { connection, wants, minHosts, onDraining } = options;
  const state = { nodes: null as readonly ClusterNode[] | null, isOver: false };
  const suspects = new Map<string, number>();
  let timer: NodeJS.Timeout | null = null;
  let asking: Promise<void> | null = null;
  const ask = async () => {
    state.nodes = await (await connection.bridge()).nodes();
    const leaving = state.nodes.filter(({ alive, isDraining }) => isDraining || !alive).map(({ id }) => id);
    if (leaving.length > 0) onDraining(new Set(leaving));
  };
  const refresh = () => {
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
  const here = () => eligibleNodes(state.nodes ?? [], wants()).map(({ id }) => id);
  return {
    get nodes() {
      return state.nodes;
    },
    eligible() {
      const all = here();
      const trusted = all.filter((id) => performance.now() - (suspects.get(id) ?? -Infinity) > SUSPICION_MS);
      return trusted.length >= minHosts ? trusted : all;
    },
    suspect: (node) => void suspects.set(node, performance.now()),
    async untilEnough() {
      const end = performance.now() + options.waitSeconds * 1000;
      for (let isTold = false; ; isTold = true) {
        const asked = refresh().catch((error: unknown) => {
          if (!(error instanceof RequestFailure)) throw error;
        });
        asked.catch(() => undefined); // when the head is gone nobody waits for it
        for (let isOver = false; !isOver; isOver = await isOverWithin(asked, WAIT_MS))
          await requireHead(connection); // Ray itself says after a minute that it is gone
        if (here().length >= minHosts) return;
        if (state.isOver || performance.now() >= end) throw tooFew(here().length, options, state.nodes ?? []);
        if (!isTold) process.emitWarning(waiting(here().length, options), 'OperantWarning');
        await pause(WAIT_MS);
      }
    },
    watch() {
      timer ??= setInterval(() => void refresh().catch(() => undefined), WATCH_MS); // a bridge that is gone is heard of by whoever asks for rows
      timer.unref();
    },
    stop() {
      state.isOver = true;
      if (timer !== null) clearInterval(timer);
    },
  };
}

/** @throws what it fails with. */
const isOverWithin = (promise: Promise<void>, ms: number) =>
  Promise.race([promise.then(() => true), pause(ms, false)]);

const waiting = (numHere: number, { minHosts, waitSeconds }: MembershipOptions) =>
  `${numHere} of the cluster's nodes can be rollout hosts, and minRolloutHosts is ${minHosts}: waiting for more, for ${waitSeconds} s.`;

function tooFew(
  numHere: number,
  { minHosts, waitSeconds, wants }: MembershipOptions,
  nodes: readonly ClusterNode[],
): ClusterError {
  const { resources, labels } = wants();
  const told = nodes.filter(({ alive }) => alive).map((node) => describeNode(node));
  const wanted = JSON.stringify(resources) + (Object.keys(labels).length > 0 ? JSON.stringify(labels) : '');
  return new ClusterError(
    'CLUSTER_TOO_FEW_HOSTS',
    `For ${waitSeconds} s (hostWaitSeconds) there were fewer than minRolloutHosts (${minHosts}) nodes that can be rollout hosts, ${numHere} at last. A host wants ${wanted}; there is ${told.join(', ') || 'no node'}. Add nodes, or lower \`minRolloutHosts\` or \`numEnvRunners\` (threads of a host, a CPU each). The last checkpoint is whole: \`--resume\` goes on from it.`,
  );
}

const describeNode = ({ address, resources, isDraining }: ClusterNode) =>
  `${address}: ${resources.CPU ?? 0} CPUs${isDraining ? ', going' : ''}`;
