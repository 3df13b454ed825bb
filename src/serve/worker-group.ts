/**
 * Several processes that listen at one port (`node:cluster`), each with all models. What is done about models is done in all
 * of them: a version is staged everywhere before anybody gets it, and where one process cannot load it no process keeps it. A process that dies is
 * replaced by one with the same models; what it had without an answer is lost with its connections, which the clients see.
 */
import { resolveCheckpoint } from '../checkpoint/load-checkpoint.ts';
import { ServeError } from '../errors.ts';
import type { Acting } from './acting.ts';
import { findFreePort } from './listening.ts';
import { versionOf } from './load-model.ts';
import type { Log } from './log.ts';
import { mergeSamples, type Samples } from './metrics-text.ts';
import type { ModelControl, ModelStatus, StagedModel } from './model-control.ts';
import type { ServerSettings } from './server-settings.ts';
import { createMembership } from './worker-membership.ts';
import { createWorkerMemory, type WorkerMemory } from './worker-memory.ts';
import type { WorkerMethod } from './worker-messages.ts';
import { isDeath, type WorkerProcess } from './worker-process.ts';

export async function openWorkerGroup(settings: ServerSettings, log: Log): Promise<Acting> {
  const memory = createWorkerMemory();
  const oneAtATime = createQueue();
  // `node:cluster` gives port 0 of all servers of a program, and of whoever comes when all have died, one port or another: it is settled here.
  const port = settings.port === 0 ? await findFreePort(settings.host) : settings.port;
  const membership = createMembership(shareOut({ ...settings, port }), log, memory, oneAtATime);
  const reloads = { success: 0, failure: 0 };
  await membership.begin(settings.workers);
  const all = <T>(method: WorkerMethod, ...args: readonly unknown[]) =>
    callAll<T>(membership.members, method, ...args);
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
      membership.listen(); // first, so that whoever joins meanwhile does not miss it
      const [url] = await all<string>('listen');
      return url;
    },
    refresh: () => void all('refresh').catch(() => undefined),
    close: membership.close,
  };
}

/**
 * Asks all of them. One that dies meanwhile has no say: the one that takes its place is told how things stand.
 *
 * @throws what any of them that lives throws; ServeError `SERVE_PROCESS` where none does.
 */
async function callAll<T>(
  members: ReadonlySet<WorkerProcess>,
  method: WorkerMethod,
  ...args: readonly unknown[]
): Promise<T[]> {
  const results = await Promise.allSettled([...members].map((member) => member.call(method, ...args)));
  const answers: T[] = [];
  let death: unknown = new ServeError('SERVE_PROCESS', 503, 'No process of the server lives. Try again.');
  for (const result of results) {
    if (result.status === 'fulfilled') answers.push(result.value as T);
    else if (isDeath(result.reason)) death = result.reason;
    else throw result.reason;
  }
  if (answers.length === 0) throw death;
  return answers;
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
    maxSessions: share(settings.maxSessions),
    memoryBudgetMib: share(settings.memoryBudgetMib),
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
    register: (source) =>
      oneAtATime(async () => {
        const [known] = await all<StagedModel>('register', source);
        memory.register(source);
        return known;
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
      return (lists[0] ?? []).map((status) => mergeStatus(lists, status));
    },
  };
}

/** Of all processes: in some a model may have been dropped. */
function mergeStatus(lists: readonly (readonly ModelStatus[])[], status: ModelStatus): ModelStatus {
  const { name, version } = status;
  const all = lists.flat().filter((other) => other.name === name && other.version === version);
  const loaded = all.find(({ isLoaded }) => isLoaded) ?? status;
  return {
    ...loaded,
    depths: loaded.depths.map((_, level) => all.reduce((sum, { depths }) => sum + (depths[level] ?? 0), 0)),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  };
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
