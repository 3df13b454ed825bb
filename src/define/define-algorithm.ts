/** One call that makes an algorithm: its builder, its flags and its registry entry. */
import type { Algorithm } from '../algorithm/algorithm.ts';
import { type LoadedCheckpoint, loadCheckpoint } from '../checkpoint/load-checkpoint.ts';
import type { runOptions } from '../config/blocks/run.ts';
import { checkCommon, foldCommon } from '../config/derived.ts';
import { loadScheduleFunctions } from '../config/load-schedules.ts';
import type { Declarations, ResolvedConfig } from '../config/option.ts';
import { type ConfigLayer, type CrossCheck, resolveConfig } from '../config/resolve.ts';
import { refuseLateChanges } from '../config/resume-rules.ts';
import { type TunedDefaults, tunedLayer } from '../config/tuned-defaults.ts';
import { CheckpointError } from '../errors.ts';
import type { MetricDeclarations, MetricKey } from '../metrics/metric-keys.ts';
import type { Shown } from '../run/console-report.ts';
import { createRunOutput } from '../run/run-output.ts';
import type { RunSummary } from '../run/run-state.ts';
import type { RunConfig, Runnable, StartRunOptions } from '../run/start-run.ts';
import { type BuilderParts, type ConfigConstructor, createConfigConstructor } from './config-builder.ts';
import { prepareWarmStart } from './prepare-warm-start.ts';
import { remindOfStop, whileBusy } from './remind-of-stop.ts';

/** A key that an algorithm's iterations tell: one of its own, or of those that all have. */
type KnownKey<M> = (keyof M & string) | MetricKey;

/** What an algorithm's author writes. */
export interface AlgorithmParts<D extends Declarations, M extends MetricDeclarations> {
  /** As in `--algo ppo`: lower case. */
  readonly name: string;
  /** What it is, with its paper: `Soft actor-critic (Haarnoja et al. 2018)`. Default: its name. */
  readonly title?: string;
  /**
   * All sections: `{ ...onPolicyOptions, training: { ... } }`, or `{ ...runOptions, ... }` for one that has no environments. The shared
   * checks look at the sections that there are.
   */
  readonly options: D;
  /** What its options must be to each other; runs after the shared checks, on a config with all defaults filled in. */
  readonly check?: CrossCheck<D>;
  /** Its own metrics: unit, window and formula by key. Those of every algorithm (`rollout/`, `time/`, `evaluation/`) are declared. */
  readonly metrics?: M;
  /** What the line of progress shows besides steps, pace and return: metric keys, most telling first, and what to call them there. */
  readonly headline?: Readonly<Partial<Record<KnownKey<M>, string>>>;
  /** What the table at the end of a run shows of its last iteration. */
  readonly summary?: readonly KnownKey<M>[];
  /** Hyperparameters by environment id, by section. */
  readonly tunedDefaults?: TunedDefaults;
  readonly create: (config: ResolvedConfig<D>) => Promise<Algorithm>;
}

export interface BuildOptions {
  /** The caller calls `setState` next: `initFrom`, which was for the run's beginning, is left alone. @defaultValue false */
  readonly isRestored?: boolean;
}

/** What the registry, the command line and `fromCheckpoint` know of an algorithm. */
export interface AlgorithmDefinition<D extends Declarations = Declarations> {
  readonly name: string;
  readonly title: string;
  readonly options: D;
  readonly metrics: MetricDeclarations;
  readonly headline: Readonly<Partial<Record<string, string>>>;
  readonly summary: readonly string[];
  readonly tunedDefaults: TunedDefaults;
  /** The builder class: `new ppo.Config()`. */
  readonly Config: ConfigConstructor<D>;
  /** @throws ConfigError listing every problem of the layers, one line each. */
  resolve(layers: readonly ConfigLayer[]): ResolvedConfig<D>;
  /** Starts it: worker threads, memory, network. `stop()` the result. */
  build(config: ResolvedConfig<D>, options?: BuildOptions): Promise<Algorithm>;
}

/**
 * Defines an algorithm.
 *
 *     export const ppo = defineAlgorithm({ name: 'ppo', options: ppoOptions, check: checkPPO, create: createPPO });
 *     export const PPOConfig = ppo.Config;
 */
export function defineAlgorithm<
  D extends Declarations & typeof runOptions,
  M extends MetricDeclarations = Record<never, never>,
>(parts: AlgorithmParts<D, M>): AlgorithmDefinition<D> {
  const { name, options, check, metrics = {}, headline = {}, summary = [], tunedDefaults = {} } = parts;
  const { title = name } = parts;
  const crossChecks: CrossCheck<D>[] = [checkCommon];
  if (check !== undefined) crossChecks.push(check);

  const resolve = (layers: readonly ConfigLayer[]) => resolveConfig(options, layers, crossChecks, foldCommon);
  const build = async (config: ResolvedConfig<D>, { isRestored = false }: BuildOptions = {}) => {
    const initialize = isRestored ? null : await prepareWarmStart(config);
    await loadScheduleFunctions(options, config);
    const algorithm = withResumeRules(await parts.create(config), options);
    try {
      initialize?.(algorithm);
      return algorithm;
    } catch (error) {
      await algorithm.stop();
      throw error;
    }
  };
  const tuned = (envId: string) => tunedLayer(tunedDefaults, envId);
  const run: BuilderParts<D>['run'] = async (config, { resume, progress, ...options }) => {
    const from = resume === undefined ? {} : await findResumed(name, resume);
    const runnable = { name, build: () => build(config, { isRestored: 'resume' in from }) };
    const all = { ...options, ...from };
    return whileBusy(() => runAlone(runnable, { headline, summary }, config, all, progress));
  };
  const buildAlone = (config: ResolvedConfig<D>) => whileBusy(async () => remindOfStop(await build(config)));
  const Config = createConfigConstructor({ name, options, resolve, build: buildAlone, run, tuned });
  return { name, title, options, metrics, headline, summary, tunedDefaults, Config, resolve, build };
}

/** A script's run: shown to whoever watches a terminal, else silent but for warnings. */
async function runAlone(
  runnable: Runnable,
  shown: Shown,
  config: RunConfig,
  options: StartRunOptions,
  isShown: boolean = process.stdout.isTTY === true,
): Promise<RunSummary> {
  if (!isShown) return (await import('../run/start-run.ts')).startRun(runnable, config, options);
  const { startShownRun } = await import('../run/shown-run.ts');
  return startShownRun(runnable, shown, config, options, createRunOutput(process.stdout, process.stderr));
}

/** @throws CheckpointError `CHECKPOINT_ALGORITHM` for one of another algorithm, and as `loadCheckpoint`. */
async function findResumed(name: string, path: string): Promise<Pick<StartRunOptions, 'resume' | 'restart'>> {
  const { readUnstartedRun } = await import('../run/unstarted-run.ts');
  const unstarted = await readUnstartedRun(path);
  const found = unstarted ?? (await loadCheckpoint(path));
  const { algorithm } = found.content.json['config.json'] ?? {};
  if (algorithm !== name) {
    throw new CheckpointError(
      'CHECKPOINT_ALGORITHM',
      `The checkpoint \`${found.path}\` is of algorithm ${String(algorithm)}, not ${name}: resume it with the builder of that one.`,
    );
  }
  return unstarted === null ? { resume: found as LoadedCheckpoint } : { restart: unstarted.path };
}

/** Whatever goes on from a checkpoint comes through `setState`. */
function withResumeRules(algorithm: Algorithm, options: Declarations): Algorithm {
  const { setState } = algorithm;
  algorithm.setState = async (content) => {
    refuseLateChanges(options, content.json['config.json'], algorithm.config);
    await setState.call(algorithm, content);
  };
  return algorithm;
}
