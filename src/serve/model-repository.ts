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
import type { ServedVersion } from './served-version.ts';
import { createSessions, type SessionLimits, type Sessions } from './sessions.ts';
import { agreementOf } from './shadow.ts';

export interface ModelRepository extends ModelControl {
  /**
   * @param session names who asks: all requests of a session go to the same version while the canary's percentage stays.
   * @throws ServeError `SERVE_MODEL` for a name or version that is not loaded.
   */
  find(name: string | undefined, version?: string, session?: string): ServedVersion;
  /** Of recurrent models, whichever version answers. */
  readonly sessions: Sessions;
  /** What `list` gives, at once. */
  status(): readonly ModelStatus[];
  drain(): Promise<void>;
}

export interface RepositoryOptions extends BatcherLimits, SessionLimits {
  readonly maxRows: number;
  /** Refuse what only TensorFlow runs: it has one owner. */
  readonly kernelsOnly: boolean;
  /** A version that acts as the default does in a smaller share of recorded requests is refused. */
  readonly minAgreement: number;
  readonly metrics: ServeMetrics;
  readonly log: Log;
}

interface Entry {
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
  return {
    find(name, version, session) {
      const entry = findEntry(entries, name);
      return findVersion(entry, version ?? choose(entry, session));
    },
    sessions: createSessions(options),
    stage: (source) => stage(entries, options, source),
    async setDefault(name, version) {
      const entry = findEntry(entries, name);
      findVersion(entry, version);
      setCurrent(entry, version, options);
      const kept = new Set([entry.current, entry.previous]);
      for (const old of [...entry.versions.keys()]) if (!kept.has(old)) void forget(entry, old, options);
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

function statusOf({ path, versions, current, canary }: Entry): ModelStatus[] {
  return [...versions.values()].map(({ model, batcher }) => ({
    name: model.name,
    version: model.version,
    checkpoint: model.checkpoint,
    path,
    depths: batcher.depths(),
    breaker: batcher.breaker(),
    isDefault: model.version === current,
    canaryPercent: canary?.version === model.version ? canary.percent : 0,
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
    const versions = new Map([[version, served]]);
    entries.set(name, {
      name,
      path: source.path,
      versions,
      current: version,
      previous: null,
      canary: null,
      due: 0,
    });
  } else {
    const replaced = entry.versions.get(version);
    entry.path = source.path;
    entry.versions.set(version, served);
    void replaced?.batcher.drain();
  }
  return { name, version, checkpoint, agreement };
}
