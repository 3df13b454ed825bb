/**
 * tfjs-backend-webgpu in Node, over Dawn from the npm package `webgpu`.
 *
 * The backend registers itself only where there is a `window`, so it is made by hand here. Values can be read only
 * asynchronously. Both packages are optional peers: `npm install webgpu @tensorflow/tfjs-backend-webgpu`.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { TensorFlow } from '../../policy/tensor-types.ts';

const require = createRequire(import.meta.url);

/** The parts of WebGPU's API that are used here; its types are not among our dependencies. */
interface GpuAdapter {
  readonly info: GpuAdapterInfo;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: ReadonlySet<string>;
  requestDevice(descriptor: {
    requiredLimits: Record<string, number>;
    requiredFeatures: string[];
  }): Promise<object>;
}

interface GpuAdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}

interface DawnModule {
  readonly globals: object;
  create(flags: string[]): { requestAdapter(options: object): Promise<GpuAdapter | null> };
}

interface BackendModule {
  readonly WebGPUBackend: new (device: object, info: GpuAdapterInfo) => unknown;
}

export interface WebGpuAdapter {
  /** For people: `NVIDIA GeForce RTX 4070`, `llvmpipe (LLVM 19.1.7, 256 bits)`. */
  readonly name: string;
  /** True for an adapter that computes on the CPU: right for tests, slower than wasm for anything else. */
  readonly software: boolean;
  /** Makes the backend and activates it. */
  activate(tf: TensorFlow): Promise<void>;
}

/** Limits of the adapter that tfjs needs; with the default of 8 storage buffers per stage `addN` of more tensors is silently wrong. */
const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
  'maxStorageBuffersPerShaderStage',
];

const SOFTWARE_ADAPTERS = /llvmpipe|lavapipe|swiftshader|basic render|softpipe/i;

/** Looks for an adapter. A string says why there is none. Sets `globalThis.navigator.gpu` and WebGPU's constants. */
export async function findWebGpuAdapter(): Promise<WebGpuAdapter | string> {
  let dawn: DawnModule;
  try {
    // Resolved at run time: the package is optional, and has no part in our types.
    dawn = (await import(pathToFileURL(require.resolve('webgpu')).href)) as DawnModule;
    require.resolve('@tensorflow/tfjs-backend-webgpu');
  } catch (error) {
    const missing = (error as { code?: string }).code === 'MODULE_NOT_FOUND';
    if (missing) return 'the npm packages webgpu and @tensorflow/tfjs-backend-webgpu are not installed';
    return `the npm package webgpu does not load (${String(error).split('\n')[0]})`;
  }
  Object.assign(globalThis, dawn.globals);
  const gpu = dawn.create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) return 'WebGPU found no adapter: there is no driver for Vulkan, Metal or Direct3D 12';
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true });
  const { info } = adapter;
  const name = info.description || info.device || info.vendor || 'unknown adapter';
  const software = SOFTWARE_ADAPTERS.test(
    [info.vendor, info.architecture, info.device, info.description].join(' '),
  );
  return { name, software, activate: (tf) => activateBackend(tf, adapter) };
}

async function activateBackend(tf: TensorFlow, adapter: GpuAdapter): Promise<void> {
  const { WebGPUBackend } = require('@tensorflow/tfjs-backend-webgpu') as BackendModule;
  const requiredLimits = Object.fromEntries(
    LIMITS.filter((name) => name in adapter.limits).map((name) => [name, adapter.limits[name]]),
  );
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures: [] });
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info) as never);
  await tf.setBackend('webgpu');
}
