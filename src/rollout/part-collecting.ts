/** Workers that are told several rollouts ahead, each at its own pace. */
import type { RolloutViews } from '../experience/layout.ts';
import { Command } from './control-words.ts';
import type { EnvFaultBook } from './env-fault-log.ts';
import type { EpisodeLedger } from './episode-ledger.ts';
import type { MetricSums } from './metric-sums.ts';
import { poisonRows } from './poison.ts';
import type { RowRange } from './rollout-worker.ts';
import type { WorkerTeam } from './worker-team.ts';

export interface PartCollecting {
  /** Rollouts that were asked for and are not there; one that failed counts for ever, until `reset`. */
  readonly numPending: number;
  /** As `RunnerGroup.collectPart` says. */
  collectPart(part: number, set: number, version: number): Promise<MetricSums | null>;
  /** After the workers have begun anew. */
  reset(): void;
}

/**
 * A worker's rows are booked as soon as it is done with a rollout, so that a replacement begins with the one that the lost worker was at,
 * whatever the others are doing.
 */
export function createPartCollecting(
  { poison }: { readonly poison: boolean },
  team: WorkerTeam,
  sets: readonly RolloutViews[],
  ledger: EpisodeLedger,
  faults: EnvFaultBook,
): PartCollecting {
  let last: Promise<unknown>[] = []; // by worker: what it was told last
  const pending = { count: 0 };
  let now = pending;
  const run = async (part: number, set: number, version: number): Promise<MetricSums | null> => {
    const { firstRow, numRows } = team.ranges[part];
    if (poison) poisonRows(sets[set], firstRow, numRows);
    const isMeant = ({ workerIndex }: RowRange) => workerIndex === part;
    const [message] = await team.run(Command.COLLECT, set, version, undefined, isMeant);
    const report = message?.kind === 'collected' ? message : null;
    faults.absorb([report?.faults ?? null]);
    ledger.absorbRows(sets[set], firstRow, numRows);
    return report?.sums ?? null;
  };
  return {
    get numPending() {
      return now.count;
    },
    reset() {
      now = { count: 0 };
      last = [];
    },
    collectPart(part, set, version) {
      const mine = now;
      mine.count += 1;
      const collecting = Promise.resolve(last[part])
        .then(() => run(part, set, version))
        .then((sums) => {
          mine.count -= 1;
          return sums;
        });
      collecting.catch(() => undefined); // whoever asked for it hears of it
      last[part] = collecting;
      return collecting;
    },
  };
}
