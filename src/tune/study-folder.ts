/** A study's folder: settings, journal, lock, trials. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { besideRun, locateBeside } from '../checkpoint/beside-run.ts';
import { parseStrictJson } from '../config/strict-json.ts';
import { CheckpointError, ConfigError } from '../errors.ts';
import { makeFolder, replaceTextFile } from '../files/durable-files.ts';
import { readRegularText } from '../files/regular-file.ts';
import type { JsonObject } from '../json.ts';
import { makeFreshFolder } from '../run/fresh-folder.ts';
import { type RunLock, takeRunLock } from '../run/run-lock.ts';
import type { StudySettings } from './settings.ts';

export const SETTINGS_NAME = 'study.json';
const FORMAT = 2;
const MAX_BYTES = 16 * 2 ** 20;

export interface StudyFolder {
  readonly path: string;
  readonly lock: RunLock;
}

/**
 * Makes a new study's folder and writes its settings.
 *
 * @param out null = `studies/<name>`, or `-2`, `-3`, ... behind it. @throws ConfigError `CONFIG_OUT_EXISTS`, `CONFIG_OUT_NOT_WRITABLE`.
 */
export async function createStudyFolder(
  out: string | null,
  name: string,
  settings: StudySettings,
): Promise<StudyFolder> {
  let path = resolve(out ?? join('studies', name));
  if (out === null) path = await makeFreshFolder(path);
  else if (existsSync(join(path, SETTINGS_NAME))) {
    throw new ConfigError(
      'CONFIG_OUT_EXISTS',
      `\`${out}\` holds a study already: go on with it by --resume ${out}, or choose another folder.`,
    );
  } else await makeFolder(path);
  const lock = await takeRunLock(path);
  await replaceTextFile(
    join(path, SETTINGS_NAME),
    `${JSON.stringify({ format: FORMAT, ...settings }, null, 2)}\n`,
  );
  return { path, lock };
}

/** What a study takes when it goes on. */
export type StudyChanges = Partial<Pick<StudySettings, 'numTrials' | 'finalSeeds' | 'metric' | 'mode'>>;

/**
 * Writes what changes into a study's settings, for the next time that it goes on.
 *
 * @param hasScores of its metric, which is another one's no more than their own. @throws ConfigError `CONFIG_CONFLICT`.
 */
export async function changeSettings(path: string, changes: StudyChanges, hasScores: boolean): Promise<void> {
  const settings = parseStrictJson(await readRegularText(path, SETTINGS_NAME, MAX_BYTES)) as JsonObject;
  if (hasScores) refuseOtherScores(settings, changes);
  const changed = { ...settings, ...changes };
  if (JSON.stringify(changed) === JSON.stringify(settings)) return;
  await replaceTextFile(join(path, SETTINGS_NAME), `${JSON.stringify(changed, null, 2)}\n`);
}

function refuseOtherScores(settings: JsonObject, changes: StudyChanges): void {
  const { metric = settings.metric, mode = settings.mode } = changes;
  if (metric !== settings.metric) {
    const message = `The study has scores of \`${settings.metric}\`, which cannot be compared with those of \`${metric}\`: leave --metric (\`metric\`) out, or begin another study.`;
    throw new ConfigError('CONFIG_CONFLICT', message);
  }
  if (mode === settings.mode) return;
  const message = `The study has scores, and what it searched and stopped by them took ${settings.mode === 'max' ? 'more' : 'less'} to be better: leave --mode (\`mode\`, ${mode}) out, or begin another study.`;
  throw new ConfigError('CONFIG_CONFLICT', message);
}

/** @throws CheckpointError `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_VERSION`, `CHECKPOINT_LOCKED`. */
export async function openStudyFolder(path: string): Promise<StudyFolder> {
  await readSettings(path); // says first what is wrong with a folder that is no study's
  return { path: resolve(path), lock: await takeRunLock(path) };
}

/** Relative modules (environment, network, algorithm) are found beside the study, as those of a run are: {@link besideRun}. */
export async function readSettings(path: string): Promise<StudySettings> {
  if (!existsSync(join(path, SETTINGS_NAME))) {
    throw new CheckpointError(
      'CHECKPOINT_NOT_FOUND',
      `\`${path}\` is not a study's folder: expected \`${SETTINGS_NAME}\` in it`,
    );
  }
  const { format, ...settings } = parseStrictJson(
    await readRegularText(path, SETTINGS_NAME, MAX_BYTES),
  ) as JsonObject;
  if (format === undefined) {
    const message = `\`${path}\` is not a study's folder: its \`${SETTINGS_NAME}\` says no format`;
    throw new CheckpointError('CHECKPOINT_NOT_FOUND', message);
  }
  if (format !== FORMAT) {
    throw new CheckpointError(
      'CHECKPOINT_VERSION',
      `\`${path}\` was written in format ${format} of studies, and this version reads ${FORMAT}`,
    );
  }
  const { algorithm, layers, ...others } = settings as unknown as StudySettings;
  const file = join(path, SETTINGS_NAME);
  return {
    ...others,
    algorithm: locateBeside(file, algorithm),
    layers: layers.map(({ values, ...layer }) => ({
      ...layer,
      values: besideRun(file, values as JsonObject),
    })),
  };
}
