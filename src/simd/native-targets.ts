/** Machines that have native kernels, and how a C compiler is called for each. */
import { nativeFile } from './native-kernels.ts';

/** One build of the kernels: how many floats a vector has, and what lets the compiler use such vectors. */
interface NativeWidth {
  readonly name: string;
  readonly lanes: number;
  readonly flags: readonly string[];
}

export interface NativeTarget {
  readonly platform: 'linux' | 'darwin' | 'win32';
  readonly arch: 'x64' | 'arm64';
  /** As a cross compiler (clang, Zig) names it. */
  readonly triple: string;
  readonly widths: readonly NativeWidth[];
  /** Links nothing but Node's own symbols, which are found when it is loaded. */
  readonly link: readonly string[];
}

export const COMPILE_FLAGS = [
  ...['-O3', '-std=gnu11', '-fvisibility=hidden', '-Wall'],
  // nothing may be fused, reordered or assumed away that the source does not say: the bits are a promise
  ...['-ffp-contract=off', '-fno-fast-math', '-fno-strict-aliasing'],
];

const AVX2 = ['-mavx2', '-mfma'];
const WIDTHS: Readonly<Record<NativeTarget['arch'], readonly NativeWidth[]>> = {
  x64: [
    { name: 'avx2', lanes: 8, flags: AVX2 },
    {
      name: 'avx512',
      lanes: 16,
      flags: [...AVX2, '-mavx512f', '-mavx512vl', '-mavx512dq', '-mavx512bw'],
    },
  ],
  arm64: [{ name: 'neon', lanes: 4, flags: [] }],
};

const ELF = ['-shared', '-nostdlib'];
const MACH = ['-shared', '-Wl,-undefined,dynamic_lookup'];
const target = (
  platform: NativeTarget['platform'],
  arch: NativeTarget['arch'],
  triple: string,
  link: readonly string[],
): NativeTarget => ({ platform, arch, triple, widths: WIDTHS[arch], link });

export const NATIVE_TARGETS: readonly NativeTarget[] = [
  target('linux', 'x64', 'x86_64-linux-gnu', ELF),
  target('linux', 'arm64', 'aarch64-linux-gnu', ELF),
  target('darwin', 'x64', 'x86_64-macos', MACH),
  target('darwin', 'arm64', 'aarch64-macos', MACH),
  target('win32', 'x64', 'x86_64-windows-gnu', ['-shared']),
];

/** The target of a machine; null = its kernels are WebAssembly. */
export function nativeTarget(platform: string, arch: string): NativeTarget | null {
  return NATIVE_TARGETS.find((each) => each.platform === platform && each.arch === arch) ?? null;
}

export const targetFile = ({ platform, arch }: NativeTarget): string => nativeFile(platform, arch);
