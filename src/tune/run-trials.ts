/** Runs a study's trials: processes, their folders, what becomes of those that die. */
import { existsSync } from 'node:fs';
import type { TrialValues } from '../config/search-space.ts';
import { ClusterError, ConfigError } from '../errors.ts';
import { makeFolder, replaceTextFile } from '../files/durable-files.ts';
import type { JsonObject } from '../json.ts';
import { isModuleReference } from '../modules/module-text.ts';
import { mixBits } from '../random/mix-bits.ts';
import { createMetricWatch } from './metric-watch.ts';
import { readRunMetric } from './run-metric.ts';
import type { Study } from './study.ts';
import { type FolderTraining, type Train, trainToEnd } from './train-process.ts';
import { type Job, scheduleOf } from './trial.ts';
import {
  beginClone,
  configPath,
  keepSnapshot,
  removeSnapshots,
  seedFolder,
  trialFolder,
} from './trial-folder.ts';

/** In what a process says that cannot write its checkpoint. */
const DISK_FULL = '(ENOSPC)';

export interface TrialRunOptions {
  readonly folder: string;
  /** The study's. */
  readonly seed: number;
  /** Name or module of the algorithm. */
  readonly algorithm: string;
  /** Load the modules that the trials' run folders name, too: whoever runs the study made it, or says so. */
  readonly trust: boolean;
  /** The whole config of a trial, for `train --config`. @throws ConfigError where the values do not go together. */
  readonly configOf: (values: TrialValues) => JsonObject;
  readonly metric: string;
  /** The journal has a score of it. @defaultValue false */
  readonly isMetricKnown?: boolean;
  /** No run has the metric, whose name is to be mended: whoever hears it ends the study. Runs that ended without it have no result, so a study that goes on scores them. */
  readonly onMetricUnknown?: (error: ConfigError) => void;
  readonly mode: 'max' | 'min';
  /** Trials side by side. */
  readonly parallel: number;
  /** How often a stretch is begun again, from its last checkpoint, after its process was killed. */
  readonly maxRetries: number;
  /** A process that reports nothing for so long is killed. */
  readonly silenceSeconds: number;
  /** Keep every run as it stands at a milestone, to clone trials from. */
  readonly keepsSnapshots: boolean;
  /** Ends the study: processes write a checkpoint and end, nothing new begins. */
  readonly signal: AbortSignal;
  /** A process found no space on the disk: that is no trial's fault, so it is given back, to be run again. */
  readonly onDiskFull?: (reason: string) => void;
  /** What trains; a process of this machine, or of a host of a cluster. */
  readonly train: Train;
  /** The cluster is gone, which is no trial's fault either. */
  readonly onClusterLost?: (error: ClusterError) => void;
  readonly onChange?: (study: Study) => void;
  /** Called when a stretch has ended, before the next one begins. */
  readonly onStretch?: (study: Study) => Promise<void>;
}

/** Of the seeds that trials get; below it lie those that a person would use. */
const FIRST_TRIAL_SEED = 2 ** 31;
/** Of a trial's process: 32 bits, never below 2^31. */
export function trialSeed(seed: number, number: number, seedIndex: number): number {
  const hash = mixBits(mixBits(mixBits(seed | 0) + number) + seedIndex);
  return FIRST_TRIAL_SEED + (hash >>> 1);
}

/** Until nothing is left to run, or the signal. */
export async function runTrials(study: Study, options: TrialRunOptions): Promise<void> {
  const running = new Set<Promise<void>>();
  const { folder, metric, isMetricKnown: isKnown = false, onMetricUnknown } = options;
  const giveUp = (error: ConfigError) => onMetricUnknown?.(error);
  const watch = createMetricWatch({ folder, metric, isKnown }, study.fail, giveUp);
  const tell = () => options.onChange?.(study);
  for (;;) {
    while (running.size < options.parallel && !options.signal.aborted) {
      const job = study.nextJob();
      if (job === null) break;
      const run = runJob(study, job, options, watch)
        .then(() => options.onStretch?.(study))
        .finally(() => running.delete(run));
      running.add(run);
      tell();
    }
    if (running.size === 0) break;
    await Promise.race(running);
    tell();
  }
  if (!options.signal.aborted) watch.idle();
  if (options.keepsSnapshots) await removeSnapshots(options.folder, study.trials);
  tell(); // asking for more may have ended trials
}

async function runJob(
  study: Study,
  job: Job,
  options: TrialRunOptions,
  watch: ReturnType<typeof createMetricWatch>,
): Promise<void> {
  const { folder: root, keepsSnapshots, metric, mode, signal } = options;
  const { trial, seedIndex, numSteps } = job;
  const folder = seedFolder(root, trial, seedIndex);
  const begun = await prepareJob(study, job, options).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    return error;
  });
  if (begun instanceof ConfigError) return study.fail(job, `${begun.code}: ${begun.message}`);
  const training = trainingOf(job, folder, options);
  const error = await trainToEnd(training, options.maxRetries, options.train).catch((lost: unknown) => {
    if (!(lost instanceof ClusterError)) throw lost;
    options.onClusterLost?.(lost);
    return lost.message;
  });
  if (error?.includes(DISK_FULL)) options.onDiskFull?.(error);
  if (signal.aborted) return study.release(job);
  if (error !== null) return study.fail(job, error);
  const value = await readRunMetric(folder, metric);
  if (typeof value !== 'number') return watch.lacks(job, value);
  watch.found();
  if (keepsSnapshots) await keepSnapshot(root, trial, seedIndex, numSteps);
  study.finish(job, mode === 'max' ? value : -value);
  if (keepsSnapshots) await removeSnapshots(root, study.trials);
}

async function prepareJob(
  study: Study,
  { trial, seedIndex }: Job,
  { folder: root, configOf }: TrialRunOptions,
): Promise<void> {
  const path = configPath(root, trial);
  if (!existsSync(path)) {
    const config = configOf(trial.values);
    await makeFolder(trialFolder(root, trial.number));
    await replaceTextFile(path, `${JSON.stringify(config, null, 2)}\n`);
  }
  const clone = trial.clones.at(-1);
  if (clone === undefined) return;
  const { values } = scheduleOf(study.trials, clone.source, clone.numSteps).at(-1) as { values: TrialValues };
  await beginClone(root, trial, seedIndex, { ...values });
}

function trainingOf(
  { trial, seedIndex, numSteps }: Job,
  folder: string,
  options: TrialRunOptions,
): FolderTraining {
  const { algorithm, trust, seed, silenceSeconds, signal } = options;
  const config = configPath(options.folder, trial);
  const ownSeed = String(trialSeed(seed, trial.number, seedIndex));
  const stop = ['--stop-steps', String(numSteps)];
  return {
    folder,
    begin: ['--config', config, '--seed', ownSeed, ...stop],
    // a run folder has its algorithm's name, which tells nobody where it lies
    resume: [
      // a clone begins with the checkpoint of another trial, whose config is that one's
      ...(trial.clones.length > 0 ? ['--config', config] : []),
      ...(isModuleReference(algorithm) ? ['--algo', algorithm] : []),
      ...(trust ? ['--trust'] : []),
      ...stop,
    ],
    silenceSeconds,
    signal,
  };
}
