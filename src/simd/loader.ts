/** Finds the compiled kernels, in a packed install or a clone, and picks the build that this engine can run. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { EngineError } from '../errors.ts';
import { webAssembly } from '../memory/web-assembly.ts';
import type { KernelModule } from './kernels.ts';
import { type NativeKernels, nativeFile, openNative } from './native-kernels.ts';
import { hasRelaxedSimd } from './relaxed-simd.ts';

export { instantiateKernels, type KernelModule } from './kernels.ts';

export interface LoadKernelsOptions {
  /** true: the strict build, whose results are the same on every machine. Default false. */
  readonly deterministic?: boolean;
  /** false: for a memory that is not shared. Default true. */
  readonly shared?: boolean;
  /** false: WebAssembly alone, also where machine code was built. Default true; the bits are the same. */
  readonly native?: boolean;
}

const SOURCES = new URL('./assembly/', import.meta.url); // only in a clone
const PACKED = new URL('../../kernels/', import.meta.url); // dist/kernels, seen from dist/src/simd

/** Whether relaxed SIMD runs here; on Node 20 it is behind a flag of V8, which is set for the whole process. */
function relaxedSupport(): { readonly available: boolean; readonly reason: string } {
  if (hasRelaxedSimd()) return { available: true, reason: 'relaxed SIMD is on by default' };
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  if (hasRelaxedSimd()) return { available: true, reason: 'relaxed SIMD, switched on with a V8 flag' };
  return { available: false, reason: 'this engine has no relaxed SIMD' };
}

/** Where the compiled kernels are; in a clone they are built first. */
async function kernelFolder(): Promise<URL> {
  if (!existsSync(SOURCES)) return PACKED;
  const { BUILD_FOLDER, buildKernels } = await import('./build.ts');
  const { buildNative } = await import('./build-native.ts');
  await Promise.all([buildKernels(), buildNative(fileURLToPath(BUILD_FOLDER))]);
  return BUILD_FOLDER;
}

/** The native kernels, or why there are none. */
function findNativeKernels(folder: URL): NativeKernels | string {
  const file = nativeFile(process.platform, process.arch);
  const path = fileURLToPath(new URL(file, folder));
  if (!existsSync(path)) return `no ${file} beside the modules`;
  try {
    const { numLanes } = openNative(path);
    return numLanes === 0 ? 'this processor has no AVX2 and FMA' : { path, numLanes };
  } catch (error) {
    return `${file} does not load: ${error instanceof Error ? error.message : String(error)}`; // a file system that forbids execution, say
  }
}

/** Why WebAssembly works alone; null = there are native kernels. Thread: any. */
export async function nativeProblem(): Promise<string | null> {
  const found = findNativeKernels(await kernelFolder());
  return typeof found === 'string' ? found : null;
}

/**
 * Loads and compiles the kernels; from a clone they are built first when missing or older than their sources.
 *
 * Trap: on Node 20 this sets a process-wide V8 flag (unless `deterministic`); worker threads then take the posted module
 * as it is. Cost: 2-15 ms, or about 10 s for the first build. Thread: any; do it once in main and post the result.
 *
 * @throws EngineError `ENGINE_KERNELS_MISSING` when there is no compiled module, `ENGINE_KERNELS_COMPILE` when building fails.
 */
export async function loadKernels(options: LoadKernelsOptions = {}): Promise<KernelModule> {
  const { deterministic = false, shared = true, native = true } = options;
  const { available, reason } = deterministic
    ? { available: false, reason: 'deterministic: the same results on every machine' }
    : relaxedSupport();
  const build = available ? 'relaxed' : 'strict';
  const file = `${build}${shared ? '' : '-unshared'}.wasm`;
  const folder = await kernelFolder();
  let bytes: Uint8Array;
  try {
    bytes = await readFile(new URL(file, folder));
  } catch (cause) {
    throw new EngineError(
      'ENGINE_KERNELS_MISSING',
      `Expected the compiled kernels \`${file}\` in ${folder.pathname}. Reinstall the package, or run \`npm run build:kernels\` in a clone.`,
      { cause },
    );
  }
  const module = await webAssembly.compile(bytes);
  const found = native ? findNativeKernels(folder) : '';
  return { module, build, shared, reason, native: typeof found === 'string' ? null : found };
}
