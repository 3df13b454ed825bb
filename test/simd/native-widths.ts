/** Widths of the native kernels that this machine runs. */
import type { NativeKernels } from '../../src/simd/native-kernels.ts';

export function nativeWidths(native: NativeKernels | null): readonly NativeKernels['numLanes'][] {
  if (native === null) return [];
  return native.numLanes === 4 ? [4] : ([8, 16] as const).filter((numLanes) => numLanes <= native.numLanes);
}
