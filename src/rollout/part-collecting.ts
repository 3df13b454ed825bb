/** Workers that are told several rollouts ahead, each at its own pace. */
import { Command } from './control-words.ts';
import type { WorkerMessage } from './messages.ts';
import type { RowRange } from './rollout-worker.ts';
import type { WorkerTeam } from './worker-team.ts';

/** R = what is told of a part's rollout. */
export interface PartCollecting<R> {
  /** Rollouts that were asked for and are not there; one that failed counts for ever, until `reset`. */
  readonly numPending: number;
  /** As `RunnerGroup.collectPart` says. */
  collectPart(part: number, set: number, version: number): Promise<R>;
  /** After the workers have begun anew. */
  reset(): void;
}

type Report = Extract<WorkerMessage, { readonly kind: 'collected' }>;

export interface PartBooks<R> {
  /** Before the part's rows of a block set are written. */
  prepare(range: RowRange, set: number): void;
  /** Once they are: books them, so that a replacement begins with the next rollout. */
  book(range: RowRange, set: number, report: Report | null): R;
}

/**
 * A worker's rows are booked as soon as it is done with a rollout, so that a replacement begins with the one that the lost worker was at,
 * whatever the others are doing.
 */
export function createPartCollecting<R>(
  team: WorkerTeam,
  { prepare, book }: PartBooks<R>,
): PartCollecting<R> {
  let last: Promise<unknown>[] = []; // by worker: what it was told last
  const pending = { count: 0 };
  let now = pending;
  const run = async (part: number, set: number, version: number): Promise<R> => {
    const range = team.ranges[part];
    prepare(range, set);
    const isMeant = ({ workerIndex }: RowRange) => workerIndex === part;
    const [message] = await team.run(Command.COLLECT, set, version, undefined, isMeant);
    return book(range, set, message?.kind === 'collected' ? message : null);
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
        .then((told) => {
          mine.count -= 1;
          return told;
        });
      collecting.catch(() => undefined); // whoever asked for it hears of it
      last[part] = collecting;
      return collecting;
    },
  };
}
