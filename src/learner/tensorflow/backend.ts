/** Chooses and loads a tfjs backend. Nothing of tfjs is loaded before {@link loadTensorFlow} is called. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { EngineError } from '../../errors.ts';
import type { TensorFlow } from '../../policy/tensor-types.ts';
import { findNativeBinding, loadNativeBinding, type NodeBackend } from './native-binding.ts';
import { correctNativeKernels } from './native-kernels.ts';
import { limitOperationThreads } from './operation-threads.ts';
import { correctWasmKernels } from './wasm-corrections.ts';
import { findWebGpuAdapter, type WebGpuAdapter } from './webgpu-backend.ts';

const require = createRequire(import.meta.url);

export type TensorFlowBackend = 'node-gpu' | 'webgpu' | 'wasm' | 'cpu';

/** tfjs with its backend active. One backend is active per process: the one loaded last. */
export interface LoadedTensorFlow {
  readonly tf: TensorFlow;
  readonly backend: TensorFlowBackend;
  /** TensorFlow's version on `node-gpu`, tfjs' on the others. */
  readonly version: string;
  readonly gpu: boolean;
  /** Why this backend, in one line for people. */
  readonly reason: string;
}

/**
 * Loads tfjs with the wanted backend. `auto` takes the native binding when it loads, else WebGPU when it is installed and finds
 * a hardware adapter, else wasm, else cpu.
 *
 * Prints nothing. Calling it again with the same backend is cheap; with another one it switches the whole process.
 *
 * @param deterministic asks the native binding for one thread an operation (see {@link limitOperationThreads}).
 *
 * @throws EngineError `ENGINE_BACKEND_MISSING` when the wanted backend cannot be loaded; the message says what to do. tfjs itself
 * is an optional peer.
 * Cost: 0.3 s (wasm, cpu), about 2 s and 450 MB (node-gpu). Thread: main.
 */
export async function loadTensorFlow({
  backend,
  deterministic = false,
}: {
  readonly backend: 'auto' | TensorFlowBackend;
  readonly deterministic?: boolean;
}): Promise<LoadedTensorFlow> {
  switch (backend) {
    case 'auto':
      return loadBestBackend(deterministic);
    case 'node-gpu':
      return loadNodeGpu(deterministic);
    case 'webgpu':
      return loadWebGpu();
    case 'wasm':
      return loadWasm();
    case 'cpu':
      return loadCpu();
  }
}

async function loadBestBackend(deterministic: boolean): Promise<LoadedTensorFlow> {
  if (!resolves(TFJS) && typeof findNativeBinding() === 'string') throw nothingInstalled();
  const failures: string[] = [];
  for (const attempt of [() => loadNodeGpu(deterministic), loadHardwareWebGpu, loadWasm, loadCpu]) {
    try {
      const loaded = await attempt();
      const [noBinding] = failures;
      return noBinding === undefined ? loaded : { ...loaded, reason: `${loaded.reason}. ${noBinding}` };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      failures.push(error.message);
    }
  }
  throw missing('cpu', failures.join(' '));
}

async function loadNodeGpu(deterministic = false): Promise<LoadedTensorFlow> {
  const candidate = findNativeBinding();
  if (typeof candidate === 'string') throw missing('node-gpu', candidate);
  let tf: TensorFlow;
  limitOperationThreads(deterministic);
  try {
    tf = loadNativeBinding(candidate);
  } catch (error) {
    throw missing(
      'node-gpu',
      `the binding at ${candidate.bindingPath} does not load (${firstLine(error)})`,
      error,
    );
  }
  await tf.setBackend('tensorflow');
  if (!activated.has('node-gpu')) correctNativeKernels(tf);
  activated.add('node-gpu');
  const { binding, isUsingGpuDevice: gpu } = tf.backend() as unknown as NodeBackend;
  const device = gpu ? 'GPU' : 'CPU';
  const reason = `TensorFlow ${binding.TF_Version} on ${device}, native binding from ${candidate.source}`;
  return { tf, backend: 'node-gpu', version: binding.TF_Version, gpu, reason };
}

async function loadWasm(): Promise<LoadedTensorFlow> {
  const tf = loadPlainTensorFlow('wasm');
  if (!activated.has('wasm')) {
    const wasm = requirePeer<{ setWasmPaths(folder: string): void }>(TFJS_WASM, 'wasm');
    wasm.setWasmPaths(`${path.dirname(require.resolve(TFJS_WASM))}${path.sep}`);
    correctWasmKernels(tf);
    activated.add('wasm');
  }
  const isStarted = await keepingListeners(async () => tf.setBackend('wasm'));
  if (!isStarted) throw missing('wasm', 'tfjs could not start its wasm backend');
  return {
    tf,
    backend: 'wasm',
    version: tf.version_core,
    gpu: false,
    reason: `tfjs ${tf.version_core} on WebAssembly`,
  };
}

/**
 * The loader of WebAssembly that Emscripten writes rethrows from listeners of its own whatever nobody caught, so that Node prints the loader's
 * minified source instead of where a user's program threw, and exits with 7.
 */
async function keepingListeners<T>(load: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set(process.listeners(event as 'uncaughtException')));
  try {
    return await load();
  } finally {
    for (const [k, event] of events.entries()) {
      for (const listener of process.listeners(event as 'uncaughtException'))
        if (!before[k].has(listener)) process.off(event, listener);
    }
  }
}

async function loadCpu(): Promise<LoadedTensorFlow> {
  const tf = loadPlainTensorFlow('cpu');
  await tf.setBackend('cpu');
  return {
    tf,
    backend: 'cpu',
    version: tf.version_core,
    gpu: false,
    reason: `tfjs ${tf.version_core} in plain JavaScript`,
  };
}

async function loadWebGpu(): Promise<LoadedTensorFlow> {
  const tf = loadPlainTensorFlow('webgpu');
  if (!activated.has('webgpu')) {
    webGpuAdapter ??= await findWebGpuAdapter();
    if (typeof webGpuAdapter === 'string') throw missing('webgpu', webGpuAdapter);
    await webGpuAdapter.activate(tf);
    activated.add('webgpu');
  }
  const { name, software } = webGpuAdapter as WebGpuAdapter;
  await tf.setBackend('webgpu');
  const reason = `tfjs ${tf.version_core} on WebGPU: ${name}${software ? ', a software adapter' : ''}`;
  return { tf, backend: 'webgpu', version: tf.version_core, gpu: !software, reason };
}

/** For `auto`: a software adapter is right, and slower than wasm. */
async function loadHardwareWebGpu(): Promise<LoadedTensorFlow> {
  webGpuAdapter ??= await findWebGpuAdapter();
  if (typeof webGpuAdapter === 'object' && webGpuAdapter.software) {
    throw missing('webgpu', `${webGpuAdapter.name} is a software adapter, which \`auto\` does not take`);
  }
  return loadWebGpu();
}

let webGpuAdapter: WebGpuAdapter | string | null = null;

/** Backends whose one-time set-up is done in this process. */
const activated = new Set<TensorFlowBackend>();

function loadPlainTensorFlow(backend: TensorFlowBackend): TensorFlow {
  const tf = requirePeer<TensorFlow>(TFJS, backend);
  tf.env().set('PROD', true); // else tfjs prints an advertisement for tfjs-node on first use
  return tf;
}

const TFJS = '@tensorflow/tfjs';
const TFJS_WASM = '@tensorflow/tfjs-backend-wasm';

const REMEDIES: Record<TensorFlowBackend, string> = {
  'node-gpu': 'Run `operant install-tensorflow` to have it.',
  webgpu: `Run \`npm install webgpu @tensorflow/tfjs-backend-webgpu ${TFJS}\`, or use \`backend: auto\`.`,
  wasm: `Run \`npm install ${TFJS}@4 ${TFJS_WASM}@4\`.`,
  cpu: `Run \`npm install ${TFJS}@4\`.`,
};

function requirePeer<T>(name: string, backend: TensorFlowBackend): T {
  try {
    return require(name) as T;
  } catch (error) {
    const isThere = resolves(name);
    const reason = isThere ? `does not load (${firstLine(error)})` : 'is not installed';
    throw missing(backend, `the npm package ${name} ${reason}`, error);
  }
}

function nothingInstalled(): EngineError {
  const message =
    `TensorFlow.js is not installed, and neither is its native binding. Run \`npm install ${TFJS}@4 ${TFJS_WASM}@4\` ` +
    '(WebAssembly), or `operant install-tensorflow` (native).';
  return new EngineError('ENGINE_BACKEND_MISSING', message);
}

function missing(backend: TensorFlowBackend, reason: string, cause?: unknown): EngineError {
  const message = `The ${backend} backend is missing: ${reason}. ${REMEDIES[backend]}`;
  return new EngineError('ENGINE_BACKEND_MISSING', message, { cause });
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0];
}

/** What `operant doctor` reports. */
export interface TensorFlowProbe {
  /** The native binding: where it lies and whether it loads. */
  readonly native: {
    readonly available: boolean;
    readonly version: string | null;
    readonly gpu: boolean;
    readonly bindingPath: string | null;
    /** One line: what was found, or why not. */
    readonly reason: string;
    /** TF_FORCE_GPU_ALLOW_GROWTH as TensorFlow sees it. */
    readonly memoryGrowth: boolean;
  };
  readonly wasm: boolean;
  readonly webgpu: boolean;
  /** What `auto` takes; null = there is nothing. */
  readonly automatic: TensorFlowBackend | null;
}

/** Looks at what is there. Loads the native binding if there is one (its version and GPU are not known before), nothing else. */
export async function probeTensorFlow(): Promise<TensorFlowProbe> {
  const candidate = findNativeBinding();
  const bindingPath = typeof candidate === 'string' ? null : candidate.bindingPath;
  let native = { available: false, version: null as string | null, gpu: false, reason: String(candidate) };
  if (bindingPath !== null) {
    try {
      const { version, gpu, reason } = await loadNodeGpu();
      native = { available: true, version, gpu, reason };
    } catch (error) {
      native.reason = firstLine(error);
    }
  }
  const memoryGrowth = (process.env.TF_FORCE_GPU_ALLOW_GROWTH ?? 'true') === 'true';
  const cpu = resolves(TFJS);
  const wasm = cpu && resolves(TFJS_WASM);
  const webgpu = cpu && resolves('webgpu') && resolves('@tensorflow/tfjs-backend-webgpu');
  const automatic = native.available ? 'node-gpu' : wasm ? 'wasm' : cpu ? 'cpu' : null;
  return { native: { ...native, bindingPath, memoryGrowth }, wasm, webgpu, automatic };
}

function resolves(packageName: string): boolean {
  try {
    require.resolve(packageName);
    return true;
  } catch {
    return false;
  }
}
