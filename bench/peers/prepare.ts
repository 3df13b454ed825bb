/**
 * Installs the peers, once, into a cache folder outside of the repository, and says of each whether it can run.
 *
 * Versions are pinned, so that two reports compare the same things. What does not install is remembered with the reason, and
 * tried again with `--reinstall`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export interface PrepareOptions {
  readonly cache: string;
  readonly reinstall: boolean;
  /** A Python to make environments with; null = the first of 3.10 to 3.13 on the path. */
  readonly python: string | null;
  /** An index with PyTorch's CPU builds, where the default one has CUDA builds only. */
  readonly torchIndex: string | null;
  /** A checkout of RLtools. */
  readonly rltools: string | null;
}

export interface Prepared {
  readonly name: string;
  readonly problem: string | null;
  /** What was installed, for the report. */
  readonly versions: string;
  /** Folder of the environment or path of the program. */
  readonly path: string;
}

const PYTHON_ENVIRONMENTS: Readonly<Record<string, readonly string[]>> = {
  base: ['torch==2.15.0', 'stable-baselines3==2.9.2', 'gymnasium==1.4.0', 'sbx-rl==0.28.0'],
  // Box2D and MuJoCo come as wheels: nothing is compiled
  physics: [
    ...['torch==2.15.0', 'stable-baselines3==2.9.2'],
    ...['gymnasium[box2d,mujoco]==1.4.0', 'mujoco==3.14.0'],
  ],
  rllib: ['ray[rllib]==2.60.0', 'torch==2.15.0'],
  'sample-factory': ['sample-factory==2.1.1', 'torch==2.15.0'],
  agents: [
    ...['torch==2.15.0', 'stable-baselines3==2.9.2', 'sb3-contrib==2.9.2', 'gymnasium==1.4.0'],
    ...['supersuit==3.11.0', 'pettingzoo[classic]==1.27.0', 'mpe2==1.1.1'],
  ],
  'agents-rllib': ['ray[rllib]==2.60.0', 'torch==2.15.0', 'pettingzoo[classic]==1.27.0', 'mpe2==1.1.1'],
  pufferlib: ['pufferlib==3.0.0'],
};
const NPM_PACKAGES = ['reinforce-js@1.5.1', 'rl-ts@0.0.11', 'ppo-tfjs@0.0.2'];

export const defaultCache = (): string =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'operant', 'peers');

const say = (text: string) => process.stderr.write(`${text}\n`);

function call(command: string, args: readonly string[], cwd?: string): { ok: boolean; text: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { ok: status === 0, text: error ? error.message : `${stdout}${stderr}`.trim() };
}

export function prepare(options: PrepareOptions, wanted: ReadonlySet<string>): ReadonlyMap<string, Prepared> {
  mkdirSync(options.cache, { recursive: true, mode: 0o700 });
  const prepared = new Map<string, Prepared>();
  for (const [name, packages] of Object.entries(PYTHON_ENVIRONMENTS))
    if (wanted.has(name)) prepared.set(name, preparePython(options, name, packages));
  for (const spec of NPM_PACKAGES) {
    const name = spec.split('@')[0];
    if (wanted.has(name)) prepared.set(name, prepareNpm(options, name, spec));
  }
  if (wanted.has('rltools')) prepared.set('rltools', prepareRltools(options));
  return prepared;
}

/** Runs `install` unless its outcome is on record. */
function remember(
  options: PrepareOptions,
  name: string,
  folder: string,
  install: () => Omit<Prepared, 'name' | 'path'>,
): Prepared {
  const record = join(options.cache, `${name}.json`);
  if (!options.reinstall && existsSync(record)) {
    const outcome = JSON.parse(readFileSync(record, 'utf8'));
    if (outcome.problem !== null || existsSync(folder)) return { name, path: folder, ...outcome };
  }
  say(`installing ${name} ...`);
  rmSync(folder, { recursive: true, force: true });
  const outcome = install();
  writeFileSync(record, `${JSON.stringify(outcome, null, 2)}\n`);
  return { name, path: folder, ...outcome };
}

function preparePython(options: PrepareOptions, name: string, packages: readonly string[]): Prepared {
  const folder = join(options.cache, name);
  return remember(options, name, folder, () => {
    const python = findPython(options.python);
    if (python === null) return { problem: 'no Python 3.10 to 3.13 was found', versions: '' };
    const uv = installUv(options.cache, python);
    if (uv === null) return { problem: 'pip cannot install uv', versions: '' };
    const made = call(uv, ['venv', '--quiet', '--python', python, folder]);
    if (!made.ok) return { problem: firstError(made.text), versions: '' };
    const index = options.torchIndex === null ? [] : ['--extra-index-url', options.torchIndex];
    const target = ['--python', pythonOf(folder)];
    const installed = call(uv, [
      'pip',
      'install',
      '--quiet',
      '--compile-bytecode',
      ...target,
      ...index,
      ...packages,
    ]);
    if (!installed.ok)
      return { problem: `${packages.join(' ')}: ${firstError(installed.text)}`, versions: '' };
    return { problem: null, versions: `Python ${pythonVersion(python)}, ${packages.join(', ')}` };
  });
}

function prepareNpm(options: PrepareOptions, name: string, spec: string): Prepared {
  const folder = join(options.cache, 'javascript', `with-${name}`);
  return remember(options, name, folder, () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts'];
    const { ok, text } = call('npm', ['install', ...flags, spec], folder);
    return { problem: ok ? null : `${spec}: ${firstError(text)}`, versions: spec };
  });
}

function prepareRltools(options: PrepareOptions): Prepared {
  const path = join(options.cache, 'rltools-programs');
  const { rltools: checkout } = options;
  const isBuilt = existsSync(path) && existsSync(join(options.cache, 'rltools.json'));
  if (checkout === null && !isBuilt)
    return { name: 'rltools', path, versions: '', problem: 'give a checkout with --rltools DIR' };
  return remember(options, 'rltools', path, () => buildRltools(checkout ?? '', path));
}

/** A program for each of its Pendulum examples that a workload has the settings of. */
export type RltoolsProgram = 'ppo' | 'sac' | 'td3';
const RLTOOLS_PROGRAMS: readonly RltoolsProgram[] = ['ppo', 'sac', 'td3'];

function buildRltools(checkout: string, folder: string): Omit<Prepared, 'name' | 'path'> {
  const flags = ['-std=c++17', '-Ofast', '-march=native', '-DBENCHMARK', '-DRL_TOOLS_DISABLE_TENSORBOARD'];
  mkdirSync(folder, { recursive: true });
  for (const name of RLTOOLS_PROGRAMS) {
    const example = join(checkout, 'src/rl/environments/pendulum', name, 'cpu');
    const source = fileURLToPath(new URL(`./rltools/${name}.cpp`, import.meta.url));
    const inputs = ['-I', join(checkout, 'include'), '-I', example, source, '-o', join(folder, name)];
    const blas = call('c++', [...flags, '-DRL_TOOLS_BACKEND_ENABLE_OPENBLAS', ...inputs, '-lopenblas']);
    // Without BLAS it builds, too, and is 7 times slower: that would be no comparison.
    if (!blas.ok) return { problem: `with OpenBLAS: ${firstError(blas.text)}`, versions: '' };
  }
  return { problem: null, versions: `RLtools with OpenBLAS, ${flags.join(' ')}` };
}

export const pythonOf = (folder: string): string =>
  join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

function findPython(given: string | null): string | null {
  const candidates =
    given === null ? ['python3.11', 'python3.12', 'python3.13', 'python3.10', 'python3'] : [given];
  for (const candidate of candidates) {
    const { ok, text } = call(candidate, ['-c', 'import sys; print(sys.executable, sys.version_info[1])']);
    const [path, minor] = text.split(' ');
    if (ok && Number(minor) >= 10 && Number(minor) <= 13) return path;
  }
  return null;
}

const pythonVersion = (python: string): string => call(python, ['-V']).text.replace('Python ', '');

/** uv shares files between environments, which keeps four copies of PyTorch from costing 20 GiB. */
function installUv(cache: string, python: string): string | null {
  const tools = join(cache, 'tools');
  const uv = join(tools, process.platform === 'win32' ? 'Scripts/uv.exe' : 'bin/uv');
  if (existsSync(uv)) return uv;
  call(python, ['-m', 'venv', tools]);
  call(pythonOf(tools), ['-m', 'pip', 'install', '--quiet', 'uv']);
  return existsSync(uv) ? uv : null;
}

/** The line that names the cause: the last one with an error's name, else the last. */
function firstError(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/complete log|^npm error$/.test(line));
  const cause =
    lines.find((line) => /404 Not Found/.test(line)) ??
    lines.findLast((line) => /(Error|error|fatal)\b.*:/.test(line)) ??
    lines.at(-1) ??
    'no message';
  return cause.replace(/https?:\/\/\S+/g, '(address)').slice(0, 200);
}
