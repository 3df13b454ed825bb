/** Starts hosts, and replaces those that are lost. */
import { setTimeout } from 'node:timers/promises';
import { fromErrorMessage } from '../rollout/error-message.ts';
import { createRestartBudget } from '../rollout/restart-budget.ts';
import type { RowState } from '../rollout/row-states.ts';
import type { RunnerPart, WorkerFailure } from '../rollout/runner-group.ts';
import { RequestFailure } from './bridge.ts';
import { isFinal, toClusterError } from './cluster-errors.ts';
import type { HostCounts } from './cluster-meter.ts';
import type { Connection } from './connection.ts';
import type { HostNews, HostPlan } from './host-messages.ts';
import type { HostTeamOptions } from './host-team-options.ts';
import type { Placement, RemoteHost } from './remote-host.ts';
import { requireHead } from './require-head.ts';

/** Before a host that could not be started is started again. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

export interface HostSupervisorOptions
  extends Pick<HostTeamOptions, 'maxRestarts' | 'restartWindowMs' | 'rowStates' | 'onRestarted'> {
  readonly cluster: { readonly rayAddress: string };
  readonly parts: readonly RunnerPart[];
  readonly hosts: readonly RemoteHost[];
  readonly connection: Connection;
  readonly planOf: (part: RunnerPart) => HostPlan;
  /** Where a host that was lost goes on. @throws ClusterError when there is no such place. */
  readonly placeAfter: (host: RemoteHost, failure: RequestFailure) => Promise<Placement>;
  /** Whether its node has left the cluster, or is about to: nothing that is wrong. */
  readonly hasLeft: (host: RemoteHost) => boolean;
}

export interface HostSupervisor {
  /**
   * Starts a host, as often as it takes.
   *
   * @param failure why it has to be started again; null = for the first time.
   * @returns rows of the run whose episode had to begin again. @throws ClusterError, or the environment's own error.
   */
  open(
    part: number,
    states: () => readonly RowState[] | null,
    failure: RequestFailure | null,
    placement: Placement,
  ): Promise<readonly number[]>;
  /** Brings a lost host back to where its last booked rollout left it. */
  recover(part: number, failure: RequestFailure): Promise<void>;
  /** Books what a host tells of its threads; returns rows of the run whose episode began again. */
  note(part: number, news: HostNews): readonly number[];
  takeFailures(): WorkerFailure[];
  /** Hosts that are being replaced, and those that were lost. */
  readonly counts: Readonly<Pick<HostCounts, 'numMending' | 'numLost'>>;
  /** From now on nobody who is lost is replaced. */
  stop(): void;
}

export function createHostSupervisor(options: HostSupervisorOptions): HostSupervisor {
  const { parts, hosts, connection, planOf } = options;
  const { rayAddress } = options.cluster;
  const life = { isOver: false };
  const failures: WorkerFailure[] = [];
  const counts = { numMending: 0, numLost: 0 };
  const budget = createRestartBudget(options);
  const note = (part: number, { failures: lost, restarted }: HostNews): readonly number[] => {
    for (const { error, workerIndex: w, seconds, numProcessesEnded } of lost) {
      const workerIndex = part * planOf(parts[part]).numThreads + w;
      const common = { workerIndex, seconds, numProcessesEnded, isRecovered: true };
      failures.push({ ...common, error: fromErrorMessage(error) });
    }
    const rows = restarted.map((row) => parts[part].firstRow + row);
    if (rows.length > 0) options.onRestarted(rows);
    return rows;
  };
  const allow = async (host: RemoteHost, failure: RequestFailure): Promise<void> => {
    const error = toClusterError(failure, rayAddress);
    if (life.isOver || isFinal(failure)) throw error;
    if (!options.hasLeft(host)) budget.spend(error);
    await requireHead(connection);
  };
  const open: HostSupervisor['open'] = async (part, states, first, intended) => {
    const host = hosts[part];
    let failure = first;
    let placement = intended;
    for (let attempt = 0; ; attempt++) {
      if (failure !== null) {
        placement = await options.placeAfter(host, failure);
        await allow(host, failure);
      }
      if (attempt > 0) await setTimeout(Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt));
      // An actor in which the process did not even come up may itself be in a bad place: it is left.
      const isMoved = placement.node !== host.placement.node || placement.isGuest !== host.placement.isGuest;
      const isActorGood = failure === null ? placement.node !== null : failure.code === 'CHILD_EXITED';
      const fresh = attempt > 0 || isMoved || !isActorGood;
      const isElsewhere = failure?.code === 'SILENT';
      try {
        const started = await host.open(planOf(parts[part]), states(), { fresh, isElsewhere, placement });
        return note(part, started);
      } catch (again) {
        if (!(again instanceof RequestFailure)) throw again;
        failure = again;
      }
    }
  };
  return {
    open,
    note,
    async recover(part, failure) {
      const begin = performance.now();
      const { firstRow, numRows } = parts[part];
      if (failure.code !== 'DRAINING') counts.numLost += 1;
      counts.numMending += 1;
      try {
        await open(part, () => options.rowStates(firstRow, numRows), failure, hosts[part].placement);
      } finally {
        counts.numMending -= 1;
      }
      if (failure.code === 'DRAINING') return;
      failures.push({
        workerIndex: part * planOf(parts[part]).numThreads,
        error: toClusterError(failure, rayAddress),
        isRecovered: true,
        seconds: (performance.now() - begin) / 1000,
        numProcessesEnded: 0,
      });
    },
    counts,
    takeFailures: () => failures.splice(0),
    stop() {
      life.isOver = true;
    },
  };
}
