/** The compiled kernels, fetched. */
import relaxedShared from '../../../build/kernels/relaxed.wasm?url';
import relaxedUnshared from '../../../build/kernels/relaxed-unshared.wasm?url';
import strictShared from '../../../build/kernels/strict.wasm?url';
import strictUnshared from '../../../build/kernels/strict-unshared.wasm?url';
import { webAssembly } from '../../../src/memory/web-assembly.ts';
import type { KernelModule } from '../../../src/simd/kernels.ts';
import { hasRelaxedSimd } from '../../../src/simd/relaxed-simd.ts';

/** @param shared whether they will work on shared memory, which a page has only when it is cross-origin isolated. */
export async function loadKernels(shared: boolean): Promise<KernelModule> {
  const isRelaxed = hasRelaxedSimd();
  const [sharedUrl, unsharedUrl] = isRelaxed
    ? [relaxedShared, relaxedUnshared]
    : [strictShared, strictUnshared];
  const response = await fetch(shared ? sharedUrl : unsharedUrl);
  if (!response.ok) throw new Error(`Cannot load the kernels: ${response.status} ${response.statusText}`);
  const module = await webAssembly.compile(new Uint8Array(await response.arrayBuffer()));
  return {
    module,
    build: isRelaxed ? 'relaxed' : 'strict',
    shared,
    reason: isRelaxed ? 'this browser has relaxed SIMD' : 'this browser has no relaxed SIMD',
    native: null,
  };
}
