/** Where a study keeps its trials: run folders, and those of others that a trial was cloned from. */
import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { loadManifest } from '../checkpoint/load-checkpoint.ts';
import {
  errorCode,
  makeFolder,
  replaceTextFile,
  syncFolder,
  temporaryBeside,
} from '../files/durable-files.ts';
import type { JsonObject } from '../json.ts';
import type { Trial } from './trial.ts';

const SNAPSHOTS = 'snapshots';
const SEGMENTS = 'segments';
const digits = (number: number) => String(number).padStart(4, '0');

export function trialFolder(study: string, number: number): string {
  return join(study, 'trials', digits(number));
}

/** What a trial's folder and config are called since it was last cloned. */
function suffixOf({ clones }: Trial): string {
  const clone = clones.at(-1);
  return clone === undefined ? '' : `-from-${clone.numSteps}`;
}

/** The run folder of one seed. A clone begins a new one; what it had before stays. */
export function seedFolder(study: string, trial: Trial, seedIndex: number): string {
  return join(trialFolder(study, trial.number), `seed-${seedIndex}${suffixOf(trial)}`);
}

/** Every run folder of a trial, of all seeds, before clones and after them. */
export async function allSeedFolders(study: string, number: number): Promise<string[]> {
  const folder = trialFolder(study, number);
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.startsWith('seed-')).map((name) => join(folder, name));
}

/** The config that the trial trains with, as `train --config` takes it. */
export function configPath(study: string, trial: Trial): string {
  return join(trialFolder(study, trial.number), `config${suffixOf(trial)}.json`);
}

/** A run as it stood at a milestone, kept for trials that may be cloned from it. */
function snapshotFolder(study: string, number: number, numSteps: number, seedIndex: number): string {
  return join(study, SNAPSHOTS, String(numSteps), `${digits(number)}-seed-${seedIndex}`);
}

/** Keeps the run of one seed as it stands. Its process has ended. Done already: nothing happens. */
export async function keepSnapshot(study: string, trial: Trial, seedIndex: number, numSteps: number) {
  const target = snapshotFolder(study, trial.number, numSteps, seedIndex);
  await makeFolder(join(study, SNAPSHOTS));
  await makeFolder(dirname(target));
  await copyRun(seedFolder(study, trial, seedIndex), target);
}

/**
 * Makes the run folder with which a clone begins: checkpoint, log and config of its source, and `cloned-from.json`, which says whose they are
 * and what changes. It appears whole or not at all.
 *
 * @param from the values that the source had.
 */
export async function beginClone(study: string, trial: Trial, seedIndex: number, from: JsonObject) {
  const clone = trial.clones.at(-1);
  if (clone === undefined) return;
  const { source, numSteps, values } = clone;
  const record = { trial: source, numSteps, from, to: values };
  await copyRun(
    snapshotFolder(study, source, numSteps, seedIndex),
    seedFolder(study, trial, seedIndex),
    record,
  );
}

/** Removes snapshots that no living trial can be cloned from any more: all have scores behind them. */
export async function removeSnapshots(study: string, trials: readonly Trial[]): Promise<void> {
  const living = trials.filter(({ state }) => state === 'running' || state === 'waiting');
  const least = Math.min(...living.map(({ numSteps }) => numSteps));
  const folder = join(study, SNAPSHOTS);
  const names = await readdir(folder).catch(() => []);
  const old = names.filter((name) => Number(name) < least);
  await Promise.all(old.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  if (living.length === 0) await rm(folder, { recursive: true, force: true });
}

/**
 * A run folder as another's latest checkpoint left it. Checkpoints and segments never change once they are written, so they are linked where
 * the file system can.
 */
async function copyRun(from: string, to: string, clonedFrom?: JsonObject): Promise<void> {
  if (existsSync(to)) return;
  const { path: checkpoint } = await loadManifest(from);
  const target = temporaryBeside(to);
  await mkdir(join(target, 'checkpoints'), { recursive: true });
  await linkTree(checkpoint, join(target, 'checkpoints', basename(checkpoint)));
  if (existsSync(join(from, SEGMENTS))) await linkTree(join(from, SEGMENTS), join(target, SEGMENTS));
  for (const name of ['config.json', 'progress.jsonl']) await copyFile(join(from, name), join(target, name));
  await replaceTextFile(join(target, 'latest'), `checkpoints/${basename(checkpoint)}\n`);
  if (clonedFrom !== undefined)
    await replaceTextFile(join(target, 'cloned-from.json'), `${JSON.stringify(clonedFrom, null, 2)}\n`);
  await rename(target, to);
  await syncFolder(dirname(to));
}

async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkTree(source, target);
    else if (entry.isFile()) await linkFile(source, target);
  }
}

async function linkFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    // file systems without hard links, or with too many
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV'].includes(errorCode(error) ?? '')) throw error;
    await copyFile(from, to);
  }
}
