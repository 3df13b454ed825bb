/** Loads a policy through a URL or a reader: an exported one, a checkpoint, or a run folder's latest. */
import { CheckpointError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { type DescribedPolicy, describePolicy } from './describe-policy.ts';
import { formatOf } from './model-file.ts';
import { parseModel } from './open-model.ts';
import { openMlpPolicy, type PortablePolicy } from './policy.ts';
import { type OpenedSource, openSource, type PolicySource } from './policy-source.ts';

const POLICY = 'policies/default/policy.json';
const WEIGHTS = 'policies/default/weights.safetensors';
const CHECKPOINT_FORMAT = 'operant-checkpoint';

/**
 * Loads a policy that acts without threads, files, kernels or TensorFlow.
 *
 *     const policy = await loadPolicy('/models/cart-pole/');   // what `operant export --to safetensors` wrote, a checkpoint, a run folder
 *     policy.act([0, 0, 0, 0]);
 *
 * Sizes, and where the platform has `crypto.subtle` (browsers: https and localhost) sha256 sums, are held against the manifest. Nothing that the
 * files name is run.
 *
 * @param source a URL of a folder, or of its model.json; or a reader: `{ read: async (path) => bytes or null }`.
 * @throws ConfigError `CONFIG_POLICY_SOURCE`; CheckpointError `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_READ`, `CHECKPOINT_FILE_MISSING`,
 * `CHECKPOINT_FILE_SIZE`, `CHECKPOINT_CHECKSUM` and those of {@link createPolicy}; EngineError `ENGINE_NETWORK` for a policy that does not act
 * without TensorFlow.
 * Cost: two or three requests, and a few milliseconds.
 */
export async function loadPolicy(source: PolicySource): Promise<PortablePolicy> {
  return openMlpPolicy(...(await describeSource(source)));
}

export async function describeSource(source: PolicySource): Promise<[DescribedPolicy, Uint8Array]> {
  const { description, weights, name } = await readFiles(openSource(source));
  return [describePolicy(description, name), weights];
}

interface FoundFiles {
  /** A policy.json, or the same fields of a model.json. */
  readonly description: JsonObject;
  readonly weights: Uint8Array;
  /** For messages. */
  readonly name: string;
}

async function readFiles(source: OpenedSource): Promise<FoundFiles> {
  const model = await readIfJson(source, source.modelFile);
  if (model !== null && formatOf(model) !== CHECKPOINT_FORMAT) return readExported(source, model);
  const checkpoint = await readCheckpoint(source, '');
  if (checkpoint !== null) return checkpoint;
  const latest = await source.read('latest');
  const pointed = /^checkpoints\/\d{6,15}(?=\s*$)/.exec(latest === null ? '' : textOf(latest))?.[0];
  if (pointed !== undefined) {
    const found = await readCheckpoint(source, `${pointed}/`);
    if (found !== null) return found;
  }
  throw new CheckpointError(
    'CHECKPOINT_NOT_FOUND',
    `No policy at ${source.name}: expected ${source.modelFile} of an exported policy, manifest.json of a checkpoint, or \`latest\` of a run folder.`,
  );
}

async function readExported(source: OpenedSource, model: JsonObject): Promise<FoundFiles> {
  const parsed = parseModel(model, source.modelFile);
  const { file, size, sha256 } = (parsed.weights ?? {}) as JsonObject;
  if (typeof file !== 'string' || /[\\/:]/.test(file)) {
    const message = `\`${source.modelFile}\` names no weights beside it.`;
    throw new CheckpointError('CHECKPOINT_POLICY', message);
  }
  const weights = await readChecked(source, file, { size, sha256 });
  return { description: parsed, weights, name: `${source.name} ${source.modelFile}` };
}

/** @returns null when there is no manifest. */
async function readCheckpoint(source: OpenedSource, folder: string): Promise<FoundFiles | null> {
  const manifest = await readIfJson(source, `${folder}manifest.json`);
  if (manifest === null || formatOf(manifest) !== CHECKPOINT_FORMAT) return null;
  if (manifest.formatVersion !== 1) {
    const message = `This Operant reads checkpoint format 1, and ${source.name} has ${String(manifest.formatVersion)}.`;
    throw new CheckpointError('CHECKPOINT_VERSION', message);
  }
  const files = (manifest.files ?? {}) as JsonObject;
  if (files[POLICY] === undefined || files[WEIGHTS] === undefined) {
    const message = `The checkpoint at ${source.name} holds no policy \`default\`.`;
    throw new CheckpointError('CHECKPOINT_POLICY', message);
  }
  const [description, weights] = await Promise.all([
    readChecked(source, folder + POLICY, files[POLICY] as JsonObject),
    readChecked(source, folder + WEIGHTS, files[WEIGHTS] as JsonObject),
  ]);
  return { description: parseObject(description, folder + POLICY), weights, name: source.name };
}

/** null for what is not there, or is not JSON: many servers answer with a page for what they do not have. */
async function readIfJson(source: OpenedSource, path: string): Promise<JsonObject | null> {
  const bytes = await source.read(path);
  if (bytes === null || !textOf(bytes.subarray(0, 256)).trimStart().startsWith('{')) return null;
  return parseObject(bytes, path);
}

async function readChecked(
  source: OpenedSource,
  path: string,
  { size, sha256 }: JsonObject,
): Promise<Uint8Array> {
  const bytes = await source.read(path);
  if (bytes === null) {
    const message = `\`${path}\` is missing at ${source.name}.`;
    throw new CheckpointError('CHECKPOINT_FILE_MISSING', message);
  }
  if (bytes.length !== size) {
    const message = `\`${path}\` has ${bytes.length} bytes, expected ${String(size)}: it is cut off or was changed.`;
    throw new CheckpointError('CHECKPOINT_FILE_SIZE', message);
  }
  const { subtle } = globalThis.crypto ?? {};
  if (subtle !== undefined && (await hashOf(subtle, bytes)) !== sha256) {
    const message = `\`${path}\` is damaged: its sha256 is another.`;
    throw new CheckpointError('CHECKPOINT_CHECKSUM', message);
  }
  return bytes;
}

async function hashOf(subtle: typeof globalThis.crypto.subtle, bytes: Uint8Array): Promise<string> {
  const digest = await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function parseObject(bytes: Uint8Array, path: string): JsonObject {
  try {
    return Object(JSON.parse(textOf(bytes))) as JsonObject;
  } catch (cause) {
    throw new CheckpointError('CHECKPOINT_JSON', `\`${path}\` is not JSON`, { cause });
  }
}
