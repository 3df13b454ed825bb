/** The compiled kernels, fetched. */
import { EngineError } from '../src/errors.ts';
import { webAssembly } from '../src/memory/web-assembly.ts';
import type { KernelModule } from '../src/simd/kernels.ts';
import { hasRelaxedSimd } from '../src/simd/relaxed-simd.ts';

/** Addresses of two builds, as a bundler gives them: `import relaxed from 'operant/kernels/relaxed-unshared.wasm?url'`. */
export interface KernelUrls {
  /** With fused multiply-add, for browsers that have relaxed SIMD. */
  readonly relaxed: string;
  readonly strict: string;
}

export interface PageKernelOptions {
  /**
   * Whether they work on shared memory, which a page has only when it is cross-origin isolated, and several threads need. The URLs are then those
   * of `relaxed.wasm` and `strict.wasm`, else of `relaxed-unshared.wasm` and `strict-unshared.wasm`. @defaultValue false
   */
  readonly shared?: boolean;
  /** true: the strict build, whose results are the same on every machine. @defaultValue false */
  readonly deterministic?: boolean;
}

/**
 * Fetches and compiles the build that this browser runs; what it gives can be posted to workers. Cost: 55 kB.
 *
 * @throws EngineError `ENGINE_KERNELS` when they cannot be fetched or compiled.
 */
export async function loadPageKernels(
  urls: KernelUrls,
  { shared = false, deterministic = false }: PageKernelOptions = {},
): Promise<KernelModule> {
  const isRelaxed = !deterministic && hasRelaxedSimd();
  const url = isRelaxed ? urls.relaxed : urls.strict;
  try {
    const response = await fetch(url);
    if (!response.ok) throw new TypeError(`${response.status} ${response.statusText}`);
    return {
      module: await webAssembly.compile(new Uint8Array(await response.arrayBuffer())),
      build: isRelaxed ? 'relaxed' : 'strict',
      shared,
      reason: isRelaxed ? 'this browser has relaxed SIMD' : 'strict kernels run everywhere',
      native: null,
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('ENGINE_KERNELS', `The kernels at ${url} cannot be loaded: ${reason}.`, { cause });
  }
}
