/** Starts hosts, and replaces those that are lost. */
import { setTimeout } from 'node:timers/promises';
import { ClusterError } from '../errors.ts';
import { fromErrorMessage } from '../rollout/error-message.ts';
import { createRestartBudget } from '../rollout/restart-budget.ts';
import type { RowState } from '../rollout/row-states.ts';
import type { RunnerPart, WorkerFailure } from '../rollout/runner-group.ts';
import { RequestFailure } from './bridge.ts';
import { isFinal, toClusterError } from './cluster-errors.ts';
import type { HostCounts } from './cluster-meter.ts';
import type { Connection } from './connection.ts';
import type { HostNews, HostPlan } from './host-messages.ts';
import type { RemoteHost } from './remote-host.ts';

/** Before a host that could not be started is started again. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

export interface HostSupervisorOptions {
  readonly cluster: { readonly rayAddress: string };
  readonly parts: readonly RunnerPart[];
  readonly hosts: readonly RemoteHost[];
  readonly connection: Connection;
  readonly planOf: (part: RunnerPart) => HostPlan;
  readonly maxRestarts: number;
  readonly restartWindowMs: number;
  readonly rowStates: (first: number, count: number) => RowState[];
  readonly onRestarted: (rows: readonly number[]) => void;
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
  const allow = async (failure: RequestFailure): Promise<void> => {
    const error = toClusterError(failure, rayAddress);
    if (life.isOver || isFinal(failure)) throw error;
    budget.spend(error);
    await connection.probe().catch((cause: ClusterError) => {
      throw new ClusterError(
        'CLUSTER_LOST',
        `The cluster is gone: ${cause.message} The last checkpoint is whole: \`--resume\` goes on from it.`,
        { cause },
      );
    });
  };
  const open: HostSupervisor['open'] = async (part, states, first) => {
    let failure = first;
    for (let attempt = 0; ; attempt++) {
      if (failure !== null) await allow(failure);
      if (attempt > 0) await setTimeout(Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt));
      // An actor in which the process did not even come up may itself be in a bad place: it is left.
      const fresh = attempt > 0 || failure?.code !== 'CHILD_EXITED';
      const isElsewhere = failure?.code === 'SILENT';
      try {
        const started = await hosts[part].open(planOf(parts[part]), states(), { fresh, isElsewhere });
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
      counts.numLost += 1;
      counts.numMending += 1;
      try {
        await open(part, () => options.rowStates(firstRow, numRows), failure);
      } finally {
        counts.numMending -= 1;
      }
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
