/** What a process that replaces another has to be told: the models as they are by now, checkpoint by checkpoint. */
import type { ModelSource } from './load-model.ts';
import type { Canary, ResolvedSource } from './model-control.ts';
import type { WorkerMethod } from './worker-messages.ts';

export interface WorkerMemory {
  /** @param source with the checkpoint's own path and a version. */
  stage(source: ModelSource & { readonly version: string }): void;
  register(source: ResolvedSource): void;
  setDefault(name: string, version: string): void;
  setCanary(name: string, canary: Canary | null): void;
  unload(name: string, version: string): void;
  replay(call: (method: WorkerMethod, ...args: readonly unknown[]) => Promise<unknown>): Promise<void>;
}

interface Remembered {
  /** By version; the path is the checkpoint's own, wherever pointers point by now. */
  readonly sources: Map<string, ModelSource>;
  current: string;
  previous: string | null;
  canary: Canary | null;
  /** The default has been registered, and nobody has made it or another one the default since. */
  isLazy: boolean;
}

export function createWorkerMemory(): WorkerMemory {
  const models = new Map<string, Remembered>();
  return {
    stage(source) {
      const { name, version } = source;
      const model = models.get(name) ?? newModel(version);
      models.set(name, model);
      model.sources.set(version, source);
    },
    register(source) {
      const { name, version } = source;
      models.set(name, { ...newModel(version), sources: new Map([[version, source]]), isLazy: true });
    },
    setDefault(name, version) {
      const model = models.get(name);
      if (model === undefined) return;
      if (model.current !== version) model.previous = model.current;
      model.current = version;
      model.canary = null;
      model.isLazy = false;
      const kept = new Set([model.current, model.previous]);
      for (const old of [...model.sources.keys()]) if (!kept.has(old)) model.sources.delete(old);
    },
    setCanary(name, canary) {
      const model = models.get(name);
      if (model !== undefined) model.canary = canary;
    },
    unload(name, version) {
      const model = models.get(name);
      model?.sources.delete(version);
      if (model?.canary?.version === version) model.canary = null;
    },
    async replay(call) {
      for (const [name, model] of models) await replayModel(name, model, call);
    },
  };
}

async function replayModel(
  name: string,
  { sources, current, previous, canary, isLazy }: Remembered,
  call: (method: WorkerMethod, ...args: readonly unknown[]) => Promise<unknown>,
): Promise<void> {
  // The one before comes first, so that it is the one before again; those that nobody gets come last, since a new default drops them.
  const kept = [previous, current].filter((version) => version !== null && sources.has(version));
  // Whoever loads it here would keep a process out for a checkpoint that nobody asks for and that has gone.
  for (const version of kept) await call(isLazy ? 'register' : 'stage', sources.get(version as string));
  if (!isLazy) await call('setDefault', name, current);
  for (const [version, source] of sources) if (!kept.includes(version)) await call('stage', source);
  if (canary !== null) await call('setCanary', name, canary);
}

const newModel = (current: string): Remembered => ({
  sources: new Map(),
  current,
  previous: null,
  canary: null,
  isLazy: false,
});
