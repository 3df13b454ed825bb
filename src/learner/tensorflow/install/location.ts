/**
 * Where `operant install-tensorflow` keeps TensorFlow: a cache folder of the user, which survives `npm ci`.
 *
 *     <home>/current.json                      { "folder": "2.21.0-cpu-napi8" }
 *     <home>/2.21.0-cpu-napi8/installation.json
 *     <home>/2.21.0-cpu-napi8/deps/lib         shared libraries
 *     <home>/2.21.0-cpu-napi8/lib/napi-v8      tfjs_binding.node
 *     <home>/package-4.22.0/node_modules       a copy of the npm package, where the project's own was dropped by npm
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Version of `@tensorflow/tfjs-node-gpu` whose binding is built. */
export const BINDING_PACKAGE = '@tensorflow/tfjs-node-gpu';
export const BINDING_PACKAGE_VERSION = '4.22.0';

export interface InstalledFile {
  readonly sha256: string;
  readonly bytes: number;
}

/** Written last, so its presence means that the folder is whole. */
export interface Installation {
  readonly format: 1;
  readonly tensorflowVersion: string;
  readonly variant: 'cpu' | 'gpu';
  /** Platform and architecture that the binding was built for, as `linux-x64`. */
  readonly platform: string;
  /** The shared libraries and the binding, by path relative to the folder. */
  readonly files: Readonly<Record<string, InstalledFile>>;
}

export interface FoundInstallation extends Installation {
  readonly folder: string;
  readonly bindingPath: string;
}

/** The cache folder: `OPERANT_TENSORFLOW_HOME`, or `operant/tensorflow` in the platform's cache folder. */
export function tensorFlowHome(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const override = environment.OPERANT_TENSORFLOW_HOME;
  if (override) return path.resolve(override);
  if (platform === 'win32') {
    return path.join(
      environment.LOCALAPPDATA ?? path.join(home, 'AppData', 'Local'),
      'operant',
      'tensorflow',
    );
  }
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches', 'operant', 'tensorflow');
  return path.join(environment.XDG_CACHE_HOME ?? path.join(home, '.cache'), 'operant', 'tensorflow');
}

export function installationFolder(home: string, version: string, variant: 'cpu' | 'gpu'): string {
  return path.join(home, `${version}-${variant}-napi8`);
}

/** Path of the binding inside an installation; its rpath leads from there to `deps/lib`. */
export function bindingPathOf(folder: string): string {
  return path.join(folder, 'lib', 'napi-v8', 'tfjs_binding.node');
}

/** Reads one installation; null when the folder is not there, not whole, or for another kind of machine. */
export function readInstallation(folder: string): FoundInstallation | null {
  const installation = readJson<Installation>(path.join(folder, 'installation.json'));
  if (installation?.format !== 1 || installation.platform !== `${process.platform}-${process.arch}`)
    return null;
  const bindingPath = bindingPathOf(folder);
  return existsSync(bindingPath) ? { ...installation, folder, bindingPath } : null;
}

/** The installation that was made or chosen last; null when there is none. */
export function currentInstallation(home: string = tensorFlowHome()): FoundInstallation | null {
  const current = readJson<{ folder: string }>(path.join(home, 'current.json'));
  const isName = typeof current?.folder === 'string' && /^[\w.-]+$/.test(current.folder);
  return isName ? readInstallation(path.join(home, current.folder)) : null;
}

/** Folder of the cache's own copy of the npm package (holds `node_modules`). */
export function packageCopyFolder(home: string): string {
  return path.join(home, `package-${BINDING_PACKAGE_VERSION}`);
}

function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return null;
  }
}
