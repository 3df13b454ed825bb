/** The runs below a folder, as they stand: what `operant runs` lists. Reads only, and trusts nothing that it reads. */
import { existsSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { checkpointName, listCheckpoints, pointedIteration } from '../checkpoint/load-checkpoint.ts';
import { readRegularText } from '../files/regular-file.ts';
import type { JsonObject } from '../json.ts';
import { type Columns, readProgress } from '../metrics/curves/read-progress.ts';
import { isLocked } from './run-lock.ts';
import { RUN_STATE_NAME, type RunState } from './run-state.ts';
import { type StopConditions, stopReasonOf } from './stop-conditions.ts';

/** `interrupted`: a checkpoint is there, nothing runs, and no stop condition of its config says why (a signal, a kill, a hook). */
export type RunStanding = 'running' | 'done' | 'interrupted' | 'no checkpoint';

export interface ListedRun {
  /** Relative to the folder that was searched. */
  readonly path: string;
  readonly state: RunStanding;
  readonly config: JsonObject;
  readonly columns: Columns;
  readonly numEnvSteps: number;
  /** Numbers of the checkpoints, oldest first. */
  readonly checkpoints: readonly number[];
  /** The checkpoint that `best` names; null without one. */
  readonly best: number | null;
  /** Of everything in the folder. */
  readonly numBytes: number;
}

/** A study in a folder of runs is four folders deep: study, trials, trial, seed. */
const MAX_DEPTH = 6;
const MAX_CONFIG_BYTES = 2 ** 24;
const NO_CONDITIONS: StopConditions = {
  stopReturn: null,
  stopSteps: null,
  stopSeconds: null,
  stopIterations: null,
  stopProcessSeconds: null,
  stopEvaluationReturn: null,
  stopEvaluationPatience: null,
};

/** Folders that hold a run's `config.json` and `checkpoints/`, in the order of their names. Links are not followed. @throws the system's error for a folder that is not there. */
export async function listRuns(folder: string): Promise<ListedRun[]> {
  const paths = await findRuns(folder, MAX_DEPTH);
  const runs: ListedRun[] = [];
  for (const path of paths) runs.push(await readRun(path, relative(folder, path) || '.'));
  return runs;
}

/** One run. @throws what reading its config does. */
export async function readRun(path: string, name: string): Promise<ListedRun> {
  const config = JSON.parse(await readRegularText(path, 'config.json', MAX_CONFIG_BYTES)) as JsonObject;
  const columns = await readProgress(path).catch((): Columns => new Map());
  const checkpoints = (await listCheckpoints(join(path, 'checkpoints'))).map(Number);
  const best = pointedIteration(await readRegularText(path, 'best', 4096).catch(() => ''));
  const numEnvSteps = Math.max(0, ...[...columns.values()].map(({ steps }) => steps.at(-1) ?? 0));
  const isStarted = checkpoints.length > 0;
  let state: RunStanding = 'no checkpoint';
  if (await isLocked(path)) state = 'running';
  else if (isStarted)
    state = (await hasStopped(path, config, checkpoints.at(-1) ?? 0, numEnvSteps)) ? 'done' : 'interrupted';
  return {
    path: name,
    state,
    config,
    columns,
    numEnvSteps,
    checkpoints,
    best,
    numBytes: await sizeOf(path),
  };
}

/** Whether a stop condition of the config holds at the newest checkpoint; not known without its `run.json`. */
async function hasStopped(path: string, config: JsonObject, iteration: number, numEnvSteps: number) {
  const checkpoint = join(path, 'checkpoints', checkpointName(iteration));
  const text = await readRegularText(checkpoint, RUN_STATE_NAME, MAX_CONFIG_BYTES).catch(() => 'null');
  const state = JSON.parse(text) as RunState | null;
  if (state === null) return false;
  const progress = {
    ...state,
    iteration,
    numEnvSteps,
    secondsHere: 0,
    evaluationReturn: state.lastEvaluation?.returnMean ?? null,
  };
  const { metricsWindow } = (config.reporting ?? {}) as { metricsWindow?: number };
  const conditions = { ...NO_CONDITIONS, ...(config.stopping as object) } as StopConditions;
  return stopReasonOf(conditions, progress, metricsWindow ?? 0) !== null;
}

async function findRuns(folder: string, depth: number): Promise<string[]> {
  if (existsSync(join(folder, 'config.json')) && existsSync(join(folder, 'checkpoints'))) return [folder];
  if (depth === 0) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .map(({ name }) => name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const found: string[] = [];
  for (const name of names) found.push(...(await findRuns(join(folder, name), depth - 1)));
  return found;
}

/** Bytes of the regular files below a folder, one with several hard links once; what goes away meanwhile counts nothing. */
export async function sizeOf(folder: string): Promise<number> {
  const linked = new Set<string>();
  let numBytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const info = await lstat(join(entry.parentPath ?? entry.path, entry.name)).catch(() => null);
    if (info === null) continue;
    const key = `${info.dev}/${info.ino}`;
    if (info.nlink > 1 && linked.has(key)) continue;
    if (info.nlink > 1) linked.add(key);
    numBytes += info.size;
  }
  return numBytes;
}
