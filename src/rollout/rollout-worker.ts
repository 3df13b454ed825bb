/** The main thread's handle of one rollout worker: start, command, wait, and find out why it stopped. */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { WorkerError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { endProcesses } from '../machine/child-processes.ts';
import type { Region } from '../memory/arena.ts';
import {
  Command,
  type CommandCode,
  giveCommand,
  openControlWords,
  Word,
  waitUntilAtLeast,
} from './control-words.ts';
import { fromErrorMessage } from './error-message.ts';
import type {
  AnyWorkerPlan,
  ProcessMessage,
  WorkerAssignment,
  WorkerMessage,
  WorkerTask,
} from './messages.ts';
import type { PlayRequest } from './play-episodes.ts';
import type { RowState } from './row-states.ts';

const START_DEADLINE_MS = 60_000;
const MESSAGE_DEADLINE_MS = 5_000;

export interface RowRange {
  readonly workerIndex: number;
  readonly firstRow: number;
  readonly numRows: number;
  readonly scratch: Region;
}

export interface RolloutWorker {
  readonly range: RowRange;
  readonly restarted: readonly number[];
  /** Posts what the next command needs. */
  post(request: PlayRequest | JsonObject): void;
  /** Whether evaluations of this worker, and of whoever replaces it, end at their next step. */
  setCut(isCut: boolean): void;
  /** Gives a command without waiting. */
  give(command: CommandCode, argument0?: number, argument1?: number): void;
  /**
   * Resolves when the last command is done; gives the message that it posted, if any.
   *
   * @param deadlineMs a worker that finishes no vector step for this long counts as hung.
   * @throws the environment's own error, or {@link WorkerError} `WORKER_EXITED`, `WORKER_HUNG`.
   */
  done(deadlineMs: number): Promise<WorkerMessage | null>;
  isAlive(): boolean;
  /**
   * Ends the thread: asks first when it is able to answer, else kills it and what its environments started. Resolves when it is gone.
   *
   * @returns how many processes were ended.
   */
  end(isResponsive: boolean): Promise<number>;
}

/** What is known of a running thread. */
interface ThreadState {
  /** Of the worker that it is; while it stands by, its own. */
  words: Int32Array<SharedArrayBuffer>;
  workerIndex: number;
  readonly abort: AbortController;
  readonly port: MessagePort;
  readonly messages: WorkerMessage[];
  wake: (() => void) | null;
  /** Pids of programs that its environments have started and that have not ended. */
  readonly processes: Set<number>;
  isOver: boolean;
  exitReason: Error | null;
  sequence: number;
}

/** A thread that has loaded everything and waits to take the place of a lost worker. */
export interface StandbyWorker {
  isAlive(): boolean;
  /** Becomes the worker of these rows; resolves when it waits for its first command. Once. */
  assign(range: RowRange, states: readonly RowState[] | null): Promise<RolloutWorker>;
  end(): Promise<void>;
}

/** Starts a worker and resolves when it waits for its first command. */
export function startRolloutWorker(
  pool: Piscina,
  plan: AnyWorkerPlan,
  range: RowRange,
  states: readonly RowState[] | null,
): Promise<RolloutWorker> {
  const words = prepareWords(plan, range.workerIndex);
  return becomeReady(launch(pool, plan, words, { ...range, states }), range);
}

/** Starts a thread that stands by; returns at once. */
export function startStandbyWorker(pool: Piscina, plan: AnyWorkerPlan): StandbyWorker {
  const ownWords = prepareWords(plan, plan.control.numWorkers);
  Atomics.store(ownWords, Word.SEQUENCE, 0); // nobody looks at them yet
  Atomics.store(ownWords, Word.DONE, 0);
  const thread = launch(pool, plan, ownWords, null);
  return {
    isAlive: () => !isGone(thread),
    assign(range, states) {
      thread.words = prepareWords(plan, range.workerIndex);
      thread.workerIndex = range.workerIndex;
      const assignment: WorkerAssignment = { ...range, states };
      thread.port.postMessage(assignment);
      giveCommand(ownWords, Command.ASSIGN);
      return becomeReady(thread, range);
    },
    end: async () => void (await end(thread, false)),
  };
}

async function becomeReady(thread: ThreadState, range: RowRange): Promise<RolloutWorker> {
  const { words } = thread;
  const isReady = await waitUntilAtLeast(words, Word.READY, 1, START_DEADLINE_MS, () => isGone(thread));
  if (!isReady) {
    const reason = await reasonOf(thread, 'start', START_DEADLINE_MS);
    await end(thread, false);
    throw reason;
  }
  const ready = await nextMessage(thread);
  return {
    range,
    restarted: ready?.kind === 'ready' ? ready.restarted : [],
    post: (request) => thread.port.postMessage(request),
    setCut: (isCut) => void Atomics.store(words, Word.CUT, isCut ? 1 : 0),
    give: (command, argument0, argument1) => {
      thread.sequence = giveCommand(words, command, argument0, argument1);
    },
    async done(deadlineMs) {
      if (!(await isDoneInTime(thread, deadlineMs))) throw await reasonOf(thread, 'answer', deadlineMs);
      return Atomics.load(words, Word.POSTED) === 1 ? nextMessage(thread) : null;
    },
    isAlive: () => !isGone(thread),
    end: (isResponsive) => end(thread, isResponsive),
  };
}

/** The words of a worker that is about to start. Nobody else looks at them: the thread before, if any, is gone. */
function prepareWords(plan: AnyWorkerPlan, workerIndex: number): Int32Array<SharedArrayBuffer> {
  const words = openControlWords(plan.memory.buffer, plan.control, workerIndex);
  Atomics.store(words, Word.READY, 0);
  Atomics.store(words, Word.FAILED, 0);
  Atomics.store(words, Word.POSTED, 0);
  return words;
}

function launch(
  pool: Piscina,
  plan: AnyWorkerPlan,
  words: Int32Array<SharedArrayBuffer>,
  assignment: WorkerAssignment | null,
): ThreadState {
  const { port1, port2 } = new MessageChannel();
  const abort = new AbortController();
  const thread: ThreadState = {
    words,
    workerIndex: assignment?.workerIndex ?? plan.control.numWorkers,
    abort,
    port: port1,
    messages: [],
    wake: null,
    processes: new Set(),
    isOver: false,
    exitReason: null,
    sequence: 0,
  };
  const receive = (message: WorkerMessage | ProcessMessage) => {
    if (message.kind !== 'processes') {
      thread.messages.push(message);
      return;
    }
    for (const pid of message.started) thread.processes.add(pid);
    for (const pid of message.ended) thread.processes.delete(pid);
  };
  port1.on('message', (message: WorkerMessage | ProcessMessage) => {
    receive(message);
    thread.wake?.();
  });
  const task: WorkerTask = { plan, assignment, port: port2 };
  const over = (reason: unknown) => {
    // What it posted last may still be on its way, and closing the port would drop it.
    for (let rest = receiveMessageOnPort(port1); rest !== undefined; rest = receiveMessageOnPort(port1)) {
      receive(rest.message as WorkerMessage | ProcessMessage);
    }
    thread.isOver = true;
    thread.exitReason = reason instanceof Error ? reason : null;
    Atomics.notify(thread.words, Word.DONE);
    Atomics.notify(thread.words, Word.READY);
    thread.wake?.();
    port1.close();
  };
  pool.run(task, { transferList: [port2], signal: abort.signal }).then(over, over);
  return thread;
}

/** Looks for progress a few times within a deadline, so that a hang is noticed at most a quarter of it late. */
async function isDoneInTime(thread: ThreadState, deadlineMs: number): Promise<boolean> {
  const { words, sequence } = thread;
  let progress = Atomics.load(words, Word.PROGRESS);
  let end = performance.now() + deadlineMs;
  for (;;) {
    if (await waitUntilAtLeast(words, Word.DONE, sequence, deadlineMs / 4, () => isGone(thread))) return true;
    if (isGone(thread)) return false;
    const latest = Atomics.load(words, Word.PROGRESS);
    const now = performance.now();
    if (latest !== progress) end = now + deadlineMs;
    else if (now >= end) return false;
    progress = latest;
  }
}

function isGone({ words, isOver }: ThreadState): boolean {
  return isOver || Atomics.load(words, Word.FAILED) === 1;
}

/** The oldest message not yet taken; waits for it when it is still on its way. */
async function nextMessage(thread: ThreadState): Promise<WorkerMessage | null> {
  const end = performance.now() + MESSAGE_DEADLINE_MS;
  while (thread.messages.length === 0) {
    const left = end - performance.now();
    if (left <= 0 || thread.isOver) break;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      thread.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  thread.wake = null;
  return thread.messages.shift() ?? null;
}

async function reasonOf(thread: ThreadState, what: string, deadlineMs: number): Promise<Error> {
  const { words, workerIndex } = thread;
  if (Atomics.load(words, Word.FAILED) === 1) {
    const message = await nextMessage(thread);
    if (message?.kind === 'failed') return fromErrorMessage(message.error);
  }
  if (thread.isOver) {
    const detail = thread.exitReason?.message ?? 'no reason given';
    return new WorkerError(
      'WORKER_EXITED',
      `Environment runner ${workerIndex} ended before it could ${what}: ${detail}. An environment that calls process.exit, runs out of memory (\`workerMemoryMb\`) or crashes a native module does this.`,
      workerIndex,
      { cause: thread.exitReason },
    );
  }
  return new WorkerError(
    'WORKER_HUNG',
    `Environment runner ${workerIndex} did not ${what} within ${Math.round(deadlineMs / 1000)} s. An environment's reset or step takes too long; raise \`workerDeadlineSeconds\` if that is expected.`,
    workerIndex,
  );
}

async function end(thread: ThreadState, isResponsive: boolean): Promise<number> {
  if (isResponsive && !isGone(thread)) {
    const sequence = giveCommand(thread.words, Command.STOP);
    await waitUntilAtLeast(thread.words, Word.DONE, sequence, 2000, () => isGone(thread));
  } else if (!thread.isOver) {
    thread.abort.abort();
  }
  const deadline = performance.now() + 2000;
  while (!thread.isOver && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5));
  // A thread that was asked has closed its environments, which end their programs themselves.
  return isResponsive ? 0 : endProcesses(thread.processes);
}
