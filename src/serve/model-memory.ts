/**
 * Which models are in memory, under a budget. A model that nobody has asked for longest makes room for one that is asked for; it is loaded again, from the checkpoint that
 * it had, when somebody asks for it. Only its default version comes back: one before it that was kept for a rollback is gone.
 */
import { ServeError } from '../errors.ts';

export interface MemoryLimits {
  /** Of all models together; 0 = any amount. */
  readonly memoryBudgetBytes: number;
  /** A model that could not be loaded is not tried again for so long, ms. */
  readonly breakerMs: number;
  /** Longest that a request waits for a model to be loaded, ms. */
  readonly timeoutMs: number;
}

/** A model as its keeper sees it. */
export interface KeptModel {
  readonly name: string;
  /** Of all its versions that are in memory. */
  bytes(): number;
  /** Its default version is in memory: others may be, which are not asked unless they are named. */
  isLoaded(): boolean;
  /** It answers nothing, has no version that is being tried, and can be loaded again. */
  isIdle(): boolean;
  /** Drops it from memory. */
  drop(): void;
  /** Loads what it was. */
  load(): Promise<void>;
}

export interface ModelMemory {
  /** Somebody asks for it. @returns null where it is in memory. @throws ServeError as the promise of it rejects: `SERVE_LOAD`, `SERVE_MEMORY`, `SERVE_TIMEOUT` 503 and 504. */
  use(model: KeptModel): Promise<void> | null;
  /** Makes room after `model` has been loaded. @throws ServeError `SERVE_MEMORY` where the others cannot be dropped, or it is larger than the budget by itself. */
  makeRoom(model: KeptModel): void;
}

/** @param all every model, whether or not it is in memory. */
export function createModelMemory(all: () => readonly KeptModel[], limits: MemoryLimits): ModelMemory {
  const usedAt = new Map<string, number>();
  const loading = new Map<string, Promise<void>>();
  const failed = new Map<string, { readonly error: ServeError; readonly until: number }>();
  const makeRoom = (model: KeptModel): void => {
    const { memoryBudgetBytes } = limits;
    if (memoryBudgetBytes === 0) return;
    const used = () => all().reduce((sum, other) => sum + other.bytes(), 0);
    const idle = all()
      .filter((other) => other !== model && other.bytes() > 0 && other.isIdle())
      .sort((a, b) => (usedAt.get(a.name) ?? 0) - (usedAt.get(b.name) ?? 0));
    while (used() > memoryBudgetBytes) {
      const oldest = idle.shift();
      if (oldest === undefined) throw noRoom(model, used(), memoryBudgetBytes);
      oldest.drop();
    }
  };
  const load = async (model: KeptModel): Promise<void> => {
    try {
      await model.load();
      makeRoom(model);
    } catch (cause) {
      model.drop();
      const error = asLoadError(model, cause);
      failed.set(model.name, { error, until: performance.now() + limits.breakerMs });
      throw error;
    } finally {
      loading.delete(model.name);
    }
  };
  return {
    makeRoom,
    use(model) {
      const now = performance.now();
      usedAt.set(model.name, now);
      if (model.isLoaded()) return null;
      const failure = failed.get(model.name);
      if (failure !== undefined && now < failure.until) return Promise.reject(failure.error);
      failed.delete(model.name);
      const running = loading.get(model.name) ?? load(model);
      if (!model.isLoaded()) loading.set(model.name, running);
      return within(running, model, limits.timeoutMs);
    },
  };
}

/** Loading goes on where a request does not wait for it. */
function within(loading: Promise<void>, { name }: KeptModel, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new ServeError('SERVE_TIMEOUT', 504, `The model ${name} was not loaded within ${timeoutMs} ms.`),
      );
    }, timeoutMs);
    loading.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const MIB = 2 ** 20;

function noRoom({ name }: KeptModel, used: number, budget: number): ServeError {
  const message = `No room for the model ${name}: with it the models that are in use take ${(used / MIB).toFixed(1)} MiB, and ${(budget / MIB).toFixed(1)} MiB are allowed (memoryBudgetMib).`;
  return new ServeError('SERVE_MEMORY', 503, message);
}

function asLoadError({ name }: KeptModel, cause: unknown): ServeError {
  if (cause instanceof ServeError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ServeError('SERVE_LOAD', 503, `The model ${name} cannot be loaded: ${reason}`, { cause });
}
