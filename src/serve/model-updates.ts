/** Which checkpoints the models of a server are: loaded by name, or followed where a pointer names them. */
import { resolveCheckpoint } from '../checkpoint/load-checkpoint.ts';
import { type ModelSource, versionOf } from './load-model.ts';
import type { Log } from './log.ts';
import type { ModelControl, StagedModel } from './model-control.ts';

/** @see PolicyServer.models */
export interface ModelUpdates extends Omit<ModelControl, 'register'> {
  /** Makes a checkpoint known as the default of a new name; it is loaded when somebody asks for it. @throws as `resolveCheckpoint`. */
  register(source: ModelSource): Promise<StagedModel>;
  /** Stages a version and makes it the default. */
  load(source: ModelSource): Promise<StagedModel>;
  /** Looks whether the paths of models name other checkpoints by now, and loads these. A failure is told and changes nothing. */
  reload(): Promise<void>;
}

interface Followed {
  readonly source: ModelSource;
  /** The checkpoint that its path named last, whether or not it is the default by now. */
  pointed: string;
  /** Why the newest one does not load; null = it does. Told once. */
  failure: string | null;
}

export function createModelUpdates(
  control: ModelControl,
  { log, countReload }: { readonly log: Log; countReload(result: 'success' | 'failure'): void },
): ModelUpdates {
  const followed = new Map<string, Followed>();
  const follow = (source: ModelSource, pointed: string): void => {
    followed.set(source.name, { source, pointed, failure: null });
  };
  const load = async (source: ModelSource): Promise<StagedModel> => {
    const staged = await control.stage(source);
    await control.setDefault(staged.name, staged.version);
    follow(source, staged.checkpoint);
    return staged;
  };
  /** A version that was rolled back, or unloaded, does not come back until the pointer has moved. */
  const reloadOne = async (model: Followed): Promise<void> => {
    const { name, path, version } = model.source;
    if (version !== undefined) return; // it was asked for by name
    try {
      const checkpoint = await resolveCheckpoint(path);
      model.failure = checkpoint === model.pointed ? null : model.failure;
      if (checkpoint === model.pointed) return;
      await load(model.source);
      countReload('success');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === model.failure) return;
      model.failure = reason;
      countReload('failure');
      log('error', 'reload failed', { model: name, path, reason });
    }
  };
  return {
    ...control,
    load,
    async stage(source) {
      const staged = await control.stage(source);
      follow(source, staged.checkpoint); // else the next look at the pointer would load it again
      return staged;
    },
    async register(source) {
      const checkpoint = await resolveCheckpoint(source.path);
      const version = source.version ?? versionOf(checkpoint);
      const known = await control.register({ ...source, version, checkpoint });
      follow(source, known.checkpoint);
      return known;
    },
    async reload() {
      for (const model of followed.values()) await reloadOne(model);
    },
  };
}
