/** One process of a server with several, as the first process sees it: it is called, and it may die at any moment. */
import cluster, { type Worker } from 'node:cluster';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ServeError } from '../errors.ts';
import { loaderArgv, threadEntryUrl } from '../threads/exec-argv.ts';
import type { Log } from './log.ts';
import type { ServerSettings } from './server-settings.ts';
import { type FromWorker, fromSent, type ToWorker, type WorkerMethod } from './worker-messages.ts';

export interface WorkerProcess {
  /** Resolves when it takes calls. Rejects as these do where it dies before. */
  readonly ready: Promise<void>;
  /** Resolves when it has, whether or not it was ever ready. */
  readonly ended: Promise<void>;
  /** @throws what the process throws; ServeError `SERVE_PROCESS` where it dies before it answers. */
  call(method: WorkerMethod, ...args: readonly unknown[]): Promise<unknown>;
  kill(): void;
}

export const isDeath = (error: unknown): boolean =>
  error instanceof ServeError && error.code === 'SERVE_PROCESS';

const ENTRY = threadEntryUrl('./serve-worker', import.meta.url);

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export function startWorkerProcess(settings: ServerSettings, log: Log): WorkerProcess {
  const worker = fork(settings.tracing);
  const { pid } = worker.process;
  const waiting = new Map<number, Waiting>();
  let numCalls = 0;
  let isDead = false;
  const died = () => new ServeError('SERVE_PROCESS', 503, `Process ${pid} of the server died. Try again.`);
  // Its exit says so; what cannot be sent any more is answered by that.
  const send = (message: ToWorker): void => void worker.send(message, () => undefined);
  const settle = (message: FromWorker): void => {
    if (message.kind === 'log') log(message.level, message.event, message.fields);
    if (message.kind !== 'answer' && message.kind !== 'failure') return;
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'answer') asked?.resolve(message.value);
    else asked?.reject(fromSent(message.error));
  };
  const ended = new Promise<void>((resolve) => {
    const end = (exitCode: number | null, signal: string | null): void => {
      if (isDead) return;
      isDead = true;
      for (const { reject } of waiting.values()) reject(died());
      log(exitCode === 0 ? 'info' : 'error', 'process ended', { pid, exitCode, signal });
      resolve();
    };
    worker.once('exit', end);
    worker.on('error', () => end(null, null)); // it could not be started
  });
  const ready = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.kind !== 'ready') return settle(message);
      send({ kind: 'open', settings });
      resolve();
    });
    void ended.then(() => reject(died()));
  });
  ready.catch(() => undefined); // whoever waits for it is told
  return {
    ready,
    ended,
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        if (isDead) return reject(died());
        const id = numCalls++;
        waiting.set(id, { resolve, reject });
        send({ kind: 'call', id, method, args });
      }),
    kill: () => void worker.process.kill('SIGKILL'),
  };
}

/** What this process was told to load first, by its own arguments: a telemetry module is of use only where requests are answered. */
function preloads(): string[] {
  return process.execArgv.flatMap((flag, k, flags) => {
    if (/^(--import|--require|-r)$/.test(flag)) return flags.slice(k, k + 2);
    return /^(--import|--require)=/.test(flag) ? [flag] : [];
  });
}

function fork(tracing: boolean): Worker {
  // Processes take connections themselves: one that the first process had handed to a dead one would hang for ever.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: fileURLToPath(ENTRY),
    execArgv: [...loaderArgv(), ...(tracing ? preloads() : [])],
    args: [],
    serialization: 'advanced',
  });
  return cluster.fork();
}
