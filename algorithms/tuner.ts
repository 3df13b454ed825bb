/** Searches for the options with which an algorithm does best. */
import { foreignModules, requireTrust } from '../src/checkpoint/trust.ts';
import type { Space } from '../src/config/search-space.ts';
import type { AlgorithmDefinition } from '../src/define/define-algorithm.ts';
import { CheckpointError, ConfigError } from '../src/errors.ts';
import type { JsonObject } from '../src/json.ts';
import { isModuleReference } from '../src/modules/module-text.ts';
import { builtInSpace } from '../src/tune/built-in-space.ts';
import { readSpace, valuesBySection } from '../src/tune/read-space.ts';
import type { StudyResult, StudyRunOptions } from '../src/tune/run-study.ts';
import type { StudySettings } from '../src/tune/settings.ts';
import type { StudyChanges } from '../src/tune/study-folder.ts';
import { findAlgorithm } from './find-algorithm.ts';

/** What a study searches. */
export interface TunerOptions extends StudyRunOptions {
  /** Name, or path with export: `./my-algorithm.ts#name`. */
  readonly algorithm: string;
  /** Options by section that all trials share, `environment.env` among them. */
  readonly config: object;
  /** Start from the defaults tuned for the environment. @defaultValue true */
  readonly tuned?: boolean;
  /** Domains by option name: `{ learningRate: logUniform(1e-5, 1e-2) }`, or as JSON writes them. @defaultValue what the algorithm's options say of themselves, but for those in `config` */
  readonly space?: object;
  readonly numTrials?: number;
  /** `tpe`, `random`, `grid` or `sobol`. @defaultValue 'tpe' */
  readonly searcher?: string;
  /** `asha`, `asha-promote`, `hyperband`, `median`, `pbt` or `none`. @defaultValue 'none' */
  readonly scheduler?: StudySettings['scheduler'];
  /** Environment steps of a whole trial. @defaultValue the config's stopSteps */
  readonly trialSteps?: number;
  /** Steps before which no trial is stopped. @defaultValue trialSteps / 16 */
  readonly gracePeriod?: number;
  /** Of `asha`, `asha-promote` and `hyperband`: one of so many goes on. @defaultValue 4 */
  readonly reductionFactor?: number;
  /** Of `pbt`: steps of a generation. @defaultValue trialSteps / 10 */
  readonly perturbationInterval?: number;
  /** Of `pbt`: the share that is replaced, by as large a share; in (0, 0.5]. @defaultValue 0.25 */
  readonly quantile?: number;
  /** Of `pbt`: how often a value is drawn anew instead of moved. @defaultValue 0.25 */
  readonly resampleProbability?: number;
  /** A trial's score is the mean over so many. @defaultValue 1 */
  readonly seedsPerTrial?: number;
  /** A metric of the run's log, or `episodeReturnMean`, `evaluation`; `auc:<metric>`: its mean over a run's environment steps. @defaultValue 'episodeReturnMean' */
  readonly metric?: string;
  readonly mode?: 'max' | 'min';
  /** Of the searcher, and of the trials' own seeds. */
  readonly seed?: number;
  /** Trials that run while another one is suggested: the study is that of one more machines of equal speed, whatever `parallel` is. @defaultValue 4 */
  readonly suggestionLag?: number;
  /** No trial begins once so many environment steps were taken together. @defaultValue none */
  readonly budgetSteps?: number;
  /** Seeds 0, 1, ... under which the best config is run again; 0 = none. @defaultValue 3 */
  readonly finalSeeds?: number;
  /** @defaultValue studies/<algorithm>-<env> */
  readonly out?: string;
}

/**
 * A study of many trials, each a process of its own.
 *
 * The same options give the same study, trial by trial and bit for bit, for any `parallel`, and also when it was killed and resumed:
 * what searchers and schedulers know follows from the steps that trials take, never from which process ended first.
 *
 *     const { best, final } = await new Tuner({
 *       algorithm: 'ppo',
 *       config: { environment: { env: 'CartPole-v1' } },
 *       space: { learningRate: logUniform(1e-5, 1e-2), numEpochs: choice([4, 10, 20]) },
 *       numTrials: 40,
 *       trialSteps: 50_000,
 *     }).fit();
 *
 * Errors: ConfigError of `fit` as `CONFIG_SPACE`, `CONFIG_STUDY` or of the algorithm's options, before anything runs; `CONFIG_METRIC` once the
 * first runs (three at most) have ended without the metric: {@link resumeStudy} takes its right name and loses nothing.
 */
export class Tuner {
  private readonly options: TunerOptions;

  constructor(options: TunerOptions) {
    this.options = options;
  }

  /** Runs the study to its end. Thread: the calling one, which only waits. */
  async fit(): Promise<StudyResult> {
    const { algorithm, config, tuned = true, out, ...rest } = this.options;
    const {
      parallel,
      budgetSeconds,
      maxRetries,
      silenceSeconds,
      diskBudgetMb,
      ray,
      signal,
      onChange,
      ...given
    } = rest;
    const definition = await findAlgorithm(algorithm);
    const { beginStudy } = await import('../src/tune/run-study.ts'); // on use: `import` of the package stays quick
    const { trialLayers } = await import('../src/tune/settings.ts');
    const own = [{ values: config, source: 'the config' }];
    const layers = trialLayers(definition, own, tuned);
    const isChangedLater = given.scheduler === 'pbt';
    const space =
      given.space === undefined
        ? builtInSpace(definition, layers, { given: own, isChangedLater })
        : readSpace(given.space);
    return beginStudy({ ...given, algorithm, layers, space }, definition, out ?? null, this.options);
  }
}

/**
 * Goes on with a study that was interrupted or killed, or asks for more trials of one that was whole.
 *
 * @param changes `numTrials` or `finalSeeds` anew; `metric` and `mode` while no run has a score. They hold from then on. @param trust run the modules that the study's settings name.
 * @throws CheckpointError `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_LOCKED`, `CHECKPOINT_TRUST`, `CHECKPOINT_JOURNAL`, ConfigError `CONFIG_CONFLICT` for another metric or mode beside scores, `CONFIG_METRIC`.
 */
export async function resumeStudy(
  path: string,
  changes: StudyChanges = {},
  { trust = false, ...run }: StudyRunOptions & { readonly trust?: boolean } = {},
): Promise<StudyResult> {
  const { readSettings } = await import('../src/tune/study-folder.ts');
  const { continueStudy } = await import('../src/tune/run-study.ts');
  const saved = await readSettings(path);
  if (isModuleReference(saved.algorithm) && !trust) {
    const message = `The study \`${path}\` names a file as its algorithm (${saved.algorithm}): say --trust if you know what it does`;
    throw new CheckpointError('CHECKPOINT_TRUST', message);
  }
  if (saved.scheduler === 'pbt' && (changes.numTrials ?? saved.numTrials) !== saved.numTrials) {
    const message = `The population of pbt is fixed from its first generation on: \`numTrials\` stays ${saved.numTrials}.`;
    throw new ConfigError('CONFIG_CONFLICT', message);
  }
  const definition = await findAlgorithm(saved.algorithm);
  const space = readSpace(saved.space);
  for (const values of [...saved.layers.map((layer) => layer.values), ...choicesOf(space, definition)]) {
    requireTrust(path, foreignModules(definition.options, values as JsonObject, []), trust);
  }
  return continueStudy(path, { ...saved, space }, definition, { ...run, trust, changes });
}

/** Every value that a trial may get for an option with choices, by section. */
function choicesOf(space: Space, { options }: AlgorithmDefinition): JsonObject[] {
  return Object.entries(space).flatMap(([name, domain]) =>
    domain.kind === 'choice'
      ? domain.choices.map((value) => valuesBySection({ [name]: value }, options))
      : [],
  );
}
