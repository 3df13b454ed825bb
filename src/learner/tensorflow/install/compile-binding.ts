/** Builds the stock binding of `@tensorflow/tfjs-node-gpu` against TensorFlow's own libraries. */
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../../../errors.ts';
import { bindingPathOf } from './location.ts';
import { findCommand, lastErrorLine, runCommand } from './run-command.ts';
import type { InstallOutput } from './wheel.ts';

/**
 * Compiles `lib/napi-v8/tfjs_binding.node` in `folder`, whose `deps` are filled.
 *
 * The compiler is called directly: two source files need no build system, and node-gyp would download Node's headers.
 *
 * @param packageFolder the npm package, which brings the sources.
 * @param compiler see `findCompiler`.
 * @throws EngineError `ENGINE_INSTALL_COMPILER` when it fails. Cost: about 20 s.
 */
export async function compileBinding(
  folder: string,
  packageFolder: string,
  compiler: string,
  output: InstallOutput,
): Promise<void> {
  const headers = await findNodeHeaders(folder, output);
  const libraries = path.join(folder, 'deps', 'lib');
  const names = (await readdir(libraries)).filter((name) => /^libtensorflow_(cc|framework)\./.test(name));
  const bindingPath = bindingPathOf(folder);
  await mkdir(path.dirname(bindingPath), { recursive: true });
  const sources = path.join(packageFolder, 'binding');
  const mac = process.platform === 'darwin';
  const origin = mac ? '@loader_path' : '$ORIGIN';
  const args = [
    '-O2',
    '-std=c++17',
    '-fPIC',
    ...(mac ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']),
    '-DNAPI_VERSION=8',
    '-DNODE_GYP_MODULE_NAME=tfjs_binding',
    `-I${headers}`,
    `-I${path.join(folder, 'deps', 'include')}`,
    `-I${packageFolder}`,
    path.join(sources, 'tfjs_backend.cc'),
    path.join(sources, 'tfjs_binding.cc'),
    ...names.map((name) => path.join(libraries, name)),
    `-Wl,-rpath,${origin}/../../deps/lib`,
    // DT_RPATH, which unlike DT_RUNPATH also serves the libraries that TensorFlow opens by name later (CUDA).
    ...(mac ? [] : ['-Wl,--disable-new-dtags']),
    '-o',
    bindingPath,
  ];
  output.line(`Compiling the binding with ${compiler} ...`);
  const result = await runCommand(compiler, args);
  if (result.exitCode !== 0) {
    throw new EngineError(
      'ENGINE_INSTALL_COMPILER',
      `${compiler} could not build the binding: ${lastErrorLine(result)}`,
    );
  }
}

/**
 * Name of a C++ compiler that runs; looked for before anything is downloaded.
 *
 * @throws EngineError `ENGINE_INSTALL_COMPILER` when there is none.
 */
export async function findCompiler(): Promise<string> {
  if (process.platform === 'win32') {
    throw new EngineError(
      'ENGINE_INSTALL_COMPILER',
      'TensorFlow has no GPU build and no shared libraries for native Windows since 2.11. Run Operant in WSL2, or use `backend: wasm`.',
    );
  }
  const candidates = [process.env.CXX, 'g++', 'c++', 'clang++'].filter(
    (name) => name !== undefined && name !== '',
  );
  const found = await findCommand(candidates.map((name) => [name as string] as const));
  if (found !== null) return found[0];
  throw new EngineError(
    'ENGINE_INSTALL_COMPILER',
    `A C++ compiler is needed and none was found (tried ${candidates.join(', ')}). Install one (Debian: apt-get install g++; macOS: xcode-select --install), or set CXX.`,
  );
}

/** Node's headers of this installation, else those of the npm package `node-api-headers`. */
async function findNodeHeaders(folder: string, output: InstallOutput): Promise<string> {
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  const roots = [process.env.npm_config_nodedir, prefix, '/usr', '/usr/local'];
  for (const root of roots) {
    if (root === undefined) continue;
    const include = path.join(root, 'include', 'node');
    if (existsSync(path.join(include, 'node_api.h'))) return include;
  }
  output.line('Fetching node-api-headers, since this Node comes without headers ...');
  const target = path.join(folder, 'headers');
  await mkdir(target, { recursive: true });
  const result = await runCommand('npm', [
    'install',
    '--prefix',
    target,
    '--ignore-scripts',
    '--no-save',
    'node-api-headers',
  ]);
  const include = path.join(target, 'node_modules', 'node-api-headers', 'include');
  if (result.exitCode === 0 && existsSync(path.join(include, 'node_api.h'))) return include;
  throw new EngineError(
    'ENGINE_INSTALL_COMPILER',
    `Node's headers (node_api.h) were not found below ${prefix}, and node-api-headers could not be fetched: ${lastErrorLine(result)}. Set npm_config_nodedir to a Node installation with include/node.`,
  );
}
