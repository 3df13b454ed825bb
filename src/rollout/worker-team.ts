/** The rollout workers together: one command for all, and replacement of those that are lost. */
import type { Piscina } from 'piscina';
import { keepsNothing } from '../env/env-source.ts';
import type { JsonObject } from '../json.ts';
import type { Region } from '../memory/arena.ts';
import { allOrFirstError } from './all-or-first-error.ts';
import { Command, type CommandCode } from './control-words.ts';
import {
  endThreads,
  endThreadsWithTasks,
  keepThreads,
  leavesNothing,
  stayAfterTasks,
  type ThreadPoolOptions,
} from './idle-threads.ts';
import type { AnyWorkerPlan, WorkerMessage } from './messages.ts';
import type { PlayRequest } from './play-episodes.ts';
import { createRestartBudget } from './restart-budget.ts';
import { type RolloutWorker, type RowRange, startRolloutWorker } from './rollout-worker.ts';
import type { RowState } from './row-states.ts';
import type { WorkerFailure } from './runner-group.ts';
import { createStandby, type Standby } from './standby.ts';
import { takeThreads } from './thread-pool.ts';

export interface WorkerTeamOptions {
  readonly plan: AnyWorkerPlan;
  readonly numEnvs: number;
  /** One region per worker, for its policy's kernels. */
  readonly scratch: readonly Region[];
  readonly deadlineMs: number;
  readonly maxRestarts: number;
  readonly restartWindowMs: number;
  readonly memoryMb: number | null;
  /** States of the rows [first, first + count) after the rollout that was booked last: at the beginning of the one that runs. */
  readonly rowStates: (first: number, count: number) => RowState[];
  /** A replacement had to begin the episodes of these rows (of the whole run) again. */
  readonly onRestarted: (rows: readonly number[]) => void;
}

/** Brings a replacement to where the lost worker was before the command that it did not finish. */
export type CatchUp = (
  run: (command: CommandCode, argument0?: number, argument1?: number) => Promise<void>,
) => Promise<void>;

const NOTHING_TO_CATCH_UP: CatchUp = async () => undefined;

export interface WorkerTeam {
  readonly numWorkers: number;
  start(states: readonly RowState[] | null): Promise<readonly number[]>;
  /**
   * Gives all workers (or those that are meant) a command and resolves with their messages, in worker order, when all
   * have done it. A lost worker is replaced first.
   *
   * @throws the environment's or the worker's error when it came back at the same place, or the restarts are used up.
   */
  run(
    command: CommandCode,
    argument0?: number,
    argument1?: number,
    catchUp?: CatchUp,
    isMeant?: (range: RowRange) => boolean,
  ): Promise<WorkerMessage[]>;
  readonly ranges: readonly RowRange[];
  /** Plays `requests[w]` in worker w; in worker order. The signal cuts it short. */
  play(requests: readonly PlayRequest[], signal?: AbortSignal): Promise<WorkerMessage[]>;
  /** Episodes that begin from now on have these options, laid over the environment's. */
  setEnvOptions(options: JsonObject): Promise<void>;
  /** Gives the first `count` workers a command and returns at once; `settle` waits for them, replacing lost ones. */
  give(command: CommandCode, count: number): void;
  settle(count: number): Promise<void>;
  isAlive(w: number): boolean;
  takeFailures(): WorkerFailure[];
  stop(): Promise<void>;
}

/** Rows of worker w: contiguous; sizes differ by one at most. */
export function rowRanges(numEnvs: number, scratch: readonly Region[]): RowRange[] {
  const numWorkers = scratch.length;
  return scratch.map((region, workerIndex) => {
    const firstRow = Math.floor((workerIndex * numEnvs) / numWorkers);
    const numRows = Math.floor(((workerIndex + 1) * numEnvs) / numWorkers) - firstRow;
    return { workerIndex, firstRow, numRows, scratch: region };
  });
}

export function createWorkerTeam(options: WorkerTeamOptions): WorkerTeam {
  const { plan } = options;
  const ranges = rowRanges(options.numEnvs, options.scratch);
  const threadOptions = { numThreads: ranges.length, memoryMb: options.memoryMb };
  const pool = takeThreads(threadOptions);
  const workers: RolloutWorker[] = [];
  const standby = createStandby(pool, plan, options.maxRestarts > 0);
  const life = { isOver: false, isClean: leavesNothing(plan) };
  let stopping: Promise<void> | undefined;
  const threads = { pool, ranges, workers, standby, life };
  const { begin, finish, takeFailures } = createSupervisor(options, threads);
  const tell = createTelling(workers, finish);
  return {
    numWorkers: ranges.length,
    ranges,
    async start(states) {
      await Promise.all(workers.splice(0).map((worker) => worker.end(true)));
      const slice = ({ firstRow, numRows }: RowRange) => states?.slice(firstRow, firstRow + numRows) ?? null;
      const starts = ranges.map((range) => begin(range, slice(range)));
      endThreadsWithTasks(pool);
      try {
        workers.push(...(await allOrFirstError(starts)));
      } catch (error) {
        await standby.end();
        await endThreads(pool);
        throw error;
      }
      standby.startLater();
      return workers.flatMap((worker) => worker.restarted);
    },
    async run(command, argument0 = 0, argument1 = 0, catchUp = NOTHING_TO_CATCH_UP, isMeant = () => true) {
      const give = (w: number) => workers[w].give(command, argument0, argument1);
      const meant = [...workers.keys()].filter((w) => isMeant(ranges[w]));
      for (const w of meant) give(w);
      const messages = await allOrFirstError(meant.map((w) => finish(w, () => give(w), catchUp)));
      return messages.filter((message) => message !== null);
    },
    async play(requests, signal) {
      if (requests.some(({ source }) => source && !keepsNothing(source))) life.isClean = false;
      const setCut = () => {
        for (const worker of workers) worker.setCut(signal?.aborted === true);
      };
      setCut();
      signal?.addEventListener('abort', setCut);
      try {
        return await tell(Command.PLAY, requests);
      } finally {
        signal?.removeEventListener('abort', setCut);
      }
    },
    async setEnvOptions(options) {
      const everyone = workers.map(() => options);
      await tell(Command.SET_OPTIONS, everyone);
    },
    give(command, count) {
      for (const worker of workers.slice(0, count)) worker.give(command);
    },
    async settle(count) {
      const first = workers.slice(0, count);
      await allOrFirstError(first.map((_, w) => finish(w, () => undefined, NOTHING_TO_CATCH_UP)));
    },
    isAlive: (w) => workers[w]?.isAlive() ?? false,
    takeFailures,
    stop: () => {
      life.isOver = true;
      stopping ??= stopTeam(threads, threadOptions); // once: threads that were kept may be another run's by now
      return stopping;
    },
  };
}

async function stopTeam({ pool, workers, standby, life }: TeamThreads, options: ThreadPoolOptions) {
  await standby.end();
  const isClean = life.isClean && workers.length > 0 && workers.every((worker) => worker.isAlive());
  if (isClean) stayAfterTasks(pool, options);
  await Promise.all(workers.map((worker) => worker.end(true)));
  const isKept = isClean && !workers.some((worker) => worker.isAlive());
  await (isKept ? keepThreads(pool, options) : endThreads(pool));
}

type Finish = (w: number, give: () => void, catchUp: CatchUp) => Promise<WorkerMessage | null>;

/** Worker w gets the command and what it needs to know for it; so does whoever replaces it. */
function createTelling(workers: readonly RolloutWorker[], finish: Finish) {
  return async (command: CommandCode, posted: readonly (PlayRequest | JsonObject)[]) => {
    const give = (w: number) => {
      workers[w].post(posted[w]);
      workers[w].give(command);
    };
    for (const w of posted.keys()) give(w);
    const answers = posted.map((_, w) => finish(w, () => give(w), NOTHING_TO_CATCH_UP));
    return (await allOrFirstError(answers)).filter((message) => message !== null);
  };
}

interface TeamThreads {
  readonly pool: Piscina;
  readonly ranges: readonly RowRange[];
  readonly workers: RolloutWorker[];
  readonly standby: Standby;
  /** Once it is over, nobody who is lost is replaced. Clean: its threads are fit for another run; none was lost. */
  readonly life: { readonly isOver: boolean; isClean: boolean };
}

/** Waits for workers, and replaces those that are lost. */
function createSupervisor(options: WorkerTeamOptions, threads: TeamThreads) {
  const { pool, ranges, workers, standby, life } = threads;
  const { plan, deadlineMs } = options;
  const budget = createRestartBudget(options);
  let failures: WorkerFailure[] = [];

  /** A replacement that is lost before it is ready is replaced in its turn. */
  const replace = async (w: number, error: Error): Promise<void> => {
    const begin = performance.now();
    life.isClean = false;
    const { firstRow, numRows } = ranges[w];
    let numProcessesEnded = 0;
    for (let reason = error; ; ) {
      if (life.isOver) throw reason;
      budget.spend(reason);
      numProcessesEnded += await workers[w].end(false);
      try {
        const states = options.rowStates(firstRow, numRows);
        const warm = standby.assign(ranges[w], states);
        workers[w] = await (warm ?? startRolloutWorker(pool, plan, ranges[w], states));
        break;
      } catch (again) {
        reason = again as Error;
      }
    }
    standby.start();
    options.onRestarted(workers[w].restarted);
    const seconds = (performance.now() - begin) / 1000;
    failures.push({ workerIndex: w, error, isRecovered: true, seconds, numProcessesEnded });
  };

  const repeat = async (w: number, give: () => void, catchUp: CatchUp): Promise<WorkerMessage | null> => {
    await catchUp(async (command, argument0, argument1) => {
      workers[w].give(command, argument0, argument1);
      await workers[w].done(deadlineMs);
    });
    give();
    return workers[w].done(deadlineMs);
  };

  return {
    /** Starts a worker; one that cannot start gets a second chance. */
    async begin(range: RowRange, states: readonly RowState[] | null): Promise<RolloutWorker> {
      const startedAt = performance.now();
      try {
        return await startRolloutWorker(pool, plan, range, states);
      } catch (error) {
        life.isClean = false;
        budget.spend(error as Error);
        const worker = await startRolloutWorker(pool, plan, range, states);
        const seconds = (performance.now() - startedAt) / 1000;
        const { workerIndex } = range;
        const failure = { workerIndex, error: error as Error, isRecovered: true, seconds };
        failures.push({ ...failure, numProcessesEnded: 0 });
        return worker;
      }
    },
    /** Resolves when worker w has done its command, in as many lives as it takes. */
    async finish(w: number, give: () => void, catchUp: CatchUp): Promise<WorkerMessage | null> {
      for (let answer = workers[w].done(deadlineMs); ; ) {
        try {
          return await answer;
        } catch (error) {
          await replace(w, error as Error);
          answer = repeat(w, give, catchUp);
        }
      }
    },
    takeFailures() {
      const taken = failures;
      failures = [];
      return taken;
    },
  };
}
