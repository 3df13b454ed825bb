/** The kernel module as a thread sees it: no Node API here, so that a browser can use it too. */
import { type WasmMemory, type WasmModule, webAssembly } from '../memory/web-assembly.ts';
import type { Kernels } from './kernel-exports.ts';
import { type NativeKernels, withNativeKernels } from './native-kernels.ts';

/** A compiled module and how it was chosen; plain data, can be posted to worker threads. */
export interface KernelModule {
  readonly module: WasmModule;
  /** `relaxed` fuses multiply and add where the processor can; `strict` gives the same bits on every machine. */
  readonly build: 'relaxed' | 'strict';
  readonly shared: boolean;
  /** Why this build, for people. */
  readonly reason: string;
  /** Machine code for the hot kernels, with the same bits; null = WebAssembly alone. */
  readonly native: NativeKernels | null;
}

/** One per thread. The module has no state: all instances work on the one memory. Cost: under a millisecond. */
export function instantiateKernels(kernels: KernelModule, memory: WasmMemory): Kernels {
  const instance = new webAssembly.Instance(kernels.module, { env: { memory } });
  const exports = instance.exports as unknown as Kernels;
  const { native, build } = kernels;
  return native === null ? exports : withNativeKernels(exports, native, build, memory);
}
