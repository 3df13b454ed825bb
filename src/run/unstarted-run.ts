/** A run that was killed before its first checkpoint: all that is left of it is how it was begun. */
import { lstat, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MANIFEST_NAME } from '../checkpoint/manifest.ts';
import { CheckpointError } from '../errors.ts';
import { readRegularText } from '../files/regular-file.ts';
import type { JsonObject } from '../json.ts';

export interface UnstartedRun {
  /** Absolute path of the run folder. */
  readonly path: string;
  readonly content: { readonly json: { readonly 'config.json': JsonObject } };
}

const MAX_CONFIG_BYTES = 2 ** 24;

/**
 * The config of a run folder that holds no checkpoint, and never has: no pointer names one either. null for anything else, which
 * {@link loadCheckpoint} loads, or says what is wrong with it.
 *
 * @throws CheckpointError `CHECKPOINT_JSON` when its config.json is none, `CHECKPOINT_NOT_REGULAR`.
 */
export async function readUnstartedRun(runFolder: string): Promise<UnstartedRun | null> {
  const path = resolve(runFolder);
  for (const name of [MANIFEST_NAME, 'latest', 'best']) if (await isThere(join(path, name))) return null;
  if (!(await isThere(join(path, 'config.json')))) return null;
  const names = await readdir(join(path, 'checkpoints')).catch(() => []);
  if (names.some((name) => !name.startsWith('.'))) return null;
  const text = await readRegularText(path, 'config.json', MAX_CONFIG_BYTES);
  return { path, content: { json: { 'config.json': parseObject(text, join(path, 'config.json')) } } };
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function parseObject(text: string, source: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new CheckpointError('CHECKPOINT_JSON', `Expected \`${source}\` to hold a JSON object`);
}
