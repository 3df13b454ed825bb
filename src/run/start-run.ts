/** From a resolved config to a finished run: folder, algorithm, driver, and everything closed again. */
import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Algorithm } from '../algorithm/algorithm.ts';
import type { LoadedCheckpoint } from '../checkpoint/load-checkpoint.ts';
import type { runOptions } from '../config/blocks/run.ts';
import type { commonOptions } from '../config/common-options.ts';
import { configToJson, type ResolvedConfig } from '../config/option.ts';
import { ConfigError } from '../errors.ts';
import { recordInitialization, recordResume } from './config-history.ts';
import { createFilmHook } from './film-evaluations.ts';
import { makeFreshFolder } from './fresh-folder.ts';
import type { RunCallbacks, RunHooks } from './run-callbacks.ts';
import {
  createRunFolder,
  openRunFolder,
  type RunFolder,
  reopenRunFolder,
  runFolderOf,
} from './run-folder.ts';
import { type RunSummary, readRunState } from './run-state.ts';
import { runTraining } from './train-run.ts';

/** The sections that every algorithm has, and those of one with environments. */
export type RunConfig = ResolvedConfig<typeof runOptions> &
  Partial<Pick<ResolvedConfig<typeof commonOptions>, 'environment' | 'envRunners' | 'evaluation'>>;

export interface StartRunOptions {
  readonly callbacks?: readonly RunCallbacks[];
  readonly onWarning?: NonNullable<RunHooks['onWarning']>;
  /** SIGINT, SIGTERM, SIGHUP and errors that nobody caught end the run with a checkpoint. @defaultValue false */
  readonly handleSignals?: boolean;
  /** An error in a hook ends the run, with a checkpoint, and is thrown. @defaultValue false */
  readonly strictCallbacks?: boolean;
  /** Ends the run as SIGINT does: after the iteration that is under way, with a checkpoint; `stopReason` is then `interrupted`. */
  readonly signal?: AbortSignal;
  /** Go on from this checkpoint, in the run folder it lies in unless the config names another. */
  readonly resume?: LoadedCheckpoint;
  /** Instead: begin anew in this folder of a run that was killed before its first checkpoint, unless the config names another. */
  readonly restart?: string;
  /** When the algorithm is ready and before the first iteration. */
  readonly onReady?: (algorithm: Algorithm, runDir: string) => void;
}

/** What is to be run. `build` is called once, while the run folder is secured. */
export interface Runnable {
  readonly name: string;
  build(): Promise<Algorithm>;
}

/**
 * Runs an algorithm from its first (or next) iteration until a stop condition holds.
 *
 * The folder is made (and synced to the disk) while the algorithm is built. A bad `--out` is what is reported, whatever becomes of the
 * algorithm; when only the algorithm fails, the folder made for it is removed again. Threads are ended and the folder's lock is
 * released whatever happens.
 */
export async function startRun(
  runnable: Runnable,
  config: RunConfig,
  options: StartRunOptions,
): Promise<RunSummary> {
  const { resume } = options;
  const building = runnable.build();
  building.catch(() => undefined); // a failure is thrown below, when it is known what became of the folder
  const opened = await openFolder(runnable.name, config, options).catch(async (error: unknown) => {
    await building.then((algorithm) => algorithm.stop()).catch(() => undefined);
    throw error;
  });
  let algorithm: Algorithm | undefined;
  let isStarted = false;
  try {
    algorithm = await building;
    if (resume !== undefined) {
      await algorithm.setState(resume.content);
      const saved = resume.content.json['config.json'];
      const here = { algorithm: runnable.name, ...configToJson(config) };
      await recordResume(opened.folder.path, algorithm.iteration, saved, here);
    } else if (algorithm.initializedFrom !== undefined) {
      await recordInitialization(opened.folder.path, algorithm.initializedFrom);
    }
    isStarted = true;
    options.onReady?.(algorithm, opened.folder.path);
    return await train(algorithm, opened.folder, config, options);
  } finally {
    await algorithm?.stop();
    await opened.folder.close();
    if (!isStarted) await removeFolders(opened);
  }
}

function train(
  algorithm: Algorithm,
  folder: RunFolder,
  config: RunConfig,
  {
    resume,
    callbacks = [],
    onWarning,
    signal,
    handleSignals = false,
    strictCallbacks = false,
  }: StartRunOptions,
): Promise<RunSummary> {
  const { stopping, checkpointing, reporting } = config;
  const { out: _, ...checkpointPolicy } = checkpointing;
  const films = hasEvaluation(config) ? createFilmHook(config, folder) : null;
  const resumed = resume === undefined ? {} : { resumed: readRunState(resume.content) };
  return runTraining(
    algorithm,
    {
      folder,
      ...resumed,
      ...stopping,
      ...checkpointPolicy,
      ...reporting,
      handleSignals,
      strictCallbacks,
      ...(signal === undefined ? {} : { signal }),
    },
    {
      callbacks: films === null ? callbacks : [films, ...callbacks],
      ...(onWarning === undefined ? {} : { onWarning }),
    },
  );
}

function hasEvaluation(
  config: RunConfig,
): config is RunConfig & Pick<ResolvedConfig<typeof commonOptions>, 'environment' | 'evaluation'> {
  return config.environment !== undefined && config.evaluation !== undefined;
}

interface OpenedFolder {
  readonly folder: RunFolder;
  /** Folders that were not there before, innermost first; its own is one of them when the run is new. */
  readonly created: readonly string[];
}

async function openFolder(
  name: string,
  config: RunConfig,
  { resume, restart }: Pick<StartRunOptions, 'resume' | 'restart'>,
): Promise<OpenedFolder> {
  const { out } = config.checkpointing;
  const json = { algorithm: name, ...configToJson(config) };
  if (restart !== undefined && (out === null || resolve(out) === restart)) {
    return { folder: await reopenRunFolder(restart, json), created: [] };
  }
  const home = resume === undefined ? null : runFolderOf(resume.path);
  if (resume !== undefined && (out === null || (home !== null && resolve(out) === home))) {
    if (home !== null) return { folder: await openRunFolder(home), created: [] };
    const message =
      `The checkpoint \`${resume.path}\` lies in no run folder, so there is none to go on in: ` +
      'give a new one with `--out`.';
    throw new ConfigError('CONFIG_OUT_MISSING', message);
  }
  const base = resolve(out ?? join('runs', freshName(name, config)));
  const missing = missingFolders(base);
  const path = out === null ? await makeFreshFolder(base) : base;
  const created = out === null ? [path, ...missing.filter((above) => above !== base)] : missing;
  return { folder: await createRunFolder(path, json), created };
}

function missingFolders(path: string): readonly string[] {
  return existsSync(path) ? [] : [path, ...missingFolders(dirname(path))];
}

/** `CartPole-ppo-20250131-142501`. */
function freshName(name: string, { environment }: RunConfig): string {
  return `${environmentName(environment)}${name}-${timestamp(new Date())}`;
}

/** `CartPole-`; nothing for an algorithm without environments. */
function environmentName(environment: RunConfig['environment']): string {
  if (environment === undefined) return '';
  const { env } = environment;
  const id = typeof env === 'string' ? basename(env.split('#')[0]).replace(/\.[cm]?[jt]sx?$/, '') : env.name;
  return `${id.replace(/[^\w.-]+/g, '-') || 'env'}-`;
}

/** Local time, sortable, and allowed in file names everywhere. */
function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

/** Removes what {@link createRunFolder} made, and nothing else: a folder with more in it stays. */
async function removeFolders({ folder, created }: OpenedFolder): Promise<void> {
  if (created.length === 0) return;
  await rm(join(folder.path, 'config.json'), { force: true });
  for (const path of [join(folder.path, 'checkpoints'), ...created]) await rmdir(path).catch(() => undefined);
}
