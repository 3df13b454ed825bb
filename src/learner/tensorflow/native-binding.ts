/** Finds and loads `@tensorflow/tfjs-node-gpu`, whose index throws when its native binding is missing. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { foreignOwner } from '../../files/foreign-owner.ts';
import type { Tensor, TensorFlow } from '../../policy/tensor-types.ts';
import {
  BINDING_PACKAGE,
  bindingPathOf,
  currentInstallation,
  type FoundInstallation,
  packageCopyFolder,
  tensorFlowHome,
} from './install/location.ts';

const require = createRequire(import.meta.url);

/** The part of the node backend that Operant uses beyond tfjs' own interface. */
export interface NodeBackend {
  binding: NativeBinding;
  readonly isUsingGpuDevice: boolean;
  /** Native ids of tensors; values that were not handed over yet are handed over now. */
  getInputTensorIds(tensors: readonly Tensor[]): number[];
  createOutputTensor(metadata: TensorMetadata): Tensor;
  executeSingleOutput(op: string, attributes: readonly OpAttribute[], inputs: readonly Tensor[]): Tensor;
  typeAttributeFromTensor(tensor: Tensor): number;
}

/** A tensor inside the binding. */
export interface TensorMetadata {
  readonly id: number;
  readonly shape: readonly number[];
  /** TensorFlow's DataType number. */
  readonly dtype: number;
}

export interface OpAttribute {
  readonly name: string;
  /** One of the binding's TF_ATTR_ constants. */
  readonly type: number;
  readonly value: unknown;
}

export type TensorValues = Float32Array | Int32Array | Uint8Array;

/** The native functions, after `binding/tfjs_binding.cc`. All of them are synchronous. */
export interface NativeBinding {
  readonly TF_Version: string;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  /** The array is not copied: it must not change afterwards. */
  createTensor(shape: readonly number[], dtype: number, values: TensorValues): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): TensorValues;
  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    numOutputs: number,
  ): TensorMetadata[];
  loadSavedModel(folder: string, tag: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(
    id: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ): TensorMetadata[];
  getNumOfTensors(): number;
  getNumOfSavedModels(): number;
}

/** A native binding on disk, not loaded yet. */
export interface NativeCandidate {
  /** `index.js` of the npm package. */
  readonly packageEntry: string;
  readonly bindingPath: string;
  /** Where the binding comes from, for people. */
  readonly source: 'operant install-tensorflow' | 'npm package';
}

/** Folder of the npm package: the project's own, else the copy in the cache; null when neither is there. */
export function findBindingPackage(home: string = tensorFlowHome()): string | null {
  const copy = createRequire(path.join(packageCopyFolder(home), 'package.json'));
  for (const resolver of [require, copy]) {
    try {
      return path.dirname(resolver.resolve(`${BINDING_PACKAGE}/package.json`));
    } catch {}
  }
  return null;
}

/** Looks for a binding without loading anything. A string says why there is none. */
export function findNativeBinding(home: string = tensorFlowHome()): NativeCandidate | string {
  const folder = findBindingPackage(home);
  if (folder === null) return `the npm package ${BINDING_PACKAGE} is not installed`;
  const packageEntry = path.join(folder, 'dist', 'index.js');
  const installation = currentInstallation(home);
  if (installation !== null) {
    const problem = foreignInstallation(home, installation);
    if (problem !== null) return `the installed binding is not loaded: ${problem}`;
    return { packageEntry, bindingPath: installation.bindingPath, source: 'operant install-tensorflow' };
  }
  const bindingPath = bindingPathOf(folder);
  if (existsSync(bindingPath)) return { packageEntry, bindingPath, source: 'npm package' };
  return `${BINDING_PACKAGE} has no native binding here`;
}

/** The binding is machine code in a cache: it has to be the user's own, unless the user named another folder for it. */
function foreignInstallation(home: string, { folder, bindingPath }: FoundInstallation): string | null {
  if (process.env.OPERANT_TENSORFLOW_HOME) return null;
  for (const path of [home, folder, bindingPath]) {
    const problem = foreignOwner(path);
    if (problem !== null) return problem;
  }
  return null;
}

/**
 * Loads the package with the given binding and leaves its backend active.
 *
 * Node 23 removed two `util` functions that the package calls in nearly every operation, and earlier versions warn of them:
 * both are replaced first. The package asks node-pre-gyp where its binding lies, and that answer is replaced while it loads.
 *
 * @throws whatever loading the shared libraries throws. Cost: about 2 s and 450 MB.
 */
export function loadNativeBinding({ packageEntry, bindingPath }: NativeCandidate): TensorFlow {
  // TensorFlow reads these once, when its library is loaded.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  restoreUtilFunctions();
  const packageRequire = createRequire(packageEntry);
  const locator = packageRequire('@mapbox/node-pre-gyp/lib/pre-binding') as { find: () => string };
  const find = locator.find;
  locator.find = () => bindingPath;
  try {
    return packageRequire(packageEntry) as TensorFlow;
  } finally {
    locator.find = find;
  }
}

function restoreUtilFunctions(): void {
  const util = require('node:util') as Record<string, unknown>;
  util.isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  util.isArray = Array.isArray;
}
