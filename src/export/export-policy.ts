/** `operant export` and `exportPolicy`: a trained policy as a file for another runtime. */
import { createHash } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { encodeSafetensors } from '../checkpoint/safetensors.ts';
import { ConfigError, EngineError } from '../errors.ts';
import { asWriteError, makeFolder, temporaryBeside, writeNewFile } from '../files/durable-files.ts';
import type { JsonObject } from '../json.ts';
import { operantVersion } from '../machine/operant-version.ts';
import { MODEL_FORMAT, MODEL_FORMAT_VERSION, type ModelFile } from '../portable/model-file.ts';
import { writeC } from './code/write-c.ts';
import { writeJs } from './code/write-js.ts';
import { writeOnnx } from './onnx/write-onnx.ts';
import { createPolicyGraph } from './policy-graph.ts';
import { describeExport, type ExportSource, exportTitle, openExportSource } from './policy-source.ts';
import { createSelfTest, SELF_TEST_TOLERANCE, type SelfTest } from './self-test.ts';
import { writeTfjs } from './tfjs/write-tfjs.ts';
import { type Verification, verifyExport } from './verify/verify-export.ts';

/** What a policy can be written as. */
export type ExportFormat = 'onnx' | 'tfjs' | 'safetensors' | 'c' | 'js';

export interface ExportPolicyOptions {
  /** A checkpoint's folder, a run folder (its latest), or a pointer file. */
  readonly checkpoint: string;
  /**
   * - `onnx`: an ONNX model, opset 17, for batches of any size.
   * - `tfjs`: a TensorFlow.js graph model: model.json, with its weights beside it.
   * - `safetensors`: model.json for `loadPolicy` of 'operant/policy', with its weights beside it.
   * - `c`: a C99 header without allocation.
   * - `js`: one JavaScript module that imports nothing.
   */
  readonly to: ExportFormat;
  /** The file; replaced if it is there. For `tfjs` and `safetensors` a .json, and the weights get its name. */
  readonly out: string;
  /** Run the self-test that every export carries in the runtime that it is for. @defaultValue false */
  readonly verify?: boolean;
}

export interface ExportedPolicy {
  /** Absolute paths, the one that was asked for first. */
  readonly files: readonly string[];
  /** Names of the outputs in the order in which they stand in it. */
  readonly outputs: readonly string[];
  /** null = it was not asked for. */
  readonly verification: Verification | null;
}

/** A file to be written, by its name beside the first. */
interface Piece {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What `exportPolicy` of the package does. */
export async function exportPolicy({
  checkpoint,
  to,
  out,
  verify = false,
}: ExportPolicyOptions): Promise<ExportedPolicy> {
  const path = resolve(out);
  if (!Object.hasOwn(WRITERS, to)) {
    const formats = Object.keys(WRITERS).join(', ');
    throw new ConfigError('CONFIG_EXPORT', `Expected \`to\` to be one of ${formats}, got \`${String(to)}\`.`);
  }
  if ((to === 'tfjs' || to === 'safetensors') && !path.endsWith('.json')) {
    const message = `Expected \`out\` to end in .json for ${to}, whose weights get the same name beside it, got \`${out}\`: give a path such as models/model.json.`;
    throw new ConfigError('CONFIG_EXPORT', message);
  }
  const source = await openExportSource(checkpoint);
  const selfTest = createSelfTest(source, source.observationSpace);
  const files = await writeExport(source, selfTest, to, path);
  const outputs = createPolicyGraph(source).outputs.map(({ name }) => name);
  if (!verify) return { files, outputs, verification: null };
  const verification = await verifyExport(to, files, selfTest);
  if (!(verification.largestDifference <= SELF_TEST_TOLERANCE)) {
    const message = `The export ${path} does not say what the policy says: its outputs differ by ${verification.largestDifference} in ${verification.runtime}, and at most ${SELF_TEST_TOLERANCE} is rounding. Do not use it, and report this.`;
    throw new EngineError('ENGINE_EXPORT', message);
  }
  return { files, outputs, verification };
}

/** @returns the files' paths, `path` first. */
export async function writeExport(
  source: ExportSource,
  selfTest: SelfTest,
  to: ExportFormat,
  path: string,
): Promise<string[]> {
  const pieces = WRITERS[to](source, selfTest, basename(path));
  const folder = dirname(path);
  await makeFolder(folder);
  // What names the others comes last: a reader never finds it without them.
  for (const { name, bytes } of pieces.toReversed()) await replaceFile(join(folder, name), bytes);
  return pieces.map(({ name }) => join(folder, name));
}

type Write = (source: ExportSource, selfTest: SelfTest, name: string) => readonly Piece[];

const text = (content: string) => new TextEncoder().encode(content);
const asJson = (selfTest: SelfTest) => selfTest as unknown as JsonObject;

const WRITERS: Readonly<Record<ExportFormat, Write>> = {
  onnx(source, selfTest, name) {
    const { spec, observationSpace, actionSpace, origin } = describeExport(source);
    const entries = Object.entries({ spec, observationSpace, actionSpace, origin, selfTest });
    const metadata = Object.fromEntries(
      entries.map(([key, value]) => [`operant.${key}`, JSON.stringify(value)]),
    );
    const graph = createPolicyGraph(source);
    return [{ name, bytes: writeOnnx(graph, { producerVersion: operantVersion(), metadata }) }];
  },
  tfjs(source, selfTest, name) {
    const weightsFile = name.replace(/\.json$/, '.weights.bin');
    const metadata = { operant: { ...describeExport(source), selfTest: asJson(selfTest) } };
    const about = { operantVersion: operantVersion(), metadata };
    const { json, weights } = writeTfjs(createPolicyGraph(source), weightsFile, about);
    return [
      { name, bytes: text(JSON.stringify(json)) },
      { name: weightsFile, bytes: weights },
    ];
  },
  safetensors(source, selfTest, name) {
    const file = name.replace(/\.json$/, '.safetensors');
    const bytes = Buffer.concat(encodeSafetensors(source.weights));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const model = {
      format: MODEL_FORMAT,
      formatVersion: MODEL_FORMAT_VERSION,
      ...(describeExport(source) as Omit<ModelFile, 'format' | 'formatVersion' | 'weights'>),
      weights: { file, size: bytes.length, sha256 },
      selfTest: asJson(selfTest),
    } satisfies ModelFile;
    return [
      { name, bytes: text(`${JSON.stringify(model)}\n`) },
      { name: file, bytes },
    ];
  },
  c: (source, selfTest, name) => [
    { name, bytes: text(writeC(createPolicyGraph(source), selfTest, exportTitle(source))) },
  ],
  js: (source, selfTest, name) => [
    {
      name,
      bytes: text(writeJs(createPolicyGraph(source), selfTest, exportTitle(source), describeExport(source))),
    },
  ],
};

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await writeNewFile(temporary, [bytes]);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw asWriteError(error, path);
  }
}
