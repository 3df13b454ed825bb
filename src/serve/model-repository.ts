/**
 * Models by name, each with versions in memory and one of them the default. Loading and switching never disturb what is being answered: a new
 * version is loaded and has acted before the pointer moves, the old one answers what it has and is kept for a rollback.
 */
import { resolveCheckpoint } from '../checkpoint/load-checkpoint.ts';
import { ServeError } from '../errors.ts';
import { type Batcher, type BatcherLimits, createBatcher } from './batcher.ts';
import { type LoadedModel, loadModel, type ModelSource } from './load-model.ts';
import type { ModelGauges, ServeMetrics } from './metrics.ts';

export interface ServedVersion {
  readonly model: LoadedModel;
  readonly batcher: Batcher;
}

export interface ModelRepository {
  /** @throws ServeError `SERVE_MODEL` for a name or version that is not loaded. */
  find(name: string | undefined, version?: string): ServedVersion;
  /** Loads it beside the others and makes it the default; the one before stays for a rollback, older ones are unloaded. */
  load(source: ModelSource): Promise<LoadedModel>;
  /** Makes a version that is loaded the default, at once. */
  setDefault(name: string, version: string): void;
  /** Answers what waits for it, then forgets it. @throws ServeError `SERVE_MODEL` for the default version. */
  unload(name: string, version: string): Promise<void>;
  /** Looks whether the paths of models name other checkpoints by now, and loads these. A failure is told and changes nothing. */
  reload(): Promise<void>;
  list(): readonly (ModelGauges & { readonly checkpoint: string; readonly path: string })[];
  drain(): Promise<void>;
}

export interface RepositoryOptions extends BatcherLimits {
  readonly maxRows: number;
  readonly metrics: ServeMetrics;
  log(level: 'info' | 'error', event: string, fields: Readonly<Record<string, unknown>>): void;
}

interface Entry {
  source: ModelSource;
  /** Oldest first. */
  readonly versions: Map<string, ServedVersion>;
  current: string;
  previous: string | null;
  /** The checkpoint that its path named last, whether or not it is the default by now. */
  pointed: string;
  /** Why the newest one does not load; null = it does. Told once. */
  failure: string | null;
}

type Entries = Map<string, Entry>;

export function createModelRepository(options: RepositoryOptions): ModelRepository {
  const entries: Entries = new Map();
  return {
    find(name, version) {
      const entry = findEntry(entries, name);
      return findVersion(entry, version ?? entry.current);
    },
    load: (source) => load(entries, options, source),
    setDefault(name, version) {
      const entry = findEntry(entries, name);
      findVersion(entry, version);
      setCurrent(entry, version, options);
    },
    async unload(name, version) {
      const entry = findEntry(entries, name);
      findVersion(entry, version);
      if (entry.current === version) {
        const message = `Version ${version} of ${name} is the default. Make another one the default first.`;
        throw new ServeError('SERVE_MODEL', 409, message);
      }
      await forget(entry, version, options);
    },
    async reload() {
      for (const entry of entries.values()) await reloadEntry(entries, options, entry);
    },
    list: () =>
      [...entries.values()].flatMap(({ source, versions, current }) =>
        [...versions.values()].map(({ model, batcher }) => ({
          name: model.name,
          version: model.version,
          checkpoint: model.checkpoint,
          path: source.path,
          depths: batcher.depths(),
          breaker: batcher.breaker(),
          isDefault: model.version === current,
        })),
      ),
    async drain() {
      const all = [...entries.values()].flatMap(({ versions }) => [...versions.values()]);
      await Promise.all(all.map(({ batcher }) => batcher.drain()));
    },
  };
}

function findEntry(entries: Entries, name: string | undefined): Entry {
  const only = entries.size === 1 ? [...entries.values()][0] : undefined;
  const entry = name === undefined ? only : entries.get(name);
  if (entry !== undefined) return entry;
  const names = [...entries.keys()].join(', ') || 'none';
  const asked = name === undefined ? 'Which model? Give `model`' : `No model \`${name}\``;
  throw new ServeError('SERVE_MODEL', 404, `${asked}; loaded: ${names}.`);
}

function findVersion({ source, versions }: Entry, version: string): ServedVersion {
  const found = versions.get(version);
  if (found !== undefined) return found;
  const known = [...versions.keys()].join(', ');
  throw new ServeError('SERVE_MODEL', 404, `No version \`${version}\` of ${source.name}; loaded: ${known}.`);
}

async function forget(
  { source, versions }: Entry,
  version: string,
  { log, metrics }: RepositoryOptions,
): Promise<void> {
  const served = versions.get(version);
  if (served === undefined) return;
  versions.delete(version);
  await served.batcher.drain();
  metrics.forget(served.model);
  log('info', 'unloaded', { model: source.name, version });
}

function setCurrent(entry: Entry, version: string, { log }: RepositoryOptions): void {
  if (entry.current === version) return;
  entry.previous = entry.current;
  entry.current = version;
  log('info', 'default', { model: entry.source.name, version });
}

async function load(entries: Entries, options: RepositoryOptions, source: ModelSource): Promise<LoadedModel> {
  const began = performance.now();
  const model = await loadModel(source, options.maxRows);
  const { name, version, checkpoint } = model;
  const served = { model, batcher: createBatcher(model, options, options.metrics) };
  const ms = performance.now() - began;
  options.metrics.observeLoad(model, ms / 1000);
  options.log('info', 'loaded', { model: name, version, checkpoint, ms });
  const entry = entries.get(name);
  if (entry === undefined) {
    const versions = new Map([[version, served]]);
    entries.set(name, {
      source,
      versions,
      current: version,
      previous: null,
      pointed: checkpoint,
      failure: null,
    });
    return model;
  }
  const replaced = entry.versions.get(version);
  entry.source = source;
  entry.pointed = checkpoint;
  entry.versions.set(version, served);
  setCurrent(entry, version, options);
  const kept = new Set([entry.current, entry.previous]);
  for (const old of [...entry.versions.keys()]) if (!kept.has(old)) void forget(entry, old, options);
  void replaced?.batcher.drain();
  return model;
}

/** A version that was rolled back, or unloaded, does not come back until the pointer has moved. */
async function reloadEntry(entries: Entries, options: RepositoryOptions, entry: Entry): Promise<void> {
  const { name, path, version } = entry.source;
  if (version !== undefined) return; // it was asked for by name
  try {
    const checkpoint = await resolveCheckpoint(path);
    if (checkpoint !== entry.pointed) {
      await load(entries, options, entry.source);
      options.metrics.countReload('success');
    }
    entry.failure = null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === entry.failure) return;
    entry.failure = reason;
    options.metrics.countReload('failure');
    options.log('error', 'reload failed', { model: name, path, reason });
  }
}
