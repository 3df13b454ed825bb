/** What a run was made with: enough to say later why numbers or speed differ. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { operantVersion } from './operant-version.ts';

export interface Fingerprint {
  readonly operant: string;
  readonly node: string;
  readonly v8: string;
  /** Such as `linux-x64`. */
  readonly platform: string;
  readonly cpuModel: string;
  readonly numCores: number;
  readonly memoryBytes: number;
  /** Instruction sets that can change results or speed, sorted; empty where the system does not tell. */
  readonly cpuFeatures: readonly string[];
  /** `simd` or `tensorflow`; null when no engine was running. */
  readonly engine: string | null;
  /** What runs underneath the engine, such as `relaxed SIMD, 2 threads`. */
  readonly backend: string | null;
  /** Version of each backend package that is installed: `@tensorflow/tfjs`, ... */
  readonly packages: Readonly<Record<string, string>>;
  /** sha256 of the nearest lockfile above the working directory; null without one. */
  readonly lockfileHash: string | null;
  /** Commit of the working directory's git repository, with `+changes` when tracked files differ; null outside of one. */
  readonly gitCommit: string | null;
}

const FEATURES = ['avx', 'avx2', 'avx512f', 'fma', 'sse4_1', 'sse4_2', 'asimd', 'sve', 'neon'];
const PACKAGES = [
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-node-gpu',
  'piscina',
  'seedrandom',
];
const LOCKFILES = ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock'];

/** The part that stays the same while a process lives; read once, since git takes a few milliseconds. */
let machine: Promise<Omit<Fingerprint, 'engine' | 'backend'>> | undefined;

/** Describes this process and machine. Never throws: what cannot be found is null or empty. */
export async function collectFingerprint(
  engine: string | null = null,
  backend: string | null = null,
): Promise<Fingerprint> {
  machine ??= describeMachine();
  return { ...(await machine), engine, backend };
}

async function describeMachine(): Promise<Omit<Fingerprint, 'engine' | 'backend'>> {
  const [cpuFeatures, packages, lockfileHash, gitCommit] = await Promise.all([
    readCpuFeatures(),
    readPackageVersions(),
    hashLockfile(process.cwd()),
    readGitCommit(process.cwd()),
  ]);
  const cores = cpus();
  return {
    operant: operantVersion(),
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
    cpuModel: cores[0]?.model.trim() ?? 'unknown',
    numCores: cores.length,
    memoryBytes: totalmem(),
    cpuFeatures,
    packages,
    lockfileHash,
    gitCommit,
  };
}

async function readCpuFeatures(): Promise<string[]> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1]?.split(/\s+/) ?? [];
  return FEATURES.filter((feature) => flags.includes(feature)).sort();
}

async function readPackageVersions(): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  for (const name of PACKAGES) {
    const path = findAbove(
      dirname(fileURLToPath(import.meta.url)),
      join('node_modules', name, 'package.json'),
    );
    if (path === null) continue;
    const version: unknown = JSON.parse(await readFile(path, 'utf8').catch(() => '{}')).version;
    if (typeof version === 'string') found.push([name, version]);
  }
  return Object.fromEntries(found);
}

async function hashLockfile(folder: string): Promise<string | null> {
  for (const name of LOCKFILES) {
    const path = findAbove(folder, name);
    const bytes = path === null ? null : await readFile(path).catch(() => null);
    if (bytes !== null) return createHash('sha256').update(bytes).digest('hex');
  }
  return null;
}

async function readGitCommit(folder: string): Promise<string | null> {
  const git = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)('git', args, {
      cwd: folder,
      timeout: 5_000,
      windowsHide: true,
    });
    return stdout.trim();
  };
  try {
    const [commit, changes] = await Promise.all([
      git('rev-parse', 'HEAD'),
      git('status', '--porcelain', '--untracked-files=no'),
    ]);
    return changes === '' ? commit : `${commit}+changes`;
  } catch {
    return null;
  }
}

function findAbove(folder: string, name: string): string | null {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  return dirname(folder) === folder ? null : findAbove(dirname(folder), name);
}

/** `exactness`: a resumed run may not continue bit for bit. `speed`: only timings change. `note`: good to know. */
export type FingerprintSeverity = 'exactness' | 'speed' | 'note';

export interface FingerprintDifference {
  readonly field: string;
  readonly first: string;
  readonly second: string;
  readonly severity: FingerprintSeverity;
  /** One sentence: what this difference can do. */
  readonly consequence: string;
}

const JUDGEMENTS: Readonly<Record<keyof Fingerprint, readonly [FingerprintSeverity, string]>> = {
  operant: ['exactness', 'Another version of Operant may compute in another order.'],
  engine: ['exactness', 'The engines agree to rounding only.'],
  backend: ['exactness', 'Backends agree to rounding only; relaxed SIMD depends on the kind of CPU.'],
  packages: ['exactness', 'Other versions of the packages underneath may compute or shuffle differently.'],
  cpuFeatures: [
    'exactness',
    'With relaxed SIMD the result depends on fused multiply-add; `--deterministic` does not.',
  ],
  v8: ['exactness', 'Math functions such as exp and tanh may round differently in another V8.'],
  node: ['note', 'What matters of it is listed as v8.'],
  platform: ['exactness', 'Another system or architecture may round differently.'],
  lockfileHash: ['note', 'Some dependency has another version.'],
  gitCommit: ['note', 'The code around Operant has changed; an environment may have, too.'],
  cpuModel: ['speed', 'Timings are not comparable.'],
  numCores: ['speed', 'Timings are not comparable; the number of cores never changes results.'],
  memoryBytes: ['speed', 'The run may need more memory than there is.'],
};
const SEVERITIES: readonly FingerprintSeverity[] = ['exactness', 'speed', 'note'];

/** What differs between two fingerprints, gravest first. A side that lacks a field (an older version's) differs in it. */
export function compareFingerprints(
  first: Partial<Fingerprint>,
  second: Partial<Fingerprint>,
): FingerprintDifference[] {
  const differences: FingerprintDifference[] = [];
  for (const [field, [severity, consequence]] of Object.entries(JUDGEMENTS)) {
    const [a, b] = [textOf(first[field as keyof Fingerprint]), textOf(second[field as keyof Fingerprint])];
    if (a !== b) differences.push({ field, first: a, second: b, severity, consequence });
  }
  return differences.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** The same for what was saved and this machine. The engine is left out: it is not known before an algorithm is built. */
export async function compareWithHere(saved: Partial<Fingerprint>): Promise<FingerprintDifference[]> {
  const { engine: _engine, backend: _backend, ...here } = await collectFingerprint();
  return compareFingerprints(saved, { ...saved, ...here });
}

function textOf(value: Fingerprint[keyof Fingerprint] | undefined): string {
  if (value === undefined || value === null) return 'unknown';
  if (Array.isArray(value)) return value.join(' ');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([name, version]) => `${name}@${version}`)
    .sort()
    .join(' ');
}
