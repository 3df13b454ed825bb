/** The compiled kernels, fetched. */

import { type KernelModule, loadPageKernels } from '../../../browser/index.ts';
import relaxed from '../../../build/kernels/relaxed.wasm?url';
import relaxedUnshared from '../../../build/kernels/relaxed-unshared.wasm?url';
import strict from '../../../build/kernels/strict.wasm?url';
import strictUnshared from '../../../build/kernels/strict-unshared.wasm?url';

/** @param shared whether they will work on shared memory, which a page has only when it is cross-origin isolated. */
export function loadKernels(shared: boolean): Promise<KernelModule> {
  const urls = shared ? { relaxed, strict } : { relaxed: relaxedUnshared, strict: strictUnshared };
  return loadPageKernels(urls, { shared });
}
