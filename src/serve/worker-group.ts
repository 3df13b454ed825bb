/**
 * Several processes that listen at one port (`node:cluster`), each with all models. What is done about models is done in all
 * of them: a version is staged everywhere before anybody gets it, and where one process cannot load it no process keeps it. A process that dies is
 * replaced by one with the same models; what it had without an answer is lost with its connections, which the clients see.
 */
import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { resolveCheckpoint } from '../checkpoint/load-checkpoint.ts';
import { ServeError } from '../errors.ts';
import { threadEntryUrl } from '../threads/exec-argv.ts';
import type { Acting } from './acting.ts';
import { versionOf } from './load-model.ts';
import type { Log } from './log.ts';
import { mergeSamples, type Samples } from './metrics-text.ts';
import type { ModelControl, ModelStatus, StagedModel } from './model-control.ts';
import type { ServerSettings } from './server-settings.ts';
import { createWorkerMemory, type WorkerMemory } from './worker-memory.ts';
import { type FromWorker, fromSent, type ToWorker, type WorkerMethod } from './worker-messages.ts';

const ENTRY = threadEntryUrl('./serve-worker', import.meta.url);
const loader = (): string[] => (ENTRY.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : []);

/** A process that cannot even start is not started again at once. */
const RESPAWN_MS = 100;
const MAX_RESPAWN_MS = 5_000;
const CLOSE_MS = 10_000;

interface Member {
  /** Resolves when the process has. */
  readonly ended: Promise<void>;
  call(method: WorkerMethod, ...args: readonly unknown[]): Promise<unknown>;
  kill(): void;
}

export async function openWorkerGroup(settings: ServerSettings, log: Log): Promise<Acting> {
  const memory = createWorkerMemory();
  const shared = shareOut(settings);
  const members = new Set<Member>();
  const reloads = { success: 0, failure: 0 };
  let isClosing = false;
  let isListening = false;
  let numFailures = 0;
  const oneAtATime = createQueue();
  const join = async (): Promise<void> => {
    const member = await startMember(shared, log);
    void member.ended.then(() => {
      members.delete(member);
      rejoinLater();
    });
    // Nothing is done about models in between, so nothing is missed.
    await oneAtATime(async () => {
      try {
        await memory.replay((method, ...args) => member.call(method, ...args));
        if (isListening) await member.call('listen');
        members.add(member);
      } catch (error) {
        member.kill();
        throw error;
      }
    });
    numFailures = 0;
  };
  const rejoinLater = (): void => {
    if (isClosing) return;
    const delay = Math.min(RESPAWN_MS * 2 ** numFailures, MAX_RESPAWN_MS);
    numFailures += 1;
    setTimeout(() => {
      if (isClosing) return;
      join().then(
        () => log('info', 'process replaced', { processes: members.size }),
        (error: unknown) => log('error', 'process not replaced', { reason: String(error) }),
      );
    }, delay);
  };
  await Promise.all(Array.from({ length: settings.workers }, join));
  const all = <T>(method: WorkerMethod, ...args: readonly unknown[]) =>
    Promise.all([...members].map((member) => member.call(method, ...args) as Promise<T>));
  return {
    models: controlAll(all, memory, oneAtATime),
    countReload(result) {
      reloads[result] += 1;
    },
    async collect() {
      const own: Samples = {
        reloads_total: { 'result="success"': reloads.success, 'result="failure"': reloads.failure },
      };
      return mergeSamples([own, ...(await all<Samples>('collect'))]);
    },
    async listen() {
      const [url] = await all<string>('listen');
      isListening = true;
      return url;
    },
    refresh: () => void all('refresh').catch(() => undefined),
    async close() {
      isClosing = true;
      const timer = setTimeout(() => {
        for (const member of members) member.kill();
      }, CLOSE_MS);
      await all('close').catch(() => undefined);
      clearTimeout(timer);
    },
  };
}

/** Together they keep to the limits that were given. */
function shareOut(settings: ServerSettings): ServerSettings {
  const share = (limit: number) => Math.ceil(limit / settings.workers);
  const { log: _, ...plain } = settings;
  return {
    ...plain,
    maxQueued: share(settings.maxQueued),
    maxConnections: share(settings.maxConnections),
    maxRequestsPerSecond: share(settings.maxRequestsPerSecond),
    workers: 1,
    reloadMs: 0,
  };
}

function controlAll(
  all: <T>(method: WorkerMethod, ...args: readonly unknown[]) => Promise<T[]>,
  memory: WorkerMemory,
  oneAtATime: <T>(task: () => Promise<T>) => Promise<T>,
): ModelControl {
  return {
    stage: (source) =>
      oneAtATime(async () => {
        // Looked up once: a pointer may move between two processes.
        const path = await resolveCheckpoint(source.path);
        const exact = { ...source, path, version: source.version ?? versionOf(path) };
        try {
          const [staged] = await all<StagedModel>('stage', exact);
          memory.stage(exact);
          return staged;
        } catch (error) {
          await all('unload', exact.name, exact.version).catch(() => undefined);
          throw error;
        }
      }),
    setDefault: (name, version) =>
      oneAtATime(async () => {
        await all('setDefault', name, version);
        memory.setDefault(name, version);
      }),
    setCanary: (name, canary) =>
      oneAtATime(async () => {
        await all('setCanary', name, canary);
        memory.setCanary(name, canary);
      }),
    unload: (name, version) =>
      oneAtATime(async () => {
        await all('unload', name, version);
        memory.unload(name, version);
      }),
    async list() {
      const lists = await all<readonly ModelStatus[]>('list');
      return (lists[0] ?? []).map((status) => ({ ...status, depths: sumDepths(lists, status) }));
    },
  };
}

function sumDepths(lists: readonly (readonly ModelStatus[])[], { name, version, depths }: ModelStatus) {
  return depths.map((_, level) =>
    lists
      .flat()
      .filter((other) => other.name === name && other.version === version)
      .reduce((sum, other) => sum + other.depths[level], 0),
  );
}

/** Tasks that wait for the one before, whether or not it fails. */
function createQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task, task);
    last = result.catch(() => undefined);
    return result;
  };
}

function startMember(settings: ServerSettings, log: Log): Promise<Member> {
  // Processes take connections themselves: one that the first process had handed to a dead one would hang for ever.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: fileURLToPath(ENTRY),
    execArgv: loader(),
    args: [],
    serialization: 'advanced',
  });
  const worker: Worker = cluster.fork();
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let numCalls = 0;
  const send = (message: ToWorker): void => void worker.send(message);
  const call = (method: WorkerMethod, ...args: readonly unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      const id = numCalls++;
      pending.set(id, { resolve, reject });
      send({ kind: 'call', id, method, args });
    });
  const died = (): ServeError =>
    new ServeError('SERVE_PROCESS', 503, `Process ${worker.process.pid} of the server died. Try again.`);
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (exitCode, signal) => {
      for (const { reject: fail } of pending.values()) fail(died());
      log('error', 'process ended', { pid: worker.process.pid, exitCode, signal });
      reject(died());
      end();
    });
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') {
        send({ kind: 'open', settings });
        resolve({ ended, call, kill: () => void worker.process.kill('SIGKILL') });
      } else if (message.kind === 'log') log(message.level, message.event, message.fields);
      else {
        const waiting = pending.get(message.id);
        pending.delete(message.id);
        if (message.kind === 'answer') waiting?.resolve(message.value);
        else waiting?.reject(fromSent(message.error));
      }
    });
  });
}
