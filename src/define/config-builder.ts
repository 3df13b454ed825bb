/** The builder: one method per section of the declarations. */
import type { Algorithm } from '../algorithm/algorithm.ts';
import { builderName } from '../config/builder-name.ts';
import { type CheckedLayer, checkLayer } from '../config/check-layer.ts';
import { readConfigObject } from '../config/config-object.ts';
import {
  type ConfigInput,
  configToJson,
  type Declarations,
  type ResolvedConfig,
  type SectionInput,
} from '../config/option.ts';
import { showValue, throwProblems } from '../config/problems.ts';
import { type ConfigLayer, mergeLayers } from '../config/resolve.ts';
import { isPlainObject } from '../config/value-kind.ts';
import type { AnyEnvFactory } from '../env/async-env.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { RunCallbacks } from '../run/run-callbacks.ts';
import type { RunSummary } from '../run/run-state.ts';
import type { StartRunOptions } from '../run/start-run.ts';

/** A config in the making. Section methods check names and values at once, and return the same builder. */
export type ConfigBuilder<D extends Declarations> = BuilderCore<D> & SectionMethods<D>;

type SectionMethods<D extends Declarations> = {
  /** Sets options of this section; those not named keep their values. */
  [S in Exclude<keyof D, 'environment'>]: (options: SectionInput<D[S]>) => ConfigBuilder<D>;
};

/** How {@link BuilderCore.run} runs. */
export type BuilderRunOptions = Pick<
  StartRunOptions,
  'handleSignals' | 'onWarning' | 'signal' | 'strictCallbacks'
> & {
  /** See {@link BuilderCore.run}. */
  readonly resume?: string;
  /**
   * Print what the command line prints to stdout: what is trained, a line of progress (a live one on a terminal, else one a second at most),
   * evaluations, and a table at the end. Runs side by side in one process want it off. @defaultValue whether stdout is a terminal
   */
  readonly progress?: boolean;
};

export interface BuilderCore<D extends Declarations> {
  /** Name of the algorithm. */
  readonly algorithm: string;
  /** What was set so far, by section, functions included. */
  readonly values: ConfigInput<D>;
  /** The hooks that were added. */
  readonly hooks: readonly RunCallbacks[];
  /** Whether {@link tuned} was called. */
  readonly isTuned: boolean;
  /** The environment and its options, or the whole section: `.environment({ env, maxEpisodeSteps: 200 })`. */
  environment(env: string | AnyEnvFactory, envOptions?: JsonObject): ConfigBuilder<D>;
  environment(options: SectionInput<D['environment']>): ConfigBuilder<D>;
  /**
   * Starts from the hyperparameters tuned for the environment, where there are some; whatever is set explicitly wins. A builder does this
   * only when asked, also one that a config file exports; `operant train --env` without a file does it by default.
   */
  tuned(): ConfigBuilder<D>;
  /**
   * Begins with the weights and observation statistics of another run's checkpoint: the options `initFrom`, `initNetworks`, `initOptimizer`
   * and `initPolicies`. Layers are taken where name and shape are the same, so that another head or another algorithm is no obstacle;
   * `algorithm.initializedFrom` and the run's `config.json` say which were. A resume goes on from its own checkpoint and takes nothing.
   *
   * @param folder a checkpoint, a run folder (its latest) or a pointer file. Nothing that it names is run.
   * @param options `networks`: these alone. `optimizer`: Adam's state, too. `policies`: which policy of the checkpoint each one here begins
   * with, `{ main: 'default' }`; by default that of its name, or the only one there is.
   */
  initializeFrom(
    folder: string,
    options?: {
      readonly networks?: readonly string[];
      readonly optimizer?: boolean;
      readonly policies?: Readonly<Record<string, string>>;
    },
  ): ConfigBuilder<D>;
  /** Adds hooks for {@link run}. */
  callbacks(callbacks: RunCallbacks): ConfigBuilder<D>;
  /**
   * The whole configuration: defaults filled in and everything checked.
   *
   * @throws ConfigError listing every problem, one line each.
   */
  validate(): ResolvedConfig<D>;
  /**
   * Validates, then starts the algorithm: worker threads, memory, network. You call `train()`, and `stop()` in the end; the
   * sections stopping, checkpointing and reporting are for {@link run}.
   *
   * @throws ConfigError also when there are callbacks: without a run nobody would call them.
   */
  build(): Promise<Algorithm>;
  /**
   * Trains until a stop condition holds, as the command line does: run folder, checkpoints, metrics files, callbacks. Ends
   * its threads, also when it fails. On a terminal it shows its progress, elsewhere nothing but warnings (`progress` says otherwise).
   *
   * @param options `resume`: the path of a run folder, of one of its checkpoints or of a pointer file, to go on from, with this builder's
   * configuration; the run folder is the same unless `out` names another. A run that was killed before its first checkpoint is begun anew.
   * @throws CheckpointError `CHECKPOINT_MISMATCH` when the checkpoint is of another algorithm, environment or network, or of options that
   * only the beginning of a run reads.
   */
  run(options?: BuilderRunOptions): Promise<RunSummary>;
  /** An independent builder with the same values. */
  copy(): ConfigBuilder<D>;
  /** What was set, with the algorithm's name, and `tuned: true` after {@link tuned}: good for `--config FILE`. A function becomes `function:<name>`. */
  toJSON(): JsonObject;
}

export interface ConfigConstructor<D extends Declarations> {
  /** @param values options by section to start from, for example a parsed JSON file; `tuned: true` beside them calls `tuned()`. */
  new (values?: ConfigInput<D> | JsonObject): ConfigBuilder<D>;
}

/** What a builder needs of its algorithm. */
export interface BuilderParts<D extends Declarations> {
  readonly name: string;
  readonly options: D;
  readonly resolve: (layers: readonly ConfigLayer[]) => ResolvedConfig<D>;
  readonly build: (config: ResolvedConfig<D>) => Promise<Algorithm>;
  readonly run: (
    config: ResolvedConfig<D>,
    options: BuilderRunOptions & Pick<StartRunOptions, 'callbacks'>,
  ) => Promise<RunSummary>;
  readonly tuned: (envId: string) => ConfigLayer | undefined;
}

interface BuilderState {
  values: CheckedLayer;
  callbacks: readonly RunCallbacks[];
  isTuned: boolean;
}

/** The builder class of an algorithm. */
export function createConfigConstructor<D extends Declarations>(
  parts: BuilderParts<D>,
): ConfigConstructor<D> {
  class Config {
    constructor(values?: ConfigInput<D> | JsonObject) {
      const state: BuilderState = { values: {}, callbacks: [], isTuned: false };
      equip(this, parts, state);
      if (values === undefined) return;
      const { algorithm, isTuned, sections } = readConfigObject(values, 'this configuration');
      if (algorithm !== undefined && algorithm !== parts.name) throw otherAlgorithm(algorithm, parts.name);
      state.isTuned = isTuned;
      addValues(parts, state, sections);
    }
  }
  Object.defineProperty(Config, 'name', { value: builderName(parts.name) });
  return Config as unknown as ConfigConstructor<D>;
}

/** Gives `target` the methods. They live on the object, since the sections are only known here. */
function equip<D extends Declarations>(
  target: object,
  parts: BuilderParts<D>,
  state: BuilderState,
): ConfigBuilder<D> {
  const builder = target as ConfigBuilder<D>;
  const sections = Object.keys(parts.options).map((section) => [
    section,
    (options: unknown) => {
      addValues(parts, state, { [section]: options });
      return builder;
    },
  ]);
  Object.assign(target, Object.fromEntries(sections), coreMethods(builder, parts, state));
  Object.defineProperty(target, 'values', { get: () => state.values, enumerable: true });
  Object.defineProperty(target, 'isTuned', { get: () => state.isTuned, enumerable: true });
  Object.defineProperty(target, 'hooks', { get: () => state.callbacks, enumerable: true });
  Object.freeze(builder);
  return builder;
}

function coreMethods<D extends Declarations>(
  builder: ConfigBuilder<D>,
  parts: BuilderParts<D>,
  state: BuilderState,
): Omit<BuilderCore<D>, 'values' | 'hooks' | 'isTuned'> {
  const validate = () => parts.resolve(layersOf(parts, state));
  return {
    algorithm: parts.name,
    environment(env: unknown, envOptions?: JsonObject) {
      const isSection = isPlainObject(env);
      addValues(parts, state, { environment: isSection ? env : { env, envOptions } });
      return builder;
    },
    tuned() {
      state.isTuned = true;
      return builder;
    },
    initializeFrom(folder, { networks = null, optimizer = false, policies = null } = {}) {
      const which = { initNetworks: networks, initOptimizer: optimizer, initPolicies: policies };
      const checkpointing = { initFrom: folder, ...which };
      addValues(parts, state, { checkpointing });
      return builder;
    },
    callbacks(callbacks) {
      state.callbacks = [...state.callbacks, callbacks];
      return builder;
    },
    validate,
    build: async () => {
      if (state.callbacks.length > 0) {
        const message =
          '`callbacks` are hooks of a run, and `build()` starts none: call `run()` instead, or look at what `train()` returns.';
        throw new ConfigError('CONFIG_CONFLICT', message);
      }
      return parts.build(validate());
    },
    run: async (options = {}) => parts.run(validate(), { ...options, callbacks: state.callbacks }),
    copy: () => equip(Object.create(Object.getPrototypeOf(builder)), parts, { ...state }),
    toJSON: () => ({
      algorithm: parts.name,
      ...(state.isTuned ? { tuned: true } : {}),
      ...configToJson(state.values as ResolvedConfig<Declarations>),
    }),
  };
}

function addValues<D extends Declarations>(
  parts: BuilderParts<D>,
  state: BuilderState,
  values: unknown,
): void {
  const { layer, problems } = checkLayer(parts.options, values);
  throwProblems(problems);
  state.values = mergeLayers(parts.options, [state.values, layer]);
}

function layersOf<D extends Declarations>(
  parts: BuilderParts<D>,
  state: BuilderState,
): readonly ConfigLayer[] {
  const env = state.values.environment?.env;
  const tuned = state.isTuned && typeof env === 'string' ? parts.tuned(env) : undefined;
  return tuned === undefined ? [{ values: state.values }] : [tuned, { values: state.values }];
}

function otherAlgorithm(algorithm: string, name: string): ConfigError {
  const message = `This configuration is for algorithm ${showValue(algorithm)}, not ${name}: use the builder of that algorithm.`;
  return new ConfigError('CONFIG_CONFLICT', message);
}
