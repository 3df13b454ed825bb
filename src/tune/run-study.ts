/** Runs a study from its settings to its report. */
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { showValue, throwProblems } from '../config/problems.ts';
import type { ConfigLayer } from '../config/resolve.ts';
import type { AlgorithmDefinition } from '../define/define-algorithm.ts';
import { ConfigError } from '../errors.ts';
import { replaceTextFile } from '../files/durable-files.ts';
import { isModuleReference } from '../modules/module-text.ts';
import { createEndWatch } from './end-watch.ts';
import { openJournal } from './journal.ts';
import { runSeeds, type SeedStatistics, seedStatistics } from './many-seeds.ts';
import type { RayPlaceOptions } from './ray/ray-place.ts';
import { withPlace } from './ray/with-place.ts';
import { runTrials, type TrialRunOptions } from './run-trials.ts';
import { inertProblems, schedulerOf } from './schedulers/by-name.ts';
import { SEARCHERS } from './searchers/by-name.ts';
import { gridSize } from './searchers/grid.ts';
import type { Accepts } from './searchers/searcher.ts';
import {
  acceptanceOf,
  completeSettings,
  DEFAULTS,
  envOf,
  type PartialSettings,
  type StudySettings,
  trialConfig,
} from './settings.ts';
import { createStudy, type Study } from './study.ts';
import {
  changeSettings,
  createStudyFolder,
  openStudyFolder,
  type StudyChanges,
  type StudyFolder,
} from './study-folder.ts';
import { writePictures } from './study-pictures.ts';
import { studyReport } from './study-report.ts';
import { bestTrial, type Schedule, scheduleOf, type Trial } from './trial.ts';

/** How a study is run: none of it changes what comes out, but `budgetSeconds`. */
export interface StudyRunOptions {
  /** Trials side by side; each is a process of one thread. @defaultValue the number of cores; on a cluster, as many as the study can have (it waits for room) */
  readonly parallel?: number;
  /** No trial begins after so many seconds: the only option that makes a study depend on the clock. @defaultValue none */
  readonly budgetSeconds?: number;
  /** How often a stretch whose process was killed or crashed is begun again, from its last checkpoint. @defaultValue 2 */
  readonly maxRetries?: number;
  /** A process that reports nothing for so long is killed. @defaultValue 600 */
  readonly silenceSeconds?: number;
  /** The whole study's folder: over it, checkpoints of ended trials are removed, worst first, the best one's never. @defaultValue none */
  readonly diskBudgetMb?: number;
  /** Trials run on hosts of a Ray cluster (docs/tuning.md); `{}` = the one that this machine is a node of. @defaultValue this machine */
  readonly ray?: Partial<RayPlaceOptions>;
  /** Ends the study early: every process writes a checkpoint, and `resumeStudy` goes on. */
  readonly signal?: AbortSignal;
  /** Called when a trial begins or a stretch of one ends. */
  readonly onChange?: (trials: readonly Trial[]) => void;
}

type TrustedRunOptions = StudyRunOptions & Pick<TrialRunOptions, 'trust'>;
/** With what trains. */
type PlacedRunOptions = TrustedRunOptions & Pick<TrialRunOptions, 'train'>;

/** Numbers among them, with what they may be. */
const BOUNDS = [
  ['parallel', 1, true],
  ['maxRetries', 0, true],
  ['silenceSeconds', 1, false],
  ['budgetSeconds', 1, false],
  ['diskBudgetMb', 1, false],
] as const;

/** @throws ConfigError `CONFIG_STUDY`. */
function checkRunOptions(run: StudyRunOptions): void {
  for (const [name, min, isInteger] of BOUNDS) {
    const value = run[name];
    if (value === undefined || (value >= min && (!isInteger || Number.isSafeInteger(value)))) continue;
    const expected = `${isInteger ? 'an integer' : 'a number'} >= ${min}`;
    throw new ConfigError('CONFIG_STUDY', `Expected \`${name}\` to be ${expected}, got ${showValue(value)}.`);
  }
}

export interface StudyResult {
  readonly folder: string;
  readonly trials: readonly Trial[];
  /** The best complete trial; null without any. Its score is that of a winner: optimistic. */
  readonly best: Trial | null;
  /** The best config on seeds that no trial had: the honest number; null while the study is not whole. */
  readonly final: SeedStatistics | null;
  /** A config for `train --config`; null without a best trial. */
  readonly bestConfig: string | null;
  readonly isInterrupted: boolean;
}

/** Begins a study from settings whose config comes in layers. */
export async function beginStudy(
  given: PartialSettings,
  definition: AlgorithmDefinition,
  out: string | null,
  run: StudyRunOptions,
): Promise<StudyResult> {
  checkRunOptions(run);
  throwProblems(inertProblems({ ...given }, given.scheduler ?? DEFAULTS.scheduler));
  const settings = completeSettings(given, definition);
  return withPlace(settings, run.ray ?? null, async (train) => {
    const folder = await createStudyFolder(out, `${definition.name}-${envName(settings.layers)}`, settings);
    return runStudy(folder, settings, definition, { ...run, trust: true, train });
  });
}

/** Goes on with the study in a folder, whose modules are the user's only where that is said. @throws CheckpointError `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_LOCKED`, `CHECKPOINT_JOURNAL`. */
export async function continueStudy(
  path: string,
  settings: PartialSettings,
  definition: AlgorithmDefinition,
  { changes: given, ...run }: TrustedRunOptions & { readonly changes: StudyChanges },
): Promise<StudyResult> {
  checkRunOptions(run);
  const said = Object.entries(given).filter(([, value]) => value !== undefined); // else a setting of the study would be lost
  const changes: StudyChanges = Object.fromEntries(said);
  const whole = completeSettings({ ...settings, ...changes }, definition);
  return withPlace(whole, run.ray ?? null, async (train) =>
    runStudy(await openStudyFolder(path), whole, definition, { ...run, train, changes }),
  );
}

async function runStudy(
  { path, lock }: StudyFolder,
  settings: StudySettings,
  definition: AlgorithmDefinition,
  { changes, ...run }: PlacedRunOptions & { readonly changes?: StudyChanges },
): Promise<StudyResult> {
  const { events, journal } = await openJournal(path, basename(path), settings);
  try {
    const isMetricKnown = events.some(({ type }) => type === 'scored');
    if (changes !== undefined) await changeSettings(path, changes, isMetricKnown);
    const accepts = acceptanceOf(settings, definition);
    const rules = {
      ...settings,
      accepts,
      searcher: SEARCHERS[settings.searcher],
      scheduler: schedulerOf(settings, accepts),
      numSlots: numSlotsOf(settings),
    };
    const study = createStudy(rules, (event) => {
      lock.check();
      journal.append(event);
    });
    for (const event of events) study.replay(event);
    await runAllTrials(study, path, settings, definition, { ...run, isMetricKnown });
    return await conclude(study, path, settings, definition, { ...run, accepts });
  } finally {
    journal.close();
    await lock.release();
  }
}

function numSlotsOf({ scheduler, numTrials, suggestionLag }: StudySettings): number {
  return scheduler === 'pbt' ? numTrials : suggestionLag + 1;
}

/** On a cluster whatever can run waits for room there. */
function parallelOf({ parallel, ray }: StudyRunOptions, settings: StudySettings): number {
  return parallel ?? (ray === undefined ? availableParallelism() : numSlotsOf(settings));
}

/** @throws CheckpointError `CHECKPOINT_DISK_FULL` where the disk is full, or the budget does not hold what the study cannot do without; ConfigError `CONFIG_METRIC` where no run has the metric. */
async function runAllTrials(
  study: Study,
  folder: string,
  settings: StudySettings,
  definition: AlgorithmDefinition,
  run: PlacedRunOptions & { readonly isMetricKnown: boolean },
): Promise<void> {
  const { maxRetries = 2, silenceSeconds = 600, train, isMetricKnown } = run;
  const { budgetSeconds, onChange } = run;
  const timer =
    budgetSeconds === undefined ? undefined : setTimeout(() => study.close(), budgetSeconds * 1000);
  const ending = new AbortController();
  const end = () => ending.abort();
  run.signal?.addEventListener('abort', end, { once: true });
  if (run.signal?.aborted) end();
  const watch = createEndWatch(folder, run.diskBudgetMb, end);
  await runTrials(study, {
    folder,
    ...settings,
    trust: run.trust,
    isMetricKnown,
    parallel: parallelOf(run, settings),
    maxRetries,
    silenceSeconds,
    train,
    keepsSnapshots: settings.scheduler === 'pbt',
    configOf: (values) => trialConfig(settings, definition, values),
    signal: ending.signal,
    onChange: ({ trials }) => onChange?.(trials),
    onStretch: watch.free,
    onDiskFull: watch.full,
    onClusterLost: watch.lost,
    onMetricUnknown: watch.lost,
  }).finally(() => {
    clearTimeout(timer);
    run.signal?.removeEventListener('abort', end);
  });
  watch.check();
}

/** The best config, run again on fresh seeds; the report. */
async function conclude(
  study: Study,
  folder: string,
  settings: StudySettings,
  definition: AlgorithmDefinition,
  run: PlacedRunOptions & { readonly accepts: Accepts },
): Promise<StudyResult> {
  const { trials } = study;
  const best = bestTrial(trials);
  const isInterrupted = run.signal?.aborted ?? false;
  const bestConfig = best === null ? null : join(folder, 'best.json');
  let final: SeedStatistics | null = null;
  if (best !== null && bestConfig !== null) {
    const schedule = scheduleOf(trials, best.number, best.numSteps);
    const stages = await writeBest(schedule, folder, settings, definition);
    if (!isInterrupted && settings.finalSeeds > 0)
      final = await runFinals(stages, best.number, folder, settings, run);
  }
  const numRefused = settings.searcher === 'grid' ? numRefusedOf(settings, run.accepts) : 0;
  const pictures = await writePictures(folder, settings, trials, best);
  await replaceTextFile(
    join(folder, 'report.md'),
    studyReport({ settings, trials, best, final, numRefused, pictures }),
  );
  return { folder, trials, best, final, bestConfig, isInterrupted: run.signal?.aborted ?? false };
}

/** Of a grid's combinations. */
function numRefusedOf({ space }: StudySettings, accepts: Accepts): number {
  return gridSize(space) - gridSize(space, accepts);
}

/**
 * Writes `best.json`, with which the best trial ended, and, where it changed on its way, `schedule.json` and a config for each stretch.
 *
 * @returns arguments of `train`, for a stretch each.
 */
async function writeBest(
  schedule: readonly Schedule[],
  folder: string,
  settings: StudySettings,
  definition: AlgorithmDefinition,
): Promise<string[][]> {
  const stages: string[][] = [];
  for (const [k, { untilSteps, values }] of schedule.entries()) {
    const isLast = k === schedule.length - 1;
    const path = join(folder, isLast ? 'best.json' : `best-until-${untilSteps}.json`);
    const config = trialConfig(settings, definition, values);
    await replaceTextFile(path, `${JSON.stringify(config, null, 2)}\n`);
    stages.push(['--config', path, ...(isLast ? [] : ['--stop-steps', String(untilSteps)])]);
  }
  if (schedule.length > 1)
    await replaceTextFile(join(folder, 'schedule.json'), `${JSON.stringify(schedule, null, 2)}\n`);
  return stages;
}

async function runFinals(
  stages: readonly (readonly string[])[],
  number: number,
  folder: string,
  settings: StudySettings,
  run: PlacedRunOptions,
): Promise<SeedStatistics | null> {
  const results = await runSeeds({
    stages,
    seeds: Array.from({ length: settings.finalSeeds }, (_, seed) => seed),
    folder: join(folder, 'final', `trial-${number}`),
    parallel: parallelOf(run, settings),
    train: run.train,
    metric: settings.metric,
    silenceSeconds: run.silenceSeconds ?? 600,
    maxRetries: run.maxRetries ?? 2,
    signal: run.signal ?? new AbortController().signal,
  });
  if (run.signal?.aborted) return null;
  return seedStatistics(results.flatMap(({ value }) => (value === null ? [] : [value])));
}

function envName(layers: readonly ConfigLayer[]): string {
  const env = envOf(layers);
  return typeof env === 'string' && !isModuleReference(env) ? env : 'env';
}
