/** Finds the compiled kernels, in a packed install or a clone, and picks the build that this engine can run. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import v8 from 'node:v8';
import { EngineError } from '../errors.ts';
import { webAssembly } from '../memory/web-assembly.ts';
import type { KernelModule } from './kernels.ts';
import { hasRelaxedSimd } from './relaxed-simd.ts';

export { instantiateKernels, type KernelModule } from './kernels.ts';

export interface LoadKernelsOptions {
  /** true: the strict build, whose results are the same on every machine. Default false. */
  readonly deterministic?: boolean;
  /** false: for a memory that is not shared. Default true. */
  readonly shared?: boolean;
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

async function kernelFolder(): Promise<URL> {
  if (!existsSync(SOURCES)) return PACKED;
  const { BUILD_FOLDER, buildKernels } = await import('./build.ts');
  await buildKernels();
  return BUILD_FOLDER;
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
  const { deterministic = false, shared = true } = options;
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
  return { module: await webAssembly.compile(bytes), build, shared, reason };
}
