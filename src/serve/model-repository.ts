/**
 * Models by name, each with versions in memory and one of them the default. Loading and switching never disturb what is being answered: a new
 * version is loaded and has acted before the pointer moves, the old one answers what it has and is kept for a rollback.
 */
import { createHash } from 'node:crypto';
import { ServeError } from '../errors.ts';
import { type BatcherLimits, createBatcher } from './batcher.ts';
import { loadModel, type ModelSource } from './load-model.ts';
import type { Log } from './log.ts';
import type { ServeMetrics } from './metrics.ts';
import type { Canary, ModelControl, ModelStatus, StagedModel } from './model-control.ts';
import { createModelMemory, type KeptModel, type MemoryLimits } from './model-memory.ts';
import type { ServedVersion } from './served-version.ts';
import { createSessions, type SessionLimits, type Sessions } from './sessions.ts';
import { agreementOf } from './shadow.ts';

export interface ModelRepository extends ModelControl {
  /**
   * @param session names who asks: all requests of a session go to the same version while the canary's percentage stays.
   * @throws ServeError `SERVE_MODEL` for a name or version that is not loaded.
   */
  find(name: string | undefined, version?: string, session?: string): ServedVersion;
  /** Before `find`: loads a model that is not in memory. null = it is. @throws ServeError as `ModelMemory.use`, and `SERVE_MODEL`. */
  prepare(name: string | undefined): Promise<void> | null;
  /** Of recurrent models, whichever version answers. */
  readonly sessions: Sessions;
  /** What `list` gives, at once. */
  status(): readonly ModelStatus[];
  drain(): Promise<void>;
}

export interface RepositoryOptions extends BatcherLimits, SessionLimits, MemoryLimits {
  readonly maxRows: number;
  /** Refuse what only TensorFlow runs: it has one owner. */
  readonly kernelsOnly: boolean;
  /** A version that acts as the default does in a smaller share of recorded requests is refused. */
  readonly minAgreement: number;
  readonly metrics: ServeMetrics;
  readonly log: Log;
}

interface Entry {
  /** Of the default version: a model that was dropped comes back from it. */
  source: ModelSource;
  readonly name: string;
  path: string;
  /** Oldest first. */
  readonly versions: Map<string, ServedVersion>;
  current: string;
  previous: string | null;
  canary: Canary | null;
  /** Hundredths of a request that the canary is due, of requests without a session. */
  due: number;
}

type Entries = Map<string, Entry>;

export function createModelRepository(options: RepositoryOptions): ModelRepository {
  const entries: Entries = new Map();
  const status = () => [...entries.values()].flatMap(statusOf);
  const kept = new Map<string, KeptModel>();
  const memory = createModelMemory(() => [...kept.values()], options);
  const keep = (name: string): KeptModel => {
    const found = kept.get(name) ?? keptModel(findEntry(entries, name), entries, options);
    kept.set(name, found);
    return found;
  };
  return {
    find(name, version, session) {
      const entry = findEntry(entries, name);
      return findVersion(entry, version ?? choose(entry, session));
    },
    sessions: createSessions(options),
    prepare: (name) => memory.use(keep(findEntry(entries, name).name)),
    async stage(source) {
      const isNew = !entries.has(source.name);
      const staged = await stage(entries, options, source);
      try {
        memory.makeRoom(keep(source.name));
        return staged;
      } catch (error) {
        await forget(findEntry(entries, source.name), staged.version, options);
        if (isNew) entries.delete(source.name);
        if (isNew) kept.delete(source.name);
        throw error;
      }
    },
    async register({ checkpoint, path, ...source }) {
      const { name, version } = source;
      entries.set(name, newEntry(path, { ...source, path: checkpoint }, new Map()));
      keep(name);
      options.log('info', 'registered', { model: name, version, checkpoint });
      return { name, version, checkpoint, agreement: null };
    },
    async setDefault(name, version) {
      const entry = findEntry(entries, name);
      const { model } = findVersion(entry, version);
      entry.source = { ...model.source, path: model.checkpoint, version };
      setCurrent(entry, version, options);
      const wanted = new Set([entry.current, entry.previous]);
      for (const old of [...entry.versions.keys()]) if (!wanted.has(old)) void forget(entry, old, options);
    },
    async setCanary(name, canary) {
      const entry = findEntry(entries, name);
      if (canary !== null) findVersion(entry, canary.version);
      entry.canary = canary;
      options.log('info', 'canary', { model: name, ...(canary ?? { version: null }) });
    },
    async unload(name, version) {
      const entry = findEntry(entries, name);
      findVersion(entry, version);
      if (entry.current === version) {
        const message = `Version ${version} of ${name} is the default. Make another one the default first.`;
        throw new ServeError('SERVE_MODEL', 409, message);
      }
      if (entry.canary?.version === version) entry.canary = null;
      await forget(entry, version, options);
    },
    status,
    list: async () => status(),
    async drain() {
      const all = [...entries.values()].flatMap(({ versions }) => [...versions.values()]);
      await Promise.all(all.map(({ batcher }) => batcher.drain()));
    },
  };
}

function statusOf({ name, path, source, versions, current, canary }: Entry): ModelStatus[] {
  if (versions.size === 0) {
    const asleep = {
      depths: [],
      breaker: 'closed',
      isDefault: true,
      canaryPercent: 0,
      bytes: 0,
      isLoaded: false,
    } as const;
    return [{ name, version: current, checkpoint: source.path, path, ...asleep }];
  }
  return [...versions.values()].map(({ model, batcher }) => ({
    name: model.name,
    version: model.version,
    checkpoint: model.checkpoint,
    path,
    depths: batcher.depths(),
    breaker: batcher.breaker(),
    isDefault: model.version === current,
    canaryPercent: canary?.version === model.version ? canary.percent : 0,
    bytes: model.bytes,
    isLoaded: true,
  }));
}

/** The same session always falls on the same side of a percentage, and stays there while the percentage grows. */
function choose(entry: Entry, session: string | undefined): string {
  const { canary, current } = entry;
  if (canary === null) return current;
  if (session !== undefined) {
    const hash = createHash('sha256').update(session).digest().readUInt32LE(0) / 2 ** 32;
    return hash * 100 < canary.percent ? canary.version : current;
  }
  entry.due += canary.percent;
  if (entry.due < 100) return current;
  entry.due -= 100;
  return canary.version;
}

function findEntry(entries: Entries, name: string | undefined): Entry {
  const only = entries.size === 1 ? [...entries.values()][0] : undefined;
  const entry = name === undefined ? only : entries.get(name);
  if (entry !== undefined) return entry;
  const names = [...entries.keys()].join(', ') || 'none';
  const asked = name === undefined ? 'Which model? Give `model`' : `No model \`${name}\``;
  throw new ServeError('SERVE_MODEL', 404, `${asked}; loaded: ${names}.`);
}

function findVersion({ name, versions }: Entry, version: string): ServedVersion {
  const found = versions.get(version);
  if (found !== undefined) return found;
  const known = [...versions.keys()].join(', ');
  throw new ServeError('SERVE_MODEL', 404, `No version \`${version}\` of ${name}; loaded: ${known}.`);
}

async function forget(
  { name, versions }: Entry,
  version: string,
  { log, metrics }: RepositoryOptions,
): Promise<void> {
  const served = versions.get(version);
  if (served === undefined) return;
  versions.delete(version);
  await served.batcher.drain();
  metrics.forget(served.model);
  log('info', 'unloaded', { model: name, version });
}

function setCurrent(entry: Entry, version: string, { log }: RepositoryOptions): void {
  entry.canary = null;
  if (entry.current === version) return;
  entry.previous = entry.current;
  entry.current = version;
  log('info', 'default', { model: entry.name, version });
}

async function stage(
  entries: Entries,
  options: RepositoryOptions,
  source: ModelSource,
): Promise<StagedModel> {
  const began = performance.now();
  const model = await loadModel(source, options);
  const { name, version, checkpoint } = model;
  const served = { model, batcher: createBatcher(model, options, options.metrics) };
  const entry = entries.get(name);
  const current = entry?.versions.get(entry.current);
  const agreement = current === undefined ? null : await agreementOf(current, served);
  const ms = performance.now() - began;
  if (agreement !== null && agreement < options.minAgreement) {
    const message = `Version ${version} of ${name} acts as the default does in ${(100 * agreement).toFixed(0)} % of recorded requests, and at least ${100 * options.minAgreement} % are demanded (minAgreement).`;
    throw new ServeError('SERVE_SHADOW', 409, message);
  }
  options.metrics.observeLoad(model, ms / 1000);
  options.log('info', 'loaded', { model: name, version, checkpoint, agreement, ms });
  if (entry === undefined) {
    const exact = { ...source, path: checkpoint, version };
    entries.set(name, newEntry(source.path, exact, new Map([[version, served]])));
  } else {
    const replaced = entry.versions.get(version);
    entry.path = source.path;
    entry.versions.set(version, served);
    void replaced?.batcher.drain();
  }
  return { name, version, checkpoint, agreement };
}

function newEntry(
  path: string,
  source: ModelSource & { readonly version: string },
  versions: Map<string, ServedVersion>,
): Entry {
  const { name, version } = source;
  return { name, path, source, versions, current: version, previous: null, canary: null, due: 0 };
}

function keptModel(entry: Entry, entries: Entries, options: RepositoryOptions): KeptModel {
  const { name, versions } = entry;
  const served = () => [...versions.values()];
  return {
    name,
    bytes: () => served().reduce((sum, { model }) => sum + model.bytes, 0),
    isLoaded: () => versions.has(entry.current),
    isIdle: () =>
      served().every(({ model, batcher }) => batcher.numPending === 0 && model.canBeDropped) &&
      [...versions.keys()].every((version) => version === entry.current || version === entry.previous),
    drop() {
      if (versions.size > 0) options.log('info', 'dropped', { model: name, version: entry.current });
      entry.previous = null;
      for (const version of [...versions.keys()]) void forget(entry, version, options);
    },
    async load() {
      const path = entry.path; // of the pointer, which loading from the checkpoint must not change
      await stage(entries, options, entry.source);
      entry.path = path;
    },
  };
}
