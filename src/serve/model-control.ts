/** What can be done about the models of a server, whether they are in this process or in several. */
import type { ModelSource } from './load-model.ts';
import type { ModelGauges } from './metrics.ts';

export interface StagedModel {
  readonly name: string;
  readonly version: string;
  /** Absolute path. */
  readonly checkpoint: string;
  /** Share of recorded requests for which it acts as the default version does; null where there was nothing to compare. */
  readonly agreement: number | null;
}

export interface ModelStatus extends ModelGauges {
  readonly checkpoint: string;
  readonly path: string;
  /** Percent of sessions that get this version although it is not the default. */
  readonly canaryPercent: number;
  /** false = it is loaded when somebody asks for it. */
  readonly isLoaded: boolean;
}

export interface Canary {
  readonly version: string;
  /** 0 to 100. */
  readonly percent: number;
}

/** With what its path meant when it was looked up. */
export interface ResolvedSource extends ModelSource {
  readonly version: string;
  /** Absolute path. */
  readonly checkpoint: string;
}

export interface ModelControl {
  /**
   * Loads a version beside the others, acts with it, and compares it with the default on recorded requests. Nobody gets it yet; the first of a name
   * is its default.
   *
   * @throws as `loadPolicy`; ServeError `SERVE_SHADOW` where it agrees less than the server demands. Nothing has changed then.
   */
  stage(source: ModelSource): Promise<StagedModel>;
  /** Makes a checkpoint known as the default of a new name; it is looked at and loaded when somebody asks for it. */
  register(source: ResolvedSource): Promise<StagedModel>;
  /** Makes a version that is loaded the default, at once; the one before stays, older ones are unloaded. Its canary ends. @throws ServeError `SERVE_MODEL`. */
  setDefault(name: string, version: string): Promise<void>;
  /** Gives a share of the sessions another version; null = none. @throws ServeError `SERVE_MODEL`. */
  setCanary(name: string, canary: Canary | null): Promise<void>;
  /** Answers what waits for it, then forgets it. @throws ServeError `SERVE_MODEL` for the default version. */
  unload(name: string, version: string): Promise<void>;
  list(): Promise<readonly ModelStatus[]>;
}
