/** manifest.json: what a checkpoint folder holds, by whom it was written, and a checksum of every file. */
import { CheckpointError, isOperantError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { hashJson, stringifyExact } from './exact-json.ts';
import {
  checkSegmentName,
  isSegmentFolder,
  type ManifestFile,
  type ManifestSegments,
} from './segment-file.ts';

export const MANIFEST_NAME = 'manifest.json';
export const CHECKPOINT_FORMAT = 'operant-checkpoint';
/** Grows when a reader of the old layout would misread the new one. */
export const FORMAT_VERSION = 1;

export interface Manifest {
  readonly formatVersion: number;
  readonly operantVersion: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** sha256 of `config.json` with sorted keys; null when the checkpoint holds none. */
  readonly configHash: string | null;
  /** See src/machine/fingerprint.ts. */
  readonly fingerprint: JsonObject;
  /** The algorithm's own fields: algorithm, environment, policy, counters. */
  readonly description: JsonObject;
  /** By path, relative to the manifest, with forward slashes. */
  readonly files: Readonly<Record<string, ManifestFile>>;
  /** Absent in a checkpoint without segments. */
  readonly segments?: ManifestSegments;
}

/** The manifest's text. Its last field is a checksum of all the others, so that a flipped bit in the manifest shows, too. */
export function encodeManifest(manifest: Manifest): string {
  const fields = { format: CHECKPOINT_FORMAT, ...manifest } as unknown as JsonObject;
  // Exact text first: it rejects what JSON cannot hold. The indented text is for people.
  const exact = stringifyExact({ ...fields, sha256: hashJson(fields) }, MANIFEST_NAME);
  return `${JSON.stringify(JSON.parse(exact), null, 2)}\n`;
}

/**
 * Reads a manifest's text.
 *
 * @param source what to call the file in an error.
 * @throws CheckpointError `CHECKPOINT_MANIFEST` for anything that is not a whole manifest, `CHECKPOINT_VERSION` for a format
 *   version that this Operant does not read, `CHECKPOINT_CHECKSUM` when the text is not as it was written.
 */
export function decodeManifest(text: string, source = MANIFEST_NAME): Manifest {
  try {
    return parseManifest(text, source);
  } catch (error) {
    if (isOperantError(error)) throw error;
    throw broken(source, error instanceof Error ? error.message : String(error), error);
  }
}

function parseManifest(text: string, source: string): Manifest {
  const value: unknown = JSON.parse(text);
  if (!isObject(value) || value.format !== CHECKPOINT_FORMAT) {
    throw broken(source, `its \`format\` is not \`${CHECKPOINT_FORMAT}\``);
  }
  const { sha256, ...fields } = value;
  checkVersion(fields, source);
  if (hashJson(fields) !== sha256) {
    throw new CheckpointError(
      'CHECKPOINT_CHECKSUM',
      `\`${source}\` is damaged: its checksum does not match its text. Use an older checkpoint`,
    );
  }
  const { formatVersion, operantVersion, createdAt, configHash, fingerprint, description, files } = fields;
  if (typeof operantVersion !== 'string' || typeof createdAt !== 'string')
    throw broken(source, 'a version or date is missing');
  if (configHash !== null && typeof configHash !== 'string') throw broken(source, '`configHash` is not text');
  if (!isObject(fingerprint) || !isObject(description) || !isObject(files)) {
    throw broken(source, '`fingerprint`, `description` or `files` is not an object');
  }
  return {
    formatVersion: formatVersion as number,
    operantVersion,
    createdAt,
    configHash,
    fingerprint,
    description,
    files: readFiles(files, source),
    ...(fields.segments !== undefined && { segments: readSegments(fields.segments, source) }),
  };
}

function checkVersion(fields: JsonObject, source: string): void {
  const { formatVersion, operantVersion } = fields;
  if (formatVersion === FORMAT_VERSION) return;
  const newer = typeof formatVersion === 'number' && formatVersion > FORMAT_VERSION;
  throw new CheckpointError(
    'CHECKPOINT_VERSION',
    `\`${source}\` has checkpoint format ${JSON.stringify(formatVersion)} (written by Operant ${JSON.stringify(operantVersion)}); ` +
      `this Operant reads format ${FORMAT_VERSION}. ${newer ? 'Install a newer Operant' : 'No migration from that format exists'}`,
  );
}

function readSegments(value: JsonValue, source: string): ManifestSegments {
  if (!isObject(value) || !isObject(value.files) || !isSegmentFolder(value.folder)) {
    throw broken(source, '`segments` has no valid `folder` and `files`');
  }
  return { folder: value.folder, files: readFiles(value.files, source, checkSegmentName) };
}

function readFiles(
  files: JsonObject,
  source: string,
  checkName: (name: string) => void = checkRelativePath,
): Record<string, ManifestFile> {
  const entries = Object.entries(files).map(([path, value]): [string, ManifestFile] => {
    checkName(path);
    if (!isObject(value)) throw broken(source, `file \`${path}\` has no size and checksum`);
    const { size, sha256 } = value;
    const hasSize = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0;
    if (!hasSize || typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
      throw broken(source, `file \`${path}\` has no valid size and checksum`);
    }
    return [path, { size, sha256 }];
  });
  return Object.fromEntries(entries);
}

/**
 * Refuses paths that could leave the checkpoint's folder or mean another file on another system.
 *
 * @throws CheckpointError `CHECKPOINT_PATH`.
 */
export function checkRelativePath(path: string): void {
  const parts = path.split('/');
  const isSafe = parts.every((part) => /^[A-Za-z0-9_][A-Za-z0-9._ -]*$/.test(part) && !part.endsWith('.'));
  if (isSafe && path !== MANIFEST_NAME && /\.(safetensors|json)$/.test(path)) return;
  throw new CheckpointError(
    'CHECKPOINT_PATH',
    `Expected a relative path such as \`policies/default/weights.safetensors\` or \`state.json\`, got ${JSON.stringify(path)}`,
  );
}

function broken(source: string, detail: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_MANIFEST',
    `\`${source}\` is not a whole checkpoint manifest: ${detail}`,
    { cause },
  );
}

function isObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
